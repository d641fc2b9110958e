"""Looking back, health, data and wishes, over what is really kept."""

import asyncio
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lived_home import LivedHome
from moodify.accounts.accounts import NewUser
from moodify.accounts.managing import TERMINAL
from moodify.daemon.erasing import wanted
from moodify.daemon.places import DATABASE
from moodify.errors import CannotWork
from moodify.types import EventKind
from moodify.web.app import create_app
from moodify.web.fake import FakeHouse
from moodify.web.guard import Place
from moodify.web.history_schemas import HealthOut, HistoryOut
from moodify.web.limits import Allowance, Limits
from moodify.web.problems import Problem
from moodify.web.server import PageServer
from moodify.web.waiting import granted
from signed_in import PASSWORD, cookies_of, memory_accounts, sign_in

NOW = datetime.now(UTC)
MEMBER = "bo@example.org"
SAME = {"Sec-Fetch-Site": "same-origin", "X-Moodify": "1"}


class Home(LivedHome):
    """A page over a folder of its own."""

    def __init__(self, folder):
        super().__init__(folder)
        self.house, self.accounts = FakeHouse(), memory_accounts()
        place = Place(limits=Limits(Allowance(10**9, 10**9), Allowance(10**9, 10**9)))
        self.server = PageServer(create_app(self.house, self.accounts, place=place, routers=self.routes(self.house, self.accounts)), "127.0.0.1", 0)

    def happens_ago(self, minutes, kind, **data):
        self.happens((NOW - timedelta(minutes=minutes), kind, data))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("home"))
    with home.server:
        yield home


@pytest.fixture
def owner(home):
    with httpx.Client(base_url=home.server.url, headers=SAME, cookies=cookies_of(home.server.url, home.accounts), trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def member(home, owner):
    with httpx.Client(base_url=home.server.url, headers=SAME, trust_env=False, timeout=20) as client:
        if MEMBER not in {user["email"] for user in owner.get("/api/users").json()["users"]}:
            code, _ = home.accounts.invite(_owner_of(home), "Bo")
            home.accounts.claim(code, NewUser(MEMBER, "Bo", PASSWORD), "a test")
        sign_in(client, MEMBER)
        yield client


def _owner_of(home):
    return home.accounts.users(TERMINAL)[0].id


@pytest.fixture
def house(home):
    """The house, with all levers back at the end."""
    home.house.presses.clear()
    yield home.house
    home.house.refuse(None)
    home.house.fail_with(None)


def span(begins, ends):
    """Ask for a span, in minutes before now."""
    return {"from": (NOW - timedelta(minutes=begins)).isoformat(), "to": (NOW - timedelta(minutes=ends)).isoformat()}


def test_a_span_is_told_with_its_moods_and_songs(home, owner):
    home.happens_ago(50, EventKind.MOOD, mood="calm", confidence=0.8, valence=0.25, arousal=-0.5, people=2)
    home.happens_ago(45, EventKind.DECISION, act="play", mood="calm", reason="You both seem calm", track=None, order="a")
    track = {"uri": "spotify:track:a", "title": "Half of \ud83d", "artist": "Somebody", "duration_ms": 240_000}
    home.happens_ago(44, EventKind.ORDER, order="a", act="play", status="done", track=track, took_ms=1, message=None)
    home.happens_ago(40, EventKind.HEALTH, reasons=[])
    answer = owner.get("/api/history", params=span(60, 30))
    told = HistoryOut.model_validate(answer.json())
    assert [(mood.mood, mood.valence, mood.people) for mood in told.moods] == [("calm", 0.25, 2)]
    assert [(song.artist, song.mood, song.reason) for song in told.songs] == [("Somebody", "calm", "You both seem calm")]
    assert told.moods[0].ends == NOW.replace(microsecond=0) - timedelta(minutes=30)
    week = owner.get("/api/history", params=span(7 * 1440, 0)).json()
    assert [song["reason"] for song in week["songs"]] == [None]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"from": NOW.isoformat()},
        {"from": "yesterday", "to": "now"},
        {"from": "2026-11-20T00:00:00", "to": "2026-11-21T00:00:00"},
        span(0, 60),
        span(60, 60),
        span(9 * 1440, 0),
        {"from": "0001-01-01T00:00:00+00:00", "to": "0001-01-02T00:00:00+00:00"},
        {"from": "9999-12-31T00:00:00+00:00", "to": "9999-12-31T23:59:59+00:00"},
    ],
)
def test_a_span_that_is_none_is_explained(owner, params):
    answer = owner.get("/api/history", params=params)
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith(".")


