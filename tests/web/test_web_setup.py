"""The set-up's routes over what is really kept: settings, sign-in, aim, hub and notice."""

import json
import socket
import urllib.error
import urllib.request

import httpx
import numpy as np
import pytest

from moodify.config import parse
from moodify.daemon.aiming import Aiming
from moodify.daemon.household import Household
from moodify.daemon.places import DATABASE
from moodify.daemon.setting_up import HouseSetUp
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.services import Services
from moodify.music.spotify.signin import simulated_sign_in
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.music.spotify.tokens import FILE as TOKENS
from moodify.store.prepare import prepare
from moodify.types import Frame, Image, PixelLayout
from moodify.web.app import create_app
from moodify.web.fake import FakeHouse
from moodify.web.guard import Place
from moodify.web.limits import Allowance, Limits
from moodify.web.server import PageServer
from moodify.web.setup_routes import redirect_uri, setup_routes
from moodify.web.waiting import Aside
from signed_in import cookies_of, memory_accounts

CLIENT_ID = "0123456789abcdef0123456789abcdef"
PLENTY = Allowance(10**9, 10**9)
FILE = parse('[music]\ngoal = "lift"\nvolume_cap = 70\n[music.moods.sad]\nuri = "spotify:album:3"\n[link]\nhost = "broker.home"\n', source="test")


class Home:
    """A page whose set-up is over a folder of its own; ``services``: where Spotify is."""

    def __init__(self, folder, services=None):
        prepare(folder / DATABASE)
        self.changes, self.told, self.private = [], [], False
        self.household = Household(FILE, folder / DATABASE, folder, lambda: self.changes.append("changed"), services=services)
        self.aiming = Aiming(self.told.append, private=lambda: self.private)
        accounts = memory_accounts()
        setup = HouseSetUp(self.household, self.aiming, private=lambda: self.private, go_anew=lambda: None)
        place = Place(limits=Limits(PLENTY, PLENTY))
        self.server = PageServer(create_app(FakeHouse(), accounts, place=place, routers=[setup_routes(setup, Aside())]), "127.0.0.1", 0)
        self.server.start()
        self.owner = httpx.Client(base_url=self.server.url, headers={"X-Moodify": "1"}, cookies=cookies_of(self.server.url, accounts), trust_env=False, timeout=30)

    def ask(self, method, path, body=None, status=200):
        answer = self.owner.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def close(self):
        self.owner.close()
        self.server.stop()
        self.household.close()


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    yield home
    home.close()


@pytest.fixture
def spotify():
    with SimulatedSpeaker() as speaker:
        yield speaker


@pytest.fixture
def home_with_spotify(tmp_path, spotify):
    home = Home(tmp_path, Services(spotify.accounts_url, spotify.api_url))
    yield home
    home.close()


