"""Signing in with a person: a browser here or elsewhere, wrong addresses, no keyboard, no port."""

import logging
import os
import socket
import stat
import sys
import urllib.request
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
import requests
from spotify_owner import CLIENT, Keyboard, Owner, browse

from moodify.config.model import MusicConfig
from moodify.errors import CannotWork, MoodifyError, NotAllowed, PersonMustAct, SignInNeeded, SpeakerUnavailable
from moodify.music.spotify import qr
from moodify.music.spotify.client import CLIENT_ID, checked, client_id_of, shortened
from moodify.music.spotify.ending import AUTHORISED_AT
from moodify.music.spotify.factory import open_player
from moodify.music.spotify.login import TRIES, ask_client_id
from moodify.music.spotify.loopback import SILENCE_S, Loopback
from moodify.music.spotify.scopes import EVERYTHING, PLAYBACK, wanted
from moodify.music.spotify.signin import SignIn, open_sign_in, signed_in
from moodify.music.spotify.simulated.levers import ACCOUNTS
from moodify.music.spotify.terminal import Terminal
from moodify.music.spotify.tokens import FILE, TokenFile
from ports import free_port


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def owner(speaker, folder):
    with Owner(speaker, folder) as owner:
        yield owner


def visit(address):
    return requests.get(address, timeout=30)


def test_an_address_pasted_from_elsewhere_signs_in_and_is_kept_for_its_owner_only(owner, folder):
    owner.pastes(browse(owner.link))
    assert "Signed in to Spotify. The sign-in ends on " in owner.end()
    assert signed_in(folder)
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_a_browser_on_this_machine_needs_no_pasting(owner, folder):
    page = visit(owner.link)
    assert (page.status_code, "Signed in to Spotify" in page.text) == (200, True)
    assert "Signed in to Spotify" in owner.end()
    assert signed_in(folder)


def test_the_app_and_the_day_are_kept_with_the_tokens(speaker, folder):
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with Owner(speaker, folder, utc=lambda: now) as owner:
        owner.pastes(browse(owner.link))
        assert "ends on 2027-05-21, in 181 days" in owner.end()
    kept = TokenFile(folder).get_cached_token()
    assert (kept[CLIENT_ID], kept[AUTHORISED_AT]) == (CLIENT, "2026-11-21T12:00:00+00:00")


def test_the_link_asks_for_what_is_needed_says_why_and_lets_spotify_always_ask(speaker, folder):
    permissions = wanted(MusicConfig(sources=("liked",)))
    with Owner(speaker, folder, permissions=permissions) as owner:
        asked = owner.asked
        assert asked["scope"].split() == ["user-read-playback-state", "user-modify-playback-state", "user-library-read"]
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"], asked["show_dialog"]) == (CLIENT, "code", "S256", "true")
        assert asked["redirect_uri"] == f"http://127.0.0.1:{owner.port}/callback"
        assert len(asked["state"]) >= 22
        assert "client_secret" not in asked
        for permission in permissions:
            assert f"{permission.why} ({permission.scope})" in owner.shown
        owner.pastes(browse(owner.link))
        owner.end()


def test_each_attempt_has_a_state_and_a_challenge_of_its_own(speaker, folder):
    seen = set()
    for _ in range(2):
        with Owner(speaker, folder) as owner:
            seen |= {owner.asked["state"], owner.asked["code_challenge"]}
            visit(owner.link)
            owner.end()
    assert len(seen) == 4


def test_addresses_that_do_not_fit_are_refused_and_asked_for_again(owner, folder):
    right = browse(owner.link)
    owner.pastes(right.replace("state=", "state=x"))
    owner.sees("another attempt")
    owner.pastes("")
    owner.pastes("http://[/callback?code=1")
    owner.sees("not the address")
    owner.pastes(f"  {right} ")
    owner.end()
    assert signed_in(folder)


def test_after_three_wrong_addresses_it_gives_up_and_keeps_nothing(owner, folder):
    for _ in range(TRIES):
        owner.pastes("what?")
    with pytest.raises(CannotWork, match="not the address"):
        owner.end()
    assert not signed_in(folder)


def test_a_browser_with_a_wrong_state_is_turned_away_and_the_right_one_still_welcome(owner, folder):
    link = owner.link
    page = visit(f"http://127.0.0.1:{owner.port}/callback?code=stolen&state=guessed")
    assert (page.status_code, "another attempt" in page.text, "guessed" in page.text) == (400, True, False)
    assert visit(f"http://127.0.0.1:{owner.port}/favicon.ico").status_code == 404
    assert visit(link).status_code == 200
    owner.end()
    assert signed_in(folder)


