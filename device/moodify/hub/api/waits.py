"""Requests that wait for a command's answer, without holding a thread."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool

from moodify.hub.port import CommandState
from moodify.web.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

    from moodify.hub.port import CommandRecord, Commands

#: Requests that may wait at a time; each looks at the database every :data:`LOOK_S`.
WAITS_AT_MOST: Final = 32
LOOK_S: Final = 0.25


class Waits:
    """Waits for answers: any hub may have taken them, so the database is looked at. Belongs to the server's loop but for :meth:`close`."""

    def __init__(self, commands: Commands) -> None:
        """Take where answers are kept."""
        self._commands = commands
        self._waiting = 0
        self._closed = False

    async def record(self, command_id: str, wait_s: float, request: Request) -> CommandRecord | None:
        """Return a command as soon as it is not waiting any more, at the latest after ``wait_s``, as it then is; None where there is none.

        Raises:
            Problem: 503, too many wait already.
        """
        record = await run_in_threadpool(self._commands.get, command_id)
        if wait_s == 0 or record is None or record.state is not CommandState.WAITING:
            return record
        if self._waiting >= WAITS_AT_MOST:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{WAITS_AT_MOST} requests wait for answers already. Ask again, without wait_s or in a second.", {"Retry-After": "1"})
        self._waiting += 1
        try:
            until_s = time.monotonic() + wait_s
            while record is not None and record.state is CommandState.WAITING and not self._closed and (left_s := until_s - time.monotonic()) > 0:
                await asyncio.sleep(min(LOOK_S, left_s))
                if await request.is_disconnected():
                    return record
                record = await run_in_threadpool(self._commands.get, command_id)
        finally:
            self._waiting -= 1
        return record

    def close(self) -> None:
        """Let those that wait go with what is known; from any thread."""
        self._closed = True
