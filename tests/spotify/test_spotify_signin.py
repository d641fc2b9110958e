"""The sign-in: its file, its refreshing, and what never reaches a log."""

import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import spotipy
from spotify_room import Room
from spotipy.oauth2 import SpotifyOauthError

from moodify.config.model import MusicConfig
from moodify.errors import CannotWork, MoodifyError, SignInNeeded, SpeakerUnavailable
from moodify.music.spotify.factory import open_player
from moodify.music.spotify.mapping import FOREIGN, foreign_error
from moodify.music.spotify.scopes import EVERYTHING, PLAYBACK
from moodify.music.spotify.signin import SignIn, signed_in
from moodify.music.spotify.simulated.http import Answer
from moodify.music.spotify.simulated.levers import ACCOUNTS
from moodify.music.spotify.tokens import FILE, TokenFile
from waiting import wait_until

SCOPE = " ".join(permission.scope for permission in PLAYBACK)
TOKEN = {"access_token": "a", "refresh_token": "r", "scope": SCOPE, "expires_at": 1, "token_type": "Bearer"}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def tokens(folder):
    return TokenFile(folder)


def sign_in(speaker, folder, client_id="client", **options):
    """Have an owner agree, and keep the tokens in the folder."""
    one = SignIn(client_id, TokenFile(folder), redirect_port=8888, accounts_url=speaker.accounts_url, **options)
    one.agree_at_once()
    one.close()


def test_rotated_tokens_are_kept_for_the_next_start(speaker, folder, clock):
    sign_in(speaker, folder)
    first = TokenFile(folder).get_cached_token()["refresh_token"]
    for _ in range(3):
        speaker.expire_access_token()
        room = Room(speaker, clock, folder=folder)
        assert room.player.playback().playing is False
        room.close()
    assert TokenFile(folder).get_cached_token()["refresh_token"] != first


def test_a_token_that_has_run_out_by_the_clock_is_refreshed_before_it_is_sent(speaker, folder, clock):
    sign_in(speaker, folder)
    kept = TokenFile(folder)
    kept.save_token_to_cache(kept.get_cached_token() | {"expires_at": 1})
    room = Room(speaker, clock, folder=folder)
    assert [path for _, path in room.sent_by(room.player.playback)] == ["/api/token", "me/player"]
    room.close()


def test_tokens_survive_a_crash_between_writing_and_renaming(folder, tokens, monkeypatch):
    tokens.save_token_to_cache(TOKEN)

    class PowerCut(BaseException):
        pass

    def cut(*_):
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", cut)
        with pytest.raises(PowerCut):
            tokens.save_token_to_cache(TOKEN | {"refresh_token": "newest"})
    assert TokenFile(folder).get_cached_token()["refresh_token"] == "newest"
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_a_crash_in_the_middle_of_writing_leaves_the_tokens_of_before(folder, tokens):
    tokens.save_token_to_cache(TOKEN)
    (folder / f"{FILE}.new").write_text(json.dumps(TOKEN)[:40])
    assert TokenFile(folder).get_cached_token() == TOKEN
    tokens.save_token_to_cache(TOKEN | {"refresh_token": "newest"})
    assert TokenFile(folder).get_cached_token()["refresh_token"] == "newest"


def test_tokens_that_can_not_be_written_are_used_and_written_when_there_is_room_again(folder, tokens, monkeypatch, caplog):
    tokens.save_token_to_cache(TOKEN)

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        tokens.save_token_to_cache(TOKEN | {"refresh_token": "newest"})
        assert tokens.get_cached_token()["refresh_token"] == "newest"
    assert caplog.text.count("free some space") == 1
    assert tokens.get_cached_token()["refresh_token"] == "newest"
    assert json.loads((folder / FILE).read_text())["refresh_token"] == "newest"


@pytest.mark.parametrize("content", [None, "", "{", "[]", "null", '{"access_token": "a"}', json.dumps(TOKEN | {"expires_at": "soon"}), b"\xff\xfe"])
def test_a_missing_or_damaged_file_says_how_to_sign_in(folder, tokens, content):
    folder.mkdir()
    if content is not None:
        (folder / FILE).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SignInNeeded, match="moodify spotify login"):
        tokens.get_cached_token()
    assert not signed_in(folder)


