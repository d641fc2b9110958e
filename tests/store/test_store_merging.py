"""Summaries of many events: what they say, and that nothing is counted twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from moodify.store.merging import Span, events_in, merge
from moodify.types import Event, EventKind

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def item(at, kind=EventKind.HEALTH, **data):
    """An event at a time of the day, ``HH:MM:SS`` or seconds."""
    if isinstance(at, str):
        hours, minutes, seconds = map(int, at.split(":"))
        at = hours * 3600 + minutes * 60 + seconds
    return Event("e", kind, MIDNIGHT + timedelta(seconds=at), data).as_json()


def mood(at, name):
    return item(at, EventKind.MOOD, mood=name)


def told(events):
    return [event.data for event in events]


def test_an_hour_tells_how_much_of_what_happened_and_from_when_to_when():
    events = merge([item("10:00:01"), mood("10:20:00", "happy"), item("10:59:59"), item("11:00:00")], Span.HOUR)
    assert [event.kind for event in events] == [EventKind.SUMMARY] * 2
    assert told(events)[0] == {
        "from": "2026-03-01T10:00:01.000+00:00",
        "to": "2026-03-01T10:59:59.000+00:00",
        "events": {"health": 2, "mood": 1},
        "moods": {"happy": 2400},
    }
    assert events[0].at.isoformat() == "2026-03-01T10:59:59+00:00"


def test_a_mood_counts_into_the_hour_in_which_it_began_until_the_next_one():
    (ten, eleven) = merge([mood("10:50:00", "calm"), mood("11:30:00", "sad"), mood("11:40:00", "calm"), item("11:45:00")], Span.HOUR)
    assert ten.data["moods"] == {"calm": 40 * 60}
    assert eleven.data["moods"] == {"sad": 600, "calm": 300}


def test_the_end_of_a_mood_is_looked_for_in_what_comes_after():
    after = iter([item("12:05:00"), mood("12:30:00", "sad"), item("12:31:00")])
    (summary,) = merge([mood("11:30:00", "absent")], Span.HOUR, ahead=after)
    assert summary.data["moods"] == {"absent": 3600}
    assert summary.data["events"] == {"mood": 1}
    # No further than needed: each is a message to read.
    assert [one["at"][11:16] for one in after] == ["12:31"]


def test_a_camera_that_closes_ends_a_mood():
    closed = merge([mood("10:00:00", "happy"), item("10:10:00", EventKind.CAMERA, state="degraded"), item("10:30:00")], Span.HOUR)
    unseen = merge([mood("10:00:00", "happy"), item("10:20:00", EventKind.PRESENCE, people=None), item("10:30:00")], Span.HOUR)
    assert (closed[0].data["moods"], unseen[0].data["moods"]) == ({"happy": 600}, {"happy": 1200})


def test_a_night_without_power_is_not_spent_in_the_mood_before_it():
    events = merge([mood("01:00:00", "happy"), item("01:05:00"), item("09:00:00", EventKind.CAMERA, state="ok"), mood("09:00:10", "calm")], Span.HOUR)
    assert events[0].data["moods"] == {"happy": 300}


def test_a_clock_that_was_set_back_makes_no_negative_time():
    events = merge([mood("10:00:00", "happy"), mood("09:00:00", "sad"), mood("09:10:00", "happy")], Span.HOUR)
    assert told(events)[0]["moods"] == {"sad": 600, "happy": 0}
    assert told(events)[1]["moods"] == {"happy": 0}


def test_hours_add_up_to_their_day():
    hours = merge([mood("09:00:00", "calm"), mood("10:00:00", "sad"), mood("20:00:00", "calm"), item(86_400 + 60)], Span.HOUR)
    days = merge([event.as_json() for event in hours], Span.DAY)
    assert told(days) == [
        {"from": "2026-03-01T09:00:00.000+00:00", "to": "2026-03-01T20:00:00.000+00:00", "events": {"mood": 3}, "moods": {"calm": 3600 + 4 * 3600 + 60, "sad": 36_000}},
        {"from": "2026-03-02T00:01:00.000+00:00", "to": "2026-03-02T00:01:00.000+00:00", "events": {"health": 1}, "moods": {}},
    ]


kinds = st.sampled_from([EventKind.MOOD, EventKind.HEALTH, EventKind.CAMERA, EventKind.PRESENCE])
steps = st.lists(st.tuples(st.integers(0, 20_000), kinds, st.sampled_from(["happy", "calm", "absent"])), min_size=1, max_size=60)


def story(steps):
    at_s, items = 0, []
    for gap_s, kind, name in steps:
        at_s += gap_s
        data = {"mood": name} if kind is EventKind.MOOD else {"people": 1} if kind is EventKind.PRESENCE else {}
        items.append(item(at_s, kind, **data))
    return items


@given(steps, st.integers(0, 60))
def test_however_it_is_cut_the_same_is_told(steps, cut):
    items = story(steps)
    whole = merge(items, Span.HOUR)
    first = merge(items[:cut], Span.HOUR, ahead=items[cut:])
    parts = merge([*(event.as_json() for event in first), *items[cut:]], Span.HOUR)
    assert told(parts) == told(whole)
    assert events_in(event.as_json() for event in whole) == len(items)


@given(steps)
def test_days_tell_of_as_much_as_their_hours(steps):
    hours = [event.as_json() for event in merge(story(steps), Span.HOUR)]
    days = [event.as_json() for event in merge(hours, Span.DAY)]
    assert events_in(days) == events_in(hours)
    assert sum(sum(day["data"]["moods"].values()) for day in days) == sum(sum(hour["data"]["moods"].values()) for hour in hours)
    assert len({day["data"]["from"][:10] for day in days}) == len(days)
