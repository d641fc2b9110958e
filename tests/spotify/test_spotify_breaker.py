"""A service that keeps failing is left alone for a while; who asks meanwhile is answered at once."""

import pytest
import requests

from moodify.errors import CannotWork, MoodifyError, SpeakerUnavailable
from moodify.music.guards.breaker import FAILURES, REST_S, Breaker
from moodify.music.spotify.simulated.levers import ACCOUNTS
from moodify.music.spotify.transport import TokenTransport

STATE, TOKEN = ("GET", "me/player"), ("POST", "/api/token")

pytestmark = pytest.mark.usefixtures("off_the_record")


@pytest.fixture
def failing(room, speaker):
    """A room whose Spotify has just failed so often that it is left alone; a trial request fails too."""
    speaker.fail(times=FAILURES + 1)
    for _ in range(FAILURES):
        with pytest.raises(SpeakerUnavailable, match="answers 503"):
            room.player.playback()
    return room


def refused(room, call):
    """Run a call that is refused, and return the error and what was sent."""
    with pytest.raises(SpeakerUnavailable) as caught:
        room.sent_by(call)
    return caught.value, room.sent


def test_after_failures_in_a_row_each_press_is_answered_at_once_by_when_it_is_tried_again(failing, clock):
    for press in (lambda: failing.player.play(failing.happy()), failing.player.skip):
        clock.advance(5)
        error, sent = refused(failing, press)
        assert sent == []
        assert f"failed {FAILURES} times in a row; trying again in" in str(error)
    assert error.retry_after_s == REST_S - 10
    assert clock.waits == []


def test_a_person_who_asks_is_answered_at_once_too(failing):
    with failing.player.asked():
        assert refused(failing, failing.player.skip)[1] == []


def test_after_its_rest_one_request_tries_it_and_a_failure_is_another_rest(failing, clock):
    clock.advance(REST_S)
    error, sent = refused(failing, failing.player.playback)
    assert sent == [STATE]
    assert "answers 503" in str(error)
    error, sent = refused(failing, failing.player.playback)
    assert sent == []
    assert error.retry_after_s == REST_S


def test_after_its_rest_an_answer_lets_everything_pass_again(failing, speaker, clock):
    clock.advance(REST_S)
    refused(failing, failing.player.playback)
    clock.advance(REST_S)
    failing.player.play(failing.happy())
    assert speaker.now_playing == failing.happy()
    speaker.fail(times=1)
    refused(failing, failing.player.playback)
    assert failing.sent_by(failing.player.playback) == [STATE]


def test_an_answer_between_failures_begins_the_count_anew(room, speaker):
    for _ in range(FAILURES):
        speaker.fail(times=FAILURES - 1)
        for _ in range(FAILURES - 1):
            refused(room, room.player.playback)
        room.player.playback()


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_an_answer(room, speaker, status):
    speaker.refuse(status, times=FAILURES * 4)
    for _ in range(FAILURES * 2):
        with pytest.raises(MoodifyError) as caught:
            room.sent_by(lambda: room.player.search("happy"))
        assert room.sent
        assert "in a row" not in str(caught.value)


def test_asking_for_fewer_requests_is_an_answer(room, speaker, clock):
    for _ in range(FAILURES * 2):
        speaker.rate_limit_once("1")
        assert refused(room, room.player.playback)[1] == [STATE]
        clock.advance(1)
    room.player.playback()


def test_cut_connections_and_time_outs_are_failures(room, speaker):
    player = room.open(timeout_s=0.1)
    speaker.slow(30)
    for _ in range(FAILURES - 2):
        with pytest.raises(SpeakerUnavailable, match="in time"):
            player.playback()
    # What is cut now is no answer that comes late.
    player._spotify.requests_timeout = 20
    speaker.slow(0)
    speaker.cut_connection(times=2)
    with pytest.raises(SpeakerUnavailable, match="can't be reached"):
        player.playback()
    with pytest.raises(SpeakerUnavailable, match="in a row"):
        room.sent_by(player.playback)
    assert room.sent == []


def test_a_call_that_can_not_work_is_no_failure_of_the_service(room):
    for _ in range(FAILURES * 2):
        with pytest.raises(CannotWork):
            room.player.search("")
    room.player.playback()


@pytest.mark.usefixtures("wrong_on_purpose")
def test_the_sign_in_service_rests_on_its_own(speaker, clock):
    transport = TokenTransport(now_s=clock)
    speaker.fail(times=FAILURES, where=ACCOUNTS)
    for _ in range(FAILURES):
        with pytest.raises(SpeakerUnavailable, match="sign-in service answers 503"):
            transport.request("POST", f"{speaker.accounts_url}{ACCOUNTS}")
    with pytest.raises(SpeakerUnavailable, match="sign-in service has failed"):
        transport.request("POST", f"{speaker.accounts_url}{ACCOUNTS}")
    assert speaker.requests.count(TOKEN) == FAILURES
    transport.close()


def test_while_the_web_api_rests_the_sign_in_is_refreshed_all_the_same(failing):
    sign_in = failing.player._sign_in
    token = sign_in.access_token()
    assert sign_in.renew(token) != token


def test_the_next_look_waits_for_the_end_of_the_rest(failing, clock):
    assert failing.player.next_poll_s(10) == REST_S
    clock.advance(REST_S)
    assert failing.player.next_poll_s(10) == 10


def test_opening_and_closing_are_each_logged_once(failing, clock, caplog):
    caplog.set_level("INFO")
    for _ in range(3):
        refused(failing, failing.player.playback)
    clock.advance(REST_S)
    refused(failing, failing.player.playback)
    clock.advance(REST_S)
    failing.player.playback()
    failing.player.playback()
    assert [record.message for record in caplog.get_records("setup") if "breaker" in record.name] == [f"Spotify has failed {FAILURES} times in a row; it is tried again every 30 s"]
    assert [record.message for record in caplog.records if "breaker" in record.name] == ["Spotify answers again"]


def test_what_is_no_failure_of_the_service_passes_unchanged_and_uncounted(clock):
    breaker = Breaker("Spotify", now_s=clock, failures=1, refusal=SpeakerUnavailable)

    def broken():
        raise KeyError("a mistake of ours")

    for _ in range(3):
        with pytest.raises(KeyError):
            breaker.call(broken)

    def cut():
        raise requests.ConnectionError

    with pytest.raises(requests.ConnectionError):
        breaker.call(cut)
    with pytest.raises(SpeakerUnavailable, match="1 times in a row"):
        breaker.call(cut)
