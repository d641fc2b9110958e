"""Committing: each message counts once, each event is kept once, whatever else a message brings. On SQLite and on PostgreSQL."""

import json
import logging
import re
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from moodify.hub.database import intake
from moodify.hub.database.models import QuarantineRow
from moodify.hub.port import Ack, Summary
from summaries import DAY, NOW, enrolled, item, summary

#: One database serves all examples; each enrols devices of its own.
SHARED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def device(database):
    return enrolled(database)


def set_aside(database):
    with database._transactions.reading() as connection:
        return connection.execute(select(QuarantineRow.seq, QuarantineRow.position, QuarantineRow.reason, QuarantineRow.item).order_by(QuarantineRow.n)).all()


def counted(rows):
    """Return how many events rows of the quarantine stand for."""
    return sum(int(found[1]) if (found := re.match(r"(\d+) events; ", row.reason)) else 1 for row in rows)


def test_what_is_committed_is_there_and_acknowledged(database, device):
    done = database.intake.commit([summary(device, 1, item("a", mood="calm"), item("b", kind="order"))], NOW)
    assert (done.acks, done.events, done.repeats) == ((Ack(device, "epoch-1", ((1, 1),)),), 2, 0)
    newest, oldest = database.events.events(device)
    assert (oldest.id, oldest.kind, oldest.epoch, oldest.seq, dict(oldest.data)) == ("a", "mood", "epoch-1", 1, {"mood": "calm"})
    assert (newest.id, newest.kind, newest.at.isoformat()) == ("b", "order", "2026-03-01T12:00:00+00:00")


def test_a_repeat_is_absorbed_and_acknowledged_again(database, device):
    message = summary(device, 1)
    first, again = database.intake.commit([message], NOW), database.intake.commit([message], NOW)
    assert again.acks == first.acks
    assert (again.events, again.repeats) == (0, 1)
    assert len(database.events.events(device)) == 1


def test_a_repeat_within_a_batch_counts_once_and_the_first_stands(database, device):
    done = database.intake.commit([summary(device, 1, item("a")), summary(device, 1, item("b"))], NOW)
    assert (done.events, done.repeats) == (1, 1)
    assert [event.id for event in database.events.events(device)] == ["a"]


def test_acknowledgements_are_the_fewest_ranges_of_each_stream(database, device):
    other = enrolled(database)
    batch = [summary(device, seq) for seq in (7, 2, 3, 1, 9, 8, 5)] + [summary(other, 4), summary(device, 1, epoch="epoch-2")]
    assert set(database.intake.commit(batch, NOW).acks) == {
        Ack(device, "epoch-1", ((1, 3), (5, 5), (7, 9))),
        Ack(device, "epoch-2", ((1, 1),)),
        Ack(other, "epoch-1", ((4, 4),)),
    }


def test_acknowledged_is_what_was_offered_and_no_more(database, device):
    database.intake.commit([summary(device, seq) for seq in range(1, 10)], NOW)
    assert database.intake.commit([summary(device, 3), summary(device, 20)], NOW).acks == (Ack(device, "epoch-1", ((3, 3), (20, 20))),)


def test_nothing_is_a_batch_too(database):
    done = database.intake.commit([], NOW)
    assert (done.acks, done.events, done.repeats) == ((), 0, 0)


def test_a_message_without_events_counts(database, device):
    done = database.intake.commit([Summary(device, "epoch-1", 1, ())], NOW)
    assert (len(done.acks), done.events) == (1, 0)
    assert database.events.streams(device)[0].received == 1


def test_an_event_that_a_restored_device_sends_under_another_number_is_kept_once(database, device):
    database.intake.commit([summary(device, 1, item("a"))], NOW)
    done = database.intake.commit([summary(device, 1, item("a"), item("b"), epoch="epoch-2")], NOW)
    assert done.events == 1
    assert sorted((event.id, event.epoch) for event in database.events.events(device)) == [("a", "epoch-1"), ("b", "epoch-2")]


def test_the_same_id_of_another_device_is_another_event(database, device):
    assert database.intake.commit([summary(device, 1, item("a")), summary(enrolled(database), 1, item("a"))], NOW).events == 2


