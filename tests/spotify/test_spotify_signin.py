"""The sign-in: its file, its refreshing, its pasted address, and what never reaches a log."""

import json
import logging
import os
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import spotipy
from spotify_room import Room
from spotipy.oauth2 import SpotifyOauthError

from moodify.config.model import MusicConfig
from moodify.errors import CannotWork, MoodifyError, NotAllowed, SignInNeeded, SpeakerUnavailable
from moodify.music.spotify.factory import open_player
from moodify.music.spotify.mapping import FOREIGN, foreign_error
from moodify.music.spotify.signin import SCOPES, SignIn, login, signed_in
from moodify.music.spotify.tokens import FILE, TokenFile

TOKEN = {"access_token": "a", "refresh_token": "r", "scope": " ".join(SCOPES), "expires_at": 1, "token_type": "Bearer"}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def tokens(folder):
    return TokenFile(folder)


def browse(address):
    """Do what the owner's browser does: open the link and say where it was sent."""
    return requests.get(address, allow_redirects=False, timeout=10).headers["Location"]


def sign_in(speaker, folder, answers=None):
    """Run the paste-back sign-in; ``answers`` makes of the true address what is pasted, one try after another."""
    told, makers = [], list(answers or [lambda address: address])

    def ask(_):
        link = next(line for line in told if "/authorize?" in line).rsplit(" ", 1)[1]
        return makers.pop(0)(browse(link))

    login("client", folder, redirect_port=8888, ask=ask, tell=told.append, accounts_url=speaker.accounts_url)
    return told


def test_the_pasted_address_signs_in_and_is_kept_for_its_owner_only(speaker, folder):
    told = sign_in(speaker, folder)
    assert "http://127.0.0.1:8888/callback" in told[0]
    assert told[-1] == "Signed in to Spotify."
    assert signed_in(folder)
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_only_the_permissions_that_are_used_are_asked_for(speaker, folder):
    link = next(line for line in sign_in(speaker, folder) if "/authorize?" in line)
    query = parse_qs(urlsplit(link.rsplit(" ", 1)[1]).query)
    assert query["scope"] == ["user-read-playback-state user-modify-playback-state playlist-read-private"]
    assert query["code_challenge_method"] == ["S256"]


def test_an_address_of_another_attempt_or_of_nothing_is_refused_and_asked_for_again(speaker, folder):
    wrong = [lambda address: address.replace("state=", "state=x"), lambda _: "http://127.0.0.1:8888/callback", lambda address: f"  {address}\n"]
    told = sign_in(speaker, folder, wrong)
    assert any("another attempt" in line for line in told)
    assert any("not the address" in line for line in told)
    assert signed_in(folder)


def test_after_three_wrong_addresses_it_gives_up_and_keeps_nothing(speaker, folder):
    with pytest.raises(CannotWork, match="not the address"):
        sign_in(speaker, folder, [lambda _: "what?"] * 3)
    assert not signed_in(folder)


def test_an_owner_who_says_no_is_believed(speaker, folder):
    def no(address):
        state = parse_qs(urlsplit(address).query)["state"][0]
        return f"http://127.0.0.1:8888/callback?error=access_denied&state={state}"

    with pytest.raises(NotAllowed, match="access_denied"):
        sign_in(speaker, folder, [no])


def test_a_sign_in_that_can_not_be_kept_is_no_success(speaker, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SignInNeeded, match="can't be kept"):
        sign_in(speaker, tmp_path / "file")


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


def test_a_sign_in_with_fewer_permissions_must_be_renewed(tokens):
    tokens.save_token_to_cache(TOKEN | {"scope": "user-read-playback-state"})
    with pytest.raises(SignInNeeded, match="playlist-read-private"):
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
    assert "moodify spotify login; until then the simulated speaker plays" in caplog.text
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


@pytest.mark.parametrize(("spotify", "next_step"), [({}, "client_id is not set"), ({"client_id": "client"}, "moodify spotify login")])
def test_spotify_without_a_sign_in_says_what_to_do(folder, spotify, next_step):
    with pytest.raises(SignInNeeded, match=next_step):
        open_player(MusicConfig(speaker="spotify", spotify=spotify), folder)
