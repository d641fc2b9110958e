"""Server-sent events: what the house shows, at once and after each change, to every open page."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from starlette.responses import StreamingResponse

from moodify.errors import MoodifyError
from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from starlette.types import Send

_log = logging.getLogger(__name__)

#: A page that misses two of these says that the device does not answer.
HEARTBEAT_S = 10.0
#: Faces move several times a second; a person reads slower.
PACE_S = 0.25
#: Each is a socket and a task; a household has fewer screens.
MAX_STREAMS = 16

_BEAT = b"event: beat\ndata: {}\n\n"
_OVER = b"event: over\ndata: {}\n\n"


class Shown(Protocol):
    """What is streamed: the house of a device, the board of a hub."""

    def now(self) -> Mapping[str, object]:
        """Return the state to show, as JSON values."""

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after each change, from any thread, until the returned function is called."""


class Streams:
    """The open event streams. Lives in the event loop's thread."""

    def __init__(self, house: Shown, *, heartbeat_s: float = HEARTBEAT_S, limit: int = MAX_STREAMS) -> None:
        """Take what is shown, the seconds between two signs of life, and how many streams may be open."""
        self._house = house
        self._heartbeat_s = heartbeat_s
        self._limit = limit
        self._wakes: set[asyncio.Event] = set()
        self._closed = False

    def open(self, lives: Callable[[], bool] = lambda: True) -> StreamingResponse:
        """Return a stream as the answer to a request; ``lives`` says whether its session does, and is asked as often as a sign of life is due.

        Raises:
            Problem: too many are open, or the page is closing.
            MoodifyError: the house can't say what it shows.
        """
        if self._closed or len(self._wakes) >= self._limit:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many pages are open at once. Close one and reload.", {"Retry-After": "10"})
        return _EventStream(self._messages(self._encoded(), lives))

    def close(self) -> None:
        """End every stream, and refuse new ones."""
        self._closed = True
        for wake in self._wakes:
            wake.set()

    async def _messages(self, first: bytes, lives: Callable[[], bool]) -> AsyncGenerator[bytes]:
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()

        def changed() -> None:
            # The house may call from its own thread just as the page closes.
            if not loop.is_closed():
                loop.call_soon_threadsafe(wake.set)

        self._wakes.add(wake)
        leave = self._house.watch(changed)
        try:
            yield b"retry: 2000\n\n" + first
            sent = first
            wake.set()  # what changed between the first look and the watch
            due_s = loop.time() + self._heartbeat_s
            while not self._closed:
                if loop.time() >= due_s:
                    if not lives():
                        yield _OVER
                        return
                    yield _BEAT
                    due_s = loop.time() + self._heartbeat_s
                try:
                    async with asyncio.timeout_at(due_s):
                        await wake.wait()
                except TimeoutError:
                    continue
                wake.clear()
                newest = self._encoded()
                if newest != sent and not self._closed:
                    yield newest
                    sent = newest
                    await asyncio.sleep(PACE_S)
        except MoodifyError as error:
            _log.warning("An event stream ended: %s", error)
        finally:
            leave()
            self._wakes.discard(wake)

    def _encoded(self) -> bytes:
        data = json.dumps(self._house.now(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return f"event: now\ndata: {data}\n\n".encode(errors="replace")


class _EventStream(StreamingResponse):
    """An answer whose generator is closed with it, so that the house is unwatched when the browser leaves."""

    def __init__(self, messages: AsyncGenerator[bytes]) -> None:
        super().__init__(messages, media_type="text/event-stream")
        self._messages = messages

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._messages):
            await super().stream_response(send)
