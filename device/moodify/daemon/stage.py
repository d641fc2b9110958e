"""What plays: the speaker, the songs and the rules, opened as the household wants them, and anew where that changes."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from moodify.daemon import demo
from moodify.errors import MoodifyError
from moodify.music.candidates import CandidatePool
from moodify.music.fading import FILE as OWED_FILE
from moodify.music.notes import NoteFile
from moodify.music.policy import Policy
from moodify.music.taste import ThompsonTaste
from moodify.music.taste_keeping import KeptTaste

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from moodify.config import Config
    from moodify.daemon.household import Household
    from moodify.daemon.kept import Kept
    from moodify.daemon.snapshot import Facts
    from moodify.music.catalogue.librarian import CatalogueLibrarian
    from moodify.music.spotify.factory import OpenPlayer
    from moodify.store.settings import Settings
    from moodify.system.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A speaker and who finds songs for it."""

    player: OpenPlayer
    librarian: CatalogueLibrarian
    key: Hashable
    """What it was opened by: where that differs it is opened anew."""

    def close(self) -> None:
        """Close both. Safe to call twice."""
        self.librarian.close()
        self.player.close()


@dataclass(frozen=True, slots=True)
class Band:
    """What plays for one speaker."""

    config: Config
    """As it holds with this speaker: a demo's waiting times are short."""
    facts: Facts
    opened: Opened
    policy: Policy
    pool: CandidatePool
    speaker: str | None
    """Name of the dj's speaker; None takes any."""
    notes: NoteFile | None
    """Where what a fade owes is kept."""
    release_last: Callable[[], None]
    """Closes what the band before had open; on the dj's thread, once that has let go."""


class Stage:
    """The band that plays. Belongs to the conductor's thread once that runs.

    Args:
        household: what it wants.
        folder: the data folder.
        clock: of the frames.
        kept: what the music remembers over a restart.
        settings: where that is.
        recording: whether a recording is looked at: it always gives the same orders, and nothing of it is remembered.
    """

    def __init__(self, household: Household, folder: Path, clock: Clock, kept: Kept, settings: Settings, *, recording: bool) -> None:
        """Open nothing yet."""
        self._household, self._folder, self._clock, self._kept, self._settings = household, folder, clock, kept, settings
        self._recording = recording
        self._all: list[Opened] = []
        self._band: Band | None = None
        self._facts: Facts | None = None
        self.without_sample: Callable[[], None] = lambda: None
        """Called where the household's own music begins to play while the camera is the sample, because no other was found."""

    def open(self) -> Opened:
        """Open the speaker that is wanted.

        Raises:
            SignInNeeded: as :func:`~moodify.music.spotify.factory.open_player`.
        """
        from moodify.music.catalogue.librarian import open_librarian
        from moodify.music.spotify.factory import open_player

        wanted = self._household.config()
        player = open_player(wanted.music, self._folder, clock=self._clock.now_s, services=self._household.services)
        simulated = player.simulated is not None
        # What the simulated owner likes must not be taken for the household's.
        librarian = open_librarian(demo.offline(wanted.music) if simulated else wanted.music, None if simulated else self._folder, now=self._clock.utc)
        opened = Opened(player, librarian, self._key(wanted))
        self._all.append(opened)
        self._household.takes(None if simulated else player.player)
        return opened

    def begin(self, opened: Opened, facts: Facts) -> Band:
        """Return the first band, with the speaker that was opened. ``facts``: but for its speaker."""
        self._facts = facts
        return self._play(opened)

    @property
    def band(self) -> Band:
        """Who plays."""
        if self._band is None:
            raise RuntimeError("nobody plays before begin()")
        return self._band

    def follow(self) -> Band | None:
        """Take what the household wants now: return another band where another speaker is wanted, else let this one's rules follow, and return None."""
        wanted = self._household.config()
        if self._key(wanted) == self.band.opened.key:
            config = self._as_it_holds(wanted, self.band.opened)
            self.band.policy.follow(config.music, self._household.also_quiet())
            self.band.pool.follow(config.music)
            self._band = replace(self.band, config=config)
            return None
        last = self.band.opened
        try:
            opened = self.open()
        except MoodifyError as error:
            log.warning("The speaker stays as it is: %s", error)
            return None
        self._kept.finish(self.band.policy, self._clock.now_s(), self._clock.utc())
        # A call that is under way ends with it; the rest is closed when the dj has let go.
        last.player.player.close()
        return self._play(opened, last)

    def _release(self, opened: Opened | None) -> None:
        if opened is not None:
            opened.close()
            self._all.remove(opened)

    def close_player(self) -> None:
        """End what the speaker is waited for; from any thread."""
        for opened in list(self._all):
            opened.player.close()

    def close(self) -> None:
        """Close everything."""
        for opened in list(self._all):
            opened.close()
        self._household.close()

    def _play(self, opened: Opened, last: Opened | None = None) -> Band:
        if self._facts is None:
            raise RuntimeError("nobody plays before begin()")
        config = self._as_it_holds(self._household.config(), opened)
        simulated = opened.player.simulated
        named = config.music.spotify.speaker
        pool = CandidatePool(config.music)
        seed = 0 if self._recording else None
        rng = random.Random(seed)  # noqa: S311 - no secret; a recording always gives the same orders
        taste = ThompsonTaste(random.Random(seed))  # noqa: S311 - likewise
        policy = Policy(config.music, pool, rng, speaker=None if simulated is not None else named, taste=taste)
        policy.follow(config.music, self._household.also_quiet())
        if simulated is None and not self._recording:
            self._kept.recall_music(policy, self._clock.now_s(), self._clock.utc())
            self._kept.recall_taste(KeptTaste(taste, self._settings, self._clock.utc()))
        else:
            self._kept.forgo_music()
        if simulated is None and config.camera.source == "auto" and self._kept.sample:
            # Portraits must not choose the household's music.
            self._kept.note_sample(taken=False)
            self.without_sample()
        self._band = Band(
            config,
            replace(self._facts, speaker=opened.player.player.description, demo=simulated is not None and self._sample(config)),
            opened,
            policy,
            pool,
            named if simulated is None else simulated.name,
            None if simulated is not None else NoteFile(self._folder / OWED_FILE),
            lambda: self._release(last),
        )
        return self._band

    def _as_it_holds(self, config: Config, opened: Opened) -> Config:
        if opened.player.simulated is not None:
            config = demo.shortened(config) if self._sample(config) else demo.may_start(config)
        return demo.recorded(config) if self._recording else config

    def _sample(self, config: Config) -> bool:
        return config.camera.source == "sample" or (config.camera.source == "auto" and self._kept.sample)

    def _key(self, config: Config) -> Hashable:
        """Return what the speaker depends on: whose account it is, by which app, since when, and its name."""
        from moodify.music.spotify.factory import plays_for_real
        from moodify.music.spotify.status import status_of

        music = config.music
        if not plays_for_real(music, self._folder):
            return None
        status = status_of(music, self._folder, self._clock.utc())
        return music.spotify, status.client_id, status.since, status.scopes
