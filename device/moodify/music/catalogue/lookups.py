"""Asks the speaker's service for songs, through the catalogue: what was answered lately is not asked again."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from moodify.errors import BudgetSpent, MoodifyError, NotAllowed, PersonMustAct, SignInNeeded, SpeakerUnavailable, StoreBusy
from moodify.music.catalogue.songs import origin_of_search, origin_of_uri
from moodify.music.song import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.music.catalogue.catalogue import Catalogue
    from moodify.music.port import Shelves
    from moodify.types import Track

log = logging.getLogger(__name__)

#: What the owner likes, hears and collects changes by the day; the library is up to seven requests, a playlist two.
LIBRARY_TTL = timedelta(days=1)
#: What a search finds changes slowly, it is the fallback, and there are six texts.
SEARCH_TTL = timedelta(days=7)
#: Nothing at all is likely to change soon: the owner has just made the playlist.
EMPTY_TTL = timedelta(hours=1)
#: A date of the future: the clock was set back since. That much may be a leap of a clock that learned the time.
SKEW = timedelta(hours=1)
#: A source that the account does not allow is left alone for so long: each try is a request, and each mood would try.
LEFT_ALONE = timedelta(minutes=10)
#: A refusal that asks for longer is tried again after a day.
LONGEST_S = 86_400.0

#: Songs read of a playlist: two requests.
PLAYLIST_LIMIT = 100


class Lookups:
    """The sources of one account, each asked as seldom as its time to live allows."""

    def __init__(self, catalogue: Catalogue, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Take the catalogue that remembers, and the date with a time zone."""
        self._catalogue = catalogue
        self._now = now
        self._left_alone: dict[str, tuple[datetime, MoodifyError]] = {}
        self._problems: dict[str, str] = {}

    def library(self, player: Shelves, source: Source) -> tuple[Track, ...]:
        """Return the owner's liked, top or recent songs.

        Raises:
            RetryLater, PersonMustAct, CannotWork: as the player, where nothing older is known either.
        """
        asks = {Source.LIKED: player.liked, Source.TOP: player.top, Source.RECENT: player.recent}
        return self._answer(source.value, LIBRARY_TTL, asks[source])

    def playlist(self, player: Shelves, uri: str) -> tuple[Track, ...]:
        """Return the songs of what the owner chose; empty where the service does not let them be read. Raises as :meth:`library`."""
        return self._answer(origin_of_uri(uri), LIBRARY_TTL, lambda: player.tracks_of(uri, limit=PLAYLIST_LIMIT))

    def search(self, player: Shelves, text: str) -> tuple[Track, ...]:
        """Return what a search finds. Raises as :meth:`library`."""
        return self._answer(origin_of_search(text), SEARCH_TTL, lambda: player.search(text))

    def _answer(self, origin: str, ttl: timedelta, ask: Callable[[], tuple[Track, ...]]) -> tuple[Track, ...]:
        known = self._catalogue.lookup(origin)
        now = self._now()
        if known is not None and -SKEW <= now - known.at < (ttl if known.tracks else EMPTY_TTL):
            return known.tracks
        waiting = self._waiting(origin, now)
        try:
            if waiting is not None:
                raise waiting
            tracks = ask()
        except MoodifyError as error:
            if error is not waiting:
                self._failed(origin, error, now)
            if known is None or not known.tracks:
                raise
            return known.tracks
        self._problems.pop(origin, None)
        try:
            self._catalogue.keep(origin, tracks)
        except StoreBusy as error:
            log.warning("What was found is not kept: %s", error)
        return tracks

    def _waiting(self, origin: str, now: datetime) -> MoodifyError | None:
        until, error = self._left_alone.get(origin, (now, None))
        left_s = (until - now).total_seconds()
        # Longer than any wait: the clock was set back.
        if error is None or not 0 < left_s <= LONGEST_S:
            return None
        return NotAllowed(str(error)) if isinstance(error, NotAllowed) else SpeakerUnavailable(str(error), retry_after_s=left_s)

    def _failed(self, origin: str, error: MoodifyError, now: datetime) -> None:
        if isinstance(error, NotAllowed):
            self._left_alone[origin] = now + LEFT_ALONE, error
        elif error.retry_after_s is not None and not isinstance(error, BudgetSpent):
            self._left_alone[origin] = now + timedelta(seconds=min(error.retry_after_s, LONGEST_S)), error
        # A sign-in that ended is every source's, and the speaker's own to say.
        if isinstance(error, PersonMustAct) and not isinstance(error, SignInNeeded) and self._problems.get(origin) != str(error):
            log.warning("No music from %s: %s", origin, error)
            self._problems[origin] = str(error)
            try:
                self._catalogue.note_problem(origin, str(error))
            except StoreBusy as busy:
                log.warning("The problem is not kept: %s", busy)
