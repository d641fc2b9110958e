"""What devices say reaches the database exactly once, through a real mosquitto, a real SQLite and the devices' own links."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime

import pytest
from hub_parts import Hub, Unwell

from moodify.errors import RetryLater, StoreBusy, StoreError
from moodify.hub.budget import Budgets, cost
from moodify.hub.port import Summary
from summaries import item
from waiting import wait_until

STRANGER = "m-" + "z" * 16


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path)
    yield hub
    hub.close()


def message(seq, *items, epoch="epoch-1"):
    return json.dumps({"v": 1, "epoch": epoch, "seq": seq, "items": items or [item()]}).encode()


def cut(part):
    """End a part's connection under it, as a kernel may."""
    connection = part._line._connection
    if connection is not None and connection._client.socket() is not None:
        connection._client.socket().shutdown(socket.SHUT_RDWR)


def acked(speaker, epoch="epoch-1"):
    """Return the numbers that were acknowledged to a device, in the order of telling."""
    found = []
    for one in speaker.told("ack"):
        body = json.loads(one.payload)
        assert body.keys() == {"v", "epoch", "ranges"}
        found += [seq for first, last in body["ranges"] for seq in range(first, last + 1) if body["epoch"] == epoch]
    return found


def test_what_happens_is_stored_once_in_order_and_forgotten_by_the_device_then(hub):
    hub.collector()
    device = hub.device(hub.enrol())
    ids = device.happen(200)
    device.until_empty()
    assert hub.stored(device.id) == ids
    assert hub.counted("moodify_hub_events_committed_total") == 200
    assert hub.counted("moodify_hub_commit_seconds_count") <= 200
    wait_until(lambda: hub.counted("moodify_hub_backlog_messages") == 0, what="an empty backlog")


def test_nothing_is_lost_and_nothing_counts_twice_while_connections_and_mosquitto_die(hub):
    collector = hub.collector()
    device = hub.device(hub.enrol())
    ids = []
    for damage in (device.cut, lambda: cut(collector), hub.kill_mosquitto) * 3:
        ids += device.happen(40)
        damage()
    ids += device.happen(40)
    device.until_empty()
    assert sorted(hub.stored(device.id)) == sorted(ids)
    assert hub.counted("moodify_hub_events_committed_total") == len(ids)
    (stream,) = hub.database.events.streams(device.id)
    assert (stream.received, stream.gaps) == (len(ids), ())


def test_two_collectors_share_the_work_and_store_each_event_once(hub):
    intakes = [Unwell(hub.database.intake) for _ in range(2)]
    collectors = [hub.collector(intake=intake, states=states, name=f"collector-{states}") for intake, states in zip(intakes, (True, None), strict=True)]
    devices = [hub.device(hub.enrol()) for _ in range(3)]
    ids = {device.id: [] for device in devices}
    for round_ in range(6):
        for device in devices:
            ids[device.id] += device.happen(20)
        cut(collectors[round_ % 2])
    for device in devices:
        device.until_empty()
        assert sorted(hub.stored(device.id)) == sorted(ids[device.id])
    assert all(intake.asked > 0 for intake in intakes)


def test_one_collector_goes_on_where_the_other_ends(hub):
    first, _second = hub.collector(name="collector-1"), hub.collector(name="collector-2", states=None)
    device = hub.device(hub.enrol())
    ids = device.happen(100)
    first.close()
    ids += device.happen(100)
    device.until_empty()
    assert sorted(hub.stored()) == sorted(ids)
    assert first.trouble == "it does not run"


