"""What every run of the daemon is made of, whole or in safe mode: threads, the page, readings of the machine."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from moodify.daemon.house import RunningHouse
from moodify.daemon.signals import HealthRead
from moodify.daemon.threads import guarded
from moodify.errors import MoodifyError, PersonMustAct, RetryLater
from moodify.system.health import read_health

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from fastapi import APIRouter

    from moodify.accounts.accounts import Accounts
    from moodify.config import Config
    from moodify.daemon.board import Board
    from moodify.daemon.front import Front
    from moodify.daemon.signals import Signal
    from moodify.types import Event
    from moodify.web.port import House
    from moodify.web.server import PageServer

log = logging.getLogger(__name__)

#: How long all threads together have to end, in seconds; the process ends all the same, within the five that a clean stop may take.
JOIN_S = 4.0


class Patience:
    """How long the end of a run is still waited for, counted from the first time that somebody asks."""

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._until_s: float | None = None

    def left_s(self) -> float:
        """Return the seconds that are left."""
        now_s = time.monotonic()
        if self._until_s is None:
            self._until_s = now_s + JOIN_S
        return max(self._until_s - now_s, 0.0)


def show(
    config: Config,
    board: Board,
    put: Callable[[Signal], None],
    database: Path,
    device: str,
    house: ExitStack,
    front: Front | None,
    routers: Callable[[RunningHouse, Accounts], Sequence[APIRouter]] = lambda _house, _accounts: (),
) -> tuple[RunningHouse, Callable[[], tuple[str, ...]]]:
    """Open the house to those who look at it, until ``house`` is closed; return it and what tells a person what they must know of its page now, a line each.

    Args:
        config: the appliance's.
        board: what is shown.
        put: the conductor's queue.
        database: of events.
        device: the device's id.
        house: closes what is opened.
        front: what the page is opened with; None for a house without one.
        routers: returns further routes of the page.
    """
    from moodify.cloud.announcing import announce_page
    from moodify.store.history import History

    def recent(limit: int) -> Sequence[Event]:
        # A connection for each look: it belongs to the thread that looks, and opens within a millisecond.
        with History(database) as history:
            return history.recent(limit)

    running = RunningHouse(board, put, recent)
    page = None if front is None else _open_page(config, running, front, routers(running, front.accounts))
    if page is None or front is None:
        return running, tuple
    house.callback(page.stop)
    if config.web.announced:
        house.enter_context(announce_page(config.web.host, page.port, device, "Moodify", encrypted=front.tls is not None))
    return running, front.notes(page.url)


def started(name: str, target: Callable[[], None], put: Callable[[Signal], None]) -> threading.Thread:
    """Start a thread that can't die unnoticed."""
    thread = guarded(name, target, put)
    thread.start()
    return thread


def end(thread: threading.Thread, close: Callable[[], None], patience: Patience, *, at_most_s: float = JOIN_S) -> None:
    """Close what a thread runs and wait for its end, which may not come."""
    began_s = time.monotonic()
    close()
    thread.join(min(at_most_s, patience.left_s()))
    if thread.is_alive():
        log.warning("The %s did not end within %.1f s and is left behind", thread.name, time.monotonic() - began_s)


def _open_page(config: Config, house: House, front: Front, routers: Sequence[APIRouter]) -> PageServer | None:
    """Start the page; None where it can't, which the log says."""
    from moodify.web.app import create_app
    from moodify.web.server import PageServer

    try:
        page = PageServer(create_app(house, front.accounts, place=front.place, routers=routers), config.web.host, config.web.port, tls=front.tls)
        page.start()
    except (PersonMustAct, RetryLater) as error:
        log.warning("Going on without the page: %s", error)
        return None
    return page


class HealthReader:
    """Reads the machine's health, and how the sign-in to Spotify stands, on a thread of its own, as long as a ``with`` lasts.

    On a Pi this asks another program, which may take seconds.
    The thread lasts: where memory is short one that is started may end before it begins, and who started it waits for that for ever
    (github.com/python/cpython/issues/140746), which the conductor must not.
    """

    def __init__(self, folder: Path, put: Callable[[Signal], None], sign_in: Callable[[], Mapping[str, Any] | None] = lambda: None) -> None:
        """Take the data folder, the conductor's queue, and what says how the sign-in stands; nothing is read yet."""
        self._folder = folder
        self._put = put
        self._sign_in = sign_in
        self._wanted = threading.Event()
        self._closing = False

    def read(self) -> None:
        """Have it read once, and put on the queue; one reading that is under way is followed by another."""
        self._wanted.set()

    def __enter__(self) -> Self:
        """Start the thread."""
        started("health", self._run, self._put)
        return self

    def __exit__(self, *_: object) -> None:
        """End it, once a reading that is under way is over: nobody waits for that."""
        self._closing = True
        self._wanted.set()

    def _next(self) -> bool:
        """Wait until it is wanted; return False once it is closed."""
        self._wanted.wait()
        # Before it is looked at what was wanted: what is wanted from now on, an end too, wakes the thread again.
        self._wanted.clear()
        return not self._closing

    def _run(self) -> None:
        while self._next():
            try:
                self._put(HealthRead(read_health(self._folder), self._sign_in()))
            except (OSError, MoodifyError) as error:
                log.warning("The machine's health can't be read: %s", error)