def test_a_folder_in_place_of_the_file_is_a_matter_for_a_person(folder, tokens):
    (folder / FILE).mkdir(parents=True)
    with pytest.raises(SignInNeeded, match="owner and mode"):
        tokens.get_cached_token()


def test_signing_out_forgets_and_may_be_repeated(folder, tokens):
    tokens.save_token_to_cache(TOKEN)
    tokens.remove()
    tokens.remove()
    assert list(folder.iterdir()) == []


def test_a_sign_in_that_can_not_play_must_be_renewed(tokens):
    tokens.save_token_to_cache(TOKEN | {"scope": "user-read-playback-state user-top-read"})
    with pytest.raises(SignInNeeded, match="user-modify-playback-state"):
        SignIn("client", tokens, redirect_port=8888).access_token()


def test_a_sign_in_that_lacks_only_what_is_nice_to_have_goes_on(tokens):
    tokens.save_token_to_cache(TOKEN | {"expires_at": 10**12})
    assert SignIn("client", tokens, redirect_port=8888, permissions=EVERYTHING).access_token() == "a"


def test_a_sign_in_of_another_app_says_so(tokens):
    tokens.save_token_to_cache(TOKEN | {"client_id": "0123456789abcdef"})
    with pytest.raises(SignInNeeded, match=r"another app \(0123…cdef, not client\)"):
        SignIn("client", tokens, redirect_port=8888).access_token()


def test_nothing_interactive_is_ever_reached(tokens, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("it asked"))
    monkeypatch.setattr("webbrowser.open", lambda *_: pytest.fail("it opened a browser"))
    one = SignIn("client", tokens, redirect_port=8888)
    for call in (one.access_token, lambda: one.renew("x"), one.get_access_token, lambda: one.get_access_token(check_cache=False)):
        with pytest.raises(SignInNeeded):
            call()


def test_another_process_may_have_refreshed_first(speaker, folder):
    sign_in(speaker, folder)
    mine, other = (SignIn("client", TokenFile(folder), redirect_port=8888, accounts_url=speaker.accounts_url) for _ in range(2))
    stale = mine.access_token()
    fresh = other.renew(stale)
    assert fresh != stale
    assert mine.renew(stale) == fresh
    mine.close()
    other.close()


def refreshed(speaker, folder, times=1):
    """Let the access token run out and be refreshed so often; return what is kept then."""
    for _ in range(times):
        one = SignIn("client", TokenFile(folder), redirect_port=8888, accounts_url=speaker.accounts_url)
        one.renew(one.access_token())
        one.close()
    return TokenFile(folder).get_cached_token()


def test_the_day_and_the_app_outlast_every_refreshing(speaker, folder):
    sign_in(speaker, folder, utc=lambda: datetime(2026, 11, 21, 12, tzinfo=UTC))
    first = TokenFile(folder).get_cached_token()
    last = refreshed(speaker, folder, times=3)
    assert first["refresh_token"] != last["refresh_token"]
    assert [last[key] for key in ("authorised_at", "client_id", "scope")] == ["2026-11-21T12:00:00+00:00", "client", first["scope"]]


def test_a_sign_in_of_an_earlier_version_is_refreshed_without_a_day(speaker, folder):
    sign_in(speaker, folder)
    kept = TokenFile(folder).get_cached_token()
    TokenFile(folder).save_token_to_cache({key: kept[key] for key in ("access_token", "refresh_token", "scope", "expires_at", "token_type")})
    assert "authorised_at" not in refreshed(speaker, folder)


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize("without", ["scope", "expires_in", "token_type"])
def test_an_answer_that_leaves_out_what_may_be_left_out_costs_no_sign_in(speaker, folder, without):
    sign_in(speaker, folder)
    kept = TokenFile(folder).get_cached_token()
    answer = {"access_token": "new", "refresh_token": "newest", "scope": SCOPE, "expires_in": 3600, "token_type": "Bearer"}
    answer.pop(without)
    speaker.faults.add(lambda: Answer.of(answer), 1, ACCOUNTS)
    now = refreshed(speaker, folder)
    assert (now["refresh_token"], now["scope"], signed_in(folder)) == ("newest", kept["scope"], True)


