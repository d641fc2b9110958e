"""The traps of spotipy 2.26.0 and of Spotify's answers, one by one: what is sent, and the error that comes out."""

import contextlib
import json
import socketserver
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodify.errors import CannotWork, MoodifyError, NotAllowed, SignInNeeded, SpeakerUnavailable
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.mapping import LONGEST_RETRY_S
from moodify.music.spotify.scopes import EVERYTHING
from moodify.music.spotify.signin import SignIn, simulated_sign_in
from moodify.music.spotify.simulated.levers import ACCOUNTS
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.music.spotify.tokens import MemoryTokens
from moodify.types import Playback, Speaker

STATE, PLAY, QUEUE, NEXT = ("GET", "me/player"), ("PUT", "me/player/play"), ("POST", "me/player/queue"), ("POST", "me/player/next")
TOKEN = ("POST", "/api/token")


def test_what_spotipy_silently_does_not_send_is_an_error(room):
    room.player.play(room.happy())
    with pytest.raises(CannotWork, match="not sent"):
        room.player.set_volume(60.0)


@pytest.mark.parametrize("reason", [None, "QUOTA_EXCEEDED"])
def test_a_quota_of_fourteen_hours_is_neither_slept_nor_asked_through(room, speaker, clock, reason):
    speaker.rate_limit(14 * 3600, reason)
    with pytest.raises(SpeakerUnavailable, match="quota" if reason else "fewer") as caught:
        room.player.playback()
    assert caught.value.retry_after_s == 14 * 3600
    clock.advance(3600)
    for call in (room.player.playback, room.player.skip, lambda: room.player.play(room.happy())):
        with pytest.raises(SpeakerUnavailable, match=r"until \d\d:\d\d.* \(in 13 h\)") as caught:
            room.sent_by(call)
        assert room.sent == []
        assert caught.value.retry_after_s == 13 * 3600
    assert clock.waits == []
    clock.advance(13 * 3600)
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("0", 0), ("1.5", 1.5), (None, 30), ("soon", 30), ("-3", 0), ("nan", 30), ("inf", 30), ("1e12", 86_400)])
def test_each_kind_of_retry_after_gives_a_sensible_wait(room, speaker, header, seconds):
    speaker.rate_limit_once(header)
    with pytest.raises(SpeakerUnavailable) as caught:
        room.player.playback()
    assert caught.value.retry_after_s == seconds


def test_a_retry_after_may_be_a_date(room, speaker):
    speaker.rate_limit_once(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    with pytest.raises(SpeakerUnavailable) as caught:
        room.player.playback()
    assert 3500 < caught.value.retry_after_s <= 3600


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failing_service_is_for_later_and_asked_once(room, speaker, status):
    speaker.fail(status)
    with pytest.raises(SpeakerUnavailable, match=str(status)):
        room.sent_by(room.player.playback)
    assert room.sent == [STATE]


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize("call", ["playback", "pause"])
def test_a_web_page_in_place_of_an_answer_is_no_answer(room, speaker, call):
    room.player.play(room.happy())
    speaker.html()
    with pytest.raises(SpeakerUnavailable, match="login page"):
        getattr(room.player, call)()


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize(("status", "kind"), [(400, CannotWork), (403, NotAllowed), (404, CannotWork), (500, SpeakerUnavailable)])
def test_an_error_that_is_a_bare_text_is_still_understood(room, speaker, status, kind):
    speaker.string_error(status)
    with pytest.raises(kind):
        room.player.search("happy")


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b'{"devices": 3}',
        b'{"devices": [7]}',
        b'{"devices": [{"id": "x"}]}',
        b'{"is_playing": true, "item": {"id": "x"}}',
        b'{"tracks": null}',
        b"\xff\xfe",
    ],
)
def test_an_answer_of_any_other_shape_is_for_later(room, speaker, body):
    for call in (room.player.speakers, lambda: room.player.search("happy"), lambda: room.player.tracks_of(speaker.catalogue.playlist_of("sad").uri)):
        speaker.answer_with(body)
        with pytest.raises(SpeakerUnavailable):
            call()


@pytest.mark.parametrize("verb", ["skip", "queue"])
def test_a_post_whose_answer_is_lost_is_not_sent_again(room, speaker, verb):
    room.player.play(room.happy())
    speaker.cut_connection()
    with pytest.raises(SpeakerUnavailable, match="can't be reached"):
        room.sent_by(room.player.skip if verb == "skip" else lambda: room.player.queue(room.happy(1)))
    assert room.sent == [NEXT if verb == "skip" else QUEUE]
    assert len(speaker.orders) == 2


