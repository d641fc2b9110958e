"""What a taste is over a restart: JSON values below 32 kB, kept in the settings of the device's own database.

What comes back may be of another version, by a clock that was wrong, or damaged: each part that is odd is forgotten by
itself, and nothing is raised.
"""

from __future__ import annotations

import logging
import math
import time
import uuid
from typing import TYPE_CHECKING, Any

from moodify.errors import RetryLater
from moodify.music.taste import ARTISTS_MAX, EVIDENCE_MAX, EVIDENCE_MIN, ROW_MAX, SONGS_MAX, Evidence
from moodify.types import FELT_MOODS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from moodify.music.notes import Notes
    from moodify.music.taste import ThompsonTaste

log = logging.getLogger(__name__)

TASTE_KEY = "taste"
#: Holds another value once somebody has asked to forget.
FORGET_KEY = "taste_forgotten"
#: What is kept with :data:`TASTE_KEY` says so; another version's is forgotten.
FORMAT = 1
#: Seconds between two writes: SD cards wear out, and a power cut may lose as much.
WRITE_S = 60.0
#: Seconds between two looks whether another process asked to forget.
LOOK_S = 10.0

#: The last day that a date can have, 31 December 9999, in days since 1970.
DAY_MAX = 2_932_896

_KEY_LENGTH = 8
#: Evidence is kept in hundredths of a play.
_FINE = 100


class KeptTaste:
    """Keeps a taste over restarts, and forgets it when ``moodify music forget`` says so. Belongs to the taste's thread.

    Raises (all calls but :meth:`tick` and :meth:`finish`, which try again later):
        StoreBusy: locked or the disk is full.
        StoreError: the database can't be used; these two raise it too.
    """

    def __init__(self, taste: ThompsonTaste, notes: Notes, now: datetime, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Recall what was kept. ``now``: the date; ``clock``: seconds that only go forward."""
        self._taste = taste
        self._notes = notes
        self._clock = clock
        self._forgotten = notes.get(FORGET_KEY)
        recall(taste, notes.get(TASTE_KEY), now)
        self._kept_version = taste.version
        self._write_s = self._look_s = clock()

    def tick(self, now: datetime) -> None:
        """Forget where that was asked for, and write down what was learned, where either is due; cheap, call it each second."""
        moment_s = self._clock()
        self._taste.date(now)
        try:
            if moment_s >= self._look_s:
                self._look_s = moment_s + LOOK_S
                self._forget_where_asked()
            if moment_s >= self._write_s:
                self._write()
        except RetryLater as error:
            self._write_s = moment_s + LOOK_S
            log.warning("What was learned would be forgotten by a restart: %s", error)

    def finish(self) -> None:
        """Write down what was learned, at the end of a run."""
        try:
            self._write()
        except RetryLater as error:
            log.error("What was learned in the last minute is lost: %s", error)  # noqa: TRY400 - no defect; the reason is in the message

    def _forget_where_asked(self) -> None:
        asked = self._notes.get(FORGET_KEY)
        if asked != self._forgotten:
            self._forgotten = asked
            self._taste.forget()
            self._write_s = self._clock()
            log.info("Forgot what was learned, as asked")

    def _write(self) -> None:
        if self._taste.version != self._kept_version:
            # Asked since the last look, it would be undone by this write.
            self._forget_where_asked()
            version = self._taste.version
            self._notes.put(TASTE_KEY, as_json(self._taste))
            self._kept_version = version
            self._write_s = self._clock() + WRITE_S


def forget(notes: Notes) -> None:
    """Forget what is kept; an appliance that runs forgets within :data:`LOOK_S`."""
    notes.put(FORGET_KEY, str(uuid.uuid4()))
    notes.put(TASTE_KEY, None)


def as_json(taste: ThompsonTaste) -> dict[str, Any]:
    """Return what is worth keeping, in less than 32 kB; songs and artists are named by eight characters of a hash."""
    return {
        "format": FORMAT,
        "day": math.floor(taste.day),
        "own": _entry_as_json(taste.own),
        "moods": {
            mood.value: {"songs": _entries_as_json(learned.songs, taste.day, SONGS_MAX), "artists": _entries_as_json(learned.artists, taste.day, ARTISTS_MAX)}
            for mood, learned in taste.moods.items()
            if learned.songs or learned.artists
        },
    }


def recall(taste: ThompsonTaste, kept: object, now: datetime) -> None:
    """Put what was kept into a taste that knows nothing yet; whatever is odd is left out."""
    taste.date(now)
    if not isinstance(kept, dict) or kept.get("format") != FORMAT:
        return
    written = kept.get("day")
    # Before it was written it can't be now: then it is this clock that is wrong, and by it no date is too late.
    behind = type(written) is int and taste.day < written
    latest = math.inf if behind else taste.day
    taste.own = _entry(kept.get("own"), latest) or Evidence()
    moods = kept.get("moods")
    for mood in FELT_MOODS:
        parts = moods.get(mood.value) if isinstance(moods, dict) else None
        if isinstance(parts, dict):
            learned = taste.moods[mood]
            learned.songs.update(_entries(parts.get("songs"), latest, SONGS_MAX))
            learned.artists.update(_entries(parts.get("artists"), latest, ARTISTS_MAX))


def _entries_as_json(entries: dict[str, Evidence], day: float, most: int) -> dict[str, list[int]]:
    return {key: _entry_as_json(entry) for key, entry in list(entries.items())[-most:] if entry.weight(day) >= EVIDENCE_MIN}


def _entry_as_json(entry: Evidence) -> list[int]:
    return [round(entry.good * _FINE), round(entry.bad * _FINE), math.floor(entry.day), entry.row, int(entry.liked)]


def _entries(value: object, latest: float, most: int) -> dict[str, Evidence]:
    found = ((key, _entry(each, latest)) for key, each in list(value.items())[:most]) if isinstance(value, dict) else ()
    return {key: entry for key, entry in found if entry is not None and isinstance(key, str) and len(key) == _KEY_LENGTH}


def _entry(value: object, latest: float) -> Evidence | None:
    if not isinstance(value, list) or [type(part) for part in value] != [int] * 5:
        return None
    good, bad, of_day, row, liked = value
    if not (0 <= good <= EVIDENCE_MAX * _FINE and 0 <= bad <= EVIDENCE_MAX * _FINE and of_day >= 0 and -ROW_MAX <= row <= ROW_MAX):
        return None
    # A clock that was ahead must not make it last for years.
    return Evidence(good / _FINE, bad / _FINE, float(min(of_day, latest, DAY_MAX)), row, bool(liked))