@pytest.mark.parametrize("pasted", [True, False])
def test_an_owner_who_says_no_is_believed(owner, folder, pasted):
    no = f"http://127.0.0.1:{owner.port}/callback?error=access_denied&state={owner.asked['state']}"
    if pasted:
        owner.pastes(no)
    else:
        assert "access_denied" in visit(no).text
    with pytest.raises(NotAllowed, match=r"^you did not agree \(access_denied\)"):
        owner.end()
    assert not signed_in(folder)


def test_another_refusal_is_told_by_its_name(owner):
    owner.pastes(f"http://127.0.0.1:{owner.port}/callback?error=server_error&state={owner.asked['state']}")
    with pytest.raises(NotAllowed, match=r"^Spotify signs nobody in \(server_error\)"):
        owner.end()


@pytest.mark.parametrize(("end", "said"), [("&state=", "the address is incomplete: copy all of it"), ("state=", "the address is incomplete: copy all of it")])
def test_an_address_that_was_cut_off_is_to_be_copied_whole(owner, folder, end, said):
    right = browse(owner.link)
    owner.pastes(right[: right.index(end)])
    owner.sees(said)
    assert "another attempt" not in owner.shown
    owner.pastes(right)
    owner.end()
    assert signed_in(folder)


def test_an_address_that_was_cut_off_in_its_state_may_be_incomplete(owner, folder):
    right = browse(owner.link)
    owner.pastes(right[:-3] if right.index("state=") > right.index("code=") else right.replace("state=", "state=&was=")[:-3])
    owner.sees("incomplete: copy all of it")
    owner.pastes(right)
    owner.end()
    assert signed_in(folder)


def test_a_no_of_another_attempt_ends_nothing(owner, folder):
    owner.pastes(f"http://127.0.0.1:{owner.port}/callback?error=access_denied&state=x")
    owner.sees("another attempt")
    owner.pastes(browse(owner.link))
    owner.end()
    assert signed_in(folder)


def test_a_port_that_is_taken_leaves_pasting(speaker, folder):
    with socket.create_server(("127.0.0.1", 0)) as taken, Owner(speaker, folder, port=taken.getsockname()[1]) as owner:
        address = browse(owner.link)
        assert "can't listen" in owner.shown
        owner.pastes(address)
        owner.end()
    assert signed_in(folder)


def test_without_a_keyboard_a_browser_on_this_machine_is_waited_for(speaker, folder):
    with Owner(speaker, folder, keyboard=False) as owner:
        visit(owner.link)
        owner.end()
    assert signed_in(folder)


def test_the_end_of_the_input_leaves_the_browser(owner, folder):
    link = owner.link
    owner.keyboard.hang_up()
    owner.sees("waiting for a browser")
    visit(link)
    owner.end()
    assert signed_in(folder)


def test_the_end_of_the_input_without_a_port_says_what_to_do(speaker, folder):
    with socket.create_server(("127.0.0.1", 0)) as taken, Owner(speaker, folder, port=taken.getsockname()[1]) as owner:
        owner.keyboard.hang_up()
        with pytest.raises(PersonMustAct, match="run this in a terminal"):
            owner.end()


def test_a_last_line_without_its_end_counts(owner, folder):
    os.write(owner.keyboard._typing, browse(owner.link).encode())
    owner.keyboard.hang_up()
    owner.end()
    assert signed_in(folder)


def test_nobody_who_agrees_is_not_waited_for_for_ever(speaker, folder):
    with Owner(speaker, folder, wait_s=0.05) as owner, pytest.raises(PersonMustAct, match="in time"):
        owner.end()


def test_a_browser_that_connects_and_says_nothing_holds_nobody_up_for_long(owner, folder):
    link = owner.link
    with socket.create_connection(("127.0.0.1", owner.port)):
        assert requests.get(link, timeout=SILENCE_S + 10).status_code == 200
    owner.end()
    assert signed_in(folder)


def test_the_port_is_free_again_afterwards(owner):
    visit(owner.link)
    owner.end()
    with pytest.raises(requests.ConnectionError):
        visit(f"http://127.0.0.1:{owner.port}/callback")


def test_the_listener_is_on_loopback_only():
    with Loopback(0, lambda _: None) as listener:
        assert listener.server_address[0] == "127.0.0.1"
        assert listener.port > 0


