"""The dj and a real adapter before the simulated speaker."""

import logging
import threading

import pytest

from moodify.config.model import MusicConfig
from moodify.daemon.dj import Dj
from moodify.daemon.signals import CandidatesFound, Order, OrderEnded, PlaybackSeen
from moodify.daemon.threads import guarded
from moodify.errors import CannotWork, MoodifyError, SignInNeeded
from moodify.music.fading import FILE, OWED_KEY
from moodify.music.notes import NoteFile
from moodify.music.song import Candidate
from moodify.music.spotify.factory import open_player
from moodify.music.spotify.simulated.speaker import NAME
from moodify.types import Act, Decision, Mood, OrderStatus, Track
from waiting import wait_until

CAP = 70


class Booth:
    """A dj at work, and what it reports."""

    def __init__(self, folder, kept=None):
        self.opened = open_player(MusicConfig(speaker="simulated"), folder)
        self.speaker, self.player = self.opened.simulated, self.opened.player
        self.reports = []
        self.dj = Dj(self.player, self.reports.append, poll_s=30.0, speaker=self.speaker.name, kept=kept)
        self.thread = guarded("dj", self.dj.run, self.reports.append)
        self.songs = [Track(song.uri, song.title, "", 1000) for song in self.speaker.catalogue.playlist_of("happy").songs]

    def order(self, act, track=None, name="", *, volume=CAP, fade_s=0.0, asked=False):
        order = Order(name or act.value, Decision(act, "a reason", Mood.HAPPY, track, volume, fade_s), asked=asked)
        self.dj.order(order)
        return order

    def done(self):
        wait_until(lambda: self.dj.idle)
        return [(report.order.id, report.status) for report in self.reports if isinstance(report, OrderEnded)]

    def close(self):
        self.dj.close()
        self.opened.close()
        if self.thread.ident is not None:
            self.thread.join(20)


@pytest.fixture
def booth(tmp_path):
    booth = Booth(tmp_path)
    booth.thread.start()
    yield booth
    booth.close()


@pytest.mark.parametrize(
    ("acts", "verbs"),
    [
        ((Act.PLAY,), ["play"]),
        ((Act.PLAY, Act.QUEUE), ["play", "queue"]),
        ((Act.PLAY, Act.PAUSE), ["play", "pause"]),
        ((Act.PLAY, Act.PAUSE, Act.RESUME), ["play", "pause", "resume"]),
        ((Act.PLAY, Act.SKIP), ["play", "next"]),
    ],
)
def test_orders_are_carried_out(booth, acts, verbs):
    for act in acts:
        booth.order(act, booth.songs[0])
        booth.done()
    assert [order.verb for order in booth.speaker.orders] == verbs
    assert {report.status for report in booth.reports} == {OrderStatus.DONE}


def test_the_newest_order_wins_and_the_dropped_one_is_said(booth):
    booth.speaker.slow(1.5)
    before = len(booth.speaker.requests)
    booth.order(Act.PLAY, booth.songs[0], "first")
    wait_until(lambda: len(booth.speaker.requests) > before)
    booth.order(Act.PLAY, booth.songs[1], "second")
    booth.order(Act.PLAY, booth.songs[2], "third")
    booth.speaker.slow(0.0)
    assert sorted(booth.done()) == [("first", OrderStatus.DONE), ("second", OrderStatus.DROPPED), ("third", OrderStatus.DONE)]
    assert [order.uri for order in booth.speaker.orders if order.verb == "play"] == [booth.songs[0].uri, booth.songs[2].uri]


def test_an_order_goes_before_look_ups_and_looks(tmp_path):
    booth = Booth(tmp_path)
    booth.dj.look()
    booth.dj.look_up(Mood.HAPPY, lambda player: tuple(map(Candidate, player.search("happy"))))
    booth.order(Act.PLAY, booth.songs[0])
    booth.thread.start()
    booth.done()
    booth.close()
    assert [type(report) for report in booth.reports] == [OrderEnded, CandidatesFound, PlaybackSeen]


def test_looks_and_look_ups_that_wait_are_done_once(tmp_path):
    booth = Booth(tmp_path)
    for _ in range(3):
        booth.dj.look()
        booth.dj.look_up(Mood.HAPPY, lambda player: tuple(map(Candidate, player.search("happy"))))
    booth.thread.start()
    booth.done()
    booth.close()
    assert len(booth.reports) == 2
    assert booth.reports[0].songs


def test_it_is_idle_only_once_what_it_found_is_told(booth):
    booth.speaker.slow(0.05)
    booth.dj.look()
    assert not booth.dj.idle
    wait_until(lambda: booth.dj.idle)
    assert isinstance(booth.reports[-1], PlaybackSeen)