def test_an_acknowledgement_says_ranges_and_a_repeat_is_absorbed_and_acknowledged_again(hub):
    hub.collector()
    speaker = hub.speaker(hub.enrol())
    for seq in (1, 2, 3, 7):
        speaker.say("ev", message(seq, item(f"event-{seq}")))
    speaker.until(lambda: sorted(acked(speaker)) == [1, 2, 3, 7])
    for one in speaker.told("ack"):
        assert (one.qos, one.retained) == (1, False)
        assert 0 < one.expiry_s <= 60
    speaker.say("ev", message(2, item("event-2")))
    speaker.until(lambda: sorted(acked(speaker)) == [1, 2, 2, 3, 7])
    assert hub.stored() == ["event-1", "event-2", "event-3", "event-7"]
    assert hub.counted("moodify_hub_repeats_absorbed_total") == 1
    # The device is told before the message counts as done.
    wait_until(lambda: hub.counted("moodify_hub_messages_total", topic="ev", outcome="taken") == 5, what="five messages taken")


@pytest.mark.parametrize("failure", [StoreBusy("the disk is full"), StoreError("hub.db: file is not a database")])
def test_while_the_database_takes_nothing_nothing_is_acknowledged_and_little_is_held(hub, failure, caplog):
    intake = Unwell(hub.database.intake)
    collector = hub.collector(intake=intake)
    speaker = hub.speaker(hub.enrol())
    intake.failure = failure
    for seq in range(1, 801):
        speaker._connection.publish(f"moodify/v1/{speaker.device}/up/ev", message(seq))
        if seq % 20 == 0:
            speaker.poll()
    speaker.until(lambda: collector.trouble == str(failure) and hub.counted("moodify_hub_backlog_messages") >= 400)
    assert hub.counted("moodify_hub_backlog_messages") <= 500
    assert acked(speaker) == []
    wait_until(lambda: hub.counted("moodify_hub_commits_failed_total") >= 3, what="three tries")
    assert len([record for record in caplog.records if "stores nothing" in record.message]) == 1
    intake.failure = None
    speaker.until(lambda: len(acked(speaker)) == 800, within_s=60)
    wait_until(lambda: collector.trouble is None, what="a collector that is well")
    assert len(hub.stored()) == 800


def test_what_waits_for_the_database_is_stored_even_where_mosquitto_died_meanwhile(hub):
    intake = Unwell(hub.database.intake)
    collector = hub.collector(intake=intake)
    speaker = hub.speaker(hub.enrol())
    intake.failure = StoreBusy("locked")
    speaker.say("ev", message(1))
    wait_until(lambda: collector.trouble == "locked", what="the failure")
    hub.kill_mosquitto()
    intake.failure = None
    wait_until(lambda: len(hub.stored()) == 1, what="the event")


def test_what_cannot_be_read_is_counted_said_once_and_stops_nothing(hub, caplog):
    hub.collector()
    speaker = hub.speaker(hub.enrol())
    for _ in range(600):
        speaker._connection.publish(f"moodify/v1/{speaker.device}/up/ev", b"nonsense")
        speaker.poll()
    for topic in ("res/some-id", "key", "now", "state"):
        speaker.say(topic, b"[]")
    speaker.say("res/a/b", b'{"status": "ok"}')
    speaker.say("ev", b'{"v": 2}')
    speaker.say("ev", message(1, item("one")))
    speaker.until(lambda: acked(speaker) == [1])
    assert hub.stored() == ["one"]
    assert hub.counted("moodify_hub_messages_total", topic="ev", outcome="unreadable") == 601
    warnings = [record.message for record in caplog.records if "passed over" in record.message]
    assert sorted(warnings) == sorted(set(warnings))
    assert len(warnings) == 5
    assert "nonsense" not in caplog.text


def test_an_event_that_no_database_can_keep_does_not_hold_up_its_message(hub):
    hub.collector()
    speaker = hub.speaker(hub.enrol())
    speaker.say("ev", message(1, item("good"), {"id": "bad", "kind": "mood", "at": "yesterday", "data": {}}, {"id": "worse"}))
    speaker.until(lambda: acked(speaker) == [1])
    assert hub.stored() == ["good"]