@pytest.mark.usefixtures("off_the_record")
def test_an_answer_without_another_refresh_token_leaves_the_one_that_is_kept(speaker, folder):
    sign_in(speaker, folder)
    kept = TokenFile(folder).get_cached_token()
    speaker.faults.add(lambda: Answer.of({"access_token": "new", "expires_in": 3600}), 1, ACCOUNTS)
    now = refreshed(speaker, folder)
    assert (now["access_token"], now["refresh_token"]) == ("new", kept["refresh_token"])


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize("answer", [b"{}", b'{"refresh_token": "r"}', b'{"access_token": 5, "refresh_token": "r"}', b'{"access_token": "a", "scope": null}', b"[]", b""])
def test_an_answer_that_holds_no_tokens_costs_no_sign_in(speaker, folder, answer):
    sign_in(speaker, folder)
    kept = TokenFile(folder).get_cached_token()
    speaker.faults.add(lambda: Answer(200, answer), 1, ACCOUNTS)
    with pytest.raises(SpeakerUnavailable):
        refreshed(speaker, folder)
    assert TokenFile(folder).get_cached_token() == kept


def test_a_sign_in_that_spotify_refuses_is_asked_for_once_and_remembered(speaker, folder):
    sign_in(speaker, folder)
    speaker.end_sign_in()
    one = SignIn("client", TokenFile(folder), redirect_port=8888, accounts_url=speaker.accounts_url)
    token = one.access_token()
    before = len(speaker.requests)
    for _ in range(3):
        with pytest.raises(SignInNeeded, match="has ended"):
            one.renew(token)
    assert len(speaker.requests) == before + 1
    assert "refused_at" in TokenFile(folder).get_cached_token()
    sign_in(speaker, folder)
    assert one.renew(token) != token
    assert "refused_at" not in TokenFile(folder).get_cached_token()
    one.close()


@pytest.mark.usefixtures("off_the_record")
def test_a_service_that_fails_is_no_end_of_the_sign_in(speaker, folder):
    sign_in(speaker, folder)
    speaker.fail(503, where=ACCOUNTS)
    with pytest.raises(SpeakerUnavailable):
        refreshed(speaker, folder)
    assert "refused_at" not in refreshed(speaker, folder)


def test_two_processes_that_refresh_at_once_use_each_refresh_token_once(speaker, folder):
    sign_in(speaker, folder)
    speaker.slow(0.05)
    several = [SignIn("client", TokenFile(folder), redirect_port=8888, accounts_url=speaker.accounts_url) for _ in range(4)]
    stale = several[0].access_token()
    with ThreadPoolExecutor(len(several)) as pool:
        fresh = list(pool.map(lambda one: one.renew(stale), several))
    assert len(set(fresh)) == 1
    assert [path for _, path in speaker.requests].count("/api/token") == 2
    for one in several:
        one.close()


def test_a_new_sign_in_waits_for_a_refreshing_that_would_undo_it(speaker, folder):
    sign_in(speaker, folder)
    kept = TokenFile(folder).get_cached_token()
    owner = SignIn("client", TokenFile(folder), redirect_port=8888, accounts_url=speaker.accounts_url, timeout_s=10)
    with ThreadPoolExecutor(1) as pool:
        with TokenFile(folder).exclusive(1):
            before = len(speaker.requests)
            agreed = pool.submit(owner.agree_at_once)
            wait_until(lambda: len(speaker.requests) > before, what="the owner's agreement")
            with pytest.raises(TimeoutError):
                agreed.result(0.2)
            assert TokenFile(folder).get_cached_token() == kept
        assert agreed.result(10) is None
    assert TokenFile(folder).get_cached_token() != kept
    owner.close()


def test_a_process_that_holds_the_sign_in_for_long_is_not_waited_for_for_ever(speaker, folder):
    sign_in(speaker, folder)
    one = SignIn("client", TokenFile(folder), redirect_port=8888, accounts_url=speaker.accounts_url, timeout_s=0.05)
    with TokenFile(folder).exclusive(1), pytest.raises(SpeakerUnavailable, match="another Moodify"):
        one.renew(one.access_token())
    one.close()


