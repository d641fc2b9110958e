"""``moodify spotify``: signing in at a terminal, what is known of it, and signing out; and that the appliance itself never asks."""

import functools
import io
import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests

from appliance import configure, data_folder, environment_of, moodify
from moodify.cli import check, spotify
from moodify.config import load
from moodify.errors import PersonMustAct
from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.spotify import login as login_module
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.factory import OpenPlayer
from moodify.music.spotify.signin import open_sign_in
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.music.spotify.tokens import FILE, TokenFile
from moodify.types import Track
from ports import free_port
from waiting import wait_until

CLIENT = "0123456789abcdef0123456789abcdef"
PLAYBACK = "user-read-playback-state user-modify-playback-state"
ENOUGH = f"{PLAYBACK} user-library-read user-top-read user-read-recently-played"


def keep(home, *, scope=ENOUGH, days_ago=0.0, **more):
    """Keep a sign-in as one that was made some days ago."""
    begun = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    token = {"access_token": "a", "refresh_token": "r", "scope": scope, "expires_at": 1, "client_id": CLIENT, "authorised_at": begun} | more
    TokenFile(data_folder(home)).save_token_to_cache({key: value for key, value in token.items() if value is not None})


def status_of(home):
    done = moodify(home, "spotify", "status", "--json")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


# status


def test_status_without_a_sign_in_says_what_to_do(tmp_path):
    done = moodify(tmp_path, "spotify", "status")
    assert (done.returncode, "not signed in" in done.stdout, "moodify spotify login" in done.stderr) == (3, True, True)
    code, found = status_of(tmp_path)
    assert (code, found["state"], found["usable"], found["ends"]) == (3, "not signed in", False, None)


def test_status_of_a_fresh_sign_in_tells_everything_but_secrets(tmp_path):
    keep(tmp_path, access_token="access-secret", refresh_token="refresh-secret")
    code, found = status_of(tmp_path)
    assert (code, found["state"], found["usable"], found["message"]) == (0, "signed in", True, None)
    assert (found["client_id"], found["missing"], found["scopes"]) == ("0123…cdef", [], sorted(ENOUGH.split()))
    assert found["since"] == datetime.now().astimezone().date().isoformat()
    assert 180 <= found["days_left"] <= 184
    done = moodify(tmp_path, "spotify", "status")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"^ends +on {found['ends']}, in {found['days_left']} days$", done.stdout, re.MULTILINE)
    assert "secret" not in done.stdout + json.dumps(found)


@pytest.mark.parametrize(
    ("kept", "code", "state", "said"),
    [
        ({"days_ago": 175}, 0, "ends soon", "the Spotify sign-in ends on"),
        ({"days_ago": 185}, 3, "ended", "was to end on"),
        ({"authorised_at": None}, 0, "ends soon", "not known when the Spotify sign-in ends; to know it, sign in again"),
        ({"refused_at": "2026-11-01T00:00:00+00:00"}, 3, "ended", "has not taken the sign-in since"),
        ({"scope": PLAYBACK}, 3, "lacks a permission", "asks for more"),
        ({"client_id": None}, 3, "for another app", "another app"),
    ],
)
def test_status_says_what_is_the_matter(tmp_path, kept, code, state, said):
    keep(tmp_path, **kept)
    found_code, found = status_of(tmp_path)
    assert (found_code, found["state"], said in found["message"]) == (code, state, True)
    done = moodify(tmp_path, "spotify", "status")
    assert (done.returncode, state in done.stdout, said in done.stderr) == (code, True, True)


def test_status_names_what_the_configuration_asks_for_beyond_the_sign_in(tmp_path):
    configure(tmp_path, '[music]\nsources = ["liked"]\n[music.spotify]\nsave_playlists = true')
    keep(tmp_path, scope=PLAYBACK)
    assert status_of(tmp_path)[1]["missing"] == ["user-library-read", "playlist-modify-private"]
    assert "to save playlists" in moodify(tmp_path, "spotify", "status").stdout


