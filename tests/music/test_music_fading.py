"""Volume ramps: few requests, never louder than before, interruptible, and nothing left quiet whatever fails."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodify.errors import MoodifyError, NotAllowed, SignInNeeded, SpeakerUnavailable
from moodify.music.fading import FILE, OWED_KEY, Fader, fade_to
from moodify.music.notes import NoteFile
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.signin import simulated_sign_in
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.types import Playback, Speaker

LOUD = st.integers(0, 100)


class Amplifier:
    """A player of one speaker that fails at chosen requests, before or after it has done what was asked."""

    def __init__(self, volume=60, *, playing=True, supports_volume=True, name="Kitchen", fails=(), after=False, error=SpeakerUnavailable):
        self.volume, self.playing, self.supports_volume, self.name = volume, playing, supports_volume, name
        self.fails, self.after, self.error = set(fails), after, error
        self.requests, self.heard = 0, []
        self.paused_at = None

    def _ask(self, act=lambda: None):
        number, self.requests = self.requests, self.requests + 1
        if number in self.fails and not self.after:
            raise self.error("no")
        act()
        if number in self.fails:
            raise self.error("no")

    def playback(self):
        self._ask()
        return Playback(self.playing, speaker=Speaker("id", self.name, active=True, supports_volume=self.supports_volume, volume_percent=self.volume))

    def set_volume(self, percent):
        def act():
            if not self.supports_volume:
                raise NotAllowed("fixed")
            self.volume = percent
            self.heard.append(percent)

        assert 0 <= percent <= 100
        self._ask(act)

    def pause(self):
        def act():
            self.playing, self.paused_at = False, self.volume

        self._ask(act)


class Waits:
    """Time that passes at once, and a press at the n-th wait."""

    def __init__(self, press_at=None):
        self.press_at, self.waited = press_at, []

    def __call__(self, seconds):
        if self.press_at is not None and len(self.waited) >= self.press_at:
            return True
        self.waited.append(seconds)
        return False


@given(start=LOUD, end=LOUD, seconds=st.floats(0, 30))
def test_a_ramp_goes_one_way_to_its_end_in_five_requests_and_its_time(start, end, seconds):
    amplifier, waits = Amplifier(start), Waits()
    assert fade_to(amplifier, end, seconds, waits)
    assert amplifier.volume == end
    assert amplifier.requests <= 5
    assert sum(waits.waited) <= seconds * 1.000001
    heard = [start, *amplifier.heard]
    assert heard == sorted(heard, reverse=end < start)


def test_a_ramp_takes_its_time_in_even_steps():
    amplifier, waits = Amplifier(80), Waits()
    fade_to(amplifier, 40, 6, waits)
    assert (amplifier.heard, waits.waited) == ([70, 60, 50, 40], [2, 2, 2])


@given(start=LOUD, end=LOUD, at=st.integers(0, 5))
def test_a_ramp_that_is_interrupted_stays_between(start, end, at):
    amplifier = Amplifier(start)
    whole = fade_to(amplifier, end, 6, Waits(press_at=at))
    assert min(start, end) <= amplifier.volume <= max(start, end)
    assert not whole or amplifier.volume == end


@given(start=LOUD, end=LOUD, at=st.integers(0, 5), after=st.booleans())
def test_a_ramp_that_fails_says_so_and_stays_between(start, end, at, after):
    amplifier = Amplifier(start, fails={at}, after=after)
    try:
        fade_to(amplifier, end, 6, Waits())
    except SpeakerUnavailable:
        assert min(start, end) <= amplifier.volume <= max(start, end)
    else:
        assert amplifier.volume == end


@pytest.mark.parametrize("silent", [{"supports_volume": False}, {"playing": False}, {"volume": None}, {"name": "Bath"}])
def test_what_has_no_volume_to_fade_is_only_looked_at(silent):
    amplifier = Amplifier(**silent)
    before = amplifier.volume
    assert fade_to(amplifier, 20, 6, Waits(), speaker="kitchen")
    assert (amplifier.requests, amplifier.volume) == (1, before)


def test_a_pause_fades_out_pauses_in_silence_and_puts_the_volume_back():
    amplifier, waits = Amplifier(60), Waits()
    assert Fader(amplifier, waits).pause(6)
    assert (amplifier.heard, amplifier.paused_at, amplifier.volume) == ([45, 30, 15, 0, 60], 0, 60)
    assert amplifier.requests == 7
    assert sum(waits.waited) == 6


def test_a_pause_at_once_is_one_request():
    amplifier = Amplifier(60)
    assert Fader(amplifier, Waits()).pause(0)
    assert (amplifier.requests, amplifier.paused_at) == (1, 60)


@pytest.mark.parametrize("fixed", [{"supports_volume": False}, {"volume": None}, {"volume": 0}, {"name": "Bath"}])
def test_a_speaker_without_a_volume_to_fade_is_paused_at_once(fixed):
    amplifier = Amplifier(**fixed)
    assert Fader(amplifier, Waits(), speaker="Kitchen").pause(6)
    assert (amplifier.requests, amplifier.heard, amplifier.playing) == (2, [], False)


@pytest.mark.parametrize("at", range(4))
def test_a_press_during_the_fade_wins_and_the_music_is_as_loud_as_before(at):
    amplifier = Amplifier(60)
    assert not Fader(amplifier, Waits(press_at=at)).pause(6)
    assert (amplifier.playing, amplifier.volume) == (True, 60)


@given(start=st.integers(1, 100), seconds=st.floats(0, 30), fails=st.sets(st.integers(0, 8), max_size=1), after=st.booleans(), press_at=st.none() | st.integers(0, 5))
def test_whichever_request_fails_nothing_is_left_quiet(start, seconds, fails, after, press_at):
    amplifier = Amplifier(start, fails=fails, after=after)
    fader = Fader(amplifier, Waits(press_at))
    with suppress(SpeakerUnavailable):
        fader.pause(seconds)
    assert (amplifier.volume, fader.owed) == (start, None)
    assert max([start, *amplifier.heard]) == start
    assert amplifier.requests <= 8


@given(start=st.integers(1, 100), first=st.integers(0, 8), after=st.booleans())
def test_what_can_not_be_put_back_is_owed_until_the_next_start(start, first, after):
    amplifier = Amplifier(start, fails=range(first, 100), after=after)
    fader = Fader(amplifier, Waits())
    with suppress(SpeakerUnavailable):
        fader.pause(6)
    assert start in {amplifier.volume, fader.owed}
    amplifier.fails.clear()
    fader.settle()
    assert (amplifier.volume, fader.owed) == (start, None)


@given(start=st.integers(1, 100), fails=st.sets(st.integers(0, 30)), after=st.booleans(), error=st.sampled_from([SpeakerUnavailable, NotAllowed]))
def test_no_failure_makes_it_louder_and_only_the_projects_errors_come_out(start, fails, after, error):
    amplifier = Amplifier(start, fails=fails, after=after, error=error)
    fader = Fader(amplifier, Waits())
    for call in (lambda: fader.pause(6), fader.settle, lambda: fader.fade_to(start // 2, 6), lambda: fader.pause(6), fader.settle):
        with suppress(MoodifyError):
            call()
    assert max([start, *amplifier.heard]) == start


def owing(start=60, **changes):
    amplifier = Amplifier(start, fails=range(3, 100))
    fader = Fader(amplifier, Waits(), **changes)
    with pytest.raises(SpeakerUnavailable):
        fader.pause(6)
    amplifier.fails.clear()
    assert (amplifier.volume, fader.owed) == (30, 60)
    return amplifier, fader


def test_nothing_owed_is_no_request():
    amplifier = Amplifier()
    Fader(amplifier, Waits()).settle()
    assert amplifier.requests == 0


def test_what_is_owed_is_put_back_no_louder_than_may_be_now():
    amplifier, fader = owing()
    fader.settle(most=40)
    assert (amplifier.volume, fader.owed) == (40, None)


def test_a_volume_that_somebody_has_set_since_is_theirs():
    amplifier, fader = owing()
    amplifier.volume = 5
    fader.settle()
    assert (amplifier.volume, fader.owed) == (5, None)


def test_a_speaker_that_rounds_its_volume_is_put_back_all_the_same():
    amplifier, fader = owing()
    amplifier.volume = 31
    fader.settle()
    assert amplifier.volume == 60


def test_what_is_owed_waits_for_a_speaker_that_says_how_loud_it_is():
    amplifier, fader = owing()
    amplifier.volume = None
    fader.settle()
    amplifier.volume = 30
    fader.settle()
    assert (amplifier.volume, fader.owed) == (60, None)


def test_a_second_pause_takes_the_volume_before_the_first_for_its_own():
    amplifier, fader = owing()
    assert fader.pause(6)
    assert (amplifier.paused_at, amplifier.volume, fader.owed) == (0, 60, None)


def test_a_cap_that_begins_to_hold_counts_for_what_is_owed_too():
    amplifier, fader = owing()
    fader.fade_to(20, 6)
    assert (amplifier.volume, fader.owed) == (20, 20)
    fader.settle()
    assert (amplifier.volume, fader.owed) == (20, None)


def test_a_sign_in_that_ends_in_mid_fade_leaves_the_volume_owed():
    amplifier = Amplifier(60, fails=range(3, 100), error=SignInNeeded)
    fader = Fader(amplifier, Waits())
    with pytest.raises(SignInNeeded):
        fader.pause(6)
    assert (amplifier.volume, fader.owed) == (30, 60)


# Over a restart


@pytest.fixture
def file(tmp_path):
    return tmp_path / FILE


class PowerCutError(BaseException):
    """Nothing more is done, not even in finally."""


class Until:
    """Time that passes at once, until the power is cut at the n-th wait: from then on the amplifier does nothing either."""

    def __init__(self, amplifier, cut_at):
        self.amplifier, self.left = amplifier, cut_at

    def __call__(self, seconds):
        if self.left == 0:
            self.amplifier.fails.update(range(100))
            self.amplifier.error = PowerCutError
            raise PowerCutError
        self.left -= 1
        return False


@pytest.mark.parametrize("cut_at", range(4))
def test_a_power_cut_in_mid_fade_leaves_nothing_quiet_after_the_restart(file, cut_at):
    amplifier = Amplifier(60)
    with pytest.raises(PowerCutError):
        Fader(amplifier, Until(amplifier, cut_at), speaker="Kitchen", kept=NoteFile(file)).pause(6)
    assert amplifier.volume < 60
    amplifier.fails.clear()
    again = Fader(amplifier, Waits(), speaker="Kitchen", kept=NoteFile(file))
    assert again.owed == 60
    again.settle(most=50)
    assert amplifier.volume == 50
    assert Fader(amplifier, Waits(), speaker="Kitchen", kept=NoteFile(file)).owed is None


def test_what_could_not_be_put_back_is_owed_after_a_restart_too(file):
    amplifier, fader = owing(kept=NoteFile(file))
    fader.fade_to(50, 6)
    amplifier.volume = 30
    again = Fader(amplifier, Waits(), kept=NoteFile(file))
    again.settle()
    assert amplifier.volume == 50


def test_a_fade_that_ended_well_leaves_nothing_to_recall_and_a_pause_at_once_writes_nothing(file):
    amplifier = Amplifier(60)
    fader = Fader(amplifier, Waits(), kept=NoteFile(file))
    fader.pause(0)
    assert not file.exists()
    amplifier.playing = True
    fader.pause(6)
    assert Fader(amplifier, Waits(), kept=NoteFile(file)).owed is None


def test_a_speaker_whose_volume_can_not_be_set_is_owed_nothing_after_a_restart(file):
    amplifier = Amplifier(60, fails=range(1, 100), error=NotAllowed)
    with suppress(NotAllowed):
        Fader(amplifier, Waits(), kept=NoteFile(file)).pause(6)
    assert Fader(amplifier, Waits(), kept=NoteFile(file)).owed is None


def test_another_speaker_is_owed_nothing(file):
    owing(kept=NoteFile(file), speaker="Kitchen")
    assert Fader(Amplifier(), Waits(), speaker="Kitchen", kept=NoteFile(file)).owed == 60
    assert Fader(Amplifier(), Waits(), speaker="Bath", kept=NoteFile(file)).owed is None


@pytest.mark.parametrize(
    "odd",
    [7, {}, {"percent": 60}, {"percent": "60", "left_at": []}, {"percent": 160, "left_at": [0]}, {"percent": 60, "left_at": [True]}, {"percent": 60, "left_at": [0] * 99}],
)
def test_odd_notes_are_forgotten(file, odd):
    notes = NoteFile(file)
    notes.put(OWED_KEY, {"speaker": None} | odd if isinstance(odd, dict) else odd)
    assert Fader(Amplifier(), Waits(), kept=notes).owed is None


def test_a_disk_that_is_full_does_not_keep_the_music_from_fading(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    amplifier = Amplifier(60)
    assert Fader(amplifier, Waits(), kept=NoteFile(blocked / FILE)).pause(6)
    assert (amplifier.paused_at, amplifier.volume) == (0, 60)
    assert "A restart would not know" in caplog.text


# Over HTTP


@pytest.fixture
def speaker():
    with SimulatedSpeaker() as speaker:
        yield speaker


@pytest.fixture
def player(speaker):
    player = SpotifyPlayer(simulated_sign_in(speaker.accounts_url), speaker=speaker.name, api_url=speaker.api_url)
    player.play(speaker.catalogue.playlist_of("happy").uri)
    yield player
    player.close()


def test_the_simulated_speaker_fades_out_and_starts_again_as_loud_as_before(speaker, player):
    assert Fader(player, Waits(), speaker=speaker.name).pause(6)
    assert [order.verb for order in speaker.orders] == ["play", *["volume"] * 4, "pause", "volume"]
    player.resume()
    assert player.playback().speaker.volume_percent == 50


def test_a_service_that_fails_in_mid_fade_leaves_the_simulated_speaker_as_loud_as_before(speaker, player):
    fader = Fader(player, Waits(), speaker=speaker.name)
    speaker.rate_limit_once("0")
    fader.pause(6)
    assert player.playback().speaker.volume_percent == 50
    assert not player.playback().playing


def test_a_speaker_of_fixed_volume_is_paused_without_a_fade(speaker, player):
    speaker.fix_volume()
    assert Fader(player, Waits(), speaker=speaker.name).pause(6)
    assert [order.verb for order in speaker.orders] == ["play", "pause"]
