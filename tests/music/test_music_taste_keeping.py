"""What of a taste outlasts a restart."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodify.errors import StoreBusy
from moodify.music import taste_keeping
from moodify.music.song import Outcome
from moodify.music.taste import ARTISTS_MAX, SONGS_MAX, ThompsonTaste, key_of
from moodify.music.taste_keeping import LOOK_S, TASTE_KEY, WRITE_S, KeptTaste, as_json, forget, recall
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.types import FELT_MOODS, Mood, Track

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

SONG = Track("spotify:track:1", "Lemon Bicycle", "Lantern Parade", 200_000)


def taste():
    return ThompsonTaste(Random(1))


def learned(plays=1):
    known = taste()
    for _ in range(plays):
        known.learn(Mood.HAPPY, SONG, Outcome.LIKED, NOW)
    return known


def recalled(kept, now=NOW):
    known = taste()
    recall(known, kept, now)
    return known


@pytest.fixture
def notes(tmp_path):
    prepare(tmp_path / "moodify.db")
    with Settings(tmp_path / "moodify.db") as settings:
        yield settings


class Clock:
    """Seconds that go forward when told to."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


outcomes = st.lists(st.tuples(st.sampled_from(FELT_MOODS), st.integers(0, 20), st.sampled_from(list(Outcome)), st.integers(0, 300)), max_size=50)


@settings(max_examples=60, deadline=None)
@given(outcomes)
def test_what_is_kept_comes_back_as_it_was(played):
    before = taste()
    for mood, number, outcome, day in sorted(played, key=lambda play: play[3]):
        before.learn(mood, Track(f"spotify:track:{number}", "", f"artist {number % 4}", 1), outcome, NOW + timedelta(days=day))
    today = NOW + timedelta(days=300)
    before.date(today)
    after = recalled(json.loads(json.dumps(as_json(before))), today)
    for mood in FELT_MOODS:
        for number in range(21):
            track = Track(f"spotify:track:{number}", "", f"artist {number % 4}", 1)
            # Dates are kept to the day, and evidence to the hundredth.
            assert after.mean(mood, track) == pytest.approx(before.mean(mood, track), abs=0.02)
            assert after.words(mood, track) == before.words(mood, track) or nearly_forgotten(before, mood, track)


def nearly_forgotten(known, mood, track):
    """Whether what is known of a song is about to be forgotten anyway."""
    entries = (known.moods[mood].songs.get(key_of(track.uri)), known.moods[mood].artists.get(key_of(track.artist)))
    return any(entry is not None and entry.weight(known.day) < 0.04 for entry in entries)


def test_the_fullest_taste_stays_below_32_kb():
    full = taste()
    for mood in FELT_MOODS:
        for number in range(SONGS_MAX + 20):
            track = Track(f"spotify:track:{number}" * 20, "long title " * 50, f"\N{PILE OF POO} artist {number} " * 50, 200_000)
            for outcome in [Outcome.HEARD] * 12 + [Outcome.SKIPPED] * 100:
                full.learn(mood, track, outcome, NOW)
    kept = as_json(full)
    assert len(json.dumps(kept).encode()) < 32_000
    assert all(len(parts["songs"]) == SONGS_MAX and len(parts["artists"]) == ARTISTS_MAX for parts in kept["moods"].values())


def test_no_name_of_a_song_or_an_artist_is_kept():
    kept = json.dumps(as_json(learned()))
    assert all(word not in kept for word in ("Lemon", "Lantern", "spotify:track"))


def test_what_is_forgotten_is_not_kept():
    known = learned()
    known.date(NOW + timedelta(days=3650))
    assert as_json(known)["moods"]["happy"] == {"songs": {}, "artists": {}}


names = st.sampled_from(["format", "own", "moods", "happy", "songs", "artists", "AAAAAAAA"]) | st.text(max_size=9)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(names, inner, max_size=4),
    max_leaves=30,
)


@settings(max_examples=60, deadline=None)
@given(json_values)
def test_nothing_odd_is_raised_or_believed(kept):
    if isinstance(kept, dict):
        kept["format"] = taste_keeping.FORMAT
    known = recalled(kept)
    assert 0 < known.mean(Mood.HAPPY, SONG) < 1
    assert 0 <= known.draw(Mood.HAPPY, SONG) <= 1
    json.dumps(as_json(known), allow_nan=False)


