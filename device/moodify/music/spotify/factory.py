"""Opens the speaker that the configuration asks for."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Self

from moodify.errors import SignInNeeded

from .services import Services
from .simulated.speaker import SimulatedSpeaker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from moodify.config.model import MusicConfig
    from moodify.music.port import Player

logger = logging.getLogger(__name__)


class OpenPlayer:
    """A player and, where it is simulated, the speaker behind it; both end with :meth:`close`."""

    def __init__(self, player: Player, simulated: SimulatedSpeaker | None) -> None:
        """Take both over."""
        self.player = player
        self.simulated = simulated

    def close(self) -> None:
        """Close the player, then the simulated speaker. Safe to call twice and from any thread."""
        self.player.close()
        if self.simulated is not None:
            self.simulated.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


def plays_for_real(config: MusicConfig, folder: Path) -> bool:
    """Return whether :func:`open_player` opens Spotify, and not the simulated speaker; errors aside."""
    from .signin import open_sign_in

    if config.speaker == "auto":
        try:
            open_sign_in(config, folder)
        except SignInNeeded:
            return False
    return config.speaker != "simulated"


def open_player(
    config: MusicConfig,
    folder: Path,
    *,
    clock: Callable[[], float] = time.monotonic,
    simulated: SimulatedSpeaker | None = None,
    pause: Callable[[float], object] | None = None,
    services: Services | None = None,
) -> OpenPlayer:
    """Open Spotify where it is asked for or signed in, else the simulated speaker. Sends nothing to Spotify yet.

    Args:
        config: the section ``[music]``.
        folder: where the sign-in is kept, until when Spotify's quota is spent, and the speaker's id.
        clock: seconds that only go forward, by which the simulated speaker's music and its budget of requests run.
        simulated: a simulated speaker to use instead of starting one; it is taken over and closed too.
        pause: waits so many seconds while the simulated speaker wakes up; unset waits in real time.
        services: where Spotify is; unset is its own place.

    Raises:
        SignInNeeded: ``speaker = "spotify"`` without a whole sign-in of a known app.
    """
    # spotipy is slow to import and wanted by nothing else.
    from .adapter import SpotifyPlayer
    from .discovery import ZeroconfRadar
    from .signin import open_sign_in, simulated_sign_in
    from .tokens import TokenFile

    spotify, at = config.spotify, services or Services()
    if config.speaker != "simulated":
        try:
            sign_in = open_sign_in(config, folder, accounts_url=at.accounts_url)
        except SignInNeeded as error:
            if config.speaker == "spotify":
                raise
            if spotify.client_id is not None or TokenFile(folder).path.exists():
                logger.warning("%s; the simulated speaker plays until then", error)
        else:
            real = SpotifyPlayer(
                sign_in,
                speaker=spotify.speaker,
                api_url=at.api_url,
                timeout_s=spotify.timeout_s,
                requests_per_hour=spotify.requests_per_hour,
                folder=folder,
                radar=ZeroconfRadar(),
            )
            return OpenPlayer(real, None)
    speaker = simulated if simulated is not None else SimulatedSpeaker(clock=clock)
    try:
        sign_in = simulated_sign_in(speaker.accounts_url, timeout_s=spotify.timeout_s)
        player = SpotifyPlayer(
            sign_in,
            speaker=speaker.name,
            api_url=speaker.api_url,
            label="the simulated speaker",
            timeout_s=spotify.timeout_s,
            requests_per_hour=spotify.requests_per_hour,
            now_s=clock,
            pause=pause,
        )
    except BaseException:
        speaker.close()
        raise
    return OpenPlayer(player, speaker)
