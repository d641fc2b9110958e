"""Finds the songs for a mood, where the owner says that they come from."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from moodify.errors import CannotWork, MoodifyError, NotAllowed, PersonMustAct, RetryLater, StoreBusy, StoreError
from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.catalogue.features import Enrichment
from moodify.music.catalogue.file import FILE
from moodify.music.catalogue.lookups import PLAYLIST_LIMIT, Lookups
from moodify.music.catalogue.matching import ENOUGH, FLOOR, Quantiles, best, fit, in_words, matcher
from moodify.music.catalogue.songs import origin_in_words, origin_of_search, origin_of_uri
from moodify.music.song import Candidate, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType

    from moodify.config.model import MusicConfig
    from moodify.music.candidates import Wanted
    from moodify.music.catalogue.features import FeatureService
    from moodify.music.port import Shelves

log = logging.getLogger(__name__)

#: Fit of a song that the search found and nothing is known of: it matches words, not sound.
FOUND_BY_WORDS = 0.5

_LIBRARY = (Source.LIKED, Source.TOP, Source.RECENT)


class SpeakersLibrarian:
    """Knows only what the speaker's service knows: the owner's choice for the mood, else the search."""

    def find(self, player: Shelves, wanted: Wanted) -> tuple[Candidate, ...]:
        """Return candidates, best first."""
        if wanted.uri is not None:
            origin = origin_in_words(origin_of_uri(wanted.uri))
            try:
                return tuple(Candidate(track, why=origin) for track in player.tracks_of(wanted.uri, limit=PLAYLIST_LIMIT))
            except (CannotWork, NotAllowed) as error:
                if not wanted.instead:
                    raise
                return _instead(wanted, error, self._of_sources(player, wanted))
        return self._of_sources(player, wanted)

    @staticmethod
    def _of_sources(player: Shelves, wanted: Wanted) -> tuple[Candidate, ...]:
        if Source.SEARCH not in wanted.sources:
            return ()
        return tuple(Candidate(track, FOUND_BY_WORDS, origin_in_words(origin_of_search(wanted.search))) for track in player.search(wanted.search))


class CatalogueLibrarian:
    """Implements :class:`moodify.music.port.Librarian` over a local catalogue. For the dj's thread."""

    def __init__(self, catalogue: Catalogue, features: FeatureService | None = None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open and send nothing yet.

        Args:
            catalogue: What is remembered; closed with this.
            features: Who is asked for features of songs; closed with this. None asks nobody.
            now: The date with a time zone, by which what was found grows old.
        """
        self._catalogue = catalogue
        self._lookups = Lookups(catalogue, now=now)
        self._enrichment = Enrichment(catalogue, features)
        self._without_catalogue = SpeakersLibrarian()
        self._now = now
        self._tidied: datetime | None = None
        self._own_problem: str | None = None

    def find(self, player: Shelves, wanted: Wanted) -> tuple[Candidate, ...]:
        """Return candidates, best first; empty where ``wanted.uri`` is set and can only be played as a whole, or nothing fits.

        Raises:
            RetryLater, PersonMustAct, CannotWork: no source had a song, and at least one failed.
        """
        for last in (False, True):
            try:
                found = self._found(player, wanted)
            except (StoreBusy, StoreError) as error:
                if isinstance(error, StoreBusy) and not last:
                    # A lock may be gone, and a damaged file has made room for a fresh one.
                    continue
                self._say(str(error))
                break
            self._own_problem = None
            return found
        # Music matters more than its catalogue.
        return self._without_catalogue.find(player, wanted)

    def close(self) -> None:
        """Close the catalogue and the connections; safe to call twice."""
        self._enrichment.close()
        self._catalogue.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _found(self, player: Shelves, wanted: Wanted) -> tuple[Candidate, ...]:
        self._tidy()
        try:
            found = self._of_uri(player, wanted.uri) if wanted.uri is not None else self._of_sources(player, wanted)
        except (CannotWork, NotAllowed) as error:
            if wanted.uri is None or not wanted.instead:
                raise
            # It stays unreadable until somebody mends it, and the room is not left silent for that.
            found = _instead(wanted, error, self._of_sources(player, wanted))
        try:
            self._catalogue.chosen(song.track.uri for song in found)
        except StoreBusy as error:
            log.warning("It is not noted which songs are in use: %s", error)
        return found

    def _of_uri(self, player: Shelves, uri: str) -> tuple[Candidate, ...]:
        origin = origin_of_uri(uri)
        tracks = self._lookups.playlist(player, uri)
        self._enrichment.fill([origin])
        features = self._catalogue.features_of(track.uri for track in tracks)
        return tuple(Candidate(track, why=origin_in_words(origin), features=features.get(track.uri)) for track in tracks)

    def _of_sources(self, player: Shelves, wanted: Wanted) -> tuple[Candidate, ...]:
        errors: list[MoodifyError] = []
        for source in wanted.sources:
            if source not in _LIBRARY:
                continue
            try:
                self._lookups.library(player, source)
            except (StoreBusy, StoreError):
                raise
            except MoodifyError as error:
                log.debug("No %s songs: %s", source.value, error)
                errors.append(error)
        left = self._enrichment.fill([source.value for source in wanted.sources if source is not Source.SEARCH])
        quantiles = Quantiles.of(self._catalogue.sounds())
        found = self._fitting(wanted, quantiles)
        if Source.SEARCH in wanted.sources and (len(found) < ENOUGH or wanted.sources[0] is Source.SEARCH):
            try:
                found += self._searched(player, wanted, quantiles, {song.track.uri for song in found}, left)
            except (StoreBusy, StoreError):
                raise
            except MoodifyError as error:
                errors.append(error)
        if not found and errors:
            raise _foremost(errors)
        return tuple(found)

    def _fitting(self, wanted: Wanted, quantiles: Quantiles) -> list[Candidate]:
        sources = [source for source in wanted.sources if source is not Source.SEARCH]
        judge = matcher(wanted.mood, quantiles)
        chosen = best((judge(energy, valence), number) for number, energy, valence in self._catalogue.judged([source.value for source in sources]))
        songs = self._catalogue.songs([number for _, number in chosen])
        found = []
        for fitting, number in chosen:
            known = songs.get(number)
            source = next((source for source in sources if known is not None and source.value in known.origins), None)
            if known is not None and source is not None:
                found.append(Candidate(known.song.track, fitting, f"{origin_in_words(source.value)}, {in_words(fitting)}", known.song.features))
        return found

    def _searched(self, player: Shelves, wanted: Wanted, quantiles: Quantiles, known: set[str], requests: int) -> list[Candidate]:
        origin = origin_of_search(wanted.search)
        tracks = [track for track in self._lookups.search(player, wanted.search) if track.uri not in known]
        self._enrichment.fill([origin], requests)
        features = self._catalogue.features_of(track.uri for track in tracks)
        found = []
        for track in tracks:
            sound = features.get(track.uri)
            if sound is None:
                found.append(Candidate(track, FOUND_BY_WORDS, origin_in_words(origin)))
            else:
                fitting = fit(sound, wanted.mood, quantiles)
                found.append(Candidate(track, fitting, f"{origin_in_words(origin)}, {in_words(fitting)}", sound))
        # Words may lead to another mood's songs: these are taken only where there are no others.
        likely = [song for song in found if song.fit >= FLOOR]
        return sorted(likely if likely or known else found, key=lambda song: -song.fit)

    def _tidy(self) -> None:
        now = self._now()
        if self._tidied is None or now.date() != self._tidied.date():
            self._catalogue.forget_old()
            self._tidied = now

    def _say(self, problem: str) -> None:
        if problem != self._own_problem:
            log.warning("Going on without the catalogue of songs: %s", problem)
        self._own_problem = problem


def _instead(wanted: Wanted, error: MoodifyError, found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return songs that were found in place of the owner's own, each with what is to be mended."""
    log.warning("The music set for %s can't be read (%s): it comes from elsewhere until it is set anew under Set-up", wanted.mood.value, error)
    note = f"your music for {wanted.mood.value} can't be read, set it anew under Set-up"
    return tuple(replace(song, why=note) for song in found)


def open_librarian(
    config: MusicConfig, folder: Path | None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), features: FeatureService | None = None
) -> CatalogueLibrarian:
    """Return the librarian over the catalogue in a data folder; nothing is opened or sent until its first look-up.

    Args:
        config: The section ``[music]``.
        folder: Where ``music.db`` is, or will be; None keeps nothing, for a simulated speaker, whose songs are not the owner's.
        now: The date with a time zone.
        features: Who is asked for features; unset asks ReccoBeats where ``music.features_online`` is set, else nobody.
    """
    if features is None and config.features_online:
        from moodify.music.catalogue.reccobeats import ReccoBeats

        features = ReccoBeats()
    return CatalogueLibrarian(Catalogue(None if folder is None else folder / FILE, most=config.catalogue_max, now=now), features, now=now)


def _foremost(errors: list[MoodifyError]) -> MoodifyError:
    """Return the error that says most: what somebody must do, else what heals soonest."""
    waits = [error for error in errors if isinstance(error, RetryLater)]
    acts = [error for error in errors if isinstance(error, PersonMustAct)]
    if waits and not acts:
        return min(waits, key=lambda error: error.retry_after_s or 0.0)
    return (acts or errors)[0]
