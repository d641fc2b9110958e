"""Waiting for what others do, without keeping the page from anybody else."""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moodify.web.port import Wish

T = TypeVar("T")

#: What a wish may take: a speaker that fades, or answers late.
WISH_S = 15.0


async def granted(wish: Wish, *, within_s: float = WISH_S) -> Mapping[str, Any]:
    """Return what became of a wish.

    Raises:
        Problem: nobody has seen to it in time.
        MoodifyError: it was refused, and why.
    """
    try:
        async with asyncio.timeout(within_s):
            return await asyncio.wrap_future(wish)
    except TimeoutError:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Moodify is busy and has not done it yet. Look at the page in a moment, and try again where nothing has changed.") from None


class Aside:
    """Does what takes its time in another thread, one after another: what is kept has one reader of the page's. ``at_once`` lets more be done side by side."""

    def __init__(self, at_once: int = 1) -> None:
        """Have nothing to do."""
        self._at_once = at_once
        self._limiter: anyio.CapacityLimiter | None = None

    async def do(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Return what ``work`` returns; raise what it raises."""
        if self._limiter is None:
            # It belongs to the event loop, which is there by now.
            self._limiter = anyio.CapacityLimiter(self._at_once)
        return await anyio.to_thread.run_sync(partial(work, *arguments, **named), limiter=self._limiter)
