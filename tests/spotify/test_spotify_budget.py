"""What is sent unasked stays within a budget, and a quota that Spotify calls spent is left in peace, over a restart too."""

import json
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spotify_room import HandClock

from moodify.config.model import MusicConfig
from moodify.errors import SpeakerUnavailable
from moodify.music.spotify.budget import AFTER_END_S, HOUR_S, RESERVE, Budget
from moodify.music.spotify.factory import open_player, plays_for_real
from moodify.music.spotify.mapping import DEFAULT_QUOTA_RETRY_S
from moodify.music.spotify.quota import FILE
from moodify.music.spotify.scopes import EVERYTHING
from moodify.music.spotify.tokens import TokenFile

STATE, PLAY = ("GET", "me/player"), ("PUT", "me/player/play")
HOURS = 14 * 3600
#: Of today, for a sign-in is made in real time.
NOON = datetime.now(UTC).replace(hour=12, minute=4, second=30, microsecond=0)


def spend(budget, requests):
    for _ in range(requests):
        budget.note()


@pytest.fixture
def budget(clock):
    return Budget(60, now_s=clock)


# The budget


def test_looks_stop_before_orders_and_orders_at_the_end(budget):
    spend(budget, 60 - RESERVE)
    with pytest.raises(SpeakerUnavailable, match=r"music\.spotify\.requests_per_hour \(60\)"):
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


# Spotify's quota


def quota_of(room, folder, **changes):
    """Open a player that keeps what it learns of the quota in a folder, as a daemon does after a start."""
    return room.open(folder=folder, **changes)


def spent_quota(room, speaker, folder, **changes):
    player = quota_of(room, folder, **changes)
    speaker.rate_limit(HOURS, "QUOTA_EXCEEDED")
    with pytest.raises(SpeakerUnavailable, match="quota is spent"):
        player.playback()
    return player


def test_a_spent_quota_is_told_without_a_request_and_by_the_time_of_the_place(room, speaker, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        player = spent_quota(room, speaker, tmp_path, now=lambda: NOON)
        told = []
        assert room.sent_by(lambda: told.extend(player.notices())) == []
        assert told[0].startswith("Spotify's quota is spent until 07:35 tomorrow (in 14 h): what plays goes on")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_short_wait_is_no_notice(room, speaker):
    speaker.rate_limit_once("20")
    with pytest.raises(SpeakerUnavailable, match="for 20 s"):
        room.player.playback()
    assert room.player.notices() == ()


def test_the_next_look_waits_for_the_quota(room, speaker, clock, tmp_path):
    player = spent_quota(room, speaker, tmp_path)
    assert player.next_poll_s(30) == pytest.approx(HOURS, abs=5)
    clock.advance(HOURS)
    assert player.next_poll_s(30) == 30
    assert player.notices() == ()


def test_a_spent_quota_does_not_keep_the_sign_in_from_being_refreshed(room, speaker, tmp_path):
    player = spent_quota(room, speaker, tmp_path)
    token = player._sign_in.access_token()
    assert player._sign_in.renew(token) != token


def test_a_restart_spends_no_quota(room, speaker, clock, tmp_path):
    spent_quota(room, speaker, tmp_path, now=lambda: NOON)
    later = NOON + timedelta(hours=13)
    again = quota_of(room, tmp_path, now=lambda: later)
    with pytest.raises(SpeakerUnavailable, match="quota is spent until") as caught:
        room.sent_by(again.playback)
    assert room.sent == []
    assert caught.value.retry_after_s == 3600
    with again.asked(), pytest.raises(SpeakerUnavailable):
        room.sent_by(again.skip)
    assert room.sent == []
    assert "in 60 min" in again.notices()[0]
    clock.advance(HOURS)
    assert STATE in room.sent_by(again.playback)


def test_after_a_start_with_a_clock_that_was_behind_the_right_time_counts(room, speaker, clock, tmp_path):
    spent_quota(room, speaker, tmp_path, now=lambda: NOON)
    wall = [NOON - timedelta(hours=3)]
    again = quota_of(room, tmp_path, now=lambda: wall[0])
    assert again.next_poll_s(30) == 17 * 3600
    clock.advance(60)
    wall[0] = NOON + timedelta(hours=14)
    assert again.next_poll_s(30) == 30


def test_what_is_kept_is_the_owners_alone_and_small(room, speaker, tmp_path):
    spent_quota(room, speaker, tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert (tmp_path / FILE).stat().st_size < 200


def test_a_short_wait_is_not_written_to_the_card(room, speaker, tmp_path):
    player = quota_of(room, tmp_path)
    speaker.rate_limit_once("20")
    with pytest.raises(SpeakerUnavailable):
        player.playback()
    assert list(tmp_path.iterdir()) == []


def kept(**changes):
    return json.dumps({"app": "simulated", "open_at": (NOON + timedelta(hours=5)).timestamp(), "because": "Spotify's quota is spent"} | changes)


def test_what_these_tests_keep_is_taken(room, tmp_path):
    (tmp_path / FILE).write_text(kept())
    assert quota_of(room, tmp_path, now=lambda: NOON).next_poll_s(30) == 5 * 3600


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 2000,
        "x" * 100_000,
        '{"app": "simulated"}',
        kept(app="another"),
        kept(open_at=None),
        kept(open_at="NaN"),
        kept(open_at="Infinity"),
        kept(open_at=1e300),
        kept(open_at=(NOON + timedelta(days=2)).timestamp()),
        kept(open_at=(NOON - timedelta(seconds=1)).timestamp()),
        kept(because=None),
        kept(because=""),
    ],
)
def test_odd_or_foreign_contents_are_forgotten(room, tmp_path, content):
    (tmp_path / FILE).write_text(content)
    player = quota_of(room, tmp_path, now=lambda: NOON)
    assert player.notices() == ()
    assert room.sent_by(player.playback) == [STATE]


def test_a_folder_that_can_not_be_written_is_said_and_does_no_harm(room, speaker, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    player = spent_quota(room, speaker, blocked)
    assert "can't be written" in caplog.text
    with pytest.raises(SpeakerUnavailable):
        room.sent_by(player.playback)
    assert room.sent == []


def test_a_spent_quota_that_does_not_say_for_how_long_is_not_tried_every_half_minute(room, speaker):
    speaker.refuse(429, "API rate limit exceeded", "QUOTA_EXCEEDED")
    with pytest.raises(SpeakerUnavailable) as caught:
        room.player.playback()
    assert caught.value.retry_after_s == DEFAULT_QUOTA_RETRY_S


@pytest.mark.parametrize("spotify", [{}, {"client_id": "app"}])
def test_the_configured_player_has_the_configured_budget_and_keeps_the_quota_beside_the_sign_in(tmp_path, spotify):
    agreed = {"access_token": "access", "refresh_token": "refresh", "expires_at": 2**40, "client_id": "app", "authorised_at": datetime.now(UTC).isoformat()}
    TokenFile(tmp_path).save_token_to_cache(agreed | {"scope": " ".join(permission.scope for permission in EVERYTHING)})
    (tmp_path / FILE).write_text(json.dumps({"app": "app", "open_at": time.time() + 3600, "because": "Spotify's quota is spent"}))
    config = MusicConfig(spotify=spotify | {"requests_per_hour": 77})
    assert plays_for_real(config, tmp_path)
    with open_player(config, tmp_path) as opened:
        assert opened.simulated is None
        assert opened.player.budget.per_hour == 77
        assert "quota is spent until" in opened.player.notices()[0]
