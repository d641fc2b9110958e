"""Whatever a server sends, over real HTTP: only the house's errors come out, and the tokens stay."""

import contextlib
import gc
import json
import socketserver
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodify.errors import MoodifyError
from moodify.music.guards.retry_after import LONGEST_RETRY_S
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.scopes import EVERYTHING
from moodify.music.spotify.signin import SignIn, simulated_sign_in
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.music.spotify.tokens import MemoryTokens
from moodify.types import Speaker


class Parrot(socketserver.ThreadingTCPServer):
    """Answers every request with the same bytes, and hangs up."""

    daemon_threads = True
    reply = b""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Parroting)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self):
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Parroting(socketserver.StreamRequestHandler):
    def handle(self):
        length = 0
        for line in iter(self.rfile.readline, b"\r\n"):
            if not line:
                return
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.rfile.read(length)
        with contextlib.suppress(ConnectionError):
            self.wfile.write(self.server.reply)


@pytest.fixture(autouse=True)
def unswept():
    """Nothing of what earlier tests have left is swept up deep within an answer of a hundred thousand brackets, where its end would fail for want of stack."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="module")
def parrot():
    parrot = Parrot()
    yield parrot
    parrot.close()


@pytest.fixture(scope="module")
def sign_in():
    with SimulatedSpeaker() as speaker:
        sign_in = simulated_sign_in(speaker.accounts_url)
        yield sign_in
        sign_in.close()


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["spotify:track:1", "spotify:playlist:1", "track", "1" * 30])
NAMES = st.sampled_from(
    [
        *("id", "uri", "name", "type", "artists", "duration_ms", "explicit", "item", "items", "track", "tracks", "next", "total", "playlists"),
        *("devices", "device", "is_active", "is_restricted", "supports_volume", "volume_percent", "is_playing", "progress_ms", "context"),
        *("error", "message", "reason", "status", "error_description", "access_token", "refresh_token", "expires_in", "scope", "token_type"),
    ]
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=12)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=8)
ERRORS = st.builds(
    lambda message, reason: {"error": {"status": 1, "message": message, "reason": reason}},
    st.sampled_from(["Device not found", "Insufficient client scope", "Premium required", "Restriction violated", ""]) | JSON,
    st.sampled_from(["NO_ACTIVE_DEVICE", "PREMIUM_REQUIRED", "VOLUME_CONTROL_DISALLOW", "QUOTA_EXCEEDED", "RATE_LIMITED", "UNKNOWN"]) | JSON,
)
BODIES = st.one_of(
    (OBJECTS | ERRORS | JSON).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
    st.sampled_from([b"", b"<html></html>", b"[" * 100_000, b'{"a":' * 50_000, b'{"devices": [{"id": "x", "name": "Room", "volume_percent": Infinity}]}']),
)
HEADERS = st.one_of(
    st.tuples(
        st.just("Retry-After"),
        st.sampled_from(
            [
                "0",
                "7",
                "50400",
                "-1",
                "nan",
                "inf",
                "1e999",
                "soon",
                "Wed, 21 Oct 2026 07:28:00 GMT",
                "Wed, 99 Oct 99999 99:99:99 GMT",
                "Wed, 21 Oct 2026 07:28:00 +9999999999999",
                "\xff",
            ]
        ),
    ),
    st.tuples(st.just("Location"), st.sampled_from(["/", "", "http://[", "http://127.0.0.1:99999/", "//", "\xe9\xff", "file:///etc/passwd", "http://127.0.0.1:1/?code=x"])),
    st.tuples(st.just("Content-Type"), st.sampled_from(["application/json", "text/html", "text/html; charset=nonsense", "", ";"])),
    st.tuples(st.just("Content-Encoding"), st.sampled_from(["gzip", "deflate", "br", "zstd", "nonsense"])),
    st.tuples(st.just("Transfer-Encoding"), st.just("chunked")),
    st.tuples(st.just("Content-Length"), st.sampled_from(["0", "1", "100000", "-1", "many"])),
    st.tuples(st.just("Set-Cookie"), st.text("abc=;, ", max_size=10)),
    st.tuples(st.sampled_from(["X-Any", "Connection", "WWW-Authenticate"]), st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=10)),
)


@st.composite
def replies(draw):
    """Return what a server may send, as bytes: mostly HTTP."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=40))
    status = draw(st.integers(200, 299) | st.sampled_from([300, 302, 304, 307, 400, 401, 403, 404, 418, 429, 500, 502, 503, 599, 999, 101]))
    headers = "".join(f"{name}: {value}\r\n" for name, value in draw(st.lists(HEADERS, max_size=3, unique_by=lambda header: header[0])))
    return f"HTTP/1.1 {status} Whatever\r\n{headers}\r\n".encode("latin-1") + draw(BODIES)


CALLS = {
    "playback": lambda player: player.playback(),
    "speakers": lambda player: player.speakers(),
    "search": lambda player: player.search("happy"),
    "tracks of a playlist": lambda player: player.tracks_of("spotify:playlist:1"),
    "tracks of an album": lambda player: player.tracks_of("spotify:album:1"),
    "tracks of an artist": lambda player: player.tracks_of("spotify:artist:1"),
    "a track": lambda player: player.tracks_of("spotify:track:1"),
    "liked": lambda player: player.liked(),
    "top": lambda player: player.top(),
    "recent": lambda player: player.recent(),
    "save": lambda player: player.save_playlist("Evening", ["spotify:track:1"]),
    "play": lambda player: player.play("spotify:track:1"),
    "play a context": lambda player: player.play("spotify:playlist:1"),
    "queue": lambda player: player.queue("spotify:track:1"),
    "pause": lambda player: player.pause(),
    "resume": lambda player: player.resume(),
    "skip": lambda player: player.skip(),
    "volume": lambda player: player.set_volume(20),
}


def error_of(call):
    """Return the house's error that a call ends with, fit for a person; None where it works. Any other error is the test's failure."""
    try:
        call()
    except MoodifyError as error:
        text = str(error)
        assert text == " ".join(text.split()) != ""
        return error
    return None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reply=replies(), known=st.booleans())
@pytest.mark.parametrize("call", CALLS)
def test_whatever_spotify_answers_only_the_houses_errors_come_out(parrot, sign_in, call, reply, known):
    parrot.reply = reply
    player = SpotifyPlayer(sign_in, speaker="Room", api_url=f"{parrot.url}/v1/", timeout_s=5, pause=lambda _: None)
    if known:
        player._finder.known = Speaker(id="1", name="Room", active=True)
    error = error_of(lambda: CALLS[call](player))
    player.close()
    assert error is None or 0 <= (error.retry_after_s or 0) <= LONGEST_RETRY_S
    assert all(isinstance(notice, str) for notice in player.notices())
    assert 0 < player.next_poll_s(30) <= LONGEST_RETRY_S


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reply=replies())
def test_whatever_the_sign_in_service_answers_only_the_houses_errors_come_out(parrot, reply):
    tokens = MemoryTokens()
    tokens.save_token_to_cache({"access_token": "old", "refresh_token": "refresh", "scope": " ".join(permission.scope for permission in EVERYTHING), "expires_at": 0})
    sign_in = SignIn("client", tokens, redirect_port=8888, accounts_url=parrot.url, timeout_s=5)
    parrot.reply = reply
    for ask in (sign_in.access_token, sign_in.access_token, lambda: sign_in.renew("old")):
        error_of(ask)
    assert tokens.get_cached_token()["access_token"]
    sign_in.close()