def test_a_device_that_was_never_enrolled_is_neither_kept_nor_acknowledged(database, device, caplog):
    with caplog.at_level(logging.WARNING):
        done = database.intake.commit([summary("m-aaaaaaaaaaaaaaaa", 1), summary(device, 1)], NOW)
    assert ([ack.device for ack in done.acks], done.events) == ([device], 1)
    assert "1 messages were passed over" in caplog.text


def test_what_a_revoked_device_had_said_is_kept(database, device):
    database.registry.revoke(device, NOW)
    assert database.intake.commit([summary(device, 1)], NOW).events == 1


@pytest.mark.parametrize(
    ("epoch", "seq", "who"), [("", 1, None), ("e\0", 1, None), ("e" * 65, 1, None), ("e", 0, None), ("e", -1, None), ("e", 2**63, None), ("e", 1, "\ud800"), ("e", 1, "\0")]
)
def test_what_no_device_of_ours_sends_does_not_stop_the_others(database, device, epoch, seq, who):
    done = database.intake.commit([Summary(who or device, epoch, seq, (item(),)), summary(device, 2)], NOW)
    assert (done.acks, done.events) == ((Ack(device, "epoch-1", ((2, 2),)),), 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (item(at="yesterday"), "time can't be read"),
        (item(at="2026-03-01T12:00:00"), "no time with a zone"),
        (item(at="0001-01-01T00:00:00+14:00"), "time can't be read"),
        (item(at=1772366400), "no time with a zone"),
        (item("\0"), "is no event"),
        (item("x" * 65), "is no event"),
        (item(kind="m\ud800"), "is no event"),
        ({"id": "a", "kind": "mood", "at": "2026-03-01T12:00:00Z", "data": []}, "is no event"),
        ({}, "is no event"),
        (item(picture="x" * 300_000), "takes 3000.. bytes"),
        (item(valence=float("nan")), "no JSON"),
    ],
)
def test_an_event_that_can_not_be_kept_is_set_aside_with_the_reason_and_holds_nothing_up(database, device, bad, reason):
    done = database.intake.commit([summary(device, 1, item("a"), bad, item("b"))], NOW)
    assert (done.acks, done.events) == ((Ack(device, "epoch-1", ((1, 1),)),), 2)
    ((seq, position, why, _),) = set_aside(database)
    assert (seq, position) == (1, 1)
    assert re.search(reason, why)


def test_many_bad_events_of_a_message_are_one_row_and_one_line_in_the_log(database, device, caplog):
    for seq in (1, 2, 3):
        done = database.intake.commit([summary(device, seq, item(f"good-{seq}"), *[{}] * 600)], NOW)
        assert (done.acks[0].ranges, done.events) == (((seq, seq),), 1)
    found = set_aside(database)
    assert [(row.seq, row.position, row.reason.partition(";")[0]) for row in found] == [(seq, 1, "600 events") for seq in (1, 2, 3)]
    assert json.loads(found[0].item) == [{}] * 600
    assert len(caplog.records) == 1


def test_a_device_has_so_many_rows_in_quarantine_and_another_has_its_own(database, device, monkeypatch):
    monkeypatch.setattr(intake, "SET_ASIDE_AT_MOST", 3)
    other = enrolled(database)
    for seq in range(1, 6):
        assert database.intake.commit([summary(device, seq, {}), summary(other, seq, {} if seq == 5 else item())], NOW).acks[0].ranges == ((seq, seq),)
    assert len(set_aside(database)) == 3 + 1


def test_a_stream_too_many_is_passed_over_and_the_ones_before_go_on(database, device, monkeypatch, caplog):
    monkeypatch.setattr(intake, "STREAMS_AT_MOST", 3)
    done = database.intake.commit([summary(device, 1, epoch=f"e{number}") for number in range(5)], NOW)
    assert (len(done.acks), done.events) == (3, 3)
    assert database.intake.commit([summary(device, 2, epoch="new")], NOW).acks == ()
    assert database.intake.commit([summary(device, 2, epoch="e0"), summary(enrolled(database), 1, epoch="new")], NOW).events == 2
    assert caplog.text.count("more than 3 streams") == 1


