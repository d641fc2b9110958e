"""What is sent unasked stays within a budget; a person is never refused for it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spotify_room import HandClock

from moodify.errors import BudgetSpent, SpeakerUnavailable
from moodify.music.fading import Fader
from moodify.music.spotify.budget import AFTER_END_S, HOUR_S, RESERVE, Budget

PLAY = ("PUT", "me/player/play")


def spend(budget, requests):
    for _ in range(requests):
        budget.note()


@pytest.fixture
def budget(clock):
    return Budget(60, now_s=clock)


# The budget


def test_looks_stop_before_orders_and_orders_at_the_end(budget):
    spend(budget, 60 - RESERVE)
    with pytest.raises(BudgetSpent, match=r"music\.spotify\.requests_per_hour \(60\)"):
        budget.admit(reads=1)
    budget.admit()
    spend(budget, RESERVE)
    assert (budget.spent, budget.left) == (60, 0)
    with pytest.raises(SpeakerUnavailable):
        budget.admit()


def test_a_look_up_of_several_pages_begins_only_where_all_of_them_may_be_read(budget):
    spend(budget, 60 - RESERVE - 3)
    budget.admit(reads=3)
    with pytest.raises(SpeakerUnavailable):
        budget.admit(reads=4)


def test_a_refusal_says_when_it_is_worth_another_try(budget, clock):
    for _ in range(60 - RESERVE):
        spend(budget, 1)
        clock.advance(10)
    for reads in (1, 5):
        with pytest.raises(SpeakerUnavailable) as caught:
            budget.admit(reads)
        clock.advance(caught.value.retry_after_s - 0.1)
        with pytest.raises(SpeakerUnavailable):
            budget.admit(reads)
        clock.advance(0.2)
        budget.admit(reads)


def test_a_look_that_belongs_to_an_order_may_use_what_is_kept_for_orders(budget):
    spend(budget, 60 - 1)
    with budget.ordering():
        budget.admit(reads=1)
        spend(budget, 1)
        with pytest.raises(BudgetSpent):
            budget.admit(reads=1)


def test_an_hour_later_everything_may_be_spent_again(budget, clock):
    spend(budget, 60)
    clock.advance(HOUR_S)
    assert (budget.spent, budget.left) == (0, 60)


def test_a_person_is_never_refused_and_spends_nothing_of_the_budget(budget):
    spend(budget, 60)
    with budget.asked():
        for _ in range(200):
            budget.admit()
            budget.note()
        budget.admit(reads=20)
    assert (budget.spent, budget.beside) == (60, 200)
    with pytest.raises(SpeakerUnavailable):
        budget.admit()


def test_another_threads_requests_are_not_the_persons(budget):
    with budget.asked():
        thread = threading.Thread(target=budget.note)
        thread.start()
        thread.join()
        with budget.asked():
            budget.note()
        budget.note()
    assert (budget.spent, budget.beside) == (1, 2)


def test_what_an_order_sends_beyond_the_budget_is_counted_too(budget):
    spend(budget, 61)
    assert (budget.spent, budget.beside) == (60, 1)


def test_the_next_look_is_at_the_tracks_end_where_that_comes_first(budget):
    assert budget.next_poll_s(30) == 30
    assert budget.next_poll_s(30, remaining_of_track_s=200) == 30
    assert budget.next_poll_s(30, remaining_of_track_s=12.5) == 12.5 + AFTER_END_S
    assert budget.next_poll_s(30, remaining_of_track_s=-3) == AFTER_END_S


def test_looks_spread_out_while_the_budget_is_short(budget, clock):
    room = 60 - RESERVE
    spend(budget, room // 2)
    assert budget.next_poll_s(30) == 30
    spend(budget, 1)
    first = budget.next_poll_s(30)
    spend(budget, room // 4)
    second = budget.next_poll_s(30)
    spend(budget, budget.left - RESERVE)
    assert 30 < first < second < budget.next_poll_s(30) == HOUR_S
    clock.advance(HOUR_S / 2)
    assert budget.next_poll_s(30) == HOUR_S / 2


@settings(max_examples=30, deadline=None)
@given(per_hour=st.integers(60, 600), poll_s=st.floats(5, 60), track_s=st.integers(20, 400), presses=st.lists(st.integers(0, 86_400), max_size=20))
def test_whoever_looks_as_advised_for_a_day_is_never_refused_and_orders_always_have_room(per_hour, poll_s, track_s, presses):
    clock = HandClock()
    began_s = clock.now_s
    budget, looks, pending = Budget(per_hour, now_s=clock), [], sorted(presses)
    while clock.now_s < began_s + 86_400:
        budget.admit(reads=1)
        budget.note()
        looks.append(clock.now_s)
        if pending and clock.now_s >= began_s + pending[0]:
            pending.pop(0)
            budget.admit()
        clock.advance(budget.next_poll_s(poll_s, track_s - clock.now_s % track_s))
    assert len(looks) >= 86_400 / (poll_s + HOUR_S * 2 / (per_hour - RESERVE)) * 0.5
    for index, look_s in enumerate(looks):
        assert sum(1 for other_s in looks[index : index + per_hour] if other_s < look_s + HOUR_S) <= per_hour - RESERVE


# The budget before Spotify


def test_an_order_that_looks_first_is_carried_out_to_the_last_request(room, speaker):
    player = room.open(requests_per_hour=60)
    player.play(room.happy())
    spend(player.budget, player.budget.left - 10)
    with pytest.raises(BudgetSpent):
        player.playback()
    with player.ordering():
        assert Fader(player, lambda _: False, speaker=speaker.name).fade_to(20, 6)
    assert [order.percent for order in speaker.orders if order.verb == "volume"][-1] == 20
    with pytest.raises(BudgetSpent):
        player.playback()


def test_the_speaker_is_not_looked_at_beyond_the_budget_but_a_press_is_carried_out(room, speaker, clock):
    player = room.open(requests_per_hour=60)
    player.play(room.happy())
    spend(player.budget, player.budget.left)
    for call in (player.playback, player.speakers, player.skip, player.liked):
        with pytest.raises(SpeakerUnavailable, match="requests_per_hour"):
            room.sent_by(call)
        assert room.sent == []
    with player.asked():
        assert room.sent_by(lambda: player.play(room.happy(1))) == [PLAY]
    assert speaker.now_playing == room.happy(1)
    clock.advance(HOUR_S)
    player.playback()


def test_each_request_that_is_sent_is_counted_and_no_other(room, speaker):
    player = room.open()
    player.playback()
    player.playback()
    with player.asked():
        player.play(room.happy())
        player.search("happy")
    assert (player.budget.spent, player.budget.beside) == (2, 3)
    speaker.expire_access_token()
    room.sent_by(player.playback)
    assert player.budget.spent == 4
    speaker.rate_limit(100)
    for _ in range(5):
        with pytest.raises(SpeakerUnavailable):
            player.playback()
    assert player.budget.spent == 5


def test_what_is_advised_and_told_waits_for_no_call_that_is_under_way(room):
    with room.player._lock, ThreadPoolExecutor(1) as pool:
        assert pool.submit(room.player.notices).result(timeout=20) == ()
        assert pool.submit(room.player.next_poll_s, 30).result(timeout=20) == 30


def test_the_end_of_the_sign_in_is_a_notice_and_costs_no_request(room):
    late = datetime.now(UTC) + timedelta(days=170)
    player, told = room.open(now=lambda: late), []
    assert room.sent_by(lambda: told.extend(player.notices())) == []
    assert len(told) == 1
    assert "sign-in ends" in told[0]
    assert "moodify spotify login" in told[0]
    assert room.player.notices() == ()
