"""What is read of a process and of all that it has started, and of databases: from outside, every few seconds."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TICKS = os.sysconf("SC_CLK_TCK")
#: Fields of ``/proc/PID/stat`` behind the command's name: user and system time (proc_pid_stat(5): 14 and 15), from the third on.
_USER, _SYSTEM = 11, 12


@dataclass(frozen=True, slots=True)
class Process:
    """One process, or several of one role together."""

    rss_mb: float
    rss_anon_mb: float
    """In units of 1024² bytes, as all memory here."""
    threads: int
    fds: int | None
    """Open file descriptors; None where this user may not see them."""
    cpu_s: float
    """User and system time since it began, in seconds."""

    def __add__(self, other: Process) -> Process:
        """Return both together."""
        fds = None if self.fds is None or other.fds is None else self.fds + other.fds
        return Process(self.rss_mb + other.rss_mb, self.rss_anon_mb + other.rss_anon_mb, self.threads + other.threads, fds, self.cpu_s + other.cpu_s)


@dataclass(frozen=True, slots=True)
class Reading:
    """One look."""

    at_s: float
    """On the machine's monotonic clock."""
    processes: Mapping[str, Process]
    """By role."""
    rows: Mapping[str, int]
    """Of each table, by database and table."""
    bytes: Mapping[str, int]
    """Of each database with its log beside it."""
    probe_ms: float
    """What a little piece of work took here: how busy the machine is with other things."""


def read(pid: int, databases: Iterable[Path] = ()) -> Reading:
    """Look at a process, at all that it has started, and at databases."""
    files = [file for file in databases if file.exists()]
    rows = {f"{file.stem}.{table}": count for file in files for table, count in rows_of(file).items()}
    return Reading(time.monotonic(), tree(pid), rows, {file.stem: _bytes_of(file) for file in files}, probe_ms())


def tree(pid: int) -> dict[str, Process]:
    """Return a process and all that it has started, by role: ``daemon`` is the process itself."""
    found: dict[str, Process] = {}
    waiting = [pid]
    for each in waiting:
        # One that ends meanwhile is no longer there.
        with contextlib.suppress(OSError):
            role = "daemon" if each == pid else _role_of(each)
            process = _process(each)
            found[role] = found[role] + process if role in found else process
            for task in Path(f"/proc/{each}/task").iterdir():
                with contextlib.suppress(OSError):
                    waiting += [int(child) for child in (task / "children").read_text().split()]
    return found


def rows_of(file: Path) -> dict[str, int]:
    """Return how many rows each table of a SQLite database has; empty where it is locked just now."""
    with contextlib.suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {table: int(database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]) for table in tables}  # noqa: S608 - the database's own names
    return {}


def probe_ms() -> float:
    """Return the milliseconds that a little piece of work takes after a short sleep, as a frame's begins with one."""
    due_s = time.monotonic() + 0.005
    time.sleep(0.005)
    total = 0
    for number in range(30_000):
        total += number
    return (time.monotonic() - due_s) * 1e3


def _role_of(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if "mosquitto" in Path(words[0]).name:
        return "mosquitto"
    return "hub" if words[1:6] == ["-P", "-m", "moodify", "hub", "serve"] else Path(words[0]).name or "another"


def _process(pid: int) -> Process:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    try:
        fds: int | None = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - only their number
    except PermissionError:
        fds = None
    return Process(
        int(status["VmRSS"].split()[0]) / 1024,
        int(status["RssAnon"].split()[0]) / 1024,
        int(status["Threads"]),
        fds,
        (int(stat[_USER]) + int(stat[_SYSTEM])) / _TICKS,
    )


def _bytes_of(file: Path) -> int:
    return sum(each.stat().st_size for each in (file, file.with_name(f"{file.name}-wal")) if each.exists())
