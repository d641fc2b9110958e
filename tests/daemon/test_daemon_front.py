"""What the page is opened with: who may come in, its names, its certificate, and what a person is told of it."""

from contextlib import ExitStack

import pytest

from moodify.config import parse
from moodify.daemon.data_places import unknown
from moodify.daemon.front import open_front, reset_held_at
from moodify.store.prepare import prepare
from moodify.web import certificate
from signed_in import ADA

URL = "https://192.168.1.20:8080"


@pytest.fixture
def opened(tmp_path):
    """Open a front by a configuration of the page; each is closed at the end."""
    prepare(tmp_path / "moodify.db")
    with ExitStack() as house:
        yield lambda web: open_front(parse(f"[web]\n{web}", source="test"), tmp_path, tmp_path / "moodify.db", "m-test", house)


def test_on_loopback_it_is_plain_and_has_the_names_of_loopback(opened):
    front = opened("")
    assert (front.tls, front.fingerprint) == (None, None)
    assert front.place.has("localhost:8080", "127.0.0.1")
    assert not front.place.has("m-test.local", "127.0.0.1")


def test_beyond_loopback_it_is_encrypted_with_a_certificate_of_its_own_that_stays(opened, tmp_path):
    front = opened('host = "0.0.0.0"\nnames = ["music.home"]')
    assert front.tls is not None
    assert {"m-test.local", "music.home"} <= set(certificate.names_of((tmp_path / "web-certificate.pem").read_text()))
    assert all(front.place.has(name, "192.168.1.20") for name in ("m-test.local:8080", "MUSIC.home", "192.168.1.20:8080"))
    assert opened('host = "0.0.0.0"').fingerprint == front.fingerprint
    # Erasing takes it along.
    assert unknown(tmp_path) == []


def test_an_owner_s_certificate_is_taken_instead(opened, tmp_path):
    theirs = tmp_path / "fullchain.pem", tmp_path / "key.pem"
    certificate.make(*theirs, ["music.home"])
    front = opened(f'certificate = "{theirs[0]}"\nkey = "{theirs[1]}"')
    assert front.fingerprint == certificate.fingerprint(theirs[0].read_text())
    assert not (tmp_path / "web-certificate.pem").exists()


def test_a_certificate_that_is_none_leaves_the_rest_running_and_says_why(opened, tmp_path, caplog):
    (tmp_path / "none.pem").write_text("nonsense")
    front = opened(f'certificate = "{tmp_path}/none.pem"\nkey = "{tmp_path}/none.pem"')
    assert front is None
    assert "Going on without the page" in caplog.text
    assert "[web]" in caplog.text
    assert reset_held_at(front).done is False


def test_without_a_page_there_is_nothing_to_open(opened):
    assert opened("enabled = false") is None


def test_who_starts_it_is_told_the_claim_code_until_there_is_an_owner(opened, caplog):
    caplog.set_level("INFO")
    front = opened('host = "0.0.0.0"')
    notes = front.notes(URL)
    page, shown, claim = notes()
    assert page == f"page: {URL}"
    assert shown.partition("SHA-256 ")[2].count(":") == 31
    code = claim.rpartition("/")[2]
    assert claim.endswith(f"{URL}/#/claim/{code}")
    assert code in caplog.text
    from moodify.accounts.accounts import NewUser

    front.accounts.claim(code, NewUser(ADA["email"], "Ada", ADA["password"]), "a test")
    assert notes() == front.notes(URL)() == (page, shown)


def test_a_held_button_opens_a_reset(opened):
    front = opened("")
    answer = reset_held_at(front)
    assert answer.done
    assert "five minutes" in answer.said
    assert front.accounts.window_left_s > 290