@pytest.mark.parametrize("text", ["\0", "\ud800", "ünï ☕", "'; DROP TABLE events; --", "%s :a $1 ?"])
def test_text_comes_back_as_it_was(database, device, text):
    database.intake.commit([summary(device, 1, item(title=text))], NOW)
    assert database.events.events(device)[0].data == {"title": text}


def test_hundreds_of_messages_of_many_devices_are_one_commit(database):
    devices = [enrolled(database) for _ in range(50)]
    batch = [summary(device, seq, item(), item()) for seq in range(1, 11) for device in devices]
    done = database.intake.commit(batch, NOW)
    assert (len(done.acks), {ack.ranges for ack in done.acks}, done.events) == (50, {((1, 10),)}, 1000)
    assert (again := database.intake.commit(batch, NOW)).repeats == 500
    assert again.acks == done.acks


def test_events_are_numbered_in_the_order_in_which_they_were_said(database, device):
    database.intake.commit([summary(device, 2, item("c")), summary(device, 1, item("a"), item("b"))], NOW)
    assert [event.id for event in database.events.events(device, after=0)] == ["a", "b", "c"]


NUMBERS = st.tuples(st.integers(0, 2), st.sampled_from(["e1", "e2"]), st.integers(1, 12))


@SHARED
@given(batches=st.lists(st.lists(NUMBERS, max_size=15), max_size=8))
def test_any_interleaving_with_repeats_gives_each_event_once_and_acknowledges_just_what_was_offered(database, batches):
    devices = [enrolled(database) for _ in range(3)]
    offered = set()
    stored = repeats = 0
    for batch in batches:
        done = database.intake.commit([summary(devices[who], seq, item(f"{epoch}-{seq}-x"), item(f"{epoch}-{seq}-y"), epoch=epoch) for who, epoch, seq in batch], NOW)
        acked = [(ack.device, ack.epoch, seq) for ack in done.acks for first, last in ack.ranges for seq in range(first, last + 1)]
        assert sorted(acked) == sorted({(devices[who], epoch, seq) for who, epoch, seq in batch})
        assert all(first <= last < following[0] - 1 for ack in done.acks for (first, last), following in zip(ack.ranges, [*ack.ranges[1:], (2**63, 0)], strict=True))
        offered.update(batch)
        stored, repeats = stored + done.events, repeats + done.repeats
    kept = [(event.device, event.epoch, event.seq, event.id) for device in devices for event in database.events.events(device, limit=10_000)]
    assert sorted(kept) == sorted((devices[who], epoch, seq, f"{epoch}-{seq}-{end}") for who, epoch, seq in offered for end in "xy")
    assert (stored, repeats) == (2 * len(offered), sum(map(len, batches)) - len(offered))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(["id", "kind", "at", "data"]), inner, max_size=4),
    max_leaves=8,
)
ITEMS = st.dictionaries(st.text(), JSON, max_size=4) | st.builds(lambda data, at, of: item(of, at=at, x=data), JSON, st.datetimes().map(str) | st.text(), st.text() | st.none())
_seqs = count(1)


@SHARED
@given(items=st.lists(ITEMS, max_size=4))
def test_whatever_json_a_message_holds_it_is_committed(database, device, items):
    seq = next(_seqs)
    before = counted(set_aside(database))
    done = database.intake.commit([Summary(device, "epoch-1", seq, tuple(items))], NOW)
    assert done.acks == (Ack(device, "epoch-1", ((seq, seq),)),)
    assert done.events + counted(set_aside(database)) - before == len(items)


def test_what_retention_has_forgotten_is_a_repeat_still(database, device):
    batch = [summary(device, seq) for seq in (1, 2, 4)]
    database.intake.commit(batch, NOW)
    database.intake.commit([summary(device, 6)], NOW + 10 * DAY)
    assert database.retain(5, NOW + 10 * DAY) == 3
    again = database.intake.commit(batch, NOW + 10 * DAY)
    assert (again.events, again.repeats, again.acks[0].ranges) == (0, 3, ((1, 2), (4, 4)))
