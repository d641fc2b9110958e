"""Which songs may play for a mood: where they come from, and a store of what was found.

Finding them talks to the speaker, so it is the caller's: it asks :meth:`CandidatePool.wanted`, looks
that up through the Player port, and hands the songs to :meth:`CandidatePool.fill`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.config.model import MoodMusic
from moodify.errors import BudgetSpent
from moodify.music.hours import clock
from moodify.music.song import Source
from moodify.types import FELT_MOODS, Mood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moodify.config.model import MusicConfig
    from moodify.errors import MoodifyError
    from moodify.music.situation import Situation
    from moodify.music.song import Candidate
    from moodify.types import Track

#: What is searched for where the owner has set neither music nor a search text: music like the mood, for people
#: in a sad mood do not prefer happy music (Hunter 2011).
SEARCH_FOR: Mapping[Mood, str] = {mood: mood.value for mood in FELT_MOODS}

#: Songs are looked up again after a day: the service counts each request.
FRESH_S = 86_400.0

#: Nothing found, or an error: tried again after ten minutes.
RETRY_S = 600.0

#: A wait that is at least so long, in seconds, is told by its end.
SAID_FROM_S = 60.0

#: A look-up that was handed out and never answered is handed out again.
ANSWER_S = 60.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A look-up: the songs of ``uri`` where it is set, else those of the sources, in their order."""

    mood: Mood
    uri: str | None
    search: str
    """For :attr:`Source.SEARCH`."""
    sources: tuple[Source, ...] = (Source.SEARCH,)
    instead: bool = True
    """Whether the sources serve where the songs of ``uri`` can't be read; else that is an error."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What was found for a mood."""

    songs: tuple[Candidate, ...]
    context_uri: str | None = None
    """The owner's playlist or album where the service does not let its songs be read: it can only be played as a whole."""

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The songs as the speaker knows them."""
        return tuple(song.track for song in self.songs)


class CandidatePool:
    """The songs for each mood, in memory."""

    def __init__(self, config: MusicConfig) -> None:
        """Know where to look; nothing is found yet."""
        self._moods = config.moods
        self._sources = config.sources
        self._found: dict[Mood, Candidates] = {}
        self._ask_s: dict[Mood, float] = {}
        self._firm_s: dict[Mood, float] = {}
        """Until when a press does not look up either."""
        self._on_its_way: set[Mood] = set()
        self._failed: dict[Mood, tuple[str, float | None]] = {}
        """Why the newest look-up failed, and until when the service wants none, where it said so."""

    def follow(self, config: MusicConfig) -> None:
        """Look by other rules from now on; what was found for a mood whose music comes from elsewhere now is forgotten."""
        before = {mood: self.source(mood) for mood in FELT_MOODS}
        self._moods, self._sources = config.moods, config.sources
        for mood in (mood for mood, source in before.items() if self.source(mood) != source):
            for known in (self._found, self._ask_s, self._firm_s, self._failed):
                known.pop(mood, None)
            self._on_its_way.discard(mood)

    def source(self, mood: Mood) -> Wanted:
        """Return where a felt mood's music comes from."""
        own = self._moods.get(mood, MoodMusic())
        sources = self._sources if own.sources is None else own.sources
        return Wanted(mood, own.uri, own.search or SEARCH_FOR[mood], tuple(Source(name) for name in sources))

    def wanted(self, mood: Mood, now_s: float, *, asked: bool = False) -> Wanted | None:
        """Return what is to be looked up for a mood; None where that is known, asked already, or the mood has no music.

        After a look-up that failed or found nothing a person who presses (``asked``) need not wait,
        but for as long as the service said.
        """
        if mood not in FELT_MOODS or now_s < (self._firm_s if asked else self._ask_s).get(mood, now_s):
            return None
        self._ask_s[mood] = self._firm_s[mood] = now_s + ANSWER_S
        self._on_its_way.add(mood)
        return self.source(mood)

    def looking(self, mood: Mood) -> bool:
        """Return whether a look-up was handed out that is not answered."""
        return mood in self._on_its_way

    def fill(self, mood: Mood, songs: Sequence[Candidate], now_s: float) -> None:
        """Take what was found. Nothing for a URI means that it can't be read, and is played as a whole."""
        uri = self.source(mood).uri
        self._answered(mood, None)
        self._found[mood] = Candidates(tuple(songs), uri if not songs else None)
        self._ask_s[mood] = now_s + (FRESH_S if songs else RETRY_S)
        self._firm_s[mood] = self._ask_s[mood] if songs or uri else now_s

    def failed(self, mood: Mood, now_s: float, error: MoodifyError) -> None:
        """Take note that a look-up failed, and why; what was found before stays."""
        retry_after_s = error.retry_after_s
        self._ask_s[mood] = now_s + (RETRY_S if retry_after_s is None else max(retry_after_s, 1.0))
        # Our own budget is none of a person's: a press looks up all the same.
        firm = retry_after_s is not None and not isinstance(error, BudgetSpent)
        self._firm_s[mood] = self._ask_s[mood] if firm else now_s
        self._answered(mood, (str(error), self._firm_s[mood] if firm else None))

    def of(self, mood: Mood) -> Candidates | None:
        """Return what was found for a mood; None before anything was."""
        return self._found.get(mood)

    def why_nothing(self, mood: Mood, now: Situation) -> str:
        """Say why no song can be chosen for a mood, and what to do about it."""
        found = self.of(mood)
        if found is None:
            why, until_s = self._failed.get(mood, (None, None))
            if why is None or self.looking(mood):
                return f"Looking for {mood.value} music"
            if until_s is not None and until_s - now.now_s >= SAID_FROM_S:
                return f"Can't look for {mood.value} music: Spotify takes no requests until {clock(now.local_time, until_s - now.now_s)}; press again then"
            return f"Can't look for {mood.value} music: {why}; press again"
        if found.context_uri is not None:
            return f"The service does not let your music for {mood.value} be read, so it can't be queued: press the button to play it, or set a playlist that you own"
        if found.songs:
            return f"You skipped all the {mood.value} music that is known: set another playlist as music.moods.{mood.value}.uri"
        return f"Found no {mood.value} music: set a playlist of yours as music.moods.{mood.value}.uri"

    def _answered(self, mood: Mood, why_not: tuple[str, float | None] | None) -> None:
        self._on_its_way.discard(mood)
        if why_not is None:
            self._failed.pop(mood, None)
        else:
            self._failed[mood] = why_not
