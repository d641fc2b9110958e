import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from moodify.errors import StoreError
from moodify.store.feeling import Feelings, Noticed
from moodify.store.hearing import Hearing
from moodify.store.history import History
from moodify.store.looking_back import LookingBack
from moodify.store.store import Store
from moodify.types import EventKind

MORNING = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SILENCE_S = 660


def at(minutes):
    return MORNING + timedelta(minutes=minutes)


@pytest.fixture
def look(path, event):
    """Record what happened, as (minute, kind, data); return how the time between two minutes was."""

    def record_and_look(happened, begins=0, ends=60, now=60, **options):
        with Store(path) as store:
            store.record([event(kind, at(minute), **data) for minute, kind, data in happened])
        with LookingBack(path) as looking:
            return looking.between(at(begins), at(ends), now=at(now), silence_s=SILENCE_S, **options)

    return record_and_look


def feels(minute, mood, valence=0.4, arousal=-0.2):
    return minute, EventKind.MOOD, {"mood": mood, "confidence": 0.8, "valence": valence, "arousal": arousal, "people": 1, "since": at(minute).isoformat(), "asked": False}


def beats(*minutes):
    """Signs of life: something was running."""
    return [(minute, EventKind.HEALTH, {"reasons": []}) for minute in minutes]


def every_ten(begins=0, ends=60):
    return beats(*range(begins, ends + 1, 10))


def camera(minute, state):
    return minute, EventKind.CAMERA, {"state": state, "message": "so"}


def decides(minute, order, reason, mood="calm"):
    return minute, EventKind.DECISION, {"act": "play", "mood": mood, "reason": reason, "track": None, "order": order}


def orders(minute, act, title=None, *, order="1", minutes=4, status="done"):
    track = None if title is None else {"uri": f"spotify:track:{title}", "title": title, "artist": "Somebody", "duration_ms": round(minutes * 60_000)}
    return minute, EventKind.ORDER, {"order": order, "act": act, "status": status, "track": track, "took_ms": 100, "message": None}


def spans(things, *names):
    return [(*((each[name]) for name in names), _minute(each["from"]), _minute(each["to"])) for each in things]


def _minute(text):
    return round((datetime.fromisoformat(text) - MORNING).total_seconds() / 60)


def moods(seen):
    return spans(seen.as_json()["moods"], "mood")


def unseen(seen):
    return spans(seen.as_json()["unseen"], "why")


def songs(seen):
    return spans(seen.as_json()["songs"], "title")


def test_a_mood_lasts_until_the_next(look):
    seen = look([*every_ten(), feels(5, "calm"), feels(20, "unsure"), feels(35, "happy")])
    assert moods(seen) == [("calm", 5, 20), ("unsure", 20, 35), ("happy", 35, 60)]
    assert unseen(seen) == [("off", 0, 5)]


def test_a_mood_that_began_before_the_span_is_known_in_it(look):
    seen = look([*every_ten(-120, 60), feels(-115, "absent")])
    assert moods(seen) == [("absent", 0, 60)]


def test_a_mood_ends_where_nothing_was_running(look):
    seen = look([feels(0, "calm"), *beats(5, 40, 50)])
    assert moods(seen) == [("calm", 0, 5)]
    assert unseen(seen) == [("off", 5, 40), ("starting", 40, 60)]


def test_a_mood_from_before_a_silence_is_not_carried_over_it(look):
    seen = look([feels(-60, "calm"), *beats(-55), *every_ten(0, 60)])
    assert moods(seen) == []


def test_it_is_not_known_how_it_goes_on_after_the_last_word(look):
    seen = look([feels(0, "calm"), *beats(10)], now=45, ends=60)
    assert moods(seen) == [("calm", 0, 10)]
    assert unseen(seen) == [("off", 10, 45)]


def test_what_is_still_to_come_is_cut_off(look):
    seen = look([feels(0, "calm"), *every_ten(0, 20)], now=25)
    assert moods(seen) == [("calm", 0, 25)]
    assert seen.ends == at(25)


def test_a_span_that_is_still_to_come_is_empty(look):
    seen = look([feels(0, "calm")], begins=40, now=25)
    assert (seen.felt, seen.unseen, seen.heard) == ((), (), ())
    assert seen.earliest == at(0)


@pytest.mark.parametrize(("state", "why"), [("off", "privacy"), ("broken", "no camera"), ("degraded", "no camera")])
def test_a_camera_that_does_not_see_ends_the_mood_and_says_why(look, state, why):
    gone = (20, EventKind.PRESENCE, {"present": None, "people": None})
    seen = look([*every_ten(), feels(0, "calm"), gone, camera(20, state), camera(40, "ok"), feels(41, "happy")])
    assert moods(seen) == [("calm", 0, 20), ("happy", 41, 60)]
    assert unseen(seen) == [(why, 20, 40), ("starting", 40, 41)]


def test_people_who_come_and_go_leave_the_mood_as_it_is(look):
    seen = look([*every_ten(), feels(0, "calm"), (10, EventKind.PRESENCE, {"present": True, "people": 2})])
    assert moods(seen) == [("calm", 0, 60)]


def test_valence_and_arousal_are_those_of_the_mood(look):
    [felt] = look([*every_ten(), feels(0, "tense", -0.5, 0.75)]).as_json()["moods"]
    assert (felt["valence"], felt["arousal"], felt["confidence"], felt["people"]) == (-0.5, 0.75, 0.8, 1)


def test_a_song_ends_by_its_length_and_the_queued_one_follows(look):
    seen = look([*every_ten(), orders(1, "play", "one"), orders(3, "queue", "two"), orders(7, "queue", "three")])
    assert songs(seen) == [("one", 1, 5), ("two", 5, 9), ("three", 9, 13)]