def test_tokens_in_memory_do_not_undo_a_newer_sign_in(speaker, folder, tokens, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    tokens.save_token_to_cache(TOKEN)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        tokens.save_token_to_cache(TOKEN | {"refresh_token": "successor"})
    assert not tokens.written
    TokenFile(folder).save_token_to_cache(TOKEN | {"refresh_token": "of the new sign-in"})
    assert tokens.get_cached_token()["refresh_token"] == "of the new sign-in"
    assert tokens.written


def test_no_token_code_or_verifier_reaches_a_log(speaker, folder, clock, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = set()
    speaker.tap = lambda exchange: secrets.update(found_in(exchange))
    sign_in(speaker, folder)
    room = Room(speaker, clock, folder=folder)
    room.player.play(room.happy())
    speaker.expire_access_token()
    room.player.playback()
    speaker.refuse(400, "Bad token Bearer abcdef")
    with pytest.raises(MoodifyError) as caught:
        room.player.playback()
    assert "abcdef" not in str(caught.value)
    speaker.end_sign_in()
    with pytest.raises(SignInNeeded):
        room.player.playback()
    room.close()
    # A code, its verifier, and two pairs of tokens.
    assert len(secrets) == 6
    assert caplog.records
    assert [secret for secret in secrets if secret in caplog.text] == []


def found_in(exchange):
    """Return the secrets of an exchange."""
    form = exchange.request.form
    yield from (form[key] for key in ("code", "code_verifier", "refresh_token") if key in form)
    if "authorization" in exchange.request.headers:
        yield exchange.request.headers["authorization"].split()[1]
    if exchange.request.path == "/api/token" and exchange.answer.status == 200:
        answer = json.loads(exchange.answer.body)
        yield from (answer["access_token"], answer["refresh_token"])


@pytest.mark.parametrize(
    "vendor",
    [
        requests.ConnectionError("x"),
        requests.ReadTimeout("x"),
        requests.TooManyRedirects("x"),
        requests.exceptions.ChunkedEncodingError("x"),
        requests.exceptions.InvalidURL("x"),
        spotipy.SpotifyException(400, -1, "x"),
        SpotifyOauthError("x", error="invalid_grant"),
        json.JSONDecodeError("x", "", 0),
        KeyError("tracks"),
        AttributeError("get"),
        TypeError("x"),
    ],
)
def test_each_exception_of_a_vendor_is_one_of_the_houses(vendor):
    assert isinstance(vendor, FOREIGN)
    assert isinstance(foreign_error(vendor), SpeakerUnavailable | CannotWork)


def test_auto_is_simulated_until_somebody_has_signed_in(speaker, folder, caplog):
    config = MusicConfig(spotify={"client_id": "client", "speaker": "Kitchen"})
    with open_player(config, folder) as opened:
        assert opened.simulated is not None
        assert opened.player.description == "the simulated speaker"
        opened.player.play(opened.player.search("calm")[0].uri)
        assert opened.simulated.now_playing is not None
    assert "moodify spotify login; the simulated speaker plays until then" in caplog.text
    sign_in(speaker, folder)
    with open_player(config, folder) as opened:
        assert opened.simulated is None
        assert opened.player.description == "Spotify on Kitchen"
    with open_player(MusicConfig(speaker="simulated", spotify={"client_id": "client"}), folder) as opened:
        assert opened.simulated is not None


def test_the_simulated_speakers_music_runs_by_the_clock_that_is_passed_in(folder, clock):
    with open_player(MusicConfig(), folder, clock=clock) as opened:
        opened.player.play(opened.player.search("calm")[0].uri)
        clock.advance(30)
        assert opened.player.playback().progress_ms == 30_000


@pytest.mark.parametrize(("spotify", "next_step"), [({}, "moodify spotify login"), ({"client_id": "client"}, "moodify spotify login")])
def test_spotify_without_a_sign_in_says_what_to_do(folder, spotify, next_step):
    with pytest.raises(SignInNeeded, match=next_step):
        open_player(MusicConfig(speaker="spotify", spotify=spotify), folder)
