"""Questions to what blocks, asked from an event loop: each in a thread, with a deadline, and its absence told once."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from moodify.errors import MoodifyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Away(Exception):
    """Whoever was asked can't answer now. It never leaves the gate."""


class Asking:
    """Asks one part of the hub."""

    def __init__(self, part: str, *, threads: int, timeout_s: float) -> None:
        """Take the part's name, how many questions are asked at a time, and the longest wait for an answer, in seconds."""
        self._part = part
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(threads, f"gate-{part}")
        self._asked: set[Future[Any]] = set()
        self._is_away = False

    async def ask(self, question: Callable[[], T]) -> T:
        """Return the answer.

        Raises:
            Away: there is none. What is wrong is in the log, once until there is one again.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await asyncio.wrap_future(self._submit(question))
        except (MoodifyError, OSError, TimeoutError) as error:
            if not self._is_away:
                self._is_away = True
                logger.error("the hub's %s is away, so nobody can sign in: %s", self._part, str(error) or "it does not answer")  # noqa: TRY400 - the trace says nothing
            raise Away(self._part) from error
        if self._is_away:
            self._is_away = False
            logger.info("the hub's %s is back", self._part)
        return answer

    def _submit(self, question: Callable[[], T]) -> Future[T]:
        asked = self._threads.submit(question)
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        return asked

    async def close(self, timeout_s: float) -> None:
        """Ask no more. What is being asked is waited for, a while: whoever answers may be closed next."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if asked := [asyncio.wrap_future(one) for one in list(self._asked)]:
            await asyncio.wait(asked, timeout=timeout_s)
