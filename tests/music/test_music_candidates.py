from datetime import time

import pytest
from music_house import song

from moodify.config.model import MoodMusic, MusicConfig
from moodify.errors import BudgetSpent, SpeakerUnavailable
from moodify.music.candidates import CandidatePool, Candidates, Wanted
from moodify.music.situation import Situation
from moodify.music.song import Candidate, Source
from moodify.types import FELT_MOODS, Mood

ALL = tuple(Source)
OWN = "spotify:playlist:own"
NOW = Situation(now_s=0.0, local_time=time(12), reading=None, people=1, playback=None, playback_s=0.0)


@pytest.fixture
def pool():
    return CandidatePool(MusicConfig(moods={Mood.HAPPY: MoodMusic(uri=OWN), Mood.SAD: MoodMusic(search="slow rain")}))


@pytest.mark.parametrize(
    ("mood", "wanted"),
    [
        (Mood.HAPPY, Wanted(Mood.HAPPY, OWN, "happy", ALL)),
        (Mood.SAD, Wanted(Mood.SAD, None, "slow rain", ALL)),
        (Mood.CALM, Wanted(Mood.CALM, None, "calm", ALL)),
    ],
)
def test_the_owners_music_goes_before_their_search_and_the_default(pool, mood, wanted):
    assert pool.wanted(mood, 0.0) == wanted


@pytest.mark.parametrize("mood", FELT_MOODS)
def test_every_felt_mood_has_a_source(mood):
    source = CandidatePool(MusicConfig()).source(mood)
    assert source.uri is None
    assert mood.value in source.search


@pytest.mark.parametrize("mood", [Mood.UNSURE, Mood.ABSENT])
def test_no_music_is_wanted_for_no_mood(pool, mood):
    assert pool.wanted(mood, 0.0) is None


def test_a_look_up_is_handed_out_once_until_it_is_answered_or_lost(pool):
    assert pool.wanted(Mood.CALM, 0.0) is not None
    assert pool.wanted(Mood.CALM, 59.0) is None
    assert pool.wanted(Mood.CALM, 60.0) is not None


def test_what_was_found_lasts_a_day_and_stays_until_there_is_newer(pool):
    pool.wanted(Mood.CALM, 0.0)
    pool.fill(Mood.CALM, [Candidate(song("a"))], 1.0)
    assert pool.wanted(Mood.CALM, 86_000.0) is None
    assert pool.wanted(Mood.CALM, 86_402.0) is not None
    assert pool.of(Mood.CALM) == Candidates((Candidate(song("a")),))


def test_a_failed_look_up_keeps_what_was_found_and_is_tried_again(pool):
    pool.fill(Mood.CALM, [Candidate(song("a"))], 0.0)
    pool.failed(Mood.CALM, 90_000.0, SpeakerUnavailable("asleep"))
    assert pool.of(Mood.CALM) == Candidates((Candidate(song("a")),))
    assert pool.wanted(Mood.CALM, 90_599.0) is None
    assert pool.wanted(Mood.CALM, 90_600.0) is not None


def test_the_services_own_wait_is_kept(pool):
    pool.failed(Mood.CALM, 0.0, SpeakerUnavailable("too many", retry_after_s=50_000))
    assert pool.wanted(Mood.CALM, 49_999.0) is None


def test_a_uri_that_cannot_be_read_is_a_context(pool):
    pool.fill(Mood.HAPPY, (), 0.0)
    assert pool.of(Mood.HAPPY) == Candidates((), OWN)


def test_a_search_that_finds_nothing_is_no_context(pool):
    pool.fill(Mood.SAD, (), 0.0)
    assert pool.of(Mood.SAD) == Candidates(())


def test_before_anything_was_found_nothing_is_known(pool):
    assert pool.of(Mood.HAPPY) is None


def test_a_press_looks_up_at_once_after_a_failure(pool):
    pool.wanted(Mood.CALM, 0.0)
    pool.failed(Mood.CALM, 1.0, SpeakerUnavailable("asleep"))
    assert pool.wanted(Mood.CALM, 2.0) is None
    assert pool.wanted(Mood.CALM, 2.0, asked=True) == Wanted(Mood.CALM, None, "calm", ALL)


def test_a_press_looks_up_at_once_where_nothing_was_found(pool):
    pool.fill(Mood.CALM, (), 0.0)
    assert pool.wanted(Mood.CALM, 1.0, asked=True) is not None


def test_a_press_waits_for_the_answer_that_is_under_way(pool):
    pool.wanted(Mood.CALM, 0.0)
    assert pool.wanted(Mood.CALM, 59.0, asked=True) is None
    assert pool.wanted(Mood.CALM, 60.0, asked=True) is not None


def test_a_press_waits_as_long_as_the_service_said(pool):
    pool.failed(Mood.CALM, 0.0, SpeakerUnavailable("too many", retry_after_s=30))
    assert pool.wanted(Mood.CALM, 29.0, asked=True) is None
    assert pool.wanted(Mood.CALM, 30.0, asked=True) is not None


def test_a_press_looks_up_at_once_where_only_our_own_budget_is_spent(pool):
    pool.failed(Mood.CALM, 0.0, BudgetSpent("spent", retry_after_s=3000))
    assert pool.wanted(Mood.CALM, 2999.0) is None
    assert pool.wanted(Mood.CALM, 1.0, asked=True) is not None


def test_a_spent_budget_of_our_own_is_not_told_as_spotifys_refusal(pool):
    pool.failed(Mood.CALM, 0.0, BudgetSpent("requests_per_hour are spent", retry_after_s=3000))
    assert pool.why_nothing(Mood.CALM, NOW) == "Can't look for calm music: requests_per_hour are spent; press again"


@pytest.mark.parametrize(("mood", "songs"), [(Mood.CALM, [Candidate(song("a"))]), (Mood.HAPPY, [])])
def test_a_press_does_not_look_up_what_can_be_played_already(pool, mood, songs):
    pool.fill(mood, songs, 0.0)
    assert pool.wanted(mood, 1.0, asked=True) is None


def test_other_rules_forget_what_was_found_elsewhere_and_keep_the_rest(pool):
    for mood in (Mood.HAPPY, Mood.SAD):
        assert pool.wanted(mood, 0.0) is not None
        pool.fill(mood, [Candidate(song(1))], 0.0)
    pool.follow(MusicConfig(moods={Mood.HAPPY: MoodMusic(uri="spotify:playlist:other"), Mood.SAD: MoodMusic(search="slow rain")}))
    assert pool.of(Mood.HAPPY) is None
    assert pool.wanted(Mood.HAPPY, 1.0).uri == "spotify:playlist:other"
    assert pool.of(Mood.SAD) is not None
    assert pool.wanted(Mood.SAD, 1.0) is None
