from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from moodify.errors import StoreBusy
from moodify.store.history import History, StoreStatus
from moodify.store.messages import MESSAGE_BYTES
from moodify.store.outbox import Outbox
from moodify.store.store import Store
from moodify.types import EventKind


def items_of(messages):
    return [item for message in messages for item in json.loads(message.payload)["items"]]


def test_events_of_one_record_travel_in_one_message_exactly_as_they_are_printed(path, event):
    events = [event(mood="happy"), event(EventKind.DECISION, reason="läuft „gut“")]
    with Store(path) as store, Outbox(path) as outbox:
        store.record(events)
        (message,) = outbox.unsent()
    assert json.loads(message.payload) == {"v": 1, "epoch": message.epoch, "seq": 1, "items": [one.as_json() for one in events]}


def test_history_gives_the_newest_first_and_no_more_than_asked_for(path, event):
    with Store(path) as store, History(path) as history:
        for n in range(5):
            store.record([event(n=n)])
        assert [one.data["n"] for one in history.recent(3)] == [4, 3, 2]


def test_the_newest_of_a_kind_is_found_below_newer_ones_of_others(path, event):
    with Store(path) as store:
        store.record([event(EventKind.SPEAKER, n=1), event(EventKind.SPEAKER, n=2), event(EventKind.MOOD, n=3)])
    with History(path) as history:
        assert history.newest(EventKind.SPEAKER).data == {"n": 2}
        assert history.newest(EventKind.LINK) is None


def test_an_event_comes_back_as_it_went_in_to_the_millisecond(path, event):
    one = event(at=datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC), mood="calm", people=2)
    with Store(path) as store, History(path) as history:
        store.record([one])
        assert history.recent(1) == [one]


def test_recording_an_event_again_keeps_and_sends_it_once(path, event):
    one, other = event(), event()
    with Store(path) as store, History(path) as history, Outbox(path) as outbox:
        store.record([one])
        store.record([one, other])
        assert [found.id for found in history.recent(10)] == [other.id, one.id]
        assert [item["id"] for item in items_of(outbox.unsent())] == [one.id, other.id]


def test_a_message_that_grows_too_large_is_split_within_the_transaction(path, event):
    events = [event(text="x" * 20_000) for _ in range(7)]
    with Store(path) as store, Outbox(path) as outbox:
        store.record(events)
        messages = outbox.unsent()
    assert len(messages) == 3
    assert all(len(message.payload) < MESSAGE_BYTES + 200 for message in messages)
    assert [item["id"] for item in items_of(messages)] == [one.id for one in events]


def test_a_number_is_never_given_twice_even_after_the_outbox_was_emptied(path, event):
    with Store(path) as store, Outbox(path) as outbox:
        store.record([event()])
        (first,) = outbox.unsent()
        outbox.delivered(first.epoch, [(first.seq, first.seq)])
        store.record([event()])
        (second,) = outbox.unsent()
    assert (first.seq, second.seq) == (1, 2)
    assert first.epoch == second.epoch


def test_a_message_is_the_same_bytes_however_often_it_is_offered(path, event):
    with Store(path) as store:
        store.record([event(mood="sad"), event(mood="calm")])
    offers = []
    for _ in range(2):
        with Outbox(path) as outbox:
            offers.append(outbox.unsent())
    assert offers[0] == offers[1]


def test_a_receipt_of_another_epoch_forgets_nothing(path, event):
    with Store(path) as store, Outbox(path) as outbox:
        store.record([event()])
        outbox.delivered("of another database", [(1, 1)])
        outbox.refused("of another database", 1, "too large")
        assert outbox.backlog() == 1


def test_what_was_refused_is_kept_aside_and_holds_nothing_up(path, event):
    with Store(path) as store, Outbox(path) as outbox, History(path) as history:
        store.record([event()])
        store.record([event()])
        (first, second) = outbox.unsent()
        outbox.refused(first.epoch, first.seq, "not authorized")
        assert outbox.unsent() == [second]
        assert (history.status().unsent, history.status().refused) == (1, 1)


def test_ranges_that_arrived_are_forgotten_with_both_their_ends(path, event):
    with Store(path) as store, Outbox(path) as outbox:
        for _ in range(9):
            store.record([event()])
        epoch = outbox.unsent()[0].epoch
        outbox.delivered(epoch, [(2, 4), (7, 7), (9, 12)])
        assert [message.seq for message in outbox.unsent()] == [1, 5, 6, 8]


