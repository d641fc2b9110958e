"""The first run, from the page alone: claim, sign in to Spotify, choose the speaker and the music; then the music follows the mood, without a restart."""

import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from appliance import Appliance, moodify
from moodify.music.spotify.services import VARIABLE
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from signed_in import PASSWORD, Page
from waiting import wait_until

CLIENT_ID = "0123456789abcdef0123456789abcdef"
#: A camera of samples that is named, so that it stays; and a household that need not wait for minutes.
RULES = (
    '[camera]\nsource = "sample"\n[mood]\nsmoothing_s = 1\nsteady_s = 1\n'
    "[music]\ndwell_s = 2\nmax_changes = 9\nchange_window_s = 60\nstart_when_silent = true\n[music.spotify]\npoll_s = 5\n[link]\nenabled = false\n"
)


@pytest.fixture
def spotify():
    """Spotify's accounts service, Web API and a speaker of this household, over real HTTP."""
    with SimulatedSpeaker(name="Kitchen") as speaker:
        yield speaker


@pytest.fixture
def appliance(tmp_path, spotify):
    with Appliance(tmp_path, toml=RULES, environment={VARIABLE: spotify.accounts_url}) as appliance:
        yield appliance


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments, **_more):
        return None


def agree(link):
    """Open a link as a browser does, agree, and return the address that Spotify sends the browser back to."""
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.build_opener(NoRedirect).open(link, timeout=30)
    with answer.value as redirect:
        assert redirect.code == 302
        return redirect.headers["Location"]


class Guest(Page):
    """The page of somebody who was invited."""

    def __init__(self, url, code):
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
        self.ask("/api/claim", "POST", {"code": code, "email": "bo@example.org", "first_name": "Bo", "password": PASSWORD})


def refused(ask, *arguments):
    """Ask for what is not given; return the status."""
    with pytest.raises(urllib.error.HTTPError) as answer:
        ask(*arguments)
    with answer.value as problem:
        return problem.code


def sign_in(appliance, back="paste"):
    begun = appliance.ask("/api/spotify/sign-in", "POST", {"client_id": CLIENT_ID, "back": back})
    address = agree(begun["link"])
    assert address.startswith(f"{begun['redirect_uri']}?code=")
    return begun, appliance.ask("/api/spotify/finish", "POST", {"address": address})


def test_from_claim_to_music_on_the_page_alone(appliance, spotify):
    before = appliance.ask("/api/setup")
    assert (before["simulated"], before["spotify"]["state"], before["holds"]["speaker"]) == (True, "not signed in", None)

    begun, finished = sign_in(appliance)
    assert parse_qs(urlsplit(begun["link"]).query)["redirect_uri"] == [before["paste_redirect_uri"]] == [begun["redirect_uri"]]
    assert finished["message"].startswith("Signed in to Spotify.")
    wait_until(lambda: not appliance.ask("/api/setup")["simulated"], what="Spotify playing instead of the simulated speaker")

    assert [speaker["name"] for speaker in appliance.ask("/api/speakers")["speakers"]] == ["Kitchen"]
    appliance.ask("/api/house", "PATCH", {"speaker": "Kitchen"})
    playlists = {playlist.name.removeprefix("Moodify "): playlist for playlist in spotify.library.own()}
    appliance.ask("/api/house", "PATCH", {"moods": {mood: playlist.uri for mood, playlist in playlists.items()}})

    seen = len(appliance.events)
    appliance.ask("/api/scan", "POST", {})
    first = appliance.wait_for("decision", after=seen, act="play")["data"]
    appliance.wait_for("order", after=seen, act="play", status="done")
    playing = wait_until(lambda: spotify.now_playing, what="music on the household's own speaker")
    assert playing in {song.uri for song in playlists[first["mood"]].songs}

    # Another mood, other music, and nobody has touched anything.
    def followed():
        return [event["data"] for event in appliance.of("decision")[:] if event["data"]["act"] == "queue" and event["data"]["mood"] != first["mood"]]

    queued = wait_until(followed, within_s=90, what="music for another mood")[0]
    assert queued["track"]["uri"] in {song.uri for song in playlists[queued["mood"]].songs}

    after = appliance.ask("/api/setup")
    assert (after["spotify"]["usable"], after["holds"]["speaker"], after["spotify"]["app"]) == (True, "Kitchen", CLIENT_ID)
    assert appliance.end() == 0
    assert [line for line in appliance.log.splitlines() if " ERROR " in line or " CRITICAL " in line] == []


def test_what_was_set_on_the_page_is_shown_as_such_and_outlasts_a_restart(tmp_path, spotify):
    with Appliance(tmp_path, toml=RULES, environment={VARIABLE: spotify.accounts_url}) as appliance:
        appliance.ask("/api/house", "PATCH", {"volume_cap": 35, "moods": {"sad": "https://open.spotify.com/playlist/37i9dQZF1DXdPec7aLTmlC"}})
        assert appliance.end() == 0
    printed = moodify(tmp_path, "config").stdout
    assert "volume_cap = 35  # set on the page" in printed
    assert 'uri = "spotify:playlist:37i9dQZF1DXdPec7aLTmlC"  # set on the page' in printed
    assert "dwell_s = 2.0\n" in printed


