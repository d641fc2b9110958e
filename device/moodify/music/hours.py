"""Hours of the day: quiet ones, goals and volume caps by the hour. Any of them may go across midnight.

A change to or from summer time between now and then is left out everywhere: whoever waits asks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import time

    from moodify.config.model import MusicConfig, MusicGoal, QuietHours
    from moodify.config.section import Hours

    H = TypeVar("H", bound=Hours)

#: What to say where there are quiet hours and the clock is known to be wrong: silence that nobody asked for surprises less than music at night.
ANY_MAY_BE_QUIET = "The clock is wrong, so this may be a quiet hour: no music is started or changed by mood until the network sets it"

_DAY_S = 86_400.0
_MINUTE_S = 60.0
_HOUR_S = 3600.0


def is_within(local: time, hours: Hours) -> bool:
    """Return whether a local time lies in these hours: from the start on, before the end."""
    if hours.start <= hours.end:
        return hours.start <= local < hours.end
    return local >= hours.start or local < hours.end


def seconds_until(local: time, then: time) -> float:
    """Return the seconds from a local time to the next time that the clock shows ``then``."""
    return (_of_day(then) - _of_day(local)) % _DAY_S or _DAY_S


def clock(local: time, ahead_s: float) -> str:
    """Say what the clock will show in so many seconds: ``14:05``, rounded up to the minute; the days too, from a day on."""
    minutes = int(-(-(_of_day(local) + ahead_s) // _MINUTE_S))
    hour, minute = divmod(minutes % (24 * 60), 60)
    days = int(ahead_s // _DAY_S)
    later = "" if not days else " tomorrow" if days == 1 else f" in {days} days"
    return f"{hour:02}:{minute:02}{later}"


def hush(local: time, hours: QuietHours) -> tuple[str, float] | None:
    """Return what to say in quiet hours and for how many seconds they last yet; None outside them."""
    if not is_within(local, hours):
        return None
    return f"Quiet hours until {hours.end:%H:%M}: no music is started or changed by mood", seconds_until(local, hours.end)


def goal(local: time, config: MusicConfig) -> MusicGoal:
    """Return what music is for at this hour."""
    hours = _first(local, config.goals)
    return config.goal if hours is None else hours.goal


def volume_cap(local: time, config: MusicConfig) -> int:
    """Return the loudest volume of this hour, in percent."""
    hours = _first(local, config.volume_caps)
    return config.volume_cap if hours is None else hours.volume_cap


def last_edge(local: time, entries: Sequence[Hours]) -> time:
    """Return the start or end that was passed last. ``entries``: at least one."""
    return min(_edges(entries), key=lambda edge: (_of_day(local) - _of_day(edge)) % _DAY_S)


def next_edge_s(local: time, config: MusicConfig) -> float | None:
    """Return the seconds to the next hour at which a goal or a volume cap may change; None where they hold all day."""
    return min((seconds_until(local, edge) for edge in _edges((*config.goals, *config.volume_caps))), default=None)


def _first(local: time, entries: Sequence[H]) -> H | None:
    return next((hours for hours in entries if is_within(local, hours)), None)


def _edges(entries: Sequence[Hours]) -> list[time]:
    return [edge for hours in entries for edge in (hours.start, hours.end)]


def _of_day(local: time) -> float:
    return local.hour * _HOUR_S + local.minute * _MINUTE_S + local.second + local.microsecond / 1e6