def test_who_is_not_enrolled_is_not_heard_until_he_is(hub):
    hub.collector()
    device = hub.enrol()
    speaker = hub.speaker(device)
    stranger = hub.speaker(STRANGER)
    stranger.say("ev", message(1))
    stranger.say("status", b'{"state": "online"}', retain=True)
    speaker.say("ev", message(1))
    speaker.until(lambda: acked(speaker) == [1])
    hub.database.registry.revoke(device, datetime.now(UTC))
    speaker.say("ev", message(2))
    wait_until(lambda: hub.counted("moodify_hub_messages_total", topic="ev", outcome="unknown device") == 2, what="both passed over")
    assert len(hub.stored()) == 1
    assert hub.states.get(STRANGER) == {}
    stranger.poll()
    assert stranger.told("ack") == []


def test_states_are_kept_as_they_were_last_said(hub):
    hub.collector()
    device = hub.device(hub.enrol())
    for mood in ("sad", "happy"):
        device.link.publish_state("now", {"mood": mood})
    device.link.publish_state("health", {"ok": True})
    wait_until(lambda: hub.states.get(device.id).keys() >= {"status", "now", "health"} and hub.states.get(device.id)["now"]["mood"] == "happy", what="the states")
    assert hub.states.get(device.id)["status"]["state"] == "online"
    device.close()
    wait_until(lambda: hub.states.get(device.id)["status"]["state"] == "offline", what="the farewell")


def test_states_come_again_after_mosquitto_died(hub):
    hub.collector()
    device = hub.device(hub.enrol())
    device.link.publish_state("now", {"mood": "happy"})
    wait_until(lambda: "now" in hub.states.get(device.id), what="the state")
    hub.states.forget(device.id)
    hub.kill_mosquitto()
    wait_until(lambda: hub.states.get(device.id).keys() >= {"status", "now"}, what="the states")


def test_a_cache_that_is_away_holds_up_no_event(hub, caplog):
    states = Unwell(hub.states)
    states.failure = RetryLater("the cache is away")
    collector = hub.collector(states=states)
    device = hub.device(hub.enrol())
    ids = device.happen(10)
    device.until_empty()
    assert hub.stored() == ids
    assert collector.trouble is None
    assert len([record for record in caplog.records if "the cache is away" in record.message]) == 1


def test_a_collector_says_what_is_wrong_while_mosquitto_is_away(hub):
    collector = hub.collector()
    hub.mosquitto.close()
    wait_until(lambda: collector.trouble is not None, what="the trouble")
    hub.mosquitto.start()
    wait_until(lambda: collector.trouble is None, what="its end")


def test_closing_twice_is_harmless(hub):
    collector = hub.collector()
    collector.close()
    collector.close()
    assert (collector.alive, collector.trouble) == (False, "it does not run")


def test_what_a_device_says_beyond_its_budget_is_left_to_it_and_its_neighbours_are_heard(hub, caplog):
    hub.collector(budgets=Budgets(per_hour=5))
    loud, quiet = hub.speaker(hub.enrol()), hub.speaker(hub.enrol())
    for seq in (1, 2, 3):
        loud.say("ev", message(seq, item(), item()))
    quiet.say("ev", message(1))
    quiet.until(lambda: acked(quiet) == [1])
    loud.until(lambda: hub.counted("moodify_hub_messages_total", topic="ev", outcome="over budget") == 1)
    loud.until(lambda: sorted(acked(loud)) == [1, 2])
    assert len(hub.stored(loud.device)) == 4
    assert caplog.text.count("more than 5 events an hour") == 1


def test_an_honest_device_that_was_away_for_weeks_stays_within_its_budget():
    budgets = Budgets()
    for seq in range(1, 10_001):
        one = Summary("m-a", "e", seq, (item(),))
        assert budgets.affords("m-a", cost(one, 300))
        budgets.spend("m-a", cost(one, 300))
    # A full outbox (16 MB) comes in the same hour.
    assert budgets.affords("m-a", 65_000)
    assert not budgets.affords("m-a", 95_000)


def test_a_large_message_costs_by_its_size():
    assert [cost(Summary("m-a", "e", 1, items), size) for items, size in [((), 50), (({}, {}), 50), (({},), 256 * 1024)]] == [1, 2, 256]
