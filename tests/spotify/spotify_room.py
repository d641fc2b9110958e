"""What the tests of the speaker share: a clock by hand, and the judge of Spotify's OpenAPI description."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import yaml
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import ImmutableMultiDict

from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.signin import SignIn, simulated_sign_in
from moodify.music.spotify.tokens import TokenFile

if TYPE_CHECKING:
    from moodify.music.spotify.simulated.speaker import SimulatedSpeaker

DESCRIPTION = Path(__file__).resolve().parents[2] / "../shared/data/spotify-openapi.yml"
TRACK_OR_EPISODE = {"track": "#/components/schemas/TrackObject", "episode": "#/components/schemas/EpisodeObject"}
ACCOUNTS_PATHS = {"/authorize", "/api/token"}


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


def described():
    """Return the judge of Spotify's description, with the gaps filled that it is known to have."""
    spec = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    schemas, paths = spec["components"]["schemas"], spec["paths"]
    schemas["ErrorObject"]["properties"]["reason"] = {"type": "string"}
    schemas["DeviceObject"]["required"] = ["id", "is_active", "is_restricted", "name", "type", "volume_percent", "supports_volume"]
    schemas["CurrentlyPlayingContextObject"]["required"] = ["device", "repeat_state", "shuffle_state", "is_playing", "progress_ms"]
    for name in (
        "DeviceObject",
        "CurrentlyPlayingContextObject",
        "CurrentlyPlayingObject",
        "TrackObject",
        "SimplifiedTrackObject",
        "QueueObject",
        "PlayHistoryObject",
        "PlaylistTrackObject",
        "PlaylistObject",
    ):
        schemas[name]["additionalProperties"] = False
    # openapi-core judges bearer tokens, not OAuth flows; a discriminator needs its mapping where names differ from values.
    spec["components"]["securitySchemes"]["oauth_2_0"] = {"type": "http", "scheme": "bearer"}
    for choice in (
        schemas["CurrentlyPlayingContextObject"]["properties"]["item"],
        schemas["CurrentlyPlayingObject"]["properties"]["item"],
        schemas["PlaylistTrackObject"]["properties"]["item"],
    ):
        choice["discriminator"]["mapping"] = TRACK_OR_EPISODE
    queue = schemas["QueueObject"]["properties"]
    for choice in (queue["currently_playing"], queue["queue"]["items"]):
        choice["discriminator"]["mapping"] = TRACK_OR_EPISODE
    paths["/me/player/currently-playing"]["get"]["responses"]["204"] = {"description": "nothing is active"}
    for path, item in paths.items():
        for operation in (item[method] for method in ("get", "put", "post") if method in item):
            operation["responses"].setdefault("400", {"$ref": "#/components/responses/BadRequest"})
            operation["responses"].setdefault("404", {"$ref": "#/components/responses/NotFound"})
            if path.startswith("/me/player"):
                operation["responses"].setdefault("202", {"description": "accepted"})
    return OpenAPI.from_dict(spec)


class Conformance:
    """A tap that holds every request and every answer to the description."""

    def __init__(self, api):
        self._api = api
        self.problems = []
        self.seen = 0
        self.off = False

    def __call__(self, exchange):
        request, answer = exchange.request, exchange.answer
        if request.path in ACCOUNTS_PATHS or self.off:
            return
        self.seen += 1
        kind = request.headers.get("content-type", "application/json").split(";")[0]
        asked = MockRequest(
            "https://api.spotify.com",
            request.method.lower(),
            request.path,
            args=ImmutableMultiDict(parse_qsl(urlsplit(request.target).query)),
            headers=request.headers,
            data=request.body or None,
            content_type=kind,
        )
        told = MockResponse(answer.body or None, status_code=answer.status, headers=dict(answer.headers), content_type=answer.content_type.split(";")[0])
        self._judge(exchange, "request", self._api.iter_request_errors(asked))
        self._judge(exchange, "answer", self._api.iter_response_errors(asked, told))

    def _judge(self, exchange, what, errors):
        for error in errors:
            causes = [one.message[:300] for one in getattr(error.__cause__, "schema_errors", [])] or [str(error.__cause__ or error)[:300]]
            self.problems.append(f"{what} {exchange.request.method} {exchange.request.target} {exchange.answer.status}: {causes}")