@pytest.mark.usefixtures("off_the_record")
def test_an_accounts_service_that_fails_is_told_in_the_browser_too(speaker, owner, folder):
    link = owner.link
    speaker.fail(503, where=ACCOUNTS)
    assert "Not signed in" in visit(link).text
    with pytest.raises(SpeakerUnavailable):
        owner.end()
    assert not signed_in(folder)


def test_a_new_sign_in_takes_the_place_of_the_old_one_only_when_it_is_whole(speaker, folder):
    with Owner(speaker, folder) as owner:
        visit(owner.link)
        owner.end()
    before = TokenFile(folder).get_cached_token()
    with Owner(speaker, folder) as owner:
        owner.pastes(browse(owner.link).replace("code=", "code=x"))
        with pytest.raises(SignInNeeded):
            owner.end()
    assert TokenFile(folder).get_cached_token() == before


def test_a_sign_in_that_can_not_be_written_is_no_success(speaker, folder, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    with Owner(speaker, folder) as owner:
        link = owner.link
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            assert "Not signed in" in visit(link).text
        with pytest.raises(SignInNeeded, match="can't be kept"):
            owner.end()


def test_a_folder_that_can_not_be_made_is_no_success(speaker, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with Owner(speaker, tmp_path / "file") as owner:
        owner.pastes(browse(owner.link))
        with pytest.raises(SignInNeeded, match="fix its owner"):
            owner.end()


def test_a_permission_that_was_not_given_is_said(speaker, folder, off_the_record):
    with Owner(speaker, folder, permissions=EVERYTHING) as owner:
        owner.pastes(browse(owner.link.replace("+user-top-read", "")))
        assert "gave no permission to choose from what you hear most" in owner.end()


def test_no_secret_reaches_the_log_the_screen_or_an_error(speaker, folder, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = set()
    speaker.tap = lambda exchange: secrets.update(exchange.request.form.get(key, "") for key in ("code", "code_verifier", "refresh_token"))
    said = []
    with Owner(speaker, folder) as owner:
        # This browser keeps no log of its own.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(owner.link, timeout=30) as page:
            said.append(page.read().decode())
        said.append(owner.end())
    with Owner(speaker, folder) as owner:
        owner.pastes(browse(owner.link).replace("code=", "code=wrong"))
        with pytest.raises(SignInNeeded) as caught:
            owner.end()
        said += [str(caught.value), owner.shown]
    kept = TokenFile(folder).get_cached_token()
    secrets |= {kept["access_token"], kept["refresh_token"]}
    secrets.discard("")
    assert len(secrets) == 6
    assert caplog.records
    assert [secret for secret in secrets for text in (caplog.text, *said) if secret in text] == []


def test_a_large_screen_shows_the_link_as_a_qr_code(speaker, folder):
    with Owner(speaker, folder, size=(200, 100)) as owner:
        drawn = "\n".join(qr.lines(owner.link))
        assert drawn in owner.shown
        visit(owner.link)
        owner.end()


@pytest.mark.parametrize("size", [(60, 100), (200, 24)])
def test_a_small_screen_says_how_large_it_would_have_to_be(speaker, folder, size):
    with Owner(speaker, folder, size=size) as owner:
        columns, lines = qr.size(owner.link)
        assert f"window of {columns} columns and {lines + 5} lines" in owner.shown
        assert "\x1b" not in owner.shown
        visit(owner.link)
        owner.end()


def test_a_screen_that_is_none_is_shown_no_qr_code(owner):
    visit(owner.link)
    assert "█" not in owner.end()


def test_the_link_with_every_permission_fits_eighty_columns(speaker, folder):
    one = SignIn(CLIENT, TokenFile(folder), redirect_port=65535, permissions=EVERYTHING)
    lines = qr.lines(one.link)
    columns = qr.size(one.link)[0]
    one.close()
    assert columns <= 80
    assert (columns, len(lines)) == (len(lines[0].removeprefix(qr._WHITE_ON_BLACK).removesuffix(qr._AS_BEFORE)), qr.size(one.link)[1])


def test_a_phone_reads_the_link_from_the_terminal(folder):
    one = SignIn(CLIENT, TokenFile(folder), redirect_port=8888, permissions=EVERYTHING)
    one.state, one.code_verifier, one.code_challenge = "s" * 22, "v" * 43, "c" * 43
    link = one.link
    one.close()
    light = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}
    rows = [[light[half] for half in line.removeprefix(qr._WHITE_ON_BLACK).removesuffix(qr._AS_BEFORE)] for line in qr.lines(link)]
    modules = np.array(rows, np.uint8).transpose(0, 2, 1).reshape(len(rows) * 2, -1)[: len(rows[0])]
    assert cv2.QRCodeDetectorAruco().detectAndDecode(modules.repeat(6, 0).repeat(6, 1))[0] == link


def test_the_qr_code_for_a_page_is_one_svg_element():
    drawn = qr.svg("https://example.org/?a=1&b=2")
    assert (drawn.startswith("<svg"), drawn.endswith("</svg>"), "viewBox" in drawn, "<script" in drawn) == (True, True, True, False)


def asking(keyboard, screen):
    return ask_client_id(Terminal(keyboard.descriptor, screen), 9999)


@pytest.fixture
def keyboard():
    keyboard = Keyboard()
    yield keyboard
    keyboard.close()


def test_the_client_id_is_asked_for_with_the_redirect_to_register(keyboard, capsys):
    keyboard.type("0123")
    keyboard.type("g" * 32)
    keyboard.type(f" {CLIENT.upper()} ")
    assert asking(keyboard, sys.stdout) == CLIENT
    shown = capsys.readouterr().out
    assert "     http://127.0.0.1:9999/callback\n" in shown
    assert "developer.spotify.com" in shown
    assert "this has 4" in shown
    assert "this has others" in shown


def test_an_empty_line_for_a_client_id_is_answered_with_a_hint(keyboard, capsys):
    keyboard.type("")
    keyboard.type(CLIENT)
    assert asking(keyboard, sys.stdout) == CLIENT
    shown = capsys.readouterr().out
    assert (shown.count("Client ID: "), shown.count("Paste the Client ID, 32 characters")) == (2, 1)


def test_what_is_no_client_id_is_asked_for_three_times(keyboard, capsys):
    for _ in range(TRIES):
        keyboard.type("?")
    with pytest.raises(CannotWork, match="32 characters"):
        asking(keyboard, sys.stdout)


def test_without_anybody_to_ask_for_the_client_id_it_says_so(keyboard, capsys):
    keyboard.hang_up()
    with pytest.raises(PersonMustAct, match="nobody to ask"):
        asking(keyboard, sys.stdout)


@pytest.mark.parametrize("wrong", ["", "client", CLIENT[:-1], CLIENT + "0", "g" * 32, "spotify:" + CLIENT])
def test_a_client_id_has_one_form(wrong):
    with pytest.raises(CannotWork, match="32 characters"):
        checked(wrong)


def test_a_client_id_is_shown_by_its_ends():
    assert (shortened(CLIENT), shortened("client")) == ("0123…cdef", "client")


def test_the_configured_app_goes_before_the_kept_one(speaker, folder):
    none, other = MusicConfig(), MusicConfig(spotify={"client_id": "f" * 32})
    assert client_id_of(none, TokenFile(folder)) is None
    with Owner(speaker, folder) as owner:
        visit(owner.link)
        owner.end()
    assert client_id_of(none, TokenFile(folder)) == CLIENT
    assert client_id_of(other, TokenFile(folder)) == "f" * 32
    one = open_sign_in(none, folder)
    assert one.access_token()
    one.close()
    stranger = open_sign_in(other, folder)
    with pytest.raises(SignInNeeded, match="another app"):
        stranger.access_token()
    stranger.close()


def test_after_a_sign_in_the_appliance_plays_for_real_without_any_configuration(owner, folder):
    with open_player(MusicConfig(), folder) as opened:
        assert opened.simulated is not None
    visit(owner.link)
    owner.end()
    with open_player(MusicConfig(), folder) as opened:
        assert (opened.simulated, opened.player.description) == (None, "Spotify")
        assert opened.player.notices() == ()


def test_a_sign_in_of_an_unknown_app_is_none(speaker, folder):
    tokens = TokenFile(folder)
    with pytest.raises(SignInNeeded, match="not signed in"):
        open_sign_in(MusicConfig(), folder)
    tokens.save_token_to_cache({"access_token": "a", "refresh_token": "r", "scope": "", "expires_at": 1})
    with pytest.raises(SignInNeeded, match="which app"):
        open_sign_in(MusicConfig(), folder)


def test_every_error_of_a_sign_in_is_one_of_the_houses(speaker, folder, off_the_record):
    for lever in (lambda: speaker.fail(500, where=ACCOUNTS), lambda: speaker.cut_connection(1)):
        one = SignIn(CLIENT, TokenFile(folder), redirect_port=free_port(), permissions=PLAYBACK, accounts_url=speaker.accounts_url)
        address = browse(one.link)
        lever()
        with pytest.raises(MoodifyError):
            one.finish(address)
        one.close()
