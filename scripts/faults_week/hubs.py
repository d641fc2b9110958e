"""A hub of its own and its broker: killed, flapping, slow, hanging. The way to them is :mod:`faults_week.link`'s."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from faults_week.fault import Fault, Group, Outcome
from faults_week.house import PATIENCE_S
from faults_week.link import HUB_OWNER, LinkedHouse, lasting
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What flaps goes so often.
TIMES = 4
#: What is slow stands still for so long and runs for so long, in seconds, by turns.
STANDS_S, RUNS_S = 0.45, 0.05
#: A hub looks every 15 s whether its broker takes anybody, waits 5 s for the answer, and starts it anew at the third look in vain.
REPLACED_WITHIN_S = 180.0


@contextmanager
def slowed(pid: int) -> Iterator[None]:
    """Let a process run a tenth of the time as long as a ``with`` lasts."""
    over = threading.Event()

    def hold_up() -> None:
        while not over.is_set():
            os.kill(pid, signal.SIGSTOP)
            over.wait(STANDS_S)
            os.kill(pid, signal.SIGCONT)
            over.wait(RUNS_S)

    thread = threading.Thread(target=hold_up)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def another_mosquitto(house: LinkedHouse, pid: int, *, within_s: float = PATIENCE_S) -> int:
    """Wait until the hub has started another broker; return its process id."""

    def found() -> int | None:
        now = house.mosquitto()
        return now if now != pid else None

    return int(wait_until(found, within_s=within_s, every_s=0.05, what="another broker"))


def _broker_killed(house: LinkedHouse) -> Outcome:
    house.afresh()
    at = house.mark()
    os.kill(house.mosquitto(), signal.SIGKILL)
    seen = house.seen("link", after=at, state="degraded")
    house.something_happens()
    return Outcome(seen, house.until_arrived())


def _broker_flaps(house: LinkedHouse) -> Outcome:
    house.afresh()
    at = house.mark()
    pid = house.mosquitto()
    for _ in range(TIMES):
        os.kill(pid, signal.SIGKILL)
        house.something_happens()
        pid = another_mosquitto(house, pid)
    seen = house.seen("link", after=at, state="degraded")
    return Outcome(seen, house.until_arrived())


def _broker_hangs(house: LinkedHouse) -> Outcome:
    house.afresh()
    pid = house.mosquitto()
    os.kill(pid, signal.SIGSTOP)
    house.something_happens()
    seen = house.link("", "degraded")
    # Nobody wakes it: the hub finds out, and starts another one.
    another_mosquitto(house, pid, within_s=REPLACED_WITHIN_S)
    return Outcome(seen, house.until_arrived())


def _slow(house: LinkedHouse, whose: Callable[[LinkedHouse], int]) -> Outcome:
    house.afresh()
    with slowed(whose(house)):
        began_s = time.monotonic()
        for _ in range(5):
            house.something_happens()
        wait_until(lambda: house.waiting() == 0, within_s=PATIENCE_S, every_s=0.05, what="an empty outbox although it is slow")
        took_s = time.monotonic() - began_s
        seen = house.now()["link"]["message"]
    return Outcome(f"{seen}; summaries took {took_s:.0f} s", house.until_arrived())


def _hub_killed(house: LinkedHouse) -> Outcome:
    house.afresh()
    house.hub.__exit__()
    seen = lasting(house, "", "degraded")
    house.start_hub()
    return Outcome(seen, house.until_arrived(), f"{HUB_OWNER} starts it, where no service manager does")


def _hub_flaps(house: LinkedHouse) -> Outcome:
    house.afresh()
    at = house.mark()
    for _ in range(TIMES):
        house.hub.__exit__()
        house.something_happens()
        house.start_hub()
    seen = house.seen("link", after=at, state="degraded")
    return Outcome(seen, house.until_arrived(), f"{HUB_OWNER}, where it goes on")


def _hub_hangs(house: LinkedHouse) -> Outcome:
    house.afresh()
    house.hub.process.send_signal(signal.SIGSTOP)
    try:
        house.something_happens()
        seen = house.link("", "degraded")
    finally:
        house.hub.process.send_signal(signal.SIGCONT)
    return Outcome(seen, house.until_arrived(), f"{HUB_OWNER} restarts it")


GROUP = Group(
    "hub",
    LinkedHouse,
    (
        Fault("broker killed", _broker_killed, quick=True),
        Fault("broker flapping", _broker_flaps),
        Fault("broker hangs", _broker_hangs),
        Fault("broker slow", lambda house: _slow(house, LinkedHouse.mosquitto)),
        Fault("hub down", _hub_killed),
        Fault("hub flapping", _hub_flaps),
        Fault("hub hangs", _hub_hangs),
        Fault("hub slow", lambda house: _slow(house, lambda each: int(each.hub.process.pid))),
    ),
)
