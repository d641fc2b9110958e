"""SIGKILL: at every step of every write, and of the whole appliance wherever it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from faults_week.disk_lever import Disk, Does, environment
from faults_week.fault import Fault, Group, Outcome
from faults_week.house import House
from faults_week.writing import WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: In the quick cut.
QUICK = {"a sign-in renewed"}
#: Before how many of the steps of a start the whole appliance is killed, evenly spread.
STARTS = 8


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder on a disk with levers; what is written there looks at its own promises."""

    folder: Path

    def broken(self) -> Sequence[str]:
        """Return nothing: each write was looked at after each of its steps."""
        return ()


@contextmanager
def _desk(folder: Path) -> Iterator[Desk]:
    yield Desk(folder)


def _every_step(name: str, desk: Desk) -> Outcome:
    place = desk.folder / name.replace(" ", "-")
    place.mkdir()
    under = place / "under"
    under.mkdir()
    command = [sys.executable, "-m", "faults_week.writing", name, str(under)]
    done = subprocess.run(command, env=os.environ | environment(place, under), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name}: {done.stderr[-1500:]}"
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["steps"], f"{name} writes nothing"
    assert not result["wrong"], "; ".join(result["wrong"][:3])
    return Outcome(f"killed before each of {result['steps']} steps: the next start found all that was acknowledged, and nothing by half", round(result["longest_s"], 1))


class OnDisk(House):
    """A house whose data lie on a disk with levers."""

    def __init__(self, folder: Path) -> None:
        """Lay it out; all is well with the disk."""
        super().__init__(folder)
        self.environment |= environment(folder, self.data)
        self.disk = Disk(folder / "disk.levers")


def _killed_while_it_starts(house: OnDisk) -> Outcome:
    house.stop()
    steps = _steps_of_a_start(house)
    longest_s = 0.0
    for number in range(1, STARTS + 1):
        run = house.start()
        house.disk.does(Does.KILL, at=max(1, steps * number // (STARTS + 1)), pid=run.process.pid)
        code = house.ended()
        assert code == -9, f"it was not killed at a step of its start: {code}"  # noqa: PLR2004 - SIGKILL
        house.disk.does(Does.WELL)
        house.await_nothing_left()
        assert not house.broken(), "; ".join(house.broken())
        house.start()
        longest_s = max(longest_s, house.time_until_well())
        house.stop()
    house.started()
    return Outcome(f"killed before {STARTS} of the {steps} steps of a start: the next one came up", longest_s)


def _steps_of_a_start(house: OnDisk) -> int:
    run = house.start()
    house.disk.does(Does.WELL, pid=run.process.pid)
    house.await_well()
    steps = house.disk.steps
    house.stop()
    return steps


def _killed(house: OnDisk, *, private: bool) -> Outcome:
    if private:
        house.private(on=True)
    else:
        house.play()
        house.silence()
    house.kill()
    began_s = time.monotonic()
    house.started()
    outcome = Outcome(f"a new start: camera {house.now()['camera']['state']}, {house.now()['camera']['message']}", round(time.monotonic() - began_s, 1))
    if private:
        house.private(on=False)
        house.await_well()
    return outcome


WRITES = Group(
    "writes",
    _desk,
    tuple(Fault(f"killed at each step of {written.name}", partial(_every_step, written.name), quick=written.name in QUICK) for written in WRITTEN),
)
GROUP = Group(
    "kills",
    OnDisk,
    (
        Fault("killed in silence", partial(_killed, private=False)),
        Fault("killed in privacy", partial(_killed, private=True), quick=True),
        Fault("killed while it starts", _killed_while_it_starts),
    ),
)
