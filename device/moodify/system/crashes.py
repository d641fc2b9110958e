"""How often the daemon has crashed lately: written down, so that the next start knows it."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from moodify.files import write_private
from moodify.system.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

log = logging.getLogger(__name__)

#: In the data folder.
FILE = "crashes.json"
#: Crashes count for so many seconds, and a run of so many seconds is a good one, after which none counts any more.
WINDOW_S = 600.0
#: From so many on the daemon starts in safe mode. The unit's start limit lies above.
MANY = 5
#: What is said of a run that could not say anything itself.
KILLED = "it was ended from outside: by the watchdog, a signal, or want of memory"

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Crashes:
    """The count of one data folder; within ``with`` a run is on.

    A run that is on when the next one begins has crashed, unless the machine was started again between them: then the power went. Time is
    the machine's since its start, for a date may jump. Crashes of before a power cut count as if they had come just before the machine
    started. A file that can't be read or written is no reason not to start: nothing is counted then.
    """

    def __init__(self, path: Path, *, boot: str | None = None, now_s: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME), good_s: float = WINDOW_S) -> None:
        """Take the file; nothing is read yet.

        Args:
            path: the file; its folder must exist.
            boot: the name of this start of the machine; None asks the kernel.
            now_s: seconds since the machine started.
            good_s: seconds until a run is a good one.
        """
        self._path = path
        self._boot = _BOOT.read_text("ascii").strip() if boot is None else boot
        self._now_s = now_s
        self._lock = threading.Lock()
        self._crashes_s: list[float] = []
        self._over = False
        self._good = threading.Timer(good_s, self.forget)
        self._good.daemon = True
        self.why: str | None = None
        """Why the last of them was; None without one."""

    @property
    def count(self) -> int:
        """How many there were lately."""
        return len(self._crashes_s)

    def __enter__(self) -> Self:
        """Begin a run: count the last one where it crashed."""
        kept = _read(self._path)
        now_s = self._now_s()
        same = kept.get("boot") == self._boot
        crashes_s = [each if same else 0.0 for each in kept.get("crashes_s", [])]
        self.why = kept.get("why")
        if kept.get("on") and same:
            crashes_s.append(now_s)
            self.why = self.why or KILLED
        self._crashes_s = [each for each in crashes_s if now_s - each <= WINDOW_S]
        self._write(on=True, why=None)
        self._good.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the run; an error that ends it makes it a crash, whose reason is kept."""
        self._good.cancel()
        if isinstance(error, SystemExit) and not error.code:
            # Asked to end while it started.
            self.ended()
        elif error is not None:
            self.ended(why=str(error) or repr(error))

    def ended(self, *, why: str | None = None) -> None:
        """Say that the run ends as it was asked to, or ``why`` it can't go on, which makes it a crash. Only the first call counts."""
        with self._lock:
            if self._over:
                return
            self._over = True
            self._write(on=why is not None, why=why)

    def forget(self) -> None:
        """Count none of the crashes any more: it went well for long enough, or a person asked for a whole start."""
        with self._lock:
            if self._crashes_s:
                self._crashes_s = []
                if not self._over:
                    self._write(on=True, why=None)

    def _write(self, *, on: bool, why: str | None) -> None:
        said = {"boot": self._boot, "on": on, "crashes_s": [round(each, 1) for each in self._crashes_s], "why": redact(why) if why is not None else None}
        try:
            write_private(self._path, json.dumps(said).encode())
        except OSError as error:
            log.warning("Crashes are not counted: %s: %s", self._path, error.strerror)


def count_of(path: Path) -> int:
    """Return how many crashes a file tells of that count, for who only looks."""
    return len(_read(path).get("crashes_s", []))


def _read(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_bytes())
        why, crashes_s = kept["why"], [float(each) for each in kept["crashes_s"]]
        if not all(map(math.isfinite, crashes_s)) or not (why is None or isinstance(why, str)):
            raise ValueError("another program's")
        return {"boot": str(kept["boot"]), "on": bool(kept["on"]), "crashes_s": crashes_s, "why": why}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        log.warning("Crashes are counted anew: %s can't be read (%s)", path, error)
        return {}