@pytest.mark.parametrize(
    "entry",
    [None, [], [1, 1], [100, 0, 20_000, 1, True], [100.0, 0, 20_000, 1, 0], [-1, 0, 20_000, 1, 0], [5_000, 0, 20_000, 1, 0], [100, 0, -1, 1, 0], [100, 0, 20_000, 100, 0], "text"],
)
def test_a_damaged_entry_is_forgotten_and_the_others_stay(entry):
    kept = as_json(learned())
    kept["moods"]["happy"]["songs"]["AAAAAAAA"] = entry
    kept["moods"]["happy"]["songs"]["short"] = [100, 0, 20_000, 1, 0]
    known = recalled(kept)
    assert len(known.moods[Mood.HAPPY].songs) == 1
    assert known.words(Mood.HAPPY, SONG) == "you liked it before"


def test_a_date_that_was_ahead_does_not_make_it_last():
    kept = as_json(learned())
    for entry in kept["moods"]["happy"]["songs"].values():
        entry[2] += 100_000
    known = recalled(kept)
    known.date(NOW + timedelta(days=3650))
    assert known.words(Mood.HAPPY, SONG) is None


@pytest.mark.parametrize("year", [1970, 2025])
def test_a_clock_that_is_behind_at_the_start_forgets_nothing(year):
    known = recalled(as_json(learned()), datetime(year, 1, 2, tzinfo=UTC))
    known.date(NOW)
    assert known.words(Mood.HAPPY, SONG) == "you liked it before"
    assert known.mean(Mood.HAPPY, SONG) == pytest.approx(learned().mean(Mood.HAPPY, SONG), abs=0.02)


def test_another_version_is_forgotten():
    assert recalled(as_json(learned()) | {"format": 0}).empty


def test_it_is_written_at_most_once_a_minute_and_at_the_end(notes):
    clock, known = Clock(), taste()
    kept = KeptTaste(known, notes, NOW, clock=clock)
    known.learn(Mood.HAPPY, SONG, Outcome.LIKED, NOW)
    kept.tick(NOW)
    first = notes.get(TASTE_KEY)
    assert recalled(first).words(Mood.HAPPY, SONG) == "you liked it before"
    known.learn(Mood.HAPPY, SONG, Outcome.SKIPPED, NOW)
    clock.now_s += WRITE_S - 1
    kept.tick(NOW)
    assert notes.get(TASTE_KEY) == first
    kept.finish()
    assert recalled(notes.get(TASTE_KEY)).words(Mood.HAPPY, SONG) == "you skipped it the last time"


def test_what_was_kept_is_recalled_at_the_next_start(notes):
    known = taste()
    kept = KeptTaste(known, notes, NOW)
    known.learn(Mood.HAPPY, SONG, Outcome.LIKED, NOW)
    kept.finish()
    again = taste()
    KeptTaste(again, notes, NOW)
    assert again.words(Mood.HAPPY, SONG) == "you liked it before"


def test_an_appliance_that_runs_forgets_when_another_process_asks(notes, tmp_path):
    clock, known = Clock(), taste()
    kept = KeptTaste(known, notes, NOW, clock=clock)
    known.learn(Mood.HAPPY, SONG, Outcome.LIKED, NOW)
    kept.tick(NOW)
    with Settings(tmp_path / "moodify.db") as other:
        forget(other)
    clock.now_s += LOOK_S
    kept.tick(NOW)
    assert known.empty
    assert recalled(notes.get(TASTE_KEY)).empty


def test_a_write_before_the_next_look_puts_nothing_back_that_was_forgotten(notes):
    clock, known = Clock(), taste()
    kept = KeptTaste(known, notes, NOW, clock=clock)
    kept.tick(NOW)
    known.learn(Mood.HAPPY, SONG, Outcome.LIKED, NOW)
    forget(notes)
    clock.now_s += LOOK_S / 2
    kept.tick(NOW)
    assert known.empty
    assert recalled(notes.get(TASTE_KEY)).empty


def test_what_was_learned_between_asking_and_forgetting_is_forgotten_at_the_end_too(notes):
    known = taste()
    kept = KeptTaste(known, notes, NOW)
    forget(notes)
    known.learn(Mood.HAPPY, SONG, Outcome.LIKED, NOW)
    kept.finish()
    assert known.empty


class FullDisk:
    """Notes on a disk that is full until :attr:`room` is made."""

    def __init__(self):
        self.room = False
        self.values = {}

    def get(self, key, default=None):
        return self.values.get(key, default)

    def put(self, key, value):
        if not self.room:
            raise StoreBusy("the disk is full")
        self.values[key] = value


def test_a_full_disk_is_waited_for():
    disk, clock, known = FullDisk(), Clock(), taste()
    kept = KeptTaste(known, disk, NOW, clock=clock)
    known.learn(Mood.HAPPY, SONG, Outcome.LIKED, NOW)
    kept.tick(NOW)
    kept.finish()
    assert disk.values == {}
    disk.room = True
    clock.now_s += LOOK_S
    kept.tick(NOW)
    assert recalled(disk.values[TASTE_KEY]).words(Mood.HAPPY, SONG) == "you liked it before"
