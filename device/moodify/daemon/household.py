"""What the household sets on its page, who is listening, and the sign-in to Spotify: kept in the database, over the configuration file."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moodify.config.household import HouseSettings, Wishes, for_listener, laid_over, read_kept
from moodify.daemon.places import DATABASE
from moodify.errors import CannotWork, MoodifyError, PersonMustAct, StoreBusy, StoreError
from moodify.store.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from moodify.config import Config
    from moodify.config.model import QuietHours
    from moodify.music.port import Player
    from moodify.music.spotify.from_page import PageSignIn
    from moodify.music.spotify.services import Services
    from moodify.music.spotify.status import SignInStatus
    from moodify.types import Speaker

log = logging.getLogger(__name__)

HOUSE_KEY = "house"
#: Id of who is listening; None or missing: the household.
LISTENER_KEY = "listener"
#: Steps of the set-up that were done or left out on the page.
STEPS_KEY = "setup_steps"


def settings_kept(settings: Settings) -> HouseSettings:
    """Return what was set on the page."""
    return read_kept(settings.get(HOUSE_KEY))


def in_house(config: Config, folder: Path) -> tuple[Config, HouseSettings]:
    """Return the configuration as it holds for a household, and what of it was set on the page; for another program than the daemon.

    Args:
        config: what the file says.
        folder: the data folder; there need not be one.
    """
    database = folder / DATABASE
    if not database.exists():
        return config, HouseSettings()
    try:
        with Settings(database) as kept:
            settings = settings_kept(kept)
    except (StoreBusy, StoreError) as error:
        log.warning("What was set on the page can't be read: %s", error)
        return config, HouseSettings()
    return laid_over(config, settings), settings


class Household:
    """The household's own wishes over its configuration file. Safe from any thread; each call opens the database anew.

    Args:
        config: what the file says.
        database: where the rest is kept; it is there.
        folder: the data folder, with the sign-in to Spotify.
        changed: called after each change, from the thread that made it.
        wishes_of: what a person with an account prefers; None where they are gone or may not sign in.
        services: where Spotify is.
    """

    def __init__(
        self,
        config: Config,
        database: Path,
        folder: Path,
        changed: Callable[[], None],
        *,
        wishes_of: Callable[[str], Wishes | None] = lambda _: None,
        services: Services | None = None,
    ) -> None:
        """Read nothing yet."""
        self._file, self._database, self._folder = config, database, folder
        self.changed = changed
        self.wishes_of = wishes_of
        self.services = services
        self._writing = threading.Lock()
        self._sign_in: PageSignIn | None = None
        self._player: Player | None = None

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self._folder

    @property
    def file(self) -> Config:
        """What the configuration file says."""
        return self._file

    def settings(self) -> HouseSettings:
        """Return what is set on the page.

        Raises (as all calls here):
            StoreBusy: the database is locked or the disk is full.
            StoreError: it can't be used.
        """
        with Settings(self._database) as kept:
            return settings_kept(kept)

    def config(self) -> Config:
        """Return the configuration as it holds now, for who is listening. A database that is locked leaves the file's."""
        try:
            return self._config()
        except (StoreBusy, StoreError) as error:
            log.warning("What is set on the page does not hold for now: %s", error)
            return self._file

    def also_quiet(self) -> QuietHours | None:
        """Return the quiet hours of who is listening, beside the household's."""
        try:
            wishes = self._wishes()
        except (StoreBusy, StoreError):
            # config() says so.
            return None
        return None if wishes is None else wishes.quiet_hours

    def house_config(self) -> Config:
        """Return the configuration as it holds for the household, whoever is listening."""
        return laid_over(self._file, self.settings())

    def put(self, wanted: HouseSettings) -> None:
        """Set all of it: what is None goes back to the file's."""
        self._put(HOUSE_KEY, wanted.as_json())
        self.changed()

    def change(self, **values: Any) -> HouseSettings:
        """Set some of it, and return all."""
        with self._writing:
            wanted = HouseSettings.model_validate(self.settings().as_json() | values)
            self._put(HOUSE_KEY, wanted.as_json())
        self.changed()
        return wanted

    def listener(self) -> str | None:
        """Return the id of the account that is listening; None for the household."""
        with Settings(self._database) as kept:
            listener = kept.get(LISTENER_KEY)
        return listener if isinstance(listener, str) and self.wishes_of(listener) is not None else None

    def listen(self, listener: str | None) -> None:
        """Let the music be for somebody from now on; None for the household."""
        self._put(LISTENER_KEY, listener)
        self.changed()

    def steps(self) -> dict[str, str]:
        """Return which steps of the set-up were done or left out: the step -> ``done`` or ``skipped``."""
        with Settings(self._database) as kept:
            steps = kept.get(STEPS_KEY)
        return {str(step): str(how) for step, how in steps.items()} if isinstance(steps, dict) else {}

    def note_step(self, step: str, how: str | None) -> dict[str, str]:
        """Take note that a step was done or left out; None takes that back. Return all."""
        with self._writing:
            steps = {each: was for each, was in self.steps().items() if each != step} | ({} if how is None else {step: how})
            self._put(STEPS_KEY, steps)
        return steps

    # -- Spotify

    @property
    def sign_in(self) -> PageSignIn:
        """What signs in from the page."""
        from moodify.music.spotify.from_page import PageSignIn

        with self._writing:
            if self._sign_in is None:
                self._sign_in = PageSignIn(self._folder, self.services)
            return self._sign_in

    def spotify(self) -> SignInStatus:
        """Return how the sign-in stands; no request is made."""
        from moodify.music.spotify.status import status_of

        return status_of(self.house_config().music, self._folder, datetime.now(UTC))

    @property
    def simulated(self) -> bool:
        """Whether the simulated speaker plays."""
        return self._player is None

    def begin_sign_in(self, client_id: str | None, redirect_uri: str | None) -> tuple[str, str]:
        """Begin to sign in; return the link where the owner agrees, and where Spotify sends the browser back to.

        Args:
            client_id: of the household's own app; None takes the one that is configured, or was used last.
            redirect_uri: None takes the one on loopback that is configured.

        Raises:
            CannotWork: it is no client id.
            PersonMustAct: there is none.
        """
        from moodify.music.spotify.client import client_id_of
        from moodify.music.spotify.scopes import EVERYTHING, SAVING, wanted
        from moodify.music.spotify.tokens import TokenFile

        music = self.house_config().music
        app = client_id or client_id_of(music, TokenFile(self._folder))
        if app is None:
            raise PersonMustAct("there is no client id yet; make an app at developer.spotify.com/dashboard and paste its Client ID")
        redirect = redirect_uri or f"http://127.0.0.1:{music.spotify.redirect_port}/callback"
        # Playlists and sources are chosen afterwards, on the same page: who had to agree again for each would be right to be annoyed.
        asked = tuple(permission for permission in EVERYTHING if permission is not SAVING or permission in wanted(music))
        return self.sign_in.begin(app, redirect, asked, timeout_s=music.spotify.timeout_s), redirect

    def finish(self, address: str) -> None:
        """Sign in with the address that the browser was sent back to; raises as :meth:`PageSignIn.finish`."""
        client_id = self.sign_in.finish(address)
        self._forget_songs()
        # In place of one that the file or the page named before: the sign-in is good for this app alone.
        self.change(client_id=client_id)

    def sign_out(self) -> None:
        """Forget the sign-in to Spotify, and which songs the account has."""
        from moodify.music.spotify.tokens import TokenFile

        tokens = TokenFile(self._folder)
        with tokens.exclusive(self._file.music.spotify.timeout_s):
            tokens.remove()
        self._forget_songs()
        self.changed()

    def takes(self, player: Player | None) -> None:
        """Take the player whose account's speakers are asked for; None while the simulated one plays."""
        self._player = player

    def speakers(self) -> tuple[Speaker, ...]:
        """Return the speakers that the signed-in account can reach now: one request.

        Raises:
            PersonMustAct: nobody is signed in to Spotify.
            MoodifyError: as :class:`~moodify.music.port.Player`.
        """
        player = self._player
        if player is None:
            raise PersonMustAct("nobody is signed in to Spotify, so its speakers are not known; sign in first")
        with player.asked():
            return player.speakers()

    def check_music(self, moods: Mapping[str, str]) -> None:
        """Ask Spotify for music that is to be set for moods (mood -> URI) where it can be asked now: one request for each that is new.

        Raises:
            CannotWork: there is no such music.
        """
        player, kept = self._player, self.settings().moods
        if player is None:
            return
        for mood, uri in moods.items():
            if uri in kept.values():
                continue
            try:
                with player.asked():
                    player.tracks_of(uri, limit=1)
            except CannotWork as error:
                log.info("The music for %s is not taken: %s", mood, error)
                raise CannotWork(f"{mood}: Spotify finds no such {uri.split(':')[1]}; in Spotify choose Share, Copy link, and paste that") from error
            except MoodifyError as error:
                # It may well be right: what can't be read later is told then.
                log.warning("The music for %s is taken unseen: %s", mood, error)

    def close(self) -> None:
        """End a sign-in that is open."""
        with self._writing:
            if self._sign_in is not None:
                self._sign_in.close()

    def _forget_songs(self) -> None:
        """Forget which songs the account had; what was imported stays."""
        from moodify.music.catalogue.catalogue import Catalogue
        from moodify.music.catalogue.file import FILE

        if not (self._folder / FILE).exists():
            return
        try:
            with Catalogue(self._folder / FILE, most=self._file.music.catalogue_max) as catalogue:
                catalogue.forget_account()
        except (StoreBusy, StoreError) as error:
            log.warning("The songs of the last account stay: %s", error)

    def _config(self) -> Config:
        config, wishes = self.house_config(), self._wishes()
        return config if wishes is None else for_listener(config, wishes)

    def _wishes(self) -> Wishes | None:
        with Settings(self._database) as kept:
            listener = kept.get(LISTENER_KEY)
        return self.wishes_of(listener) if isinstance(listener, str) else None

    def _put(self, key: str, value: Any) -> None:
        with Settings(self._database) as kept:
            kept.put(key, value)
