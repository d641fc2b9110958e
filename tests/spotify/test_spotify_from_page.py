"""Signing in from the page: one attempt, for a quarter of an hour."""

import pytest
import requests

from moodify.errors import CannotWork, PersonMustAct
from moodify.music.spotify.from_page import LASTS_S, PageSignIn
from moodify.music.spotify.scopes import PLAYBACK
from moodify.music.spotify.services import Services
from moodify.music.spotify.signin import signed_in
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker

CLIENT_ID = "0123456789abcdef0123456789abcdef"
PAGE = "https://music.home:8080/"


class Owner:
    def __init__(self, folder, spotify):
        self.now_s = 0.0
        self.sign_in = PageSignIn(folder, Services(spotify.accounts_url, spotify.api_url), clock=lambda: self.now_s)

    def begin(self, redirect=PAGE):
        return self.sign_in.begin(CLIENT_ID, redirect, PLAYBACK)

    def agree(self, link):
        return requests.get(link, allow_redirects=False, timeout=30).headers["Location"]


@pytest.fixture
def owner(tmp_path):
    with SimulatedSpeaker() as spotify:
        owner = Owner(tmp_path, spotify)
        yield owner
        owner.sign_in.close()


def test_spotify_sends_the_browser_back_to_the_page_and_the_sign_in_is_kept(owner, tmp_path):
    back = owner.agree(owner.begin())
    assert back.startswith(f"{PAGE}?code=")
    assert owner.sign_in.finish(back) == CLIENT_ID
    assert signed_in(tmp_path)
    assert owner.sign_in.link is None


def test_after_a_quarter_of_an_hour_the_attempt_is_over(owner, tmp_path):
    back = owner.agree(owner.begin())
    owner.now_s = LASTS_S
    assert owner.sign_in.link is None
    with pytest.raises(PersonMustAct, match="begin again"):
        owner.sign_in.finish(back)
    assert not signed_in(tmp_path)


def test_only_the_newest_attempt_counts(owner):
    first, second = owner.agree(owner.begin()), owner.agree(owner.begin())
    with pytest.raises(CannotWork, match="another attempt"):
        owner.sign_in.finish(first)
    assert owner.sign_in.finish(second) == CLIENT_ID


def test_a_part_of_an_address_leaves_the_attempt_open(owner):
    back = owner.agree(owner.begin())
    with pytest.raises(CannotWork, match="incomplete"):
        owner.sign_in.finish(back.partition("&state")[0])
    with pytest.raises(CannotWork, match="not the address"):
        owner.sign_in.finish("https://example.org/")
    assert owner.sign_in.finish(back) == CLIENT_ID


def test_nothing_is_sent_before_an_owner_has_agreed(owner):
    with pytest.raises(CannotWork, match="32 characters"):
        owner.sign_in.begin("secret", PAGE, PLAYBACK)
    link = owner.begin()
    assert "code_challenge_method=S256" in link
    assert "client_secret" not in link
