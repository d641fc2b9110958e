"""Accounts off the server's loop: hashing takes some hundred milliseconds on a Pi, and a hub's database may be elsewhere."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

#: How often it is looked whether the thread that is asked lives, in seconds.
_LOOK_S: Final = 1.0
#: Passwords that wait to be hashed; more are sent away, so that guesses do not pile up before who is in the room.
HASHES_AT_MOST: Final = 6

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """One thread that asks the accounts, one thing at a time. Belongs to the server's loop but for :meth:`close`."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._thread: threading.Thread | None = None
        self._worker = self._new_worker()
        self._hashing = 0

    def _new_worker(self) -> ThreadPoolExecutor:
        def begun() -> None:
            self._thread = threading.current_thread()

        return ThreadPoolExecutor(1, thread_name_prefix="accounts", initializer=begun)

    async def ask(self, call: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Return what ``call`` returns, on the desk's thread.

        Raises:
            Problem: 503, the thread has died before it could answer; another one takes its place.
        """
        worker = self._worker
        answer = asyncio.get_running_loop().run_in_executor(worker, partial(call, *args, **more))
        try:
            while not (await asyncio.wait([answer], timeout=_LOOK_S))[0]:
                self._replace_dead()
                if worker is not self._worker:
                    raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Moodify was busy and has not done it. Try again.", {"Retry-After": "1"})
        finally:
            answer.cancel()
        return answer.result()

    def _replace_dead(self) -> None:
        # What is asked can't end it, but want of memory between two questions does, and an executor does not look.
        if self._thread is None or self._thread.is_alive():
            return
        log.warning("The thread that asks the accounts has died; another one takes its place")
        self._worker.shutdown(wait=False)
        self._worker, self._thread = self._new_worker(), None

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