def test_signing_out_goes_back_to_the_simulated_speaker(appliance, spotify):
    sign_in(appliance)
    wait_until(lambda: not appliance.ask("/api/setup")["simulated"], what="Spotify")
    appliance.ask("/api/spotify", "DELETE")
    wait_until(lambda: appliance.ask("/api/setup")["simulated"], what="the simulated speaker")
    # The household's wish comes first, and then who plays; a question may be under way until then.
    wait_until(lambda: "From now on the simulated speaker plays" in appliance.log, what="the simulated speaker playing")
    appliance.wait_for("order", after=len(appliance.events), status="done")
    asked = len(spotify.requests)
    appliance.wait_for("order", after=len(appliance.events), status="done", timeout_s=60)
    assert len(spotify.requests) == asked
    assert appliance.end() == 0


def test_an_address_of_another_attempt_is_refused_and_the_right_one_still_serves(appliance):
    old, new = (agree(appliance.ask("/api/spotify/sign-in", "POST", {"client_id": CLIENT_ID})["link"]) for _ in range(2))
    assert refused(appliance.ask, "/api/spotify/finish", "POST", {"address": old}) == 422
    assert appliance.ask("/api/spotify/finish", "POST", {"address": new})["message"].startswith("Signed in")


def test_the_page_itself_is_where_spotify_may_send_the_browser_back_to(appliance):
    state = appliance.ask("/api/setup")
    assert state["page_redirect_uri"] == f"{appliance.page.rstrip('/')}/"
    begun, _ = sign_in(appliance, "page")
    assert begun["redirect_uri"] == state["page_redirect_uri"]


def test_the_camera_is_aimed_by_its_owner_alone_and_not_in_privacy(appliance):
    appliance.wait_for("camera", state="ok")
    page = appliance.signed_in
    assert refused(page.open, "/api/aiming/picture") == 403
    assert 110 < appliance.ask("/api/aiming", "POST", {})["left_s"] <= 120
    with page.open("/api/aiming/picture") as answer:
        assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("image/jpeg", "no-store")
        assert answer.read(3) == b"\xff\xd8\xff"
    assert refused(urllib.request.urlopen, f"{appliance.page.rstrip('/')}/api/aiming/picture") == 401
    appliance.ask("/api/privacy", "PUT", {"on": True})
    appliance.wait_for("camera", state="off")
    assert refused(page.open, "/api/aiming/picture") == 403
    assert refused(appliance.ask, "/api/aiming", "POST", {}) == 409
    assert any("sees the camera's picture on the page" in event["data"]["reason"] for event in appliance.of("decision"))


def test_who_is_a_member_sets_nothing_up(appliance, spotify):
    code = appliance.ask("/api/invitations", "POST", {"first_name": "Bo", "role": "member"})["code"]
    member = Guest(appliance.page, code)
    for path, method, body in (
        ("/api/setup", "GET", None),
        ("/api/house", "PATCH", {"volume_cap": 10}),
        ("/api/speakers", "GET", None),
        ("/api/spotify/sign-in", "POST", {"client_id": CLIENT_ID}),
        ("/api/spotify", "DELETE", None),
        ("/api/aiming", "POST", {}),
        ("/api/aiming/picture", "GET", None),
        ("/api/hub", "POST", {"host": "hub.home", "port": 8883, "fingerprint": "sha256:00"}),
    ):
        assert refused(member.ask, path, method, body) == 403, path
    assert spotify.requests == ()


def test_the_music_goes_by_who_is_listening(appliance):
    code = appliance.ask("/api/invitations", "POST", {"first_name": "Bo", "role": "member"})["code"]
    member = Guest(appliance.page, code)
    bo, ada = member.ask("/api/me")["id"], appliance.ask("/api/me")["id"]
    member.ask("/api/me", "PATCH", {"preferences": {"goal": "calm"}})
    assert appliance.ask("/api/now")["music"]["goal"] == "match"
    member.ask("/api/listener", "PUT", {"user": bo})
    wait_until(lambda: appliance.ask("/api/now")["music"]["goal"] == "calm", what="Bo's goal")
    assert appliance.ask("/api/listener") == {"user": bo}
    member.ask("/api/me", "PATCH", {"preferences": {"goal": "lift"}})
    wait_until(lambda: appliance.ask("/api/now")["music"]["goal"] == "lift", what="what Bo likes now")
    assert refused(member.ask, "/api/listener", "PUT", {"user": ada}) == 403
    member.ask("/api/listener", "PUT", {"user": None})
    wait_until(lambda: appliance.ask("/api/now")["music"]["goal"] == "match", what="the household's goal")
