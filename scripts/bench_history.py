"""Years of a household's events, written through the store's own schema. Part of ``scripts/bench``."""

from __future__ import annotations

import json
import random
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from moodify.sqlite import connect, transaction
from moodify.store.prepare import prepare
from moodify.store.store import stamp
from moodify.types import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Row = tuple[str, str, str, str]

_HEALTH = {"disk_free_mb": 22_480, "load_1min": 0.4, "rss_mb": 118.2, "rss_anon_mb": 66.1, "uptime_s": 604_800.0, "temperature_c": 48.3, "throttled": [], "reasons": []}
_MOODS = (("calm", 0.34, -0.42), ("happy", 0.72, 0.38), ("surprised", 0.28, 0.74), ("tense", -0.36, 0.62), ("sad", -0.58, -0.38), ("unsure", 0.05, 0.02))
#: From seven to half past eight, and from five to eleven in the evening, somebody is there, in hours of the day; the room changes its mood every ten minutes or so.
_THERE = ((7.0, 8.5), (17.0, 23.0))
_MOOD_H, _SONG_H = 1 / 6, 0.06


def write_history(file: Path, days: int, until: datetime) -> int:
    """Make a database in which a household has lived for so many days up to a moment; return how many events there are."""
    prepare(file)
    database = connect(f"{file.absolute().as_uri()}?mode=rw", durable=False)
    with closing(database):
        first = until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
        plan = sorted(_day(random.Random(7)), key=lambda each: each[0])  # noqa: S311 - a made-up household
        # A month at a time, so that the log stays small.
        for month in range(0, days + 1, 30):
            with transaction(database):
                database.conn.executemany("INSERT INTO events (id, kind, at, data) VALUES (?, ?, ?, ?)", _rows(plan, first, range(month, min(month + 30, days + 1)), until))
        return int(database.execute("SELECT count(*) FROM events").fetchone()[0])


def _rows(plan: list[tuple[float, str, str]], first: datetime, days: range, until: datetime) -> Iterator[Row]:
    for day in days:
        for number, (hour, kind, data) in enumerate(plan):
            at = first + timedelta(days=day, hours=hour)
            if at < until:
                yield f"{day:08x}-{number:04x}-4000-8000-{day * 1000 + number:012x}", kind, stamp(at), data


def _day(rng: random.Random) -> Iterator[tuple[float, str, str]]:
    """Give what happens on a day: hour, kind and data."""

    def happens(hour: float, kind: EventKind, **data: Any) -> tuple[float, str, str]:
        return hour, kind.value, json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    yield from (happens(minute / 60 + 0.01, EventKind.HEALTH, **_HEALTH) for minute in range(0, 24 * 60, 5))
    for begins, ends in _THERE:
        hour = begins
        while hour < ends:
            mood, valence, arousal = rng.choice(_MOODS)
            yield happens(hour, EventKind.PRESENCE, present=True, people=rng.randint(1, 4))
            yield happens(hour + 0.002, EventKind.MOOD, mood=mood, confidence=0.84, valence=valence, arousal=arousal, people=2, since="", asked=False)
            hour += _MOOD_H * rng.uniform(0.7, 1.3)
        song = begins + 0.01
        while song < ends:
            number = rng.randrange(1000)
            track = {"uri": f"spotify:track:{number:022d}", "title": f"Lanterns over the slow river {number}", "artist": "The Slow River", "duration_ms": 210_000}
            order = f"{number:08x}-0000-4000-8000-{int(song * 1e6):012x}"
            reason = f"Two people, calm for a while: '{track['title']}' comes next, from your playlist for calm"
            yield happens(song, EventKind.DECISION, act="queue", mood="calm", reason=reason, track=track, order=order)
            yield happens(song + 0.0003, EventKind.ORDER, order=order, act="queue", status="done", track=track, took_ms=160, message=None)
            song += _SONG_H
        yield happens(ends, EventKind.PRESENCE, present=False, people=0)
        yield happens(ends + 0.002, EventKind.MOOD, mood="absent", confidence=0.0, valence=0.0, arousal=0.0, people=0, since="", asked=False)