def test_health_is_told_in_full(owner, house):
    told = HealthOut.model_validate(owner.get("/api/health").json())
    assert told.machine.disk_free_mb == 22_480
    assert told.spotify.state == "not signed in"
    assert told.parts.camera.state == "ok"


def test_a_house_that_does_not_answer_is_waited_for_in_vain():
    house = FakeHouse()
    house.say_nothing()

    async def wait():
        await granted(house.diagnosis(), within_s=0.01)

    with pytest.raises(Problem, match="busy"):
        asyncio.run(wait())


def test_diagnostics_are_a_file(owner):
    answer = owner.get("/api/diagnostics")
    assert answer.status_code == 200
    assert 'attachment; filename="moodify-diagnostics-' in answer.headers["content-disposition"]
    assert answer.json()["appliance"]["models"] == ["detector 3", "emotion 2"]


def test_a_backup_is_a_file_that_is_whole_and_has_no_keys(home, owner):
    (home.folder / "device.key").write_text("s3cret")
    answer = owner.get("/api/backup")
    assert answer.status_code == 200
    assert 'attachment; filename="moodify-backup-' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
        assert set(file.namelist()) == {DATABASE, "moodify.json"}
        assert json.loads(file.read("moodify.json"))["keys"] is False
    assert not list(home.folder.glob(".moodify-backup-*"))


@pytest.mark.parametrize("path", ["/api/backup", "/api/diagnostics"])
def test_data_are_for_owners(member, path):
    answer = member.get(path)
    assert answer.status_code == 403
    assert "owner" in answer.json()["detail"]


def test_erasing_wants_the_owner_and_the_password(home, owner, member):
    assert member.post("/api/erase", json={"password": PASSWORD}).status_code == 403
    assert owner.post("/api/erase", json={}).status_code == 422
    assert owner.post("/api/erase", json={"password": "not the one"}).status_code == 403
    assert not wanted(home.folder)
    assert home.queue.empty()


def test_erasing_ends_the_run_that_the_next_one_may_begin_with_it(home, owner):
    answer = owner.post("/api/erase", json={"password": PASSWORD})
    assert answer.status_code == 202
    assert wanted(home.folder)
    assert home.queue.get_nowait().again


@pytest.mark.parametrize(
    ("method", "path", "body", "press", "said"),
    [
        ("POST", "/api/like", {}, "like", "Nothing plays, so there is nothing to like."),
        ("POST", "/api/next", {}, "next", "Nothing plays, so there is nothing to skip."),
        ("PUT", "/api/volume", {"percent": 35}, "volume 35", "the volume becomes 35 %."),
        ("PUT", "/api/goal", {"goal": "lift"}, "goal lift", "Music lifts the mood."),
        ("PUT", "/api/goal", {"goal": None}, "goal as configured", "Music follows the mood."),
        ("PUT", "/api/mood", {"mood": "calm", "minutes": 30}, "mood calm", "Calm until "),
        ("PUT", "/api/mood", {"mood": None}, "mood of its own", "The music follows the room again."),
    ],
)
def test_a_wish_is_passed_on_and_its_end_is_told(member, house, method, path, body, press, said):
    answer = member.request(method, path, json=body)
    assert answer.status_code in {200, 202}
    assert said in answer.json()["message"]
    assert house.presses == [press]


@pytest.mark.parametrize(("path", "said"), [("like", "Noting that you like it."), ("next", "Choosing something else.")])
def test_while_music_plays_a_press_is_answered_by_what_comes_of_it(member, house, path, said):
    house.play({**house.now()["music"], "playing": True, "title": "So"})
    assert member.post(f"/api/{path}", json={}).json()["message"] == said


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/volume", {"percent": 101}),
        ("/api/volume", {"percent": -1}),
        ("/api/volume", {"percent": "35"}),
        ("/api/volume", {"percent": True}),
        ("/api/volume", {}),
        ("/api/goal", {"goal": "louder"}),
        ("/api/goal", {}),
        ("/api/mood", {"mood": "unsure"}),
        ("/api/mood", {"mood": "calm", "minutes": 0}),
        ("/api/mood", {"mood": "calm", "minutes": 721}),
        ("/api/mood", {"mood": "calm", "until": "tomorrow"}),
    ],
)
def test_a_wish_that_is_none_is_not_passed_on(member, house, path, body):
    assert member.put(path, json=body).status_code == 422
    assert house.presses == []


def test_a_refused_wish_says_why(member, house):
    house.refuse("Nothing plays, so the volume is left as it is")
    answer = member.put("/api/volume", json={"percent": 35})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Nothing plays, so the volume is left as it is"


def test_what_the_house_raises_is_told(member, house):
    house.fail_with(CannotWork("Not possible."))
    assert member.post("/api/like", json={}).json()["detail"] == "Not possible."
