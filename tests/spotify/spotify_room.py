"""What the tests of the speaker share: a clock by hand, a simulated speaker and the adapter that drives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.signin import SignIn, simulated_sign_in
from moodify.music.spotify.tokens import TokenFile

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.music.spotify.simulated.speaker import SimulatedSpeaker


class HandClock:
    """Seconds that go on when a test says so."""

    def __init__(self):
        self.now_s = 1000.0
        self.waits = []

    def __call__(self):
        return self.now_s

    def advance(self, seconds):
        self.now_s += seconds

    def wait(self, seconds):
        """Stand in for the adapter's pauses."""
        self.waits.append(seconds)
        self.advance(seconds)


@dataclass
class Room:
    """A simulated speaker, the adapter that drives it, and the clock of both."""

    speaker: SimulatedSpeaker
    clock: HandClock
    folder: Path | None = None
    player: SpotifyPlayer = field(init=False)
    opened: list[SpotifyPlayer] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self):
        self.player = self.open()

    def open(self, **changes):
        if self.folder is None:
            sign_in = simulated_sign_in(self.speaker.accounts_url)
        else:
            sign_in = SignIn("client", TokenFile(self.folder), redirect_port=8888, accounts_url=self.speaker.accounts_url)
        settings = {"speaker": self.speaker.name, "api_url": self.speaker.api_url, "now_s": self.clock, "pause": self.clock.wait, "timeout_s": 10.0}
        player = SpotifyPlayer(sign_in, **(settings | changes))
        self.opened.append(player)
        return player

    def close(self):
        for player in self.opened:
            player.close()

    def sent_by(self, call):
        """Run a call and return the Web API requests that it sent."""
        before = len(self.speaker.requests)
        try:
            call()
        finally:
            self.sent = [(method, path.removeprefix("/v1/")) for method, path in self.speaker.requests[before:]]
        return self.sent

    def happy(self, index=0):
        """Return the URI of a happy song."""
        return self.speaker.catalogue.playlist_of("happy").songs[index].uri
