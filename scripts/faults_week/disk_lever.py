"""A disk with levers: what stands between a process and its files (:file:`disk.c`), pulled from here."""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
from enum import IntEnum
from pathlib import Path

_SOURCE = Path(__file__).with_name("disk.c")
#: As struct levers has it: does, steps, at, wait_us, pid, room.
_LEVERS = struct.Struct("=6q")


#: In the environment: the levers' file.
FILE = "MOODIFY_FAULTS_DISK"


def environment(folder: Path, under: Path) -> dict[str, str]:
    """Return the environment of a process whose files below ``under`` go over a disk with levers; what that needs is made in ``folder``."""
    file, library = folder / "disk.levers", folder / "disk.so"
    file.write_bytes(bytes(_LEVERS.size))
    subprocess.run([shutil.which("gcc") or "cc", "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), FILE: str(file), "MOODIFY_FAULTS_UNDER": str(under)}


class Does(IntEnum):
    """What the disk does."""

    WELL = 0
    FULL = 1
    READ_ONLY = 2
    FAILING = 3
    SLOW = 4
    KILL = 5


class Disk:
    """The disk below one folder; its levers hold for every process that was started with its :func:`environment`, at once."""

    def __init__(self, file: Path) -> None:
        """Take the levers' file."""
        handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        self._levers = mmap.mmap(handle, _LEVERS.size)
        os.close(handle)

    @property
    def steps(self) -> int:
        """How many steps there were since the last lever was pulled."""
        return int(_LEVERS.unpack_from(self._levers)[1])

    def does(self, does: Does, *, at: int = 0, wait_s: float = 0.0, pid: int = 0) -> None:
        """Pull a lever; steps are counted anew.

        Args:
            does: what the disk does from now on.
            at: before which step it kills, from 1.
            wait_s: how long each step takes on a slow one.
            pid: whose steps count, and who is killed; 0 is everybody.
        """
        _LEVERS.pack_into(self._levers, 0, Does.WELL, 0, at, round(wait_s * 1e6), pid, 0)
        _LEVERS.pack_into(self._levers, 0, does, 0, at, round(wait_s * 1e6), pid, 0)

    def close(self) -> None:
        """Let go of the levers."""
        self._levers.close()
