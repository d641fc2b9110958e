import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from moodify.errors import CannotWork, MoodifyError, RetryLater, SignInNeeded
from moodify.types import EventKind
from moodify.web import examples
from moodify.web.port import Now
from moodify.web.words import sentence


def test_now_is_what_the_house_shows(browser, house):
    house.feel("happy", 0.93, 0.7, 0.3)
    answer = browser.get("/api/now").json()
    assert answer == house.now()
    assert answer["mood"]["mood"] == "happy"


def test_history_is_newest_first_and_in_plain_words(browser, house):
    at = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    house.happens(EventKind.PRESENCE, {"people": 2}, at)
    house.happens(EventKind.MOOD, {"mood": "calm", "confidence": 0.81}, at + timedelta(minutes=1))
    events = browser.get("/api/events").json()
    assert [event["text"] for event in events] == ["The room feels calm, 81% sure.", "2 people are in front of the camera."]
    assert events[1]["at"] == "2026-11-21T20:00:00.000+00:00"
    assert len(browser.get("/api/events?limit=1").json()) == 1


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many"])
def test_a_limit_out_of_bounds_is_explained(browser, limit):
    answer = browser.get(f"/api/events?limit={limit}")
    assert answer.status_code == 422
    assert "limit" in answer.json()["detail"]


def test_privacy_closes_and_opens_the_camera(browser, house):
    house.feel("happy")
    assert browser.put("/api/privacy", json={"on": True}).status_code == 202
    assert house.now()["privacy"] is True
    assert browser.get("/api/now").json()["mood"] is None
    assert browser.put("/api/privacy", json={"on": False}).status_code == 202
    assert house.presses == ["privacy on", "privacy off"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"on": 1}', b'{"on": "yes"}', b'{"on": null}', b'{"on": true, "off": false}', b"\xff\xfe", b"NaN"])
def test_malformed_privacy_changes_nothing(browser, house, body):
    answer = browser.put("/api/privacy", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert house.presses == []


@pytest.mark.parametrize("path", ["/nowhere", "/api/nothing", "/static/../app.py", "/static/%2e%2e/app.py", "/static/nothing.js", "/docs"])
def test_an_unknown_path_says_where_the_page_is(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 404
    assert answer.json()["status"] == 404
    assert answer.json()["detail"]


def test_a_wrong_method_says_the_right_one(browser):
    answer = browser.get("/api/scan")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert "Use POST" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(RetryLater("Busy. Try again.", retry_after_s=2.4), 503), (SignInNeeded("Sign in again."), 409), (CannotWork("Not possible."), 422), (MoodifyError("Broken."), 500)],
)
def test_what_the_house_raises_is_told_with_its_next_step(browser, house, error, status):
    house.fail_with(error)
    for answer in (browser.get("/api/now"), browser.post("/api/scan", json={}), browser.get("/api/stream")):
        assert answer.status_code == status
        assert answer.json()["detail"] == str(error)
        assert answer.headers.get("retry-after") == ("3" if status == 503 else None)


def test_a_fault_inside_shows_no_traceback(browser, house, monkeypatch, caplog):
    monkeypatch.setattr(house, "press_scan", lambda: {}["secret"])
    answer = browser.post("/api/scan", json={})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "POST /api/scan failed" in caplog.text


def test_health_is_one_word(program):
    assert program.get("/healthz").text == "ok"


def test_the_api_describes_itself(browser):
    paths = json.loads(browser.get("/openapi.json").text)["paths"]
    assert {"/healthz", "/api/now", "/api/events", "/api/stream", "/api/scan", "/api/next", "/api/pause", "/api/privacy", "/api/session", "/api/claim"} <= set(paths)


def test_the_api_says_what_now_is_and_that_is_what_comes(browser, house):
    house.feel("happy", 0.93, 0.7, 0.3)
    said = TypeAdapter(Now)
    for shown in (browser.get("/api/now").json(), examples.NOW):
        assert said.validate_python(shown, strict=True, extra="forbid") == shown
    described = browser.get("/openapi.json").json()["paths"]["/api/now"]["get"]["responses"]["200"]["content"]["application/json"]
    assert described["schema"] == {"$ref": "#/components/schemas/Now"}
    assert described["example"]["music"] == examples.NOW["music"]


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        (EventKind.PRESENCE, {"people": 0}, "Nobody is in front of the camera."),
        (EventKind.PRESENCE, {"people": 1}, "Somebody is in front of the camera."),
        (EventKind.PRESENCE, {}, "Who is in front of the camera has changed."),
        (EventKind.MOOD, {"mood": "absent", "confidence": 0}, "The room is empty."),
        (EventKind.MOOD, {"mood": "unsure", "confidence": 0.4}, "The mood of the room can't be told."),
        (EventKind.MOOD, {"mood": "tense"}, "The room feels tense."),
        (EventKind.MOOD, {}, "The mood of the room has changed."),
        (EventKind.DECISION, {"reason": "It is quiet time"}, "It is quiet time."),
        (EventKind.DECISION, {}, "A decision about the music was taken."),
        (EventKind.ORDER, {"act": "play", "status": "done", "track": {"title": "Help!"}}, "Play now: Help! (done)."),
        (EventKind.ORDER, {"act": "skip", "status": "failed", "message": "The speaker sleeps."}, "Skip (failed). The speaker sleeps."),
        (EventKind.ORDER, {}, "An order to the speaker."),
        (EventKind.CAMERA, {"state": "broken", "message": "Unplugged. Plug it in"}, "The camera needs somebody: Unplugged. Plug it in."),
        (EventKind.LINK, {"state": "ok"}, "The link works."),
        (EventKind.SPEAKER, {}, "The speaker has changed."),
        (EventKind.HEALTH, {"reasons": ["Hot", "Full"]}, "Hot; Full."),
        (EventKind.HEALTH, {"reasons": []}, "The appliance is well."),
        (EventKind.SUMMARY, {"events": {"mood": 3, "health": 12}, "moods": {"sad": 600, "calm": 3000}}, "15 events are told as one: calm for 50 min, sad for 10 min."),
        (EventKind.SUMMARY, {"events": {"health": 12}, "moods": {}}, "12 events are told as one."),
    ],
)
def test_each_event_is_a_sentence(house, kind, data, words):
    house.happens(kind, data)
    assert sentence(house.history(1)[0]) == words


def test_every_kind_of_event_has_words(house):
    for kind in EventKind:
        house.happens(kind, {})
    assert all(sentence(event).endswith(".") for event in house.history(len(EventKind)))