@pytest.mark.parametrize(
    ("lever", "kind"),
    [
        (lambda speaker: speaker.refuse(403), MoodifyError),
        (lambda speaker: speaker.end_sign_in() or speaker.expire_access_token(), SignInNeeded),
        (lambda speaker: speaker.rate_limit(30), MoodifyError),
        (lambda speaker: speaker.html(9), MoodifyError),
        (lambda speaker: speaker.fail(500, 9), MoodifyError),
    ],
    ids=["refused", "signed out", "rate limited", "login page", "failing"],
)
def test_what_fails_is_reported_and_the_dj_goes_on(booth, lever, kind):
    lever(booth.speaker)
    booth.order(Act.SKIP)
    booth.dj.look()
    booth.dj.look_up(Mood.CALM, lambda player: player.search("calm"))
    wait_until(lambda: len(booth.reports) == 3, within_s=60)
    ended = next(report for report in booth.reports if isinstance(report, OrderEnded))
    assert ended.status is OrderStatus.FAILED
    assert isinstance(ended.error, kind)
    assert booth.thread.is_alive()


@pytest.mark.parametrize("act", [Act.PLAY, Act.QUEUE, Act.KEEP])
def test_an_order_that_makes_no_sense_fails(booth, act):
    booth.order(act)
    booth.done()
    assert isinstance(booth.reports[0].error, CannotWork)


def test_music_is_never_started_above_the_cap(booth):
    booth.order(Act.PLAY, booth.songs[0])
    booth.done()
    booth.player.set_volume(100)
    booth.order(Act.PLAY, booth.songs[1])
    booth.done()
    assert booth.player.playback().speaker.volume_percent == CAP


def test_a_volume_below_the_cap_is_left_alone(booth):
    booth.order(Act.PLAY, booth.songs[0])
    booth.done()
    booth.player.set_volume(20)
    booth.order(Act.PLAY, booth.songs[1])
    booth.done()
    assert booth.player.playback().speaker.volume_percent == 20


def test_a_speaker_that_slept_loud_is_lowered_once_it_plays(booth):
    booth.order(Act.PLAY, booth.songs[0])
    booth.done()
    booth.player.set_volume(100)
    booth.speaker.fall_asleep(wakes_after_s=0.1)
    booth.order(Act.PLAY, booth.songs[1])
    wait_until(lambda: len(booth.done()) == 2, within_s=60)
    assert booth.reports[-1].status is OrderStatus.DONE, booth.reports[-1].error
    assert booth.player.playback().speaker.volume_percent == CAP


def test_a_speaker_whose_volume_cannot_be_set_plays_all_the_same(booth, caplog):
    caplog.set_level(logging.WARNING)
    booth.speaker.fix_volume()
    booth.order(Act.PLAY, booth.songs[0])
    assert booth.done() == [("play", OrderStatus.DONE)]


def test_closing_ends_it_even_in_the_middle_of_a_slow_call(booth):
    booth.speaker.slow(30)
    booth.dj.look()
    wait_until(lambda: not booth.dj.idle)
    booth.dj.close()
    booth.player.close()
    booth.thread.join(20)
    assert not booth.thread.is_alive()


def test_the_volume_comes_down_little_by_little(booth):
    booth.order(Act.PLAY, booth.songs[0], volume=None)
    booth.done()
    booth.player.set_volume(60)
    booth.order(Act.VOLUME, volume=30)
    wait_until(lambda: len(booth.done()) == 2, within_s=30)
    set_to = [order.percent for order in booth.speaker.orders if order.verb == "volume"][1:]
    assert set_to[-1] == 30
    assert len(set_to) > 1
    assert set_to == sorted(set_to, reverse=True)


def test_a_pause_with_a_fade_leaves_the_speaker_as_loud_as_before(booth):
    booth.order(Act.PLAY, booth.songs[0], volume=None)
    booth.done()
    booth.player.set_volume(60)
    booth.order(Act.PAUSE, fade_s=0.5)
    wait_until(lambda: len(booth.done()) == 2, within_s=30)
    assert not booth.player.playback().playing
    assert booth.player.playback().speaker.volume_percent == 60


def test_music_is_started_as_loud_as_before_a_fade_that_the_last_run_did_not_end(tmp_path):
    kept = NoteFile(tmp_path / FILE)
    kept.put(OWED_KEY, {"percent": 60, "left_at": [45, 30, 15, 0], "speaker": NAME})
    booth = Booth(tmp_path, kept)
    booth.thread.start()
    booth.speaker.turn_volume(0)
    booth.order(Act.PLAY, booth.songs[0])
    booth.done()
    volume = booth.player.playback().speaker.volume_percent
    booth.close()
    assert volume == 60
    assert NoteFile(tmp_path / FILE).get(OWED_KEY) is None


def test_a_press_during_a_fade_wins_and_is_heard_at_full_volume(booth):
    booth.order(Act.PLAY, booth.songs[0], volume=None)
    booth.done()
    booth.player.set_volume(60)
    booth.order(Act.PAUSE, fade_s=30.0)
    wait_until(lambda: booth.player.playback().speaker.volume_percent < 60, within_s=30)
    booth.order(Act.PLAY, booth.songs[1], name="pressed", asked=True)
    wait_until(lambda: len(booth.done()) == 3, within_s=30)
    assert booth.done()[1:] == [("pause", OrderStatus.DROPPED), ("pressed", OrderStatus.DONE)]
    now = booth.player.playback()
    assert now.playing
    assert now.speaker.volume_percent == 60
    assert now.track.uri == booth.songs[1].uri


