"""Whether the system's date can be believed: a Pi without a battery wakes up in its past."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: When this version was made; no correct clock is before it.
BUILT = datetime(2026, 11, 21, tzinfo=UTC)

#: Touched by systemd-timesyncd once the clock was set from the network (systemd-timesyncd.service(8)).
SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")

#: What adjtimex(2) returns while the kernel's clock is not disciplined.
_TIME_ERROR = 5


def clock_trusted(
    now: datetime,
    last_seen: datetime | None = None,
    *,
    built: datetime = BUILT,
    synchronised: Callable[[], bool] | None = None,
) -> tuple[bool, str]:
    """Return whether a date may be written down and shown to others, and why, for a person.

    A clock that was set from the network is believed from the build date on, even where what was noted is ahead of it: then that
    was noted by a clock that ran ahead. One that was not is believed only past everything that is known to have happened.

    Args:
        now: the system's date, timezone-aware.
        last_seen: the last date that this device knew, as it noted it, timezone-aware; None where it has noted none.
        built: when this version was made.
        synchronised: whether the clock was set from the network; None asks the machine.
    """
    if now >= built and (synchronised or clock_synchronised)():
        return True, "The clock is set from the network."
    floor, known = (built, "this version was made") if last_seen is None or last_seen <= built else (last_seen, "this device last noted the time")
    if now < floor:
        return False, f"The clock says {now:%Y-%m-%d %H:%M}, before {known} ({floor:%Y-%m-%d %H:%M}). Connect the network so that it is set, or set it with: timedatectl set-time."
    return True, (
        f"The clock says {now:%Y-%m-%d %H:%M %Z}, which can be right: it is after {known} ({floor:%Y-%m-%d %H:%M}). The network has not set it; "
        "if it is wrong, connect the network, or set it with: timedatectl set-time."
    )


def clock_synchronised(mark: Path = SYNCHRONIZED, kernel: Callable[[], bool] | None = None) -> bool:
    """Return whether the machine's clock was set from the network since it started.

    Args:
        mark: the file whose existence says so.
        kernel: whether the kernel says so; None asks it.
    """
    return mark.exists() or (kernel or kernel_synchronised)()


def kernel_synchronised() -> bool:
    """Return whether the kernel's clock is disciplined: adjtimex(2), which chrony and ntpd keep."""
    # struct timex (adjtimex(2)) is 208 bytes on 64-bit Linux and less on 32-bit; modes = 0, its first field, only reads.
    timex = ctypes.create_string_buffer(512)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    except AttributeError:
        # A libc without the call can't say, which is no yes.
        return False
    return bool(0 <= state < _TIME_ERROR)
