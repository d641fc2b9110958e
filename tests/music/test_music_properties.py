from datetime import time

from hypothesis import given, settings
from hypothesis import strategies as st
from music_house import House, song

from moodify.config.model import QuietHours
from moodify.music.hours import is_within
from moodify.music.situation import Ask
from moodify.music.words import REASON_MAX
from moodify.types import Act, Mood

TICK_S = 5.0

# What may happen in a household, and for how long it then stays so.
happenings = st.one_of(
    st.sampled_from(list(Mood)),
    st.sampled_from(list(Ask)),
    st.sampled_from(["they play", "they pause", "they skip", "somebody is back"]),
)
days = st.lists(st.tuples(happenings, st.integers(0, 120)), min_size=1, max_size=15)
rules = st.fixed_dictionaries(
    {
        "start_when_silent": st.booleans(),
        "dwell_s": st.sampled_from([0.0, 30.0, 120.0]),
        "max_changes": st.integers(1, 3),
        "change_window_s": st.sampled_from([60.0, 600.0]),
        "absence_pause_s": st.sampled_from([0.0, 60.0, 900.0]),
        "no_repeat": st.sampled_from([0, 3, 30]),
        "quiet_hours": st.sampled_from([None, QuietHours(start=time(12, 5), end=time(12, 20)), QuietHours(start=time(22), end=time(12, 10))]),
        "goal": st.sampled_from(["match", "lift", "calm"]),
        "volume_caps": st.sampled_from([(), ({"start": time(12, 3), "end": time(12, 30), "volume_cap": 20},)]),
        "songs": st.integers(0, 8),
        "seed": st.integers(0, 5),
    }
)


class Watched(House):
    """Notes for each order whether music was playing, and the hour."""

    def __init__(self, **rules):
        super().__init__(**rules)
        self.seen = []

    def ask(self, what=None):
        playing, local = self.speaker.playing, self.local
        decision = super().ask(what)
        assert decision.reason.strip()
        assert len(decision.reason) <= REASON_MAX
        if decision.act is not Act.KEEP:
            self.seen.append((self.now_s, decision, what, playing, local))
        else:
            assert self.wake_s is None or self.wake_s > self.now_s
        return decision


def live(rules, day):
    house = Watched(**rules)
    for what, ticks in day:
        if isinstance(what, Mood):
            house.feel(what)
        elif isinstance(what, Ask):
            house.ask(what)
        elif what == "they play":
            house.speaker.play(song(f"theirs{len(house.speaker.started)}"))
        elif what == "they pause":
            house.speaker.playing = False
        elif what == "they skip":
            house.speaker.skip()
        else:
            house.people = 1
        house.run(ticks * TICK_S, TICK_S)
    return house


@settings(max_examples=120, deadline=None)
@given(rules, days)
def test_it_never_surprises(rules, day):
    house = live(rules, day)
    paused_by_us = False
    changes = []
    for at_s, decision, asked, playing, local in house.seen:
        if decision.act in {Act.PLAY, Act.QUEUE}:
            assert decision.track is not None
        if asked in {None, Ask.LOOK_FROM_AFAR}:
            assert not (decision.act is Act.PLAY and playing), "cut without a press"
            assert decision.act is not Act.SKIP
            if decision.act is Act.PLAY and not decision.reason.startswith("The music broke off"):
                assert house.config.start_when_silent
            if decision.act is Act.VOLUME:
                assert decision.volume_percent == 20
                assert playing
            if decision.act is Act.RESUME:
                assert paused_by_us
            if decision.act in {Act.PLAY, Act.QUEUE} and not decision.reason.startswith("More "):
                changes.append(at_s)
                assert house.config.quiet_hours is None or not is_within(local, house.config.quiet_hours)
        paused_by_us = decision.act is Act.PAUSE and asked in {None, Ask.LOOK_FROM_AFAR}
    window_s, most = house.config.change_window_s, house.config.max_changes
    for first, last in zip(changes, changes[most:], strict=False):
        assert last - first >= window_s


@settings(max_examples=60, deadline=None)
@given(rules, days)
def test_the_same_seed_and_day_give_the_same_decisions(rules, day):
    assert live(rules, day).seen == live(rules, day).seen


@settings(max_examples=60, deadline=None)
@given(rules, days)
def test_at_most_one_song_waits_behind_the_one_that_plays(rules, day):
    house = Watched(**rules)
    for what, ticks in day:
        if isinstance(what, Mood):
            house.feel(what)
        for _ in range(ticks):
            house.run(TICK_S, TICK_S)
            assert len(house.speaker.queue) <= 1
        if what == "they play" and not house.speaker.queue:
            house.speaker.play(song("theirs"))
