"""How the machine is: disk, load, memory, temperature, throttling."""

from __future__ import annotations

import logging
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moodify.config.model import SystemConfig

_log = logging.getLogger(__name__)

_PROC = Path("/proc")
_THERMAL = Path("/sys/class/thermal")

#: A Pi slows its cores from 80 °C on (Raspberry Pi documentation, frequency management and thermal control).
HOT_C = 80.0

#: Seconds that ``vcgencmd`` may take; the answer comes from the firmware and takes milliseconds.
VCGENCMD_S = 2.0

#: Bits of ``vcgencmd get_throttled`` that say what is so now (Raspberry Pi documentation, vcgencmd); those from 16 on say what was.
_THROTTLED_NOW = {
    0: "the power supply is too weak",
    1: "the processor is slowed",
    2: "the processor is slowed",
    3: "the processor is slowed for its temperature",
}


@dataclass(frozen=True, slots=True)
class Health:
    """One reading; None where the machine does not say."""

    disk_free_mb: int
    """Free for this user on the disk of the state folder, in 10^6 bytes."""
    load_1min: float
    """Tasks that run or want to, averaged over a minute."""
    rss_mb: float
    """Memory of the process that is in RAM, in 10^6 bytes, files' pages included."""
    rss_anon_mb: float
    """Of that, what is the process's alone."""
    uptime_s: float
    """Since the machine started."""
    temperature_c: float | None = None
    throttled: tuple[str, ...] | None = None
    """What slows the machine now, in words; empty where nothing does."""

    def as_json(self) -> dict[str, Any]:
        """Return the reading as JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def degraded(self, config: SystemConfig) -> tuple[str, ...]:
        """Return what is wrong, each with what to do; empty where nothing is."""
        reasons = []
        if self.disk_free_mb < config.min_free_mb:
            reasons.append(f"Only {self.disk_free_mb} MB are free on the disk (min_free_mb = {config.min_free_mb}): delete what is not needed, or take a larger card.")
        if self.temperature_c is not None and self.temperature_c >= HOT_C:
            reasons.append(f"The processor is at {self.temperature_c:.0f} °C: give the device air, or a heat sink.")
        if self.throttled:
            reasons.append(f"The machine says: {', '.join(self.throttled)}. Use the power supply that belongs to it, and give it air.")
        return tuple(reasons)


def read_health(folder: Path, *, proc: Path = _PROC, thermal: Path = _THERMAL) -> Health:
    """Return how the machine is now.

    Takes some milliseconds, and on a Pi starts ``vcgencmd``.

    Args:
        folder: on the disk that is asked for room.
        proc: the kernel's process folder.
        thermal: the kernel's folder of thermal zones.

    Raises:
        OSError: the folder, or ``/proc`` is not there.
    """
    status = _status(proc / "self" / "status")
    return Health(
        disk_free_mb=shutil.disk_usage(folder).free // 1_000_000,
        load_1min=float((proc / "loadavg").read_text().split()[0]),
        rss_mb=status["VmRSS"],
        rss_anon_mb=status["RssAnon"],
        uptime_s=float((proc / "uptime").read_text().split()[0]),
        temperature_c=_temperature_c(thermal),
        throttled=_throttled(),
    )


def _status(path: Path) -> dict[str, float]:
    # Lines such as "VmRSS:     51234 kB", where kB is 1024 bytes (proc_pid_status(5)).
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0].rstrip(":"): round(int(words[1]) * 1024 / 1e6, 1) for words in lines if len(words) == 3 and words[2] == "kB"}  # noqa: PLR2004 - name, number, unit


def _temperature_c(thermal: Path) -> float | None:
    readings = []
    for zone in thermal.glob("thermal_zone*/temp"):
        try:
            readings.append(int(zone.read_text()) / 1000)
        except (OSError, ValueError):
            # A zone whose driver sleeps answers with an error; the others count.
            continue
    return max(readings, default=None)


def _throttled() -> tuple[str, ...] | None:
    command = shutil.which("vcgencmd")
    if command is None:
        return None
    try:
        answer = subprocess.run([command, "get_throttled"], capture_output=True, text=True, timeout=VCGENCMD_S, check=True).stdout
        return throttling(answer)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _log.debug("vcgencmd did not say whether the machine is throttled: %s", error)
        return None


def throttling(answer: str) -> tuple[str, ...]:
    """Return in words what ``vcgencmd get_throttled`` answers, such as ``throttled=0x50005``.

    Raises:
        ValueError: it is no such answer.
    """
    name, _, value = answer.strip().partition("=")
    if name != "throttled":
        raise ValueError(f"{answer!r} is no answer of vcgencmd get_throttled")
    bits = int(value, 16)
    return tuple(dict.fromkeys(words for bit, words in _THROTTLED_NOW.items() if bits >> bit & 1))
