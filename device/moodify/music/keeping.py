"""What a policy's memory is over a restart: JSON values with dates, for the clock of the frames starts anew.

What comes back may be of another version, by a clock that was wrong, or damaged: each part that is
odd is forgotten by itself, and nothing is raised.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from moodify.music.memory import NOT_THIS_S, Memory
from moodify.music.orders import Sent
from moodify.types import FELT_MOODS, Mood, Track

#: Bounds that together keep the JSON below 16 kB, whatever the songs are called.
HEARD_MAX = 64
NOT_THIS_MAX = 40
CHANGES_MAX = 100
TEXT_MAX = 60
DURATION_MAX_MS = 86_400_000
SONGS_MAX = 1000
URI_MAX = 64

#: Dates are kept to the second, so a moment of just now may come back as one of the next second.
ROUNDING_S = 1.0

#: Longest change_window_s that can be configured: what is older says nothing any more.
CHANGE_MAX_S = 86_400.0


def as_json(memory: Memory, now_s: float, now: datetime) -> dict[str, Any]:
    """Return what is worth keeping of a memory, in less than 16 kB. ``now_s`` and ``now``: the same moment on both clocks."""

    def date(moment_s: float | None) -> str | None:
        if moment_s is None:
            return None
        at = now.astimezone(UTC) + timedelta(seconds=moment_s - now_s + 0.5)
        return at.isoformat(timespec="seconds")

    refused = [(uri, date(until_s)) for uri, until_s in memory.not_this.items() if until_s > now_s and _is_uri(uri)]
    return {
        "hushed": memory.hushed,
        "paused": date(memory.paused_s),
        "chosen": date(memory.chosen_s),
        "changes": [date(change_s) for change_s in memory.changes if now_s - change_s <= CHANGE_MAX_S][-CHANGES_MAX:],
        "heard": [uri for uri in memory.heard if _is_uri(uri)][-HEARD_MAX:],
        "not_this": dict(refused[-NOT_THIS_MAX:]),
        "current": _sent_as_json(memory.current),
        "queued": _sent_as_json(memory.queued),
        "after": memory.after_uri if _is_uri(memory.after_uri) else None,
        "cap": memory.cap,
    }


def recall(memory: Memory, kept: object, now_s: float, now: datetime) -> None:
    """Put what was kept into a memory that knows nothing yet; whatever is odd is left out."""
    if not isinstance(kept, dict):
        return

    def moment(value: object, *, ahead_s: float = 0.0) -> float | None:
        ago_s = _seconds_ago(value, now)
        return None if ago_s is None or not -ahead_s - ROUNDING_S <= ago_s <= CHANGE_MAX_S else now_s - ago_s

    def past(value: object) -> float | None:
        moment_s = moment(value)
        return None if moment_s is None else min(moment_s, now_s)

    memory.hushed = kept.get("hushed") is True
    memory.paused_s = past(kept.get("paused"))
    memory.chosen_s = past(kept.get("chosen"))
    memory.changes.extend(sorted(change_s for each in _list(kept.get("changes"))[-CHANGES_MAX:] if (change_s := past(each)) is not None))
    memory.heard.extend(dict.fromkeys(uri for uri in _list(kept.get("heard"))[-HEARD_MAX:] if _is_uri(uri)))
    refused = kept.get("not_this")
    for uri, until in list(refused.items())[-NOT_THIS_MAX:] if isinstance(refused, dict) else ():
        until_s = moment(until, ahead_s=NOT_THIS_S)
        if _is_uri(uri) and until_s is not None and until_s > now_s:
            memory.not_this[uri] = until_s
    memory.cap = cap if type(cap := kept.get("cap")) is int and 0 <= cap <= 100 else None  # noqa: PLR2004 - percent
    memory.put_back(_sent(kept.get("current")), _sent(kept.get("queued")), after_uri=after if _is_uri(after := kept.get("after")) else None)


def _sent_as_json(sent: Sent | None) -> dict[str, Any] | None:
    if sent is None or not _is_uri(sent.track.uri):
        return None
    track = sent.track
    return {
        "uri": track.uri,
        "title": track.title[:TEXT_MAX],
        "artist": track.artist[:TEXT_MAX],
        "duration_ms": track.duration_ms,
        "mood": sent.mood.value,
        "through_quiet": sent.through_quiet,
        "felt": sent.felt.value,
        "songs": min(sent.songs, SONGS_MAX),
        "sure": sent.sure,
        "teaches": sent.teaches,
    }


def _sent(value: object) -> Sent | None:
    if not isinstance(value, dict):
        return None
    uri, title, artist, mood = (value.get(key) for key in ("uri", "title", "artist", "mood"))
    duration_ms, through_quiet = value.get("duration_ms"), value.get("through_quiet")
    if not isinstance(uri, str) or not _is_uri(uri) or not isinstance(title, str) or not isinstance(artist, str):
        return None
    if mood not in FELT_MOODS or type(duration_ms) is not int or not 0 <= duration_ms <= DURATION_MAX_MS:
        return None
    felt, songs = value.get("felt"), value.get("songs")
    return Sent(
        Track(uri, title[:TEXT_MAX], artist[:TEXT_MAX], duration_ms),
        Mood(mood),
        through_quiet is True,
        # The version before did not keep these.
        Mood(felt) if felt in FELT_MOODS else Mood(mood),
        songs if type(songs) is int and 1 <= songs <= SONGS_MAX else 1,
        sure=value.get("sure") is not False,
        teaches=value.get("teaches") is not False,
    )


def _seconds_ago(value: object, now: datetime) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if at.tzinfo is None else (now - at).total_seconds()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_uri(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= URI_MAX and value.isascii() and value.replace(":", "").isalnum()
