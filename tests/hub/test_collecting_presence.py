"""Who is online, and states that outlast a cache."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hub_parts import Hub, Unwell

from moodify.cloud.mqtt import Connected, Connection, Received
from moodify.cloud.port import Credentials
from moodify.errors import RetryLater
from moodify.hub import collecting
from moodify.hub.cache import open_states
from moodify.hub.mosquitto import OBSERVER
from moodify.hub.presence import HOLDS, REFRESH_S, StateKeeper, is_online, received
from waiting import wait_until


@pytest.fixture
def states():
    states = open_states(None, 3600)
    yield states
    states.close()


def known(states, device="m-a"):
    return received(states.get(device)["status"])


def said(*devices, state="online"):
    return {(device, "status"): {"state": state} for device in devices}


def test_who_is_connected_is_noted_again_and_who_is_not_is_not(states):
    keeper = StateKeeper(states, lambda: {"m-a"}, refresh_s=0)
    keeper.keep(said("m-a", "m-b"))
    first = known(states), known(states, "m-b")
    time.sleep(0.002)
    keeper.refresh()
    assert known(states) > first[0]
    assert known(states, "m-b") == first[1]


def test_a_state_that_can_never_be_kept_is_dropped_and_blocks_no_other(states, caplog):
    keeper = StateKeeper(states, set, refresh_s=0)
    keeper.keep({("m-a", "status"): {"state": float("inf")}, ("m-a", "now"): {"people": 1}} | said("m-b"))
    assert set(states.get("m-a")) == {"now"}
    assert set(states.get("m-b")) == {"status"}
    keeper.refresh()
    assert caplog.text.count("is passed over") == 1


def test_a_minute_after_mosquitto_died_with_its_last_wills_who_did_not_come_back_is_offline(states):
    connected = {"m-a", "m-b"}
    keeper = StateKeeper(states, lambda: connected, refresh_s=0)
    keeper.keep(said("m-a", "m-b"))
    keeper.refresh()
    # The gate's connections end with mosquitto; one device comes back.
    connected.discard("m-b")
    keeper.refresh()
    later = datetime.now(UTC) + HOLDS + timedelta(seconds=1)
    assert is_online(states.get("m-a"), connected=True, now=later)
    assert not is_online(states.get("m-b"), connected=False, now=later)
    assert is_online(states.get("m-b"), connected=False, now=later - HOLDS)


def test_a_device_that_went_over_to_another_hub_is_online_again_at_that_hubs_next_note(states):
    here, there = StateKeeper(states, set, refresh_s=0), StateKeeper(states, lambda: {"m-a"}, refresh_s=0)
    here.keep(said("m-a"))
    there.keep(said("m-a"))
    here.keep(said("m-a", state="offline"))
    assert not is_online(states.get("m-a"), connected=False, now=datetime.now(UTC))
    there.refresh()
    here.refresh()
    assert is_online(states.get("m-a"), connected=False, now=datetime.now(UTC))


def test_a_note_may_be_missed():
    assert timedelta(seconds=2 * REFRESH_S) < HOLDS


def test_what_a_cache_could_not_take_is_kept_when_it_is_back_the_newest_of_each(states, caplog):
    caplog.set_level("INFO")
    away = Unwell(states)
    away.failure = RetryLater("the cache is away")
    keeper = StateKeeper(away, set, again_s=0)
    keeper.keep({("m-a", "now"): {"mood": "sad"}, ("m-b", "now"): {"mood": "calm"}})
    keeper.keep({("m-a", "now"): {"mood": "happy"}})
    assert states.get("m-a") == {}
    away.failure = None
    keeper.refresh()
    assert states.get("m-a")["now"]["mood"] == "happy"
    assert states.get("m-b")["now"]["mood"] == "calm"
    assert [record.message for record in caplog.records] == ["states are not kept: the cache is away", "states are kept again"]


def test_a_cache_that_is_away_is_not_asked_at_each_message(states):
    away = Unwell(states)
    away.failure = RetryLater("the cache is away")
    keeper = StateKeeper(away, set)
    for _ in range(10):
        keeper.keep(said("m-a"))
        keeper.refresh()
    assert away.asked == 1


def test_what_mosquitto_keeps_of_a_device_that_was_revoked_is_cleared_and_of_others_it_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "_SWEEP_S", 0.05)
    hub = Hub(tmp_path)
    collector = hub.collector()
    leaves, stays = hub.speaker(hub.enrol()), hub.speaker(hub.enrol())
    for speaker in (leaves, stays):
        for state in ("status", "now"):
            speaker.say(state, b'{"state":"online"}', retain=True)

    def kept():
        return collector._retained._topics.get(leaves.device, set())

    wait_until(lambda: len(kept()) == 2, what="its states heard of")
    hub.database.registry.revoke(leaves.device, datetime.now(UTC))
    wait_until(lambda: not kept(), what="two states that were cleared")
    observer = Observer(hub.endpoint())
    observer.until_heard(f"moodify/v1/{stays.device}/up/now")
    assert {topic.split("/")[2] for topic in observer.heard} == {stays.device}
    # Its last will comes when it is gone already, and is cleared as well.
    before = hub.counted("moodify_hub_messages_total", topic="state", outcome="cleared")
    leaves.say("status", b'{"state":"offline"}', retain=True)
    # It may be cleared more than once, before it is heard that it is.
    wait_until(lambda: hub.counted("moodify_hub_messages_total", topic="state", outcome="cleared") > before and not kept(), what="the will that was cleared")
    observer.close()
    hub.close()


class Observer:
    """Hears what is retained."""

    def __init__(self, endpoint):
        self.heard = []
        self._connection = Connection(endpoint, Credentials(OBSERVER, None), client_id=OBSERVER)
        wait_until(lambda: any(isinstance(one, Connected) for one in self._connection.step(0.02)), what="a connection", every_s=0)
        self._connection.subscribe("moodify/v1/+/up/#")

    def until_heard(self, topic):
        wait_until(lambda: self._hear() or topic in self.heard, what=topic, every_s=0)

    def _hear(self):
        self.heard += [one.topic for one in self._connection.step(0.02) if isinstance(one, Received)]

    def close(self):
        self._connection.close()
