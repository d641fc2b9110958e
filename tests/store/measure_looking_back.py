"""Prints how long looking back takes over five years of a household: 500,000 events. Run it: .venv/bin/python tests/store/measure_looking_back.py."""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from moodify.store.database import connect
from moodify.store.looking_back import LookingBack
from moodify.store.prepare import prepare
from moodify.store.store import stamp
from moodify.types import FELT_MOODS, EventKind

EVENTS = 500_000
DAYS = 5 * 365
NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
LOOKS = 15
_HEALTH = {"disk_free_mb": 22_000, "load_1min": 0.4, "rss_mb": 120.0, "rss_anon_mb": 70.0, "uptime_s": 86_400.0, "temperature_c": 48.0, "throttled": [], "reasons": []}


def household(rng, events=EVENTS, days=DAYS, now=NOW):
    """Give the events of a household, oldest first: health as often as it leaves room for, moods, songs, people."""
    each_day = events // days
    for day in range(days):
        midnight = (now - timedelta(days=days - day)).replace(hour=0)
        moments = sorted(rng.uniform(0, 86_400) for _ in range(each_day))
        for number, second in enumerate(moments):
            at = midnight + timedelta(seconds=second)
            awake = 7 <= at.hour < 23
            if number % 2 or not awake:
                yield at, EventKind.HEALTH, _HEALTH
            else:
                yield at, *_waking(rng)


def _waking(rng):
    kind = rng.choice([EventKind.MOOD, EventKind.MOOD, EventKind.PRESENCE, EventKind.DECISION, EventKind.ORDER])
    track = {"uri": f"spotify:track:{rng.randrange(10**6)}", "title": "A song with a title", "artist": "Somebody", "duration_ms": rng.randrange(120_000, 300_000)}
    mood = rng.choice([*(mood.value for mood in FELT_MOODS), "unsure", "absent"])
    return kind, {
        EventKind.MOOD: {"mood": mood, "confidence": 0.81, "valence": rng.uniform(-1, 1), "arousal": rng.uniform(-1, 1), "people": 2, "since": stamp(NOW), "asked": False},
        EventKind.PRESENCE: {"present": True, "people": 2},
        EventKind.DECISION: {
            "act": "queue",
            "mood": mood,
            "reason": "You both seem calm, so A song with a title comes next: it was liked in the evening",
            "track": track,
            "order": str(rng.random()),
        },
        EventKind.ORDER: {"order": str(rng.random()), "act": "queue", "status": "done", "track": track, "took_ms": 120, "message": None},
    }[kind]


def fill(path, events):
    """Write events as the store does, but in one transaction and without what is to be sent."""
    db = connect(path)
    db.execute("BEGIN")
    rows = ((str(uuid.uuid4()), kind.value, stamp(at), json.dumps(data)) for at, kind, data in events)
    db.conn.executemany("INSERT INTO events (id, kind, at, data) VALUES (?, ?, ?, ?)", rows)
    db.execute("COMMIT")
    db.close()


def main():
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "moodify.db"
        prepare(path)
        fill(path, household(random.Random(7)))
        sys.stdout.write(f"{EVENTS} events over {DAYS} days, {path.stat().st_size / 1e6:.0f} MB, Python {sys.version.split()[0]}\n")
        for words, days, ago in (("a day", 1, 0), ("a week", 7, 0), ("a week two years ago", 7, 730), ("the first week", 7, DAYS - 7)):
            ends = NOW - timedelta(days=ago)
            took = []
            for _ in range(LOOKS):
                began = time.perf_counter()
                with LookingBack(path) as looking:
                    seen = looking.between(ends - timedelta(days=days), ends, now=NOW, silence_s=1800)
                    size = len(json.dumps(seen.as_json()))
                took.append((time.perf_counter() - began) * 1000)
            sys.stdout.write(
                f"{words}: median {statistics.median(took):.1f} ms, worst {max(took):.1f} ms; {len(seen.felt)} moods, {len(seen.heard)} songs, {size / 1000:.0f} kB of JSON\n"
            )


if __name__ == "__main__":
    main()
