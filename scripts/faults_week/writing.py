"""Everything that is written, killed before each of its steps: ``python -m faults_week.writing WHAT FOLDER``, with a disk that has levers (:mod:`faults_week.disk_lever`).

First as many steps are counted as there are, by letting a process do it until it comes to its end; before each one another process is killed.
Then what a next start finds is held against what was acknowledged before. The result is printed as JSON.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from faults_week import written, written_files, written_hub
from faults_week.disk_lever import FILE, Disk, Does

if TYPE_CHECKING:
    from faults_week.written import Written

#: All of them.
WRITTEN = (*written.WRITTEN, *written_files.WRITTEN, *written_hub.WRITTEN)
#: No write has so many.
MOST = 2000


def killed(disk: Disk, one: Written, folder: Path, at: int) -> tuple[bool, list[str]]:
    """Do it in a process that is killed before step ``at``; return whether that came, and what it had acknowledged by then.

    Raises:
        RuntimeError: it failed by itself.
    """
    hears, says = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(hears)
            disk.does(Does.KILL, at=at)
            with redirect_stdout(io.StringIO()):
                one.do(folder, lambda said: _say(says, said))
            code = 0
        finally:
            # Nothing of the parent's is closed twice.
            os._exit(code)
    os.close(says)
    with os.fdopen(hears, "rb") as pipe:
        # A line that was cut off is not said.
        *lines, _ = pipe.read().decode().split("\n")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    disk.does(Does.WELL)
    if status not in {0, -signal.SIGKILL}:
        raise RuntimeError(f"it failed by itself before step {at} ({status})")
    return status != 0, lines


def _say(pipe: int, said: str) -> None:
    os.write(pipe, f"{said}\n".encode())


def every_step(disk: Disk, one: Written, folder: Path) -> tuple[int, float, list[str]]:
    """Kill it before each step; return how many there are, the longest that a next start took in seconds, and what was wrong."""
    template, wrong, longest_s = folder / "template", [], 0.0
    template.mkdir(mode=0o700)
    one.lay(template)
    for at in range(1, MOST):
        place = folder / f"step{at}"
        shutil.copytree(template, place)
        was_killed, said = killed(disk, one, place, at)
        began_s = time.monotonic()
        with redirect_stdout(io.StringIO()):
            wrong += [f"killed before step {at}: {each}" for each in one.look(place, said)]
        longest_s = max(longest_s, time.monotonic() - began_s)
        shutil.rmtree(place, ignore_errors=True)
        if not was_killed:
            return at - 1, longest_s, wrong
    return MOST, longest_s, [*wrong, "it has no end"]


def main() -> None:
    """Do what the command line asks for."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    disk = Disk(Path(os.environ[FILE]))
    steps, longest_s, wrong = every_step(disk, next(each for each in WRITTEN if each.name == name), folder)
    sys.stdout.write(json.dumps({"steps": steps, "longest_s": longest_s, "wrong": wrong}) + "\n")


if __name__ == "__main__":
    main()
