"""Accounts off the server's loop: hashing takes some hundred milliseconds on a Pi, and a hub's database may be elsewhere."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

#: Passwords that wait to be hashed; more are sent away, so that guesses do not pile up before who is in the room.
HASHES_AT_MOST: Final = 6

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """One thread that asks the accounts, one thing at a time. Belongs to the server's loop but for :meth:`close`."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="accounts")
        self._hashing = 0

    async def ask(self, call: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Return what ``call`` returns, on the desk's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, partial(call, *args, **more))

    async def hash(self, call: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Return what ``call``, which hashes a password, returns.

        Raises:
            Problem: 503, too many wait.
        """
        if self._hashing >= HASHES_AT_MOST:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many sign in at once. Try again in some seconds.", {"Retry-After": "5"})
        self._hashing += 1
        try:
            return await self.ask(call, *args, **more)
        finally:
            self._hashing -= 1

    def close(self) -> None:
        """Take nothing more; what is being done ends by itself."""
        self._worker.shutdown(wait=False, cancel_futures=True)