def test_what_a_person_asks_for_is_not_taken_from_what_may_be_spent_unasked(booth):
    booth.order(Act.PLAY, booth.songs[0], asked=True)
    booth.done()
    asked = booth.player.budget.spent
    booth.order(Act.PLAY, booth.songs[1], name="unasked")
    booth.done()
    assert asked == 0
    assert booth.player.budget.spent > 0


@pytest.mark.parametrize("act", [Act.PLAY, Act.RESUME, Act.VOLUME])
def test_an_order_may_use_the_requests_that_looks_leave_to_orders(booth, act):
    booth.order(Act.PLAY, booth.songs[0], volume=None)
    booth.done()
    for _ in range(booth.player.budget.left - 10):
        booth.player.budget.note()
    booth.order(act, booth.songs[1], name="unasked", volume=40)
    wait_until(lambda: len(booth.done()) == 2, within_s=30)
    assert booth.done()[-1] == ("unasked", OrderStatus.DONE), booth.reports[-1].error
    assert [order.percent for order in booth.speaker.orders if order.verb == "volume"][-1] == 40


@pytest.mark.parametrize("act", [Act.PLAY, Act.RESUME])
def test_a_loud_phone_that_was_used_last_keeps_no_speaker_from_starting(booth, act):
    booth.order(Act.PLAY, booth.songs[0], volume=None)
    booth.order(Act.PAUSE)
    wait_until(lambda: len([status for _, status in booth.done()]) == 2)
    booth.speaker.turn_volume(20)
    phone = booth.speaker.add_device("A phone", kind="Smartphone")
    booth.speaker.play_by_hand(booth.songs[2].uri, phone)
    booth.speaker.pause_by_hand()
    booth.order(act, booth.songs[1], name="pressed")
    assert booth.done()[-1] == ("pressed", OrderStatus.DONE), booth.reports[-1].error
    assert booth.player.playback().speaker.volume_percent == 20


def test_a_quiet_phone_says_nothing_of_a_loud_speaker(booth):
    booth.speaker.turn_volume(100)
    phone = booth.speaker.add_device("A phone", kind="Smartphone")
    booth.speaker.play_by_hand(booth.songs[2].uri, phone)
    booth.order(Act.PLAY, booth.songs[1])
    assert booth.done()[-1] == ("play", OrderStatus.DONE), booth.reports[-1].error
    now = booth.player.playback().speaker
    assert (now.name, now.volume_percent) == (booth.speaker.name, CAP)


def test_an_order_does_not_wait_for_a_long_look_up_which_is_taken_up_again_after_it(booth):
    asked = []

    def long(player):
        for number in range(3):
            asked.append(number)
            player.search("happy")
            if len(asked) == 1:
                booth.order(Act.PLAY, booth.songs[0])
        return tuple(map(Candidate, player.search("happy")))

    booth.dj.look_up(Mood.HAPPY, long)
    wait_until(lambda: len(booth.reports) == 2 and booth.dj.idle, within_s=20)
    assert [type(report) for report in booth.reports] == [OrderEnded, CandidatesFound]
    assert asked == [0, 1, 0, 1, 2]
    assert booth.reports[1].songs


def test_another_player_takes_over_and_what_was_meant_for_the_last_one_is_dropped(tmp_path):
    booth, other = Booth(tmp_path), open_player(MusicConfig(speaker="simulated"), tmp_path)
    released = []
    try:
        order = booth.order(Act.PLAY, booth.songs[0], "for the last one")
        booth.dj.look()
        booth.dj.look_up(Mood.HAPPY, lambda _shelves: pytest.fail("it was looked up"))
        booth.dj.change(other.player, speaker=other.simulated.name, kept=None, done=lambda: released.append("the last one"))
        booth.order(Act.PLAY, booth.songs[1], "for the other one")
        booth.thread.start()
        assert booth.done() == [("for the last one", OrderStatus.DROPPED), ("for the other one", OrderStatus.DONE)]
        assert [report.player for report in booth.reports] == [0, 1]
        assert booth.dj.players == 1
        assert released == ["the last one"]
        assert (booth.speaker.orders, other.simulated.now_playing) == ((), booth.songs[1].uri)
        assert order.decision.track == booth.songs[0]
    finally:
        booth.close()
        other.close()


def test_what_the_last_player_answers_late_is_told_as_its_own(booth):
    other = open_player(MusicConfig(speaker="simulated"), None)
    try:
        asked, answer = threading.Event(), threading.Event()
        booth.dj.look_up(Mood.HAPPY, lambda _shelves: (asked.set(), answer.wait(30), ())[2])
        assert asked.wait(30)
        booth.dj.change(other.player, speaker=other.simulated.name, kept=None, done=booth.opened.close)
        booth.dj.look()
        answer.set()
        wait_until(lambda: len(booth.reports) == 2, what="what both answered")
        assert [(type(report), report.player, report.error) for report in booth.reports] == [(CandidatesFound, 0, None), (PlaybackSeen, 1, None)]
    finally:
        other.close()
