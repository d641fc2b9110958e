"""The face record's routes: one's own alone, only for who allowed it, never a picture."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import uuid4

import httpx
import pytest

from looks import a_look
from moodify.accounts.accounts import NewUser
from moodify.accounts.managing import TERMINAL
from moodify.errors import PersonMustAct, RetryLater, StoreBusy
from moodify.skin.capture import Step
from moodify.skin.card import PRINTS
from moodify.skin.card_pdf import card_pdf
from moodify.skin.record import FaceRecord, Trait
from moodify.skin.summing import SHOTS
from moodify.skin.trend import MOST_LOOKS
from moodify.web import examples, skin_routes
from moodify.web.app import create_app
from moodify.web.fake import FakeHouse
from moodify.web.guard import Place
from moodify.web.limits import Allowance, Limits
from moodify.web.server import PageServer
from moodify.web.skin_fake import FakeSkin
from moodify.web.skin_schemas import LooksOut, StepWord
from signed_in import PASSWORD, cookies_of, memory_accounts, sign_in

MEMBER = "bo@example.org"
PLENTY = Allowance(10**9, 10**9)
NOW = datetime.now(UTC)
LEVELS = {Trait.OILINESS: 31.0, Trait.TEXTURE: 40.0}


class Home:
    """A page with a desk for looks, its owner Ada, and Bo, a member."""

    def __init__(self):
        self.accounts, self.skin = memory_accounts(), FakeSkin()
        routes = skin_routes.skin_routes(self.skin, self.skin)
        self.server = PageServer(create_app(FakeHouse(), self.accounts, place=Place(limits=Limits(PLENTY, PLENTY)), routers=[routes]), "127.0.0.1", 0)
        self.server.start()
        self.ada = self.client(cookies_of(self.server.url, self.accounts))
        self.ada_id = self.accounts.users(TERMINAL)[0].id
        code, _ = self.accounts.invite(self.ada_id, "Bo")
        self.bo_id = self.accounts.claim(code, NewUser(MEMBER, "Bo", PASSWORD), "a test").user.id
        self.bo = self.client(None)
        sign_in(self.bo, MEMBER)

    def client(self, cookies):
        return httpx.Client(base_url=f"{self.server.url}", headers={"X-Moodify": "1"}, cookies=cookies, trust_env=False, timeout=30)

    def close(self):
        self.ada.close()
        self.bo.close()
        self.server.stop()


@pytest.fixture(scope="module")
def _home():
    home = Home()
    yield home
    home.close()


@pytest.fixture
def home(_home):
    for user in (_home.ada_id, _home.bo_id):
        _home.skin.end(user)
        _home.skin.opt_out(user)
    _home.skin.told.clear()
    return _home


def ask(client, method, path="", body=None, status=200):
    answer = client.request(method, f"/api/me/skin{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_nobody_has_allowed_anything_to_begin_with(home):
    assert ask(home.ada, "GET") == {"opted_in_at": None, "shared": False, "under_way": False}
    for method, path, body in (("GET", "/looks", None), ("POST", "/look", {}), ("PUT", "", {"shared": True})):
        assert "llow" in ask(home.ada, method, path, body, 403)["detail"]
    assert home.skin.told == []


def test_who_allows_looks_is_asked_for_nobody_else(home):
    allowed = ask(home.ada, "PUT", "", {"opted_in": True})
    assert abs(datetime.fromisoformat(allowed["opted_in_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert ask(home.ada, "PUT", "", {"opted_in": True})["opted_in_at"] == allowed["opted_in_at"]
    assert ask(home.bo, "GET")["opted_in_at"] is None


def test_sharing_is_off_until_it_is_wished_and_can_be_taken_back(home):
    assert ask(home.ada, "PUT", "", {"opted_in": True})["shared"] is False
    assert ask(home.ada, "PUT", "", {"shared": True})["shared"] is True
    assert ask(home.ada, "PUT", "", {})["shared"] is True
    assert ask(home.ada, "PUT", "", {"shared": False})["shared"] is False
    assert "can't be shared" in ask(home.ada, "PUT", "", {"opted_in": False, "shared": True}, 422)["detail"]
    assert ask(home.ada, "GET")["opted_in_at"] is not None


def test_who_allows_no_more_looks_loses_all_of_them_and_the_one_that_goes_on(home):
    home.skin.have_lived(home.ada_id, 3)
    ask(home.ada, "POST", "/look", {}, 201)
    assert ask(home.ada, "GET")["under_way"] is True
    assert ask(home.ada, "PUT", "", {"opted_in": False}) == {"opted_in_at": None, "shared": False, "under_way": False}
    assert home.skin.looks(home.ada_id) == []
    assert home.skin.told == ["Ada begins", "over"]


def test_a_look_is_guided_shot_by_shot_until_its_record_is_there(home):
    ask(home.ada, "PUT", "", {"opted_in": True})
    assert home.ada.patch("/api/me", json={"skin_type": 3}).status_code == 200
    begun = ask(home.ada, "POST", "/look", {}, 201)
    assert (begun["guidance"], begun["record"], begun["kept"], begun["failed"]) == (None, None, None, None)
    home.skin.guide(home.ada_id, Step.COME_CLOSER)
    told = ask(home.ada, "GET", f"/look?after={begun['version']}")
    assert told["guidance"] == {"step": "come closer", "say": "Come closer.", "taken": 0, "of": SHOTS}
    home.skin.guide(home.ada_id, Step.HOLD_STILL, taken=2)
    assert ask(home.ada, "GET", f"/look?after={told['version']}")["guidance"]["taken"] == 2
    seen = home.skin.see(home.ada_id, LEVELS)
    done = ask(home.ada, "GET", "/look?after=3")
    assert done["kept"] == str(seen.kept)
    assert done["record"]["oiliness_level"] == 31.0
    assert done["record"]["skin_type"] == 3
    assert ask(home.ada, "GET", "/looks")["looks"] == [{"id": done["kept"], "record": done["record"]}]


def test_a_look_that_is_not_to_be_kept_is_told_alone(home):
    home.skin.opt_in(home.ada_id)
    ask(home.ada, "POST", "/look", {"keep": False}, 201)
    home.skin.see(home.ada_id, LEVELS)
    done = ask(home.ada, "GET", "/look")
    assert (done["record"]["oiliness_level"], done["kept"]) == (31.0, None)
    assert ask(home.ada, "GET", "/looks")["looks"] == []


def test_other_guidance_is_waited_for(home, monkeypatch):
    monkeypatch.setattr(skin_routes, "WAIT_S", 10.0)
    home.skin.opt_in(home.ada_id)
    begun = ask(home.ada, "POST", "/look", {}, 201)
    found = []
    waiting = threading.Thread(target=lambda: found.append(ask(home.ada, "GET", f"/look?after={begun['version']}")))
    waiting.start()
    home.skin.guide(home.ada_id, Step.MORE_LIGHT)
    waiting.join(15)
    assert found[0]["guidance"]["step"] == "more light"


def test_without_other_guidance_the_wait_ends_and_the_same_is_told_again(home, monkeypatch):
    monkeypatch.setattr(skin_routes, "WAIT_S", 0.1)
    home.skin.opt_in(home.ada_id)
    begun = ask(home.ada, "POST", "/look", {}, 201)
    assert ask(home.ada, "GET", f"/look?after={begun['version']}") == begun


def test_a_look_that_fails_says_why(home):
    home.skin.opt_in(home.ada_id)
    ask(home.ada, "POST", "/look", {}, 201)
    home.skin.give_up(home.ada_id, "Privacy began. Turn it off and begin again.")
    assert ask(home.ada, "GET", "/look")["failed"] == "Privacy began. Turn it off and begin again."


def test_a_look_is_ended_by_who_began_it_alone(home):
    home.skin.opt_in(home.ada_id)
    ask(home.ada, "POST", "/look", {}, 201)
    ask(home.bo, "GET", "/look", status=404)
    ask(home.bo, "DELETE", "/look")
    assert home.skin.looking(home.ada_id)
    assert ask(home.ada, "DELETE", "/look")["message"] == "The look is over."
    assert not home.skin.looking(home.ada_id)
    ask(home.ada, "GET", "/look", status=404)


@pytest.mark.parametrize(("error", "status"), [(PersonMustAct("Privacy is on. Turn it off."), 409), (RetryLater("Bo is looked at. Wait."), 503)])
def test_what_keeps_a_look_from_beginning_is_said(home, error, status):
    home.skin.opt_in(home.ada_id)
    home.skin.refuse(error)
    try:
        assert ask(home.ada, "POST", "/look", {}, status)["detail"] == str(error)
    finally:
        home.skin.refuse(None)


def test_what_can_not_be_read_is_said_and_not_shown_as_nothing(home):
    home.skin.opt_in(home.ada_id)
    home.skin.fail_with(StoreBusy("the database is locked; try again"))
    try:
        for path in ("", "/looks"):
            assert ask(home.ada, "GET", path, status=503)["detail"] == "the database is locked; try again"
    finally:
        home.skin.fail_with(None)


def test_not_even_an_owner_sees_or_erases_somebody_elses_look(home):
    home.skin.have_lived(home.bo_id, 4)
    home.skin.opt_in(home.ada_id)
    theirs = ask(home.bo, "GET", "/looks")["looks"]
    assert len(theirs) == 4
    assert ask(home.ada, "GET", "/looks") == {"looks": [], "kept": 0, "care": None, "trends": ask(home.ada, "GET", "/looks")["trends"]}
    assert "no such look" in ask(home.ada, "DELETE", f"/looks/{theirs[0]['id']}", status=404)["detail"]
    assert len(home.skin.looks(home.bo_id)) == 4


def test_one_look_is_erased(home):
    home.skin.have_lived(home.ada_id, 3)
    first, *rest = ask(home.ada, "GET", "/looks")["looks"]
    ask(home.ada, "DELETE", f"/looks/{first['id']}")
    assert ask(home.ada, "GET", "/looks")["looks"] == rest
    ask(home.ada, "DELETE", f"/looks/{first['id']}", status=404)
    ask(home.ada, "DELETE", f"/looks/{uuid4()}", status=404)


def test_a_trend_comes_with_its_interval_and_with_what_was_compared(home):
    home.skin.have_lived(home.ada_id, 12)
    found = ask(home.ada, "GET", "/looks")
    shine, red = found["trends"]["oiliness_level"], found["trends"]["redness"]
    # In the later half the card was in view, and shine is compared with or without it alone.
    assert shine["compared"] == [look["id"] for look in found["looks"][6:]]
    assert shine["low"] <= shine["per_month"] <= shine["high"]
    assert (shine["direction"] == "rising") == (shine["low"] > 0)
    assert red["compared"] == shine["compared"]
    newest = ask(home.ada, "GET", "/looks?limit=3")
    assert newest["looks"] == found["looks"][9:]
    assert newest["kept"] == 12
    assert newest["trends"]["oiliness_level"] == {"compared": shine["compared"][3:], "per_month": None, "low": None, "high": None, "direction": None}


def test_advice_is_for_the_newest_look_and_names_its_sources(home):
    for day in range(4):
        home.skin.have_seen(home.ada_id, NOW - timedelta(days=9 - day), LEVELS)
    assert [line["text"] for line in ask(home.ada, "GET", "/looks")["care"]["recommendations"]] == ["Nothing stands out against your own earlier looks."]
    home.skin.have_seen(home.ada_id, NOW, LEVELS | {Trait.OILINESS: 60.0})
    care = ask(home.ada, "GET", "/looks")["care"]
    assert "blotting paper" in care["recommendations"][1]["text"]
    assert all(line["source"] for part in ("recommendations", "morning", "evening") for line in care[part])
    assert "dermatologist" in care["see_a_professional"]


def test_a_field_that_a_camera_can_not_tell_is_null_and_says_so(home):
    home.skin.have_seen(home.ada_id, NOW, LEVELS)
    record = ask(home.ada, "GET", "/looks")["looks"][0]["record"]
    for field in ("hydration_level", "elasticity_level"):
        assert (record[field], record["reasons"][field]) == (None, "not measurable with a camera")
    assert "card" in record["reasons"]["redness"]


def test_the_card_is_given_to_who_has_allowed_nothing_yet(home):
    answer = home.bo.get("/api/me/skin/card.pdf?print=11")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "application/pdf", card_pdf(11))
    assert "moodify-card-11-" in answer.headers["content-disposition"]
    for wrong in (-1, PRINTS, "x"):
        assert home.bo.get(f"/api/me/skin/card.pdf?print={wrong}").status_code == 422


def test_nobody_who_is_not_signed_in_reads_or_changes_anything(home):
    home.skin.have_lived(home.ada_id, 2)
    routes = json.loads(home.ada.get("/openapi.json").text)["paths"]
    mine = [(path, method) for path, methods in routes.items() for method in methods if path.startswith("/api/me/skin")]
    assert len(mine) == 8
    with home.client(None) as stranger:
        for path, method in mine:
            look = str(home.skin.looks(home.ada_id)[0].id)
            assert stranger.request(method, path.replace("{look_id}", look), json={} if method in {"put", "post"} else None).status_code == 401, (method, path)
    assert len(home.skin.looks(home.ada_id)) == 2


def test_what_is_unknown_in_a_wish_is_refused(home):
    for wrong in ({"opted_in": "yes"}, {"skin": True}, {"shared": 1}):
        ask(home.ada, "PUT", "", wrong, 422)
    assert ask(home.ada, "GET")["opted_in_at"] is None


def test_the_api_knows_each_step_and_its_example_is_a_record():
    assert set(get_args(StepWord)) == {step.value for step in Step}
    record = FaceRecord.model_validate_json(json.dumps(examples.FACE_RECORD))
    assert json.loads(record.model_dump_json()) == examples.FACE_RECORD


def test_a_look_by_a_clock_known_to_be_wrong_is_shown_and_compared_with_none(home):
    home.skin.have_lived(home.ada_id, 3)
    before = ask(home.ada, "GET", "/looks")
    home.skin.keep(home.ada_id, a_look(day=-20_000, date_doubted=True))
    home.skin.keep(home.ada_id, a_look(day=20_000, date_doubted=True))
    after = ask(home.ada, "GET", "/looks")
    assert [look["record"]["date_doubted"] for look in after["looks"]] == [True, False, False, False, True]
    assert after["trends"] == before["trends"]


def test_two_hundred_looks_are_given_at_most(home):
    for n in range(MOST_LOOKS + 2):
        home.skin.have_seen(home.ada_id, NOW - timedelta(hours=n), LEVELS)
    found = LooksOut.of(home.skin.looks(home.ada_id), MOST_LOOKS)
    assert (len(found.looks), found.kept) == (MOST_LOOKS, MOST_LOOKS + 2)
    assert ask(home.ada, "GET", "/looks?limit=201", status=422)["detail"]
