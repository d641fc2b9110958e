"""The cache of last states: one set of rules for both, over the real thing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from moodify.errors import CannotWork, PersonMustAct, RetryLater
from moodify.hub.cache import open_states
from servers import running_redis
from summaries import NOW
from waiting import wait_until

DEVICE, OTHER = "m-aaaaaaaaaaaaaaaa", "m-bbbbbbbbbbbbbbbb"


@pytest.fixture(params=["in process", pytest.param("Redis", marks=pytest.mark.servers)])
def url(request):
    if request.param == "in process":
        yield None
    else:
        server = request.getfixturevalue("redis_server")
        yield server.url
        server.empty()


@pytest.fixture
def states(url):
    states = open_states(url, 600)
    yield states
    states.close()


def test_what_was_put_comes_back_with_the_time_it_came(states):
    states.put(DEVICE, "now", {"mood": "calm", "people": 2, "title": "Ünï ☕ \0 \ud800", "next": None}, NOW)
    assert states.get(DEVICE) == {"now": {"mood": "calm", "people": 2, "title": "Ünï ☕ \0 \ud800", "next": None, "received": "2026-03-01T12:00:00.123+00:00"}}


def test_each_name_keeps_its_last_value(states):
    for mood in ("sad", "happy"):
        states.put(DEVICE, "now", {"mood": mood}, NOW)
    states.put(DEVICE, "health", {"ok": True}, NOW)
    found = states.get(DEVICE)
    assert (found["now"]["mood"], found["health"]["ok"], found.keys()) == ("happy", True, {"now", "health"})


def test_of_a_device_that_said_nothing_nothing_is_known(states):
    states.put(OTHER, "status", {"state": "online"}, NOW)
    assert states.get(DEVICE) == {}


def test_a_device_can_be_forgotten(states):
    for device in (DEVICE, OTHER):
        for name in ("status", "now", "state", "health", "skin"):
            states.put(device, name, {}, NOW)
    states.forget(DEVICE)
    states.forget(DEVICE)
    assert (states.get(DEVICE), len(states.get(OTHER))) == ({}, 5)


def test_a_value_lives_as_long_as_it_was_given(url):
    states = open_states(url, 0.5)
    states.put(DEVICE, "now", {}, NOW)
    wait_until(lambda: states.get(DEVICE) == {}, what="its end")
    states.put(DEVICE, "now", {}, NOW)
    assert states.get(DEVICE) != {}
    states.close()


def test_a_value_that_is_changed_afterwards_is_not_changed_in_the_cache(states):
    value = {"reasons": ["disk"]}
    states.put(DEVICE, "health", value, NOW)
    value["reasons"].append("clock")
    states.get(DEVICE)["health"]["reasons"].append("camera")
    assert states.get(DEVICE)["health"]["reasons"] == ["disk"]


@pytest.mark.parametrize(("name", "value"), [("ev", {}), ("", {}), ("now", {"valence": float("nan")}), ("now", {"moods": {1, 2}})])
def test_what_is_no_state_is_refused(states, name, value):
    with pytest.raises(CannotWork):
        states.put(DEVICE, name, value, NOW)
    assert states.get(DEVICE) == {}


def test_threads_do_not_disturb_one_another(states):
    def work(number):
        for round_ in range(50):
            states.put(f"m-{number}", "now", {"round": round_}, NOW)
            assert states.get(f"m-{number}")["now"]["round"] == round_
            states.forget(f"m-{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))


def test_closing_twice_is_safe(url):
    states = open_states(url, 600)
    states.close()
    states.close()


@pytest.mark.servers
def test_two_hubs_see_the_same_and_a_restart_forgets_nothing(redis_server):
    one, two = open_states(redis_server.url, 600), open_states(redis_server.url, 600)
    one.put(DEVICE, "now", {"mood": "calm"}, NOW)
    one.close()
    assert two.get(DEVICE)["now"]["mood"] == "calm"
    two.forget(DEVICE)
    two.close()


@pytest.mark.servers
def test_a_redis_that_is_away_is_tried_again_and_when_it_is_back_all_goes_on():
    with running_redis() as server:
        states = open_states(server.url, 600)
        states.put(DEVICE, "now", {}, NOW)
        server.stop()
        for call in (lambda: states.put(DEVICE, "now", {}, NOW), lambda: states.get(DEVICE), lambda: states.forget(DEVICE)):
            with pytest.raises(RetryLater, match="check that Redis runs"):
                call()
        server.start()
        states.put(DEVICE, "now", {}, NOW)
        assert states.get(DEVICE) != {}
        states.close()


@pytest.mark.servers
def test_a_redis_that_does_not_let_the_hub_in_says_so_without_the_password(redis_server):
    states = open_states(redis_server.url.replace("://", "://nobody:secret@"), 600)
    with pytest.raises(RetryLater, match="lets the hub in") as caught:
        states.get(DEVICE)
    assert "secret" not in str(caught.value)
    states.close()


@pytest.mark.parametrize("url", ["", "nonsense", "http://me:secret@127.0.0.1", "redis://127.0.0.1:port"])
def test_what_is_no_address_of_a_redis_is_refused(url):
    with pytest.raises(PersonMustAct, match="write redis://HOST:6379/0") as caught:
        open_states(url, 600)
    assert "secret" not in str(caught.value)


def test_more_values_than_fit_push_out_the_ones_that_nobody_asked_for(monkeypatch):
    monkeypatch.setattr("moodify.hub.cache._VALUES_AT_MOST", 2)
    states = open_states(None, 600)
    for device in (DEVICE, OTHER, "m-cccccccccccccccc"):
        states.put(device, "now", {}, NOW)
    assert [bool(states.get(device)) for device in (DEVICE, OTHER, "m-cccccccccccccccc")] == [False, True, True]