def test_status_of_a_damaged_file_is_no_sign_in(tmp_path):
    data_folder(tmp_path).mkdir(parents=True)
    (data_folder(tmp_path) / FILE).write_bytes(b"\x00\xff")
    assert status_of(tmp_path)[1]["state"] == "not signed in"


# logout


def test_logout_where_nobody_is_signed_in_says_so(tmp_path):
    done = moodify(tmp_path, "spotify", "logout")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nobody was signed in.\n", "")
    assert list(tmp_path.iterdir()) == []


def test_logout_forgets_the_tokens_and_the_app(tmp_path):
    keep(tmp_path)
    done = moodify(tmp_path, "spotify", "logout")
    assert (done.returncode, done.stdout.startswith("Signed out here")) == (0, True)
    assert list(data_folder(tmp_path).iterdir()) == []
    assert moodify(tmp_path, "spotify", "logout").stdout == "Nobody was signed in.\n"
    assert status_of(tmp_path)[1]["client_id"] is None


def test_logout_forgets_the_accounts_songs_and_keeps_the_imported_ones(tmp_path):
    keep(tmp_path)
    with Catalogue(data_folder(tmp_path) / "music.db") as catalogue:
        catalogue.keep("liked", [Track("spotify:track:liked", "A song", "Somebody", 180_000)])
        assert catalogue.lookup("liked") is not None
    assert moodify(tmp_path, "spotify", "logout").returncode == 0
    with Catalogue(data_folder(tmp_path) / "music.db") as catalogue:
        assert catalogue.lookup("liked") is None


# login


def test_login_without_a_client_id_explains_how_to_get_one_and_who_can_give_it(tmp_path):
    configure(tmp_path, "[music.spotify]\nredirect_port = 9999")
    done = moodify(tmp_path, "spotify", "login")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "     http://127.0.0.1:9999/callback\n" in done.stdout
    assert "run this in a terminal" in done.stderr


def test_a_configured_client_id_of_another_form_is_a_mistake_of_the_configuration(tmp_path):
    file = configure(tmp_path, '[music.spotify]\nclient_id = "my app"')
    done = moodify(tmp_path, "spotify", "login")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{file}: 1 mistake" in done.stderr
    assert "music.spotify.client_id: a client id has 32 characters" in done.stderr


