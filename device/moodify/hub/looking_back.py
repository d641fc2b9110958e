"""How a device's day or week was, folded from the events that it sent as the device itself folds its own. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from moodify.store.feeling import Feelings, Noticed, Unseen, Why
from moodify.store.hearing import Hearing
from moodify.types import EventKind, Mood

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from moodify.hub.database.looking import Told
    from moodify.store.feeling import Felt
    from moodify.store.hearing import Heard

#: Seconds without an event after which nothing was running: a device says how it is every five minutes, and may be told to every hour.
SILENCE_S: Final = 2 * 3600.0
#: The kinds that a band of moods is made of.
OF_MOODS: Final = frozenset({EventKind.MOOD, EventKind.CAMERA, EventKind.PRESENCE})
#: A device that is away for less is as it was: one that connects anew is away for seconds.
_AWAY: Final = timedelta(minutes=1)
_NUMBERS: Final = ("confidence", "valence", "arousal")
_KINDS: Final = {kind.value: kind for kind in EventKind}
#: The kinds that songs are made of.
_OF_SONGS: Final = frozenset({EventKind.DECISION, EventKind.ORDER})
_MOODS: Final = frozenset(mood.value for mood in Mood)
_LENGTH_AT_MOST_MS: Final = 24 * 3600 * 1000
#: What a number of a mood, or of people, is far below.
_LARGEST: Final = 1_000_000
#: Dates that no clock of a household shows, and with which nobody could reckon.
_YEARS: Final = range(2000, 2200)


def felt_between(
    told: Iterable[Told], begins: datetime, ends: datetime, *, silence_s: float = SILENCE_S, gone: datetime | None = None
) -> tuple[tuple[Felt, ...], tuple[Unseen, ...]]:
    """Return the moods between two moments, and when nobody can say.

    Args:
        told: what the device noted, in the order of time.
        begins: the first moment.
        ends: the second, which is not in the future.
        silence_s: seconds without an event after which nothing was running.
        gone: when something of the device was last received; None while it is there. Of what came after, nothing is known.
    """
    feelings = Feelings(silence_s)
    for noticed in _noticed(told):
        feelings.take(noticed)
    if gone is None or ends - gone < _AWAY:
        return feelings.between(begins, ends)
    if gone <= begins:
        return (), (Unseen(begins, ends, Why.OFF),)
    felt, unseen = feelings.between(begins, gone)
    if unseen and unseen[-1].why is Why.OFF and unseen[-1].ends == gone:
        gone, unseen = unseen[-1].begins, unseen[:-1]
    return felt, (*unseen, Unseen(gone, ends, Why.OFF))


def heard_between(told: Iterable[Told], begins: datetime, ends: datetime) -> tuple[Heard, ...]:
    """Return the songs between two moments; ``told`` in the order of time."""
    hearing = Hearing()
    for noticed in _noticed(one for one in told if one.kind in _OF_SONGS):
        hearing.take(noticed)
    return hearing.between(begins, ends, reasons=True)


def _noticed(told: Iterable[Told]) -> Iterable[Noticed]:
    """Give what can be folded: a device may send anything, and what is no event of its kind is passed over."""
    for one in told:
        kind = _KINDS.get(one.kind)
        if kind is not None and one.at.year in _YEARS and _is_sound(kind, one.data):
            yield Noticed(one.at, kind, one.data)


def _is_sound(kind: EventKind, data: dict[str, Any]) -> bool:
    match kind:
        case EventKind.MOOD:
            # JSON's lists can't be looked up, and its whole numbers have no end.
            mood, people = data.get("mood"), data.get("people")
            return isinstance(mood, str) and mood in _MOODS and isinstance(people, int) and all(_is_number(value) for value in (people, *map(data.get, _NUMBERS)))
        case EventKind.DECISION | EventKind.ORDER:
            return _is_about_a_track(data)
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST


def _is_about_a_track(data: dict[str, Any]) -> bool:
    track = data.get("track")
    if track is not None and not (isinstance(track, dict) and isinstance(track.get("title"), str) and isinstance(track.get("artist"), str)):
        return False
    length = None if track is None else track.get("duration_ms")
    texts = (data.get("act"), data.get("status"), data.get("order"), data.get("mood"), data.get("reason"), None if track is None else track.get("uri"))
    return all(text is None or isinstance(text, str) for text in texts) and (length is None or (isinstance(length, int) and 0 <= length <= _LENGTH_AT_MOST_MS))
