"""Quiet hours, which may go across midnight."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import time

    from moodify.config.model import QuietHours

_DAY_S = 86_400.0


def is_quiet(local: time, hours: QuietHours) -> bool:
    """Return whether a local time lies in the quiet hours: from the start on, before the end."""
    if hours.start <= hours.end:
        return hours.start <= local < hours.end
    return local >= hours.start or local < hours.end


def seconds_until(local: time, then: time) -> float:
    """Return the seconds from a local time to the next time that the clock shows ``then``.

    A change to or from summer time in between is left out: whoever waits asks again.
    """
    return (_of_day(then) - _of_day(local)) % _DAY_S or _DAY_S


def hush(local: time, hours: QuietHours | None) -> tuple[str, float] | None:
    """Return what to say in quiet hours and for how many seconds they last yet; None outside them."""
    if hours is None or not is_quiet(local, hours):
        return None
    return f"Quiet hours until {hours.end:%H:%M}: no music is started or changed by mood", seconds_until(local, hours.end)


def _of_day(local: time) -> float:
    return local.hour * 3600.0 + local.minute * 60.0 + local.second + local.microsecond / 1e6
