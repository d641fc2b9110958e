"""What was stored: pages, streams with their gaps, and the end of what is old. On SQLite and on PostgreSQL."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select

from moodify.hub.database import retention
from moodify.hub.database.models import CommandRow, EventRow, MessageRow, QuarantineRow
from moodify.hub.port import CommandState, Summary
from summaries import DAY, NOW, enrolled, item, summary


@pytest.fixture
def device(database):
    return enrolled(database)


def ids(events):
    return [event.id for event in events]


def rows(database, table):
    with database._transactions.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table))


@pytest.fixture
def five(database, device):
    """Five events of a device, with one of another in between."""
    batches = [[summary(device, seq, item(name, kind=kind))] for seq, (name, kind) in enumerate(zip("abcde", ["mood", "order", "mood", "order", "mood"], strict=True), start=1)]
    for batch in [*batches[:3], [summary(enrolled(database), 1, item("z"))], *batches[3:]]:
        database.intake.commit(batch, NOW)


def test_the_newest_come_first(database, five, device):
    assert ids(database.events.events()) == ["e", "d", "z", "c", "b", "a"]
    assert ids(database.events.events(device, limit=2)) == ["e", "d"]


def test_older_pages_go_on_where_the_last_one_ended(database, five, device):
    page, seen = database.events.events(device, limit=2), []
    while page:
        seen += ids(page)
        page = database.events.events(device, before=page[-1].n, limit=2)
    assert seen == ["e", "d", "c", "b", "a"]


def test_who_follows_gets_the_next_ones_in_order(database, five, device):
    first = database.events.events(device, after=0, limit=2)
    assert ids(first) == ["a", "b"]
    assert ids(database.events.events(device, after=first[-1].n)) == ["c", "d", "e"]
    assert database.events.events(device, after=2**70) == []


def test_between_two_numbers(database, five, device):
    events = database.events.events(device, after=0)
    assert ids(database.events.events(device, after=events[0].n, before=events[3].n)) == ["b", "c"]


def test_of_one_kind(database, five, device):
    assert ids(database.events.events(device, kind="order")) == ["d", "b"]
    assert ids(database.events.events(kind="mood")) == ["e", "z", "c", "a"]


@pytest.mark.parametrize("nonsense", ["", "\0", "\ud800", "x" * 10_000])
def test_what_is_no_name_finds_nothing(database, five, device, nonsense):
    assert database.events.events(nonsense) == []
    assert database.events.events(device, kind=nonsense) == []
    assert database.events.streams(nonsense) == []


def test_a_stream_says_what_came_and_what_is_missing(database, device):
    database.intake.commit([summary(device, seq) for seq in (3, 4, 6, 10)], NOW)
    (stream,) = database.events.streams(device)
    assert (stream.epoch, stream.last, stream.received, stream.gaps) == ("epoch-1", 10, 4, ((1, 2), (5, 5), (7, 9)))


def test_a_stream_without_gaps_has_none_and_a_late_message_closes_one(database, device):
    database.intake.commit([summary(device, seq) for seq in (1, 3)], NOW)
    assert database.events.streams(device)[0].gaps == ((2, 2),)
    database.intake.commit([summary(device, 2)], NOW)
    assert database.events.streams(device)[0].gaps == ()


def test_the_stream_that_began_last_comes_last(database, device):
    for epoch in ("b", "a", "c"):
        database.intake.commit([summary(device, 1, epoch=epoch)], NOW)
    assert [stream.epoch for stream in database.events.streams(device)] == ["b", "a", "c"]
    assert database.events.streams(enrolled(database)) == []


def test_of_many_gaps_the_newest_hundred_are_told(database, device):
    database.intake.commit([summary(device, seq) for seq in range(2, 301, 2)], NOW)
    assert database.events.streams(device)[0].gaps == tuple((seq, seq) for seq in range(101, 300, 2))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sets(st.integers(1, 60), min_size=1))
def test_gaps_are_all_that_is_missing_below_the_last(database, numbers):
    device = enrolled(database)
    database.intake.commit([summary(device, seq) for seq in numbers], NOW)
    (stream,) = database.events.streams(device)
    missing = [seq for first, last in stream.gaps for seq in range(first, last + 1)]
    assert missing == sorted(set(range(1, max(numbers))) - numbers)


def test_what_came_long_ago_goes_and_what_came_since_stays(database, device, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 3)
    database.intake.commit([summary(device, seq, item(f"old-{seq}"), item(at="never")) for seq in range(1, 8)], NOW)
    database.intake.commit([summary(device, 9, item("new", at="2001-01-01T00:00:00Z"))], NOW + 30 * DAY)
    assert database.retain(30, NOW + 30 * DAY) == 0
    assert database.retain(29, NOW + 30 * DAY) == 7
    assert ids(database.events.events()) == ["new"]
    assert (rows(database, EventRow), rows(database, MessageRow), rows(database, QuarantineRow)) == (1, 1, 0)


def test_a_stream_still_says_what_came_and_is_missing_of_what_is_left(database, device):
    database.intake.commit([summary(device, seq) for seq in (1, 2, 4)], NOW)
    database.intake.commit([summary(device, seq) for seq in (5, 8)], NOW + 30 * DAY)
    database.retain(10, NOW + 30 * DAY)
    (stream,) = database.events.streams(device)
    assert (stream.last, stream.received, stream.gaps) == (8, 5, ((6, 7),))
    database.retain(0, NOW + 31 * DAY)
    (stream,) = database.events.streams(device)
    assert (stream.last, stream.received, stream.gaps) == (8, 5, ())


def test_numbers_of_events_are_not_given_again_after_the_newest_is_gone(database, device):
    database.intake.commit([summary(device, 1)], NOW)
    last = database.events.events()[0].n
    database.retain(0, NOW + DAY)
    database.intake.commit([summary(device, 2)], NOW)
    assert database.events.events()[0].n > last


def test_old_commands_go_once_they_do_not_wait_any_more(database, device):
    waits = database.commands.add(device, "rescan", {}, NOW, expires_s=90 * DAY.total_seconds())
    done = database.commands.add(device, "rescan", {}, NOW, expires_s=60)
    database.commands.answered(device, done.id, status="ok", error=None, data={}, now=NOW)
    database.retain(30, NOW + 31 * DAY)
    assert database.commands.of(device) == [waits]
    assert (rows(database, CommandRow), database.commands.get(waits.id).state) == (1, CommandState.WAITING)


def test_of_many_streams_the_newest_fifty_are_told_in_as_many_queries_as_one(database, device):
    asked = []

    @event.listens_for(Engine, "before_cursor_execute")
    def count(_connection, _cursor, statement, *_):
        asked.append(statement)

    try:
        database.intake.commit([summary(device, 3, epoch="e-0")], NOW)
        asked.clear()
        assert len(database.events.streams(device)) == 1
        for_one = len(asked)
        database.intake.commit([summary(device, 3, epoch=f"e-{number}") for number in range(1, 80)], NOW)
        asked.clear()
        found = database.events.streams(device)
        assert len(asked) == for_one
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert len(found) == 50
    assert {stream.gaps for stream in found} == {((1, 2),)}


def test_streams_of_which_nothing_was_kept_go_after_a_day_but_for_the_newest(database, device):
    for number, (items, ago) in enumerate([((), 2), ((item(),), 2), (({},), 2), ((), 0.5), ((), 2), ((), 2)]):
        database.intake.commit([Summary(device, f"e{number}", 10**6, items)], NOW - ago * DAY)
    database.retain(365, NOW)
    assert [stream.epoch for stream in database.events.streams(device)] == ["e1", "e2", "e3", "e5"]
    assert rows(database, MessageRow) == 4
    # What is gone may come again.
    assert database.intake.commit([summary(device, 1, epoch="e0")], NOW).events == 1