def test_login_with_its_port_taken_and_its_input_closed_says_what_to_do(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configure(tmp_path, f'[music.spotify]\nclient_id = "{CLIENT}"\nredirect_port = {taken.getsockname()[1]}')
        done = moodify(tmp_path, "spotify", "login")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "the input ended" in done.stderr


def test_ctrl_c_ends_login_cleanly(tmp_path):
    port = free_port()
    configure(tmp_path, f'[music.spotify]\nclient_id = "{CLIENT}"\nredirect_port = {port}')
    arguments = [sys.executable, "-m", "moodify", "spotify", "login"]
    with subprocess.Popen(arguments, cwd=tmp_path, env=environment_of(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while b"copy that page's address" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        said = process.stderr.read()
    assert b"Traceback" not in said
    assert b"nothing was changed" in said
    assert not (data_folder(tmp_path) / FILE).exists()


@pytest.mark.parametrize("ready", [f'client_id = "{CLIENT}"', ""], ids=["pasting", "client id"])
def test_ctrl_d_in_a_terminal_ends_login_as_ctrl_c_does(tmp_path, ready):
    mine, theirs = pty.openpty()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configure(tmp_path, f"[music.spotify]\n{ready}\nredirect_port = {taken.getsockname()[1]}")
        arguments = [sys.executable, "-m", "moodify", "spotify", "login"]
        with subprocess.Popen(arguments, cwd=tmp_path, env=environment_of(tmp_path), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            shown = b""
            while not shown.endswith((b"Paste it here: ", b"Client ID: ")):
                shown += process.stdout.read(1)
                assert process.poll() is None
            os.write(mine, b"\x04")
            assert process.wait(60) == 130
            assert process.stderr.read() == b"moodify: ended; nothing was changed\n"
    for end in (mine, theirs):
        os.close(end)
    assert not (data_folder(tmp_path) / FILE).exists()


def test_a_terminal_that_is_large_enough_shows_a_qr_code(tmp_path):
    configure(tmp_path, f'[music.spotify]\nclient_id = "{CLIENT}"\nredirect_port = {free_port()}')
    mine, theirs = pty.openpty()
    environment = environment_of(tmp_path) | {"COLUMNS": "120", "LINES": "80", "TERM": "xterm-256color"}
    with subprocess.Popen([sys.executable, "-m", "moodify", "spotify", "login"], cwd=tmp_path, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while b"Paste it here" not in shown:
            shown += os.read(mine, 65536)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    os.close(mine)
    assert "█▀▀".encode() in shown or "█ ▄▄▄▄▄ █".encode() in shown


class Screen(io.StringIO):
    """What login writes on, instead of a terminal."""


def sign_in(file, keyboard, speaker, monkeypatch, *, pasted):
    """Run ``moodify spotify login`` here, at a simulated accounts service; answer its link as a browser does."""
    screen, typed = Screen(), os.fdopen(keyboard)

    def browse():
        wait_until(lambda: "copy that page's address" in screen.getvalue(), what=screen.getvalue)
        link = next(line for line in screen.getvalue().splitlines() if "/authorize?" in line)
        back = requests.get(link, allow_redirects=not pasted, timeout=30)
        if pasted:
            os.write(pasted, back.headers["Location"].encode() + b"\n")

    browser = threading.Thread(target=browse)
    with monkeypatch.context() as patched, typed:
        patched.setattr(login_module, "login", functools.partial(login_module.login, accounts_url=speaker.accounts_url))
        patched.setattr(sys, "stdin", typed)
        patched.setattr(sys, "stdout", screen)
        browser.start()
        code = spotify.login(file)
    browser.join(20)
    return code, screen.getvalue()


@pytest.mark.parametrize("pasting", [True, False])
def test_the_first_login_asks_for_the_app_and_the_next_one_knows_it(tmp_path, monkeypatch, pasting):
    file = configure(tmp_path, f'[music.spotify]\nredirect_port = {free_port()}\n[store]\nfolder = "{tmp_path}/data"')
    with SimulatedSpeaker() as speaker:
        for turn in range(2):
            keyboard, typing = os.pipe()
            if not turn:
                os.write(typing, f"{CLIENT}\n".encode())
            code, shown = sign_in(file, keyboard, speaker, monkeypatch, pasted=typing if pasting else 0)
            os.close(typing)
            assert (code, "Client ID: " in shown, "With your app 0123…cdef" in shown) == (0, not turn, bool(turn))
            assert "Signed in to Spotify. The sign-in ends on" in shown
    kept = tmp_path / "data" / FILE
    assert (stat.S_IMODE(kept.stat().st_mode), json.loads(kept.read_text())["client_id"]) == (0o600, CLIENT)
    assert spotify.status(file, as_json=True) == 0


def test_another_users_folder_is_left_alone(tmp_path, monkeypatch):
    file = configure(tmp_path, f'[store]\nfolder = "{tmp_path}"')
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    for command in (spotify.login, spotify.logout):
        with pytest.raises(PersonMustAct, match="run this again as that user, with sudo -u"):
            command(file)


# check


@pytest.mark.parametrize(
    ("days_ago", "verdict", "said"), [(0, "ok", r"; the sign-in ends on \S+, in 18\d days$"), (175, "degraded", r"; the Spotify sign-in ends on .* sign in again")]
)
def test_check_tells_the_days_that_are_left(tmp_path, monkeypatch, days_ago, verdict, said):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / ".local" / "share"))
    keep(tmp_path, days_ago=days_ago, access_token="a")
    config = load(configure(tmp_path))
    with SimulatedSpeaker() as speaker:
        finding = checked(config, data_folder(tmp_path), speaker, monkeypatch)
        assert (finding.verdict.value, bool(re.search(said, finding.message))) == (verdict, True)
        speaker.fail(503, times=10)
        unreachable = checked(config, data_folder(tmp_path), speaker, monkeypatch)
        assert (unreachable.verdict.value, "the sign-in ends on" in unreachable.message) == ("degraded", True)


def checked(config, folder, speaker, monkeypatch):
    """Return what check says of a speaker that is simulated behind a sign-in that is not."""
    begun = TokenFile(folder).get_cached_token()["authorised_at"]
    sign_in = open_sign_in(config.music, folder)
    sign_in.OAUTH_AUTHORIZE_URL, sign_in.OAUTH_TOKEN_URL = f"{speaker.accounts_url}/authorize", f"{speaker.accounts_url}/api/token"
    sign_in.scope = ENOUGH
    sign_in.agree_at_once()
    TokenFile(folder).save_token_to_cache(TokenFile(folder).get_cached_token() | {"authorised_at": begun})
    opened = OpenPlayer(SpotifyPlayer(sign_in, speaker=speaker.name, api_url=speaker.api_url), None)
    with monkeypatch.context() as patched:
        patched.setattr("moodify.music.spotify.factory.open_player", lambda *_: opened)
        return check._speaker(config)


def test_check_without_a_sign_in_names_the_one_step_to_take(tmp_path):
    configure(tmp_path)
    finding = next(line for line in moodify(tmp_path, "check").stdout.splitlines() if line.startswith("speaker"))
    assert "sign in with: moodify spotify login" in finding


# The daemon never asks

NOBODY = """
import os, sys
os.close(0)
from pathlib import Path
from moodify.config.model import MusicConfig
from moodify.errors import SignInNeeded
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.factory import open_player
from moodify.music.spotify.signin import SignIn
from moodify.music.spotify.tokens import TokenFile
sys.stdin = None
folder = Path(sys.argv[1])
config = MusicConfig(speaker="spotify", spotify={"client_id": "0" * 32})
def needed(call):
    try:
        call()
    except SignInNeeded as error:
        print(error)
    else:
        raise SystemExit("it went on")
needed(lambda: open_player(config, folder))
player = SpotifyPlayer(SignIn("0" * 32, TokenFile(folder), redirect_port=8888), speaker="Kitchen")
for call in (player.playback, player.speakers, lambda: player.play("spotify:track:1"), player.pause, player.skip):
    needed(call)
with open_player(MusicConfig(), folder) as opened:
    print(opened.player.description)
"""


def test_the_daemons_way_to_spotify_asks_nobody(tmp_path):
    script = tmp_path / "nobody.py"
    script.write_text(NOBODY)
    done = subprocess.run([sys.executable, script, tmp_path / "state"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *refusals, played = done.stdout.splitlines()
    assert len(refusals) == 6
    assert all("moodify spotify login" in line for line in refusals)
    assert played == "the simulated speaker"


def test_run_on_spotify_without_a_sign_in_says_what_to_do(tmp_path):
    """With its input closed, as a service may be started."""
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "moodify", "run", "--camera", "sample", "--speaker", "spotify", "--for", "5"]
    done = subprocess.run(command, cwd=tmp_path, env=environment_of(tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "moodify spotify login" in done.stderr
    assert "Traceback" not in done.stderr


def test_login_with_its_input_closed_says_what_to_do(tmp_path):
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "moodify", "spotify", "login"]
    done = subprocess.run(command, cwd=tmp_path, env=environment_of(tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "nobody to ask" in done.stderr
