"""What the household was seen to like: Thompson sampling over the songs of a mood.

It learns from the owner's own presses and skips, and from nothing else: no song's sound, no profile of a person, no data
of the service goes into it. It stays on the device, can be left out (``music.learning``) and forgotten
(``moodify music forget``). That is also what Spotify's policy asks for.

**The belief.** Each play is a trial that a song passes when it is heard to its end, and fails when it is skipped. For a song
in a mood the chance to pass has a Beta distribution, whose prior comes from the artist in that mood, whose prior is the
household's own rate::

    own    = (kept + K_OWN · 0.51) / (plays + K_OWN)                 about 49 % are skipped before the end (Lamere 2014)
    artist = (for + K_ARTIST · own) / (for + against + K_ARTIST)     by the artist, in the mood
    song   ~ Beta(for + K_SONG · artist, against + K_SONG · (1 - artist))

A draw from the last line weighs the song, so that what is little known is tried now and then and what is known to be disliked
is not (Thompson 1933; Chapelle & Li 2011). Feedback is thereby relative to the household's own rate m: an outcome x (1 or 0)
moves a new song's mean by (x - m) · w / (w + K_SONG), which is how surprising it was. A skip by those who skip half of everything
moves it by little, compared with the spread of the draws; by those who hardly ever skip, by much; and where all is skipped,
what is heard to its end stands out.

**Forgetting.** Evidence halves every :data:`HALF_LIFE_DAYS`, so that taste may change, and at last only the prior is left.
**Bounds.** :data:`SONGS_MAX` songs and :data:`ARTISTS_MAX` artists for each mood; what says least goes first.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from moodify.music.song import Outcome
from moodify.music.words import NUMBERS
from moodify.types import FELT_MOODS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from random import Random

    from moodify.types import Mood, Track

#: What an outcome says for and against a song, in plays. To hear a song to its end says one play's worth, as does *not this*. A press of
#: *like* is rare and meant; being cut short elsewhere may have had other reasons, such as a phone that took the speaker over.
WEIGHTS: Mapping[Outcome, tuple[float, float]] = {
    Outcome.LIKED: (3.0, 0.0),
    Outcome.HEARD: (1.0, 0.0),
    Outcome.SKIPPED: (0.0, 1.0),
    Outcome.SKIPPED_ELSEWHERE: (0.0, 0.5),
}

#: Share of plays that are heard to their end where nothing is known of a household: 1 - 0.486 (Lamere 2014, plays on Spotify).
OWN_PRIOR = 0.51

#: Plays that outweigh what was believed before: of the household, of an artist, of a song. Choices of ours: half or twice as much of
#: the last two changes the regret in the simulation by at most a sixth, and they are not fitted to it, for its households are no people.
K_OWN = 10.0
K_ARTIST = 2.0
K_SONG = 4.0

#: Days in which evidence loses half of its weight.
HALF_LIFE_DAYS = 60.0

#: No more evidence than this many plays is held of a song, an artist or the household, so that a change of taste shows soon.
EVIDENCE_MAX = 40.0

#: Less than this is as good as forgotten.
EVIDENCE_MIN = 0.03

SONGS_MAX = 90
ARTISTS_MAX = 36

#: A row of outcomes is counted so far.
ROW_MAX = 10
#: So many in a row by an artist are worth a word.
SEVERAL = 2

_DAY_S = 86_400.0


@dataclass(slots=True)
class Evidence:
    """What was seen of a song or an artist in a mood, or of the household."""

    good: float = 0.0
    bad: float = 0.0
    day: float = 0.0
    """When that was, in days since 1970: evidence fades from there."""
    row: int = 0
    """How many of the last plays were heard to their end, or, below 0, were skipped."""
    liked: bool = False
    """Somebody pressed *like*, and did not skip it since."""

    def faded(self, day: float) -> tuple[float, float]:
        """Return what is left of it on a day, for and against."""
        # A clock that was wrong may have dated it ahead.
        left = 0.5 ** (max(day - self.day, 0.0) / HALF_LIFE_DAYS)
        return self.good * left, self.bad * left

    def weight(self, day: float) -> float:
        """Return how much is left of it on a day, in plays."""
        return sum(self.faded(day))

    def add(self, good: float, bad: float, day: float) -> None:
        """Take more of it, up to :data:`EVIDENCE_MAX`."""
        before = self.faded(day)
        good, bad = before[0] + good, before[1] + bad
        scale = min(EVIDENCE_MAX / (good + bad), 1.0) if good + bad else 1.0
        self.good, self.bad, self.day = good * scale, bad * scale, day

    def count(self, outcome: Outcome) -> None:
        """Count the row of outcomes on."""
        match outcome:
            case Outcome.LIKED | Outcome.HEARD:
                self.row, self.liked = min(max(self.row, 0) + 1, ROW_MAX), self.liked or outcome is Outcome.LIKED
            case Outcome.SKIPPED | Outcome.SKIPPED_ELSEWHERE:
                self.row, self.liked = max(min(self.row, 0) - 1, -ROW_MAX), False


@dataclass(slots=True)
class Learned:
    """What was learned in one mood, by :func:`key_of` songs and artists."""

    songs: dict[str, Evidence] = field(default_factory=dict)
    artists: dict[str, Evidence] = field(default_factory=dict)


@lru_cache(maxsize=1024)
def key_of(text: str) -> str:
    """Return the eight characters by which a song or an artist is known: what is kept has a bound, and names nobody's music."""
    return base64.urlsafe_b64encode(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=6).digest()).decode()