@pytest.mark.parametrize(
    ("scheme", "host", "address"),
    [
        ("https", "moodify.local:8080", "https://moodify.local:8080/"),
        ("https", "192.168.1.20:8080", "https://192.168.1.20:8080/"),
        ("http", "127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("http", "[::1]:8080", "http://[::1]:8080/"),
        ("http", "127.0.0.1", "http://127.0.0.1/"),
        ("http", "[::1]", "http://[::1]/"),
        ("http", "localhost:8080", None),
        ("http", "music.home", None),
    ],
)
def test_spotify_is_only_given_addresses_that_it_takes(scheme, host, address):
    assert redirect_uri(scheme, host) == address


def test_what_is_set_holds_at_once_and_null_goes_back_to_the_file(home):
    before = home.ask("GET", "/api/setup")
    assert (before["holds"]["goal"], before["holds"]["volume_cap"], before["holds"]["moods"], before["from_page"]) == ("lift", 70, {"sad": "spotify:album:3"}, [])
    hours = {"start": "22:00", "end": "07:00"}
    answered = home.ask("PATCH", "/api/house", {"volume_cap": 35, "moods": {"happy": "https://open.spotify.com/playlist/1?si=2"}, "quiet_hours": hours})
    assert (answered["volume_cap"], answered["moods"]) == (35, {"happy": "spotify:playlist:1"})
    home.ask("PATCH", "/api/house", {"goal": "calm"})
    set_up = home.ask("GET", "/api/setup")
    assert (set_up["holds"]["goal"], set_up["holds"]["volume_cap"], set_up["holds"]["quiet_hours"]) == ("calm", 35, {"start": "22:00:00", "end": "07:00:00"})
    assert set_up["holds"]["moods"] == {"sad": "spotify:album:3", "happy": "spotify:playlist:1"}
    assert set(set_up["from_page"]) == {"music.goal", "music.volume_cap", "music.quiet_hours", "music.moods.happy.uri"}
    home.ask("PATCH", "/api/house", {"volume_cap": None, "moods": {}})
    assert set(home.ask("GET", "/api/setup")["from_page"]) == {"music.goal", "music.quiet_hours"}
    assert home.changes == ["changed"] * 3


@pytest.mark.parametrize(
    "wrong", [{"volume_cap": 101}, {"goal": "dance"}, {"moods": {"absent": "spotify:album:3"}}, {"moods": {"sad": "https://example.org"}}, {"loudness": 3}, {"speaker": ""}]
)
def test_what_can_not_be_set_is_refused_and_nothing_is_changed(home, wrong):
    detail = home.ask("PATCH", "/api/house", wrong, 422)["detail"]
    assert any(words in detail for words in ("volume cap:", "goal:", "moods:", "sad:", "loudness:", "speaker:"))
    assert home.changes == []


def test_steps_are_remembered_until_they_are_taken_back(home):
    home.ask("PUT", "/api/setup/steps/camera", {"how": "done"})
    home.ask("PUT", "/api/setup/steps/hub", {"how": "skipped"})
    assert home.ask("GET", "/api/setup")["steps"] == {"camera": "done", "hub": "skipped"}
    home.ask("PUT", "/api/setup/steps/hub", {"how": None})
    assert home.ask("GET", "/api/setup")["steps"] == {"camera": "done"}
    home.ask("PUT", "/api/setup/steps/kitchen", {"how": "done"}, 422)


def test_the_link_is_shown_as_a_qr_code_while_a_sign_in_is_open(home):
    assert home.ask("GET", "/api/spotify/sign-in.svg", status=409)["detail"].startswith("no sign-in to Spotify is open")
    link = home.ask("POST", "/api/spotify/sign-in", {"client_id": CLIENT_ID, "back": "page"})
    assert link["redirect_uri"] == f"{home.server.url}/"
    code = home.owner.get("/api/spotify/sign-in.svg")
    assert (code.status_code, code.headers["content-type"], code.headers["cache-control"]) == (200, "image/svg+xml", "no-store")
    assert code.text.startswith("<svg ")
    assert "script" not in code.text


def test_a_client_id_is_asked_for_and_checked(home):
    assert "make an app" in home.ask("POST", "/api/spotify/sign-in", {}, 409)["detail"]
    assert "32 characters" in home.ask("POST", "/api/spotify/sign-in", {"client_id": "0123"}, 422)["detail"]


def test_an_owner_who_said_no_is_told_so_and_may_try_again(home_with_spotify):
    home = home_with_spotify
    link = httpx.URL(home.ask("POST", "/api/spotify/sign-in", {"client_id": CLIENT_ID})["link"])
    refusal = home.ask("POST", "/api/spotify/finish", {"address": f"http://127.0.0.1:8888/callback?error=access_denied&state={link.params['state']}"}, 409)
    assert refusal["detail"].startswith("you did not agree")
    back = httpx.get(link, trust_env=False).headers["location"]
    assert home.ask("POST", "/api/spotify/finish", {"address": back})["message"].startswith("Signed in to Spotify")
    state = home.ask("GET", "/api/setup")
    assert (state["spotify"]["usable"], state["settings"]["client_id"]) == (True, CLIENT_ID)
    assert home.ask("POST", "/api/spotify/finish", {"address": back}, 409)["detail"].startswith("no sign-in is under way")
    assert home.changes == ["changed"]


def test_music_that_spotify_does_not_have_is_not_saved_where_it_can_be_asked(home, spotify):
    missing = {"moods": {"happy": "spotify:playlist:0000000000000000000000"}}
    player = SpotifyPlayer(simulated_sign_in(spotify.accounts_url), speaker=spotify.name, api_url=spotify.api_url)
    home.household.takes(player)
    try:
        assert home.ask("PATCH", "/api/house", missing, 422)["detail"].startswith("happy: Spotify finds no such playlist; in Spotify choose Share")
        assert home.ask("PATCH", "/api/house", {"moods": {"happy": spotify.catalogue.playlist_of("calm").uri}})["moods"]
    finally:
        player.close()
    # Nobody is there to ask.
    home.household.takes(None)
    assert home.ask("PATCH", "/api/house", missing)["moods"] == missing["moods"]


def test_no_token_and_no_code_is_ever_shown(home_with_spotify, tmp_path, caplog):
    home = home_with_spotify
    link = home.ask("POST", "/api/spotify/sign-in", {"client_id": CLIENT_ID})["link"]
    back = httpx.URL(httpx.get(link, trust_env=False).headers["location"])
    home.ask("POST", "/api/spotify/finish", {"address": str(back)})
    kept = json.loads((tmp_path / TOKENS).read_text())
    secrets = [back.params["code"], kept["access_token"], kept["refresh_token"]]
    shown = home.owner.get("/api/setup").text + caplog.text
    assert [secret for secret in secrets if secret in shown] == []


def test_without_a_way_to_spotify_it_says_so(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    home = Home(tmp_path, Services(nobody, f"{nobody}/v1/"))
    try:
        link = httpx.URL(home.ask("POST", "/api/spotify/sign-in", {"client_id": CLIENT_ID})["link"])
        problem = home.ask("POST", "/api/spotify/finish", {"address": f"http://127.0.0.1:8888/callback?code=abc&state={link.params['state']}"}, 503)
        assert "can't be reached" in problem["detail"]
        assert home.ask("GET", "/api/speakers", status=409)["detail"].startswith("nobody is signed in to Spotify")
    finally:
        home.close()


def test_the_picture_goes_to_its_owner_alone_and_is_kept_by_nobody(home):
    home.ask("GET", "/api/aiming/picture", status=403)
    assert home.ask("POST", "/api/aiming", {})["left_s"] == 120
    home.aiming._wanted += 1
    home.aiming.show(Frame(Image(np.zeros((48, 64, 3), np.uint8), PixelLayout.RGB), 0.0, 1))
    home.aiming._wanted -= 1
    home.ask("DELETE", "/api/aiming")
    assert home.ask("GET", "/api/aiming") == {"left_s": 0.0}
    home.ask("GET", "/api/aiming/picture", status=403)
    assert [told.on for told in home.told] == [True, False]


def test_in_privacy_the_camera_can_not_be_aimed(home):
    home.private = True
    assert "turn privacy off" in home.ask("POST", "/api/aiming", {}, 409)["detail"]
    assert home.told == []


def test_nobody_who_is_not_signed_in_reads_or_changes_anything(home):
    routes = home.owner.get("/openapi.json").json()["paths"]
    mine = [(path, method) for path, methods in routes.items() for method, route in methods.items() if route.get("tags") == ["set-up"]]
    assert len(mine) > 15
    for path, method in mine:
        address = home.server.url + path.replace("{step}", "camera")
        request = urllib.request.Request(address, b"{}" if method != "get" else None, {"Content-Type": "application/json", "X-Moodify": "1"}, method=method.upper())
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(request, timeout=30)
        with answer.value as refused:
            assert refused.code == 401, (path, method)
    assert (home.changes, home.told) == ([], [])


def test_the_hub_is_looked_for_where_it_is_said_to_be(home):
    # Held, and not listened at: a port that was given back could be another's by now.
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        assert "no address of a hub" in home.ask("POST", "/api/hub/look", {"address": "https://hub.home/x"}, 422)["detail"]
        assert "no address of a hub" in home.ask("POST", "/api/hub/look", {"address": f"127.0.0.1:{port}:1"}, 422)["detail"]
        for address in (f"127.0.0.1:{port}", f"[::1]:{port}"):
            home.ask("POST", "/api/hub/look", {"address": address}, 503)
    home.ask("POST", "/api/hub", {"host": "127.0.0.1", "port": port, "fingerprint": "odd"}, 422)
    hub = home.ask("GET", "/api/setup")["hub"]
    assert (hub["broker"], hub["enrolled"]) == ("broker.home", None)
    assert hub["command"].startswith("moodify hub enroll m-")


@pytest.mark.parametrize(("language", "word"), [("en", "camera"), ("de", "Kamera")])
def test_the_notice_is_told_in_both_languages(home, language, word):
    notice = home.ask("GET", f"/api/notice?language={language}")
    assert word in notice["title"] + notice["lead"]
    assert len(notice["points"]) > 5
    assert "{" not in str(notice["lead"])
