"""What is wished on the page beyond a press: done as what comes from afar is, but by somebody who counts as in the room."""

import pytest
from daemon_house import HAPPY, RULES, DaemonHouse

from moodify.daemon.house import RunningHouse
from moodify.errors import PersonMustAct
from waiting import wait_until

ANSWER_S = 20


@pytest.fixture
def page(house):
    return RunningHouse(house.board, house.put, lambda _: [])


@pytest.fixture
def quiet(tmp_path):
    """A house that starts no silent speaker unasked."""
    with DaemonHouse(tmp_path, rules={**RULES, "music": {**RULES["music"], "start_when_silent": False}}) as house:
        yield house.sees_well()


def test_a_named_mood_stands_for_the_rooms_and_shows(house, page):
    house.show(10, HAPPY)
    told = page.name_mood("calm", 30).result(ANSWER_S)
    assert told["mood"] == "calm"
    wait_until(lambda: page.now()["override"] == {"mood": "calm", "until": told["until"]}, what=page.now)
    house.show(8, HAPPY)
    house.await_reason("You asked: calm, playing")


def test_a_mood_that_is_named_on_the_page_starts_a_silent_speaker(quiet):
    page = RunningHouse(quiet.board, quiet.put, lambda _: [])
    quiet.show(1, HAPPY)
    page.name_mood("sad", 30).result(ANSWER_S)
    quiet.show(8, HAPPY)
    quiet.await_reason("You asked: sad, playing")
    assert "play done" in quiet.told


def test_a_named_mood_ends_where_somebody_says_so(house, page):
    house.show(10, HAPPY)
    page.name_mood("calm", 30).result(ANSWER_S)
    assert page.name_mood(None, 30).result(ANSWER_S) == {"mood": None}
    wait_until(lambda: page.now()["override"] is None, what=page.now)


def test_a_volume_is_answered_once_the_speaker_has_it(house, page):
    house.show(10, HAPPY)
    told = page.want_volume(30).result(ANSWER_S)
    assert told["percent"] == 30
    assert told["music"] == "As it was asked, the volume becomes 30 %"
    wait_until(lambda: house.look(HAPPY) and page.now()["music"]["volume"] == 30, what=page.now)


def test_a_volume_that_can_not_be_set_says_why(quiet):
    page = RunningHouse(quiet.board, quiet.put, lambda _: [])
    quiet.show(1, HAPPY)
    with pytest.raises(PersonMustAct, match="Nothing plays"):
        page.want_volume(30).result(ANSWER_S)


def test_a_goal_is_taken_and_given_back(house, page):
    assert page.want_goal("lift").result(ANSWER_S) == {"goal": "lift"}
    assert page.want_goal(None).result(ANSWER_S) == {"goal": "match"}


def test_a_like_is_noted(house, page):
    house.show(10, HAPPY)
    page.press_like()
    house.await_reason("You like ")


def test_a_diagnosis_is_told(house, page):
    house.look(HAPPY)
    told = page.diagnosis().result(ANSWER_S)
    assert told["parts"]["camera"]["state"] == "ok"


def test_who_wished_may_have_gone(house, page):
    house.show(10, HAPPY)
    assert page.want_goal("lift").cancel()
    assert page.want_goal("calm").result(ANSWER_S) == {"goal": "calm"}
    assert house.courier.answers == []