class ThompsonTaste:
    """The household's taste; fulfils :class:`moodify.music.port.Taste`. Belongs to one thread."""

    def __init__(self, rng: Random) -> None:
        """Know nothing yet. ``rng``: seeded by the caller; the same seed and calls give the same draws."""
        self._rng = rng
        self._day = 0.0
        """The newest date that was told."""
        self.own = Evidence()
        self.moods: dict[Mood, Learned] = {mood: Learned() for mood in FELT_MOODS}
        self.version = 0
        """Counts up whenever there is something new to keep."""

    @property
    def empty(self) -> bool:
        """Whether nothing is known."""
        return not self.own.weight(self._day) and not any(learned.songs or learned.artists for learned in self.moods.values())

    def draw(self, mood: Mood, track: Track) -> float:
        """Return a draw from the belief that this song is welcome in this mood, from 0 to 1."""
        return self._rng.betavariate(*self._belief(mood, track))

    def mean(self, mood: Mood, track: Track) -> float:
        """Return the expected chance, from 0 to 1, that this song is heard to its end in this mood."""
        good, bad = self._belief(mood, track)
        return good / (good + bad)

    def learn(self, mood: Mood, track: Track, outcome: Outcome, now: datetime) -> None:
        """Take note what became of a song, once for each play of it. ``now``: with a time zone."""
        learned = self.moods.get(mood)
        if learned is None:
            return
        self.date(now)
        good, bad = WEIGHTS[outcome]
        # The household's rate counts plays: a like is one that was kept.
        self.own.add(min(good, 1.0), bad, self._day)
        for entries, name, most in ((learned.songs, track.uri, SONGS_MAX), (learned.artists, track.artist, ARTISTS_MAX)):
            if not name:
                continue
            entry = entries.setdefault(key_of(name), Evidence())
            entry.add(good, bad, self._day)
            entry.count(outcome)
            self._bound(entries, most, entry)
        self.version += 1

    def words(self, mood: Mood, track: Track) -> str | None:
        """Return what was learned that speaks for or against this song, as part of a sentence; None where nothing was."""
        return next(self._phrases(mood, track), None)

    def forget(self) -> None:
        """Forget everything that was learned."""
        self.own = Evidence()
        self.moods = {mood: Learned() for mood in FELT_MOODS}
        self.version += 1

    def date(self, now: datetime) -> None:
        """Say what day it is, so that what is old fades; :meth:`learn` does it too."""
        self._day = now.timestamp() / _DAY_S

    @property
    def day(self) -> float:
        """The newest date that was told, in days since 1970."""
        return self._day

    def _phrases(self, mood: Mood, track: Track) -> Iterator[str]:
        """Yield what can be said, the most telling first."""
        song, artist = self._known(mood, track)
        by = f"by {track.artist}"
        if artist is not None and artist.row <= -SEVERAL:
            yield f"you skipped the last {NUMBERS[-artist.row]} {by}"
        if song is not None and song.row < 0:
            yield f"you skipped it the last {_times(-song.row)}"
        if song is not None and song.liked:
            yield "you liked it before"
        if song is not None and song.row > 0:
            yield f"you heard it to its end the last {_times(song.row)}"
        if artist is not None and artist.liked:
            yield f"you liked other music {by}"
        if artist is not None and artist.row >= SEVERAL:
            yield f"you heard the last {NUMBERS[artist.row]} {by} to their end"

    def _known(self, mood: Mood, track: Track) -> tuple[Evidence | None, Evidence | None]:
        """Return what is known of the song and of its artist in a mood."""
        learned = self.moods.get(mood)
        if learned is None:
            return None, None
        found = learned.songs.get(key_of(track.uri)), learned.artists.get(key_of(track.artist))
        song, artist = (None if entry is None or entry.weight(self._day) < EVIDENCE_MIN else entry for entry in found)
        return song, artist

    def _belief(self, mood: Mood, track: Track) -> tuple[float, float]:
        """Return the parameters of the song's Beta distribution; both above 0."""
        song, artist = self._known(mood, track)
        mean = OWN_PRIOR
        for evidence, prior in ((self.own, K_OWN), (artist, K_ARTIST)):
            good, bad = (0.0, 0.0) if evidence is None else evidence.faded(self._day)
            mean = (good + prior * mean) / (good + bad + prior)
        good, bad = (0.0, 0.0) if song is None else song.faded(self._day)
        return good + K_SONG * mean, bad + K_SONG * (1 - mean)

    def _bound(self, entries: dict[str, Evidence], most: int, newest: Evidence) -> None:
        """Let what says least go, and of that the oldest; never what was learned just now, or nothing new could be learned."""
        if len(entries) > most:
            old = (key for key, entry in entries.items() if entry is not newest)
            del entries[min(old, key=lambda key: (entries[key].weight(self._day), entries[key].day))]


def _times(count: int) -> str:
    return "time" if count == 1 else f"{NUMBERS[count]} times"
