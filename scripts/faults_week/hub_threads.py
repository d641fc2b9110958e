"""The death of each thread of a hub: it is taken up again, or the hub ends and is started again by its service manager."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING

from faults_week.fault import Fault, Group, Outcome
from faults_week.house import PATIENCE_S, SCRIPTS
from faults_week.levers import DOOMED, THREAD
from faults_week.link import LinkedHouse
from hub_process import HubProcess
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Those that take a step all the time, or with each summary.
THREADS = ("MainThread", "gate", "mosquitto", "collector-1", "dispatcher", "web")
#: Those that may be taken up: what goes wrong as they read from the broker is the broker's nonsense.
TAKEN_UP = ("collector-1", "dispatcher")
#: Those that may wait for a day, or for somebody who looks at the dashboard: they die as they begin.
IDLE = ("retention", "board", "alerts", "alert-sender", "mosquitto-log")
#: Those of pools, whose work is caught and answered; and a library's that lives for a moment and is begun anew where it died.
OTHERS = ("gate-database", "gate-broker", "AnyIO worker thread", "accounts", "timer")


class LeveredHub(LinkedHouse):
    """A linked house whose hub's threads can be made to die."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        """Lay it out."""
        self.hub_victim = folder / "hub-victim"
        super().__init__(folder, environment=environment)

    def start_hub(self, *, wait: bool = True) -> None:
        """Start the hub; wait until it lets devices in."""
        environment = {"PYTHONPATH": str(SCRIPTS), THREAD: str(self.hub_victim)}
        self.hub = HubProcess(self.hub_home, self.hub_folder, wait=wait, module="faults_week.levers", environment=environment)

    def threads(self, victim: str) -> set[str]:
        """Let a thread of the hub die, and return who was there."""
        self.hub_victim.write_text(victim, "utf-8")
        there = self.hub_victim.with_suffix(".there")
        there.unlink(missing_ok=True)
        self.hub.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: there.exists() and there.read_text("utf-8").endswith("\n"), within_s=PATIENCE_S, what="the list of threads")
        return set(there.read_text("utf-8").splitlines())

    def lost(self, name: str) -> str:
        """Return what the hub says of a thread whose connection to the broker was lost for its death; empty where it was not."""
        return next((line for line in self.hub.log.splitlines() if f"{name}: the connection to mosquitto was lost" in line and "(_Bang)" in line), "")

    def hub_ended(self) -> str:
        """Wait until the hub has ended for want of a thread, start it again as a service manager does, and return what it said."""
        code = self.hub.process.wait(PATIENCE_S)
        assert code == 1, f"the hub ended with {code}, after which a service manager does not start it again; its log: {self.hub.log[-1500:]}"
        said = str(self.hub.log.strip().splitlines()[-1])
        # Its broker may be left behind.
        self.hub.__exit__()
        self.start_hub()
        return said


def _dies(house: LeveredHub, name: str) -> Outcome:
    house.afresh()
    names = house.threads(name)
    assert name in names, f"there is no thread {name}: {names}"
    unknown = {each for each in names if each not in {*THREADS, *IDLE} and not each.startswith(OTHERS)}
    assert not unknown, f"there are threads whose death is no fault yet: {unknown}"
    # What it gets to do next, it meets it at.
    house.something_happens()
    wait_until(lambda: house.hub.process.poll() is not None or (name in TAKEN_UP and house.lost(name)), within_s=PATIENCE_S, what=f"what comes of the death of {name}")
    said = house.hub_ended() if house.hub.process.poll() is not None else house.lost(name)
    return Outcome(said, house.until_arrived())


def _dies_as_it_begins(house: LeveredHub, name: str) -> Outcome:
    house.afresh()
    house.hub.end()
    doomed = house.hub_victim.with_suffix(DOOMED)
    doomed.write_text(name, "utf-8")
    house.start_hub(wait=False)
    wait_until(lambda: house.hub.process.poll() is not None, within_s=PATIENCE_S, what=f"the end of a hub whose thread {name} has died")
    doomed.unlink()
    return Outcome(house.hub_ended(), house.until_arrived())


GROUP = Group(
    "hub threads",
    LeveredHub,
    (
        *(Fault(f"death of the hub's thread {name}", partial(_dies, name=name)) for name in THREADS),
        *(Fault(f"death of the hub's thread {name}", partial(_dies_as_it_begins, name=name)) for name in IDLE),
    ),
)