def test_a_song_ends_early_where_another_is_played_or_skipped_to(look):
    seen = look([*every_ten(), orders(1, "play", "one"), orders(2, "play", "two"), orders(3, "queue", "three"), orders(4, "skip")])
    assert songs(seen) == [("one", 1, 2), ("two", 2, 4), ("three", 4, 8)]


def test_a_pause_divides_a_song(look):
    seen = look([*every_ten(), orders(1, "play", "one"), orders(2, "pause"), orders(30, "resume")])
    assert songs(seen) == [("one", 1, 2), ("one", 30, 33)]


def test_a_song_that_goes_on_after_a_pause_was_not_chosen_anew(look):
    seen = look([*every_ten(), orders(1, "play", "one"), orders(2, "pause"), orders(30, "resume"), orders(31, "pause"), orders(40, "resume"), orders(50, "play", "one")])
    assert spans(seen.as_json()["songs"], "resumed") == [(False, 1, 2), (True, 30, 31), (True, 40, 42), (False, 50, 54)]


def test_before_the_first_event_ever_nothing_was_off(look):
    seen = look([*every_ten(20), feels(25, "calm")])
    assert unseen(seen) == [("starting", 20, 25)]
    assert seen.earliest == at(20)


def test_a_playlist_lasts_until_something_else_is_ordered(look):
    seen = look([*every_ten(), orders(1, "play", "your playlist for calm", minutes=0), orders(40, "pause")])
    assert songs(seen) == [("your playlist for calm", 1, 40)]


@pytest.mark.parametrize("status", ["failed", "dropped"])
def test_a_song_that_was_not_played_is_not_heard(look, status):
    assert songs(look([*every_ten(), orders(1, "play", "one", status=status)])) == []


def test_a_song_that_began_before_the_span_is_cut(look):
    seen = look([*every_ten(-10), orders(-2, "play", "one")])
    assert songs(seen) == [("one", 0, 2)]


def test_a_song_says_what_it_was_chosen_for_and_why(look):
    happened = [*every_ten(), decides(1, "a", "You seem calm", "calm"), orders(1, "play", "one", order="a")]
    [song] = look(happened).as_json()["songs"]
    assert (song["mood"], song["reason"]) == ("calm", "You seem calm")


def test_reasons_are_left_out_where_they_are_not_asked_for(look):
    happened = [*every_ten(), decides(1, "a", "You seem calm", "calm"), orders(1, "play", "one", order="a")]
    [song] = look(happened, reasons=False).as_json()["songs"]
    assert (song["mood"], song["reason"]) == ("calm", None)


def in_a_life(rng):
    """Give what may happen within a day, with silences in it; every kind of event."""
    minute = -300.0
    while minute < 1440:
        minute += rng.choice([0, 0.01, 2, 5, 10, 10.99, 11, 11.01, 30, 300])
        yield rng.choice(
            [
                *beats(minute),
                (minute, rng.choice([EventKind.LINK, EventKind.SPEAKER]), {"state": "ok"}),
                feels(minute, rng.choice(["calm", "happy", "unsure", "absent"])),
                camera(minute, rng.choice(["ok", "off", "broken"])),
                (minute, EventKind.PRESENCE, {"people": rng.choice([None, 0, 2])}),
                decides(minute, "1", "You seem calm"),
                orders(minute, rng.choice(["play", "queue"]), rng.choice("ab")),
                orders(minute, rng.choice(["pause", "resume", "skip"])),
            ]
        )


@pytest.mark.parametrize("seed", range(20))
def test_a_life_is_folded_as_if_each_of_its_events_was_looked_at(look, path, seed):
    rng = random.Random(seed)
    begins, ends = rng.randrange(0, 700), rng.randrange(701, 1440)
    seen = look(list(in_a_life(rng)), begins=begins, ends=ends, now=1440)
    feelings, hearing = Feelings(SILENCE_S), Hearing()
    with History(path) as history:
        events = sorted(history.each(), key=lambda event: event.at)
        # From the mood that the span begins with, and from an hour before it at least, for a song.
        lead = min(at(begins - 60), max((event.at for event in events if event.kind is EventKind.MOOD and event.at < at(begins)), default=at(begins)))
        for event in events:
            if lead <= event.at < at(ends):
                noticed = Noticed(event.at, event.kind, event.data)
                feelings.take(noticed)
                hearing.take(noticed)
    felt, gaps = feelings.between(at(begins), at(ends))
    assert (seen.felt, seen.heard) == (felt, hearing.between(at(begins), at(ends), reasons=True))
    assert [(gap.begins, gap.ends) for gap in seen.unseen] == [(gap.begins, gap.ends) for gap in gaps]


def test_a_damaged_mood_in_a_silence_does_not_divide_it_twice(look, path):
    happened = [feels(0, "calm"), *beats(15, 20), feels(22, "happy"), *beats(30, 40, 50)]
    look(happened)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE events SET data = '{\"mood\": 5}' WHERE data LIKE '%happy%'")
        db.commit()
    seen = look([])
    assert moods(seen) == []
    assert unseen(seen) == [("off", 0, 15), ("starting", 15, 60)]


def test_nothing_is_known_where_nothing_is_kept(look):
    seen = look([])
    assert unseen(seen) == [("off", 0, 60)]
    assert seen.earliest is None


def test_a_database_that_is_gone_is_said(tmp_path):
    with pytest.raises(StoreError, match=r"no\.db"):
        LookingBack(tmp_path / "no.db")