def test_ranges_that_no_outbox_can_have_are_taken_for_what_they_hold(path, event):
    with Store(path) as store, Outbox(path) as outbox:
        store.record([event()])
        epoch = outbox.unsent()[0].epoch
        for odd in ((5, 2), (-(2**70), 0), (-(2**70), -(2**69)), (2**69, 2**70)):
            outbox.delivered(epoch, [odd])
        assert outbox.backlog() == 1
        outbox.delivered(epoch, [(-(2**70), 2**70)])
        assert outbox.backlog() == 0


def test_retention_deletes_what_is_old_and_keeps_what_is_unsent(path, event):
    now = datetime(2026, 6, 1, tzinfo=UTC)
    old = [event(at=now - timedelta(days=40)) for _ in range(1_100)]
    recent = event(at=now - timedelta(days=29))
    with Store(path) as store, History(path) as history, Outbox(path) as outbox:
        store.record([*old, recent])
        assert store.retain(30, now=now) == 1_100
        assert history.recent(10) == [recent]
        assert len(items_of(outbox.unsent(limit=100))) == 1_101


def test_what_a_clock_that_was_wrong_has_dated_is_as_old_as_what_was_recorded_around_it(path, event):
    now = datetime(2026, 6, 1, tzinfo=UTC)
    old = [event(at=now - timedelta(days=days)) for days in (50, 40)]
    young = [event(at=now - timedelta(days=days)) for days in (20, 10)]
    behind, ahead = event(at=datetime(2019, 6, 1, tzinfo=UTC)), event(at=datetime(2036, 1, 1, tzinfo=UTC))
    with Store(path) as store, History(path) as history:

        def kept():
            return {each.id for each in history.recent(10)}

        store.record([old[0], behind, ahead, old[1]])
        back, far = event(at=datetime(2019, 6, 2, tzinfo=UTC)), event(at=datetime(2036, 1, 2, tzinfo=UTC))
        store.record([young[0], back, event(at=now - timedelta(days=40)), far, young[1]])
        assert store.retain(30, now=now) == 4
        assert {back.id, far.id, young[0].id, young[1].id} < kept()
        # They go with those that were recorded with them.
        assert store.retain(30, now=now + timedelta(days=15)) == 3
        assert kept() == {far.id, young[1].id}
        assert store.retain(30, now=now + timedelta(days=25)) == 2


def test_what_a_new_device_notes_before_it_knows_the_time_outlasts_the_right_time(path, event):
    now = datetime(2026, 6, 1, tzinfo=UTC)
    with Store(path) as store, History(path) as history:
        store.record([event(at=datetime(1970, 1, 1, tzinfo=UTC))])
        assert store.retain(30, now=now) == 0
        store.record([event(at=now)])
        assert store.retain(30, now=now + timedelta(days=1)) == 0
        assert len(history.recent(10)) == 2
        assert store.retain(30, now=now + timedelta(days=31)) == 2


def test_status_counts_what_there_is(path, event):
    with Store(path) as store, History(path) as history:
        assert history.status() == StoreStatus(events=0, unsent=0, refused=0, lost=0, merged=0)
        store.record([event(), event()])
        assert history.status() == StoreStatus(events=2, unsent=1, refused=0, lost=0, merged=0)


def test_a_value_that_is_no_json_is_refused_before_anything_is_written(path, event):
    with Store(path) as store, History(path) as history:
        with pytest.raises(ValueError, match="JSON compliant"):
            store.record([event(), event(confidence=float("nan"))])
        assert history.recent(10) == []


def test_a_full_disk_is_busy_and_keeps_neither_event_nor_message(path, event):
    with Store(path) as store, History(path) as history, Outbox(path) as outbox:
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreBusy, match="full"):
            store.record([event(text="x" * 100_000)])
        assert (history.recent(10), outbox.backlog()) == ([], 0)
        store._db.execute("PRAGMA max_page_count = 100000")
        store.record([event()])
        assert outbox.backlog() == 1


def test_half_of_a_surrogate_pair_is_kept_as_what_can_be_said(path, event):
    """A file's odd name or a vendor's text may hold one; it must not end the appliance."""
    with Store(path) as store, History(path) as history:
        store.record([event(message="pics\udcff")])
        assert history.recent(1)[0].data == {"message": "pics?"}


def test_what_was_set_aside_is_counted_and_can_be_offered_again(path, event):
    with Store(path) as store, Outbox(path) as outbox:
        store.record([event()])
        (message,) = outbox.unsent()
        outbox.refused(message.epoch, message.seq, "too large")
        assert (outbox.unsent(), store.outbox().refused, store.outbox().waiting) == ([], 1, 0)
        assert outbox.take_back() == 1
        assert (outbox.unsent(), store.outbox().refused) == ([message], 0)