def test_a_get_or_put_whose_answer_is_lost_is_sent_once_more(room, speaker):
    room.player.play(room.happy())
    speaker.cut_connection()
    assert room.sent_by(room.player.playback) == [STATE, STATE]
    speaker.cut_connection()
    assert room.sent_by(lambda: room.player.play(room.happy(1))) == [PLAY, PLAY]
    speaker.cut_connection(times=2)
    with pytest.raises(SpeakerUnavailable, match="can't be reached"):
        room.sent_by(room.player.playback)
    assert room.sent == [STATE, STATE]


def test_a_slow_service_is_given_up_after_the_time_out_and_not_asked_again(room, speaker):
    player = room.open(timeout_s=0.2)
    speaker.slow(30)
    with pytest.raises(SpeakerUnavailable, match="in time"):
        player.playback()
    speaker.slow(0)


def test_a_service_that_is_gone_is_for_later(room, speaker):
    speaker.close()
    with pytest.raises(SpeakerUnavailable, match="check the network"):
        room.player.playback()


def test_a_token_that_runs_out_in_mid_session_is_refreshed_and_the_order_given_once(room, speaker):
    room.player.play(room.happy())
    speaker.expire_access_token()
    assert room.sent_by(room.player.skip) == [NEXT, TOKEN, NEXT]
    assert [order.verb for order in speaker.orders] == ["play", "next"]


def test_refreshing_works_again_and_again_because_the_newest_refresh_token_is_kept(room, speaker):
    for _ in range(3):
        speaker.expire_access_token()
        assert room.sent_by(room.player.playback) == [STATE, TOKEN, STATE]


def test_the_end_of_the_sign_in_is_told_with_the_next_step_and_not_asked_again(room, speaker):
    speaker.end_sign_in()
    for sent in ([STATE, TOKEN], [STATE]):
        with pytest.raises(SignInNeeded, match="moodify spotify login"):
            room.sent_by(room.player.playback)
        assert room.sent == sent


@pytest.mark.usefixtures("off_the_record")
def test_a_401_that_a_new_token_does_not_cure_is_not_chased(room, speaker):
    speaker.refuse(401, "Invalid access token", None, times=10)
    with pytest.raises(SignInNeeded):
        room.sent_by(room.player.playback)
    assert room.sent == [STATE, TOKEN, STATE]


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_accounts_service_does_not_end_the_sign_in(room, speaker, status):
    speaker.expire_access_token()
    speaker.fail(status, where=ACCOUNTS)
    with pytest.raises(SpeakerUnavailable, match=str(status)):
        room.player.playback()
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()


def test_an_accounts_service_that_asks_for_peace_is_left_in_peace(room, speaker, clock):
    speaker.expire_access_token()
    speaker.fail(429, where=ACCOUNTS)
    with pytest.raises(SpeakerUnavailable) as caught:
        room.player.playback()
    assert caught.value.retry_after_s == 30
    with pytest.raises(SpeakerUnavailable):
        room.sent_by(room.player.playback)
    assert TOKEN not in room.sent
    clock.advance(60)


def test_what_stands_in_the_environment_changes_nothing(room, speaker, monkeypatch):
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()


def test_nothing_active_is_an_answer(room):
    assert room.sent_by(room.player.playback) == [STATE]
    assert room.player.playback() == Playback(playing=False)


def test_a_token_request_has_a_time_out_too(speaker):
    sign_in = simulated_sign_in(speaker.accounts_url, timeout_s=0.2)
    token = sign_in.access_token()
    speaker.slow(30)
    with pytest.raises(SpeakerUnavailable, match="in time"):
        sign_in.renew(token)
    speaker.slow(0)
    sign_in.close()


def test_a_sign_in_that_was_refused_for_good_is_not_taken_for_a_service_that_fails(speaker):
    sign_in = simulated_sign_in(speaker.accounts_url)
    token = sign_in.access_token()
    speaker.fail(503, where=ACCOUNTS)
    with pytest.raises(SpeakerUnavailable, match="503"):
        sign_in.renew(token)
    speaker.end_sign_in()
    with pytest.raises(SignInNeeded, match="moodify spotify login"):
        sign_in.renew(token)
    sign_in.close()


# Whatever a server answers


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
        st.just("Retry-After"), st.sampled_from(["0", "7", "50400", "-1", "nan", "inf", "1e999", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 99 Oct 99999 99:99:99 GMT", "\xff"])
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
