"""The traps of spotipy 2.26.0 and of Spotify's answers, one by one: what is sent, and the error that comes out."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from moodify.errors import CannotWork, NotAllowed, SignInNeeded, SpeakerUnavailable
from moodify.music.spotify.signin import simulated_sign_in
from moodify.music.spotify.simulated.levers import ACCOUNTS
from moodify.types import Playback
from tls import make_certificate, tls_server

STATE, PLAY, QUEUE, NEXT = ("GET", "me/player"), ("PUT", "me/player/play"), ("POST", "me/player/queue"), ("POST", "me/player/next")
TOKEN = ("POST", "/api/token")


def test_what_spotipy_silently_does_not_send_is_an_error(room):
    room.player.play(room.happy())
    with pytest.raises(CannotWork, match="not sent"):
        room.player.set_volume(60.0)


@pytest.mark.parametrize("reason", [None, "QUOTA_EXCEEDED"])
def test_a_quota_of_fourteen_hours_is_neither_slept_nor_asked_through(room, speaker, clock, reason):
    speaker.rate_limit(14 * 3600, reason)
    with pytest.raises(SpeakerUnavailable, match="quota" if reason else "fewer") as caught:
        room.player.playback()
    assert caught.value.retry_after_s == 14 * 3600
    clock.advance(3600)
    for call in (room.player.playback, room.player.skip, lambda: room.player.play(room.happy())):
        with pytest.raises(SpeakerUnavailable, match=r"until \d\d:\d\d.* \(in 13 h\)") as caught:
            room.sent_by(call)
        assert room.sent == []
        assert caught.value.retry_after_s == 13 * 3600
    assert clock.waits == []
    clock.advance(13 * 3600)
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("0", 0), ("1.5", 1.5), (None, 30), ("soon", 30), ("-3", 0), ("nan", 30), ("inf", 30), ("1e12", 86_400)])
def test_each_kind_of_retry_after_gives_a_sensible_wait(room, speaker, header, seconds):
    speaker.rate_limit_once(header)
    with pytest.raises(SpeakerUnavailable) as caught:
        room.player.playback()
    assert caught.value.retry_after_s == seconds


def test_a_retry_after_may_be_a_date(room, speaker):
    speaker.rate_limit_once(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    with pytest.raises(SpeakerUnavailable) as caught:
        room.player.playback()
    assert 3500 < caught.value.retry_after_s <= 3600


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failing_service_is_for_later_and_asked_once(room, speaker, status):
    speaker.fail(status)
    with pytest.raises(SpeakerUnavailable, match=str(status)):
        room.sent_by(room.player.playback)
    assert room.sent == [STATE]


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize("call", ["playback", "pause"])
def test_a_web_page_in_place_of_an_answer_is_no_answer(room, speaker, call):
    room.player.play(room.happy())
    speaker.html()
    with pytest.raises(SpeakerUnavailable, match="login page"):
        getattr(room.player, call)()


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize(("status", "kind"), [(400, CannotWork), (403, NotAllowed), (404, CannotWork), (500, SpeakerUnavailable)])
def test_an_error_that_is_a_bare_text_is_still_understood(room, speaker, status, kind):
    speaker.string_error(status)
    with pytest.raises(kind):
        room.player.search("happy")


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b'{"devices": 3}',
        b'{"devices": [7]}',
        b'{"devices": [{"id": "x"}]}',
        b'{"is_playing": true, "item": {"id": "x"}}',
        b'{"tracks": null}',
        b"\xff\xfe",
    ],
)
def test_an_answer_of_any_other_shape_is_for_later(room, speaker, body):
    for call in (room.player.speakers, lambda: room.player.search("happy"), lambda: room.player.tracks_of(speaker.catalogue.playlist_of("sad").uri)):
        speaker.answer_with(body)
        with pytest.raises(SpeakerUnavailable):
            call()


@pytest.mark.usefixtures("off_the_record")
def test_an_order_that_somebody_else_says_is_done_is_for_later(room, speaker):
    room.player.play(room.happy())
    for call in (lambda: room.player.play(room.happy(1)), room.player.resume):
        speaker.pause_by_hand()
        speaker.answer_with(b'{"devices": 7, "item": []}', times=2)
        with pytest.raises(SpeakerUnavailable, match="something unexpected"):
            call()
    assert [order.uri for order in speaker.orders if order.verb == "play"] == [room.happy()]


@pytest.mark.usefixtures("off_the_record")
def test_an_order_that_is_done_with_words_costs_one_look(room, speaker, clock):
    room.player.play(room.happy())
    speaker.answer_with(b'"done"')
    sent = room.sent_by(lambda: room.player.play(room.happy()))
    assert (sent, clock.waits) == ([PLAY, STATE], [1])


@pytest.mark.parametrize("verb", ["skip", "queue"])
def test_a_post_whose_answer_is_lost_is_not_sent_again(room, speaker, verb):
    room.player.play(room.happy())
    speaker.cut_connection()
    with pytest.raises(SpeakerUnavailable, match="can't be reached"):
        room.sent_by(room.player.skip if verb == "skip" else lambda: room.player.queue(room.happy(1)))
    assert room.sent == [NEXT if verb == "skip" else QUEUE]
    assert len(speaker.orders) == 2


def test_a_get_or_put_whose_answer_is_lost_is_sent_once_more(room, speaker):
    room.player.play(room.happy())
    speaker.cut_connection()
    assert room.sent_by(room.player.playback) == [STATE, STATE]
    speaker.cut_connection()
    assert room.sent_by(lambda: room.player.play(room.happy(1))) == [PLAY, PLAY]
    speaker.cut_connection(times=2)
    with pytest.raises(SpeakerUnavailable, match="can't be reached"):
        room.sent_by(room.player.playback)
    assert room.sent == [STATE, STATE]


def test_a_slow_service_is_given_up_after_the_time_out_and_not_asked_again(room, speaker):
    player = room.open(timeout_s=0.2)
    speaker.slow(30)
    with pytest.raises(SpeakerUnavailable, match="in time"):
        player.playback()
    speaker.slow(0)


def test_a_service_that_is_gone_is_for_later(room, speaker):
    speaker.close()
    with pytest.raises(SpeakerUnavailable, match="check the network"):
        room.player.playback()


def test_a_token_that_runs_out_in_mid_session_is_refreshed_and_the_order_given_once(room, speaker):
    room.player.play(room.happy())
    speaker.expire_access_token()
    assert room.sent_by(room.player.skip) == [NEXT, TOKEN, NEXT]
    assert [order.verb for order in speaker.orders] == ["play", "next"]


def test_refreshing_works_again_and_again_because_the_newest_refresh_token_is_kept(room, speaker):
    for _ in range(3):
        speaker.expire_access_token()
        assert room.sent_by(room.player.playback) == [STATE, TOKEN, STATE]


def test_the_end_of_the_sign_in_is_told_with_the_next_step_and_not_asked_again(room, speaker):
    speaker.end_sign_in()
    for sent in ([STATE, TOKEN], [STATE]):
        with pytest.raises(SignInNeeded, match="moodify spotify login"):
            room.sent_by(room.player.playback)
        assert room.sent == sent


@pytest.mark.usefixtures("off_the_record")
def test_a_401_that_a_new_token_does_not_cure_is_not_chased(room, speaker):
    speaker.refuse(401, "Invalid access token", None, times=10)
    with pytest.raises(SignInNeeded):
        room.sent_by(room.player.playback)
    assert room.sent == [STATE, TOKEN, STATE]


@pytest.mark.usefixtures("off_the_record")
@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_accounts_service_does_not_end_the_sign_in(room, speaker, status):
    speaker.expire_access_token()
    speaker.fail(status, where=ACCOUNTS)
    with pytest.raises(SpeakerUnavailable, match=str(status)):
        room.player.playback()
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()


@pytest.mark.usefixtures("off_the_record")
def test_an_accounts_service_that_asks_for_peace_is_left_in_peace(room, speaker, clock):
    speaker.expire_access_token()
    speaker.fail(429, where=ACCOUNTS)
    with pytest.raises(SpeakerUnavailable) as caught:
        room.player.playback()
    assert caught.value.retry_after_s == 30
    with pytest.raises(SpeakerUnavailable):
        room.sent_by(room.player.playback)
    assert TOKEN not in room.sent
    clock.advance(60)


def test_what_stands_in_the_environment_changes_nothing(room, speaker, monkeypatch):
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()


def test_nothing_active_is_an_answer(room):
    assert room.sent_by(room.player.playback) == [STATE]
    assert room.player.playback() == Playback(playing=False)


def test_a_token_request_has_a_time_out_too(speaker):
    sign_in = simulated_sign_in(speaker.accounts_url)
    token = sign_in.access_token()
    sign_in.requests_timeout = 0.2
    speaker.slow(30)
    with pytest.raises(SpeakerUnavailable, match="in time"):
        sign_in.renew(token)
    speaker.slow(0)
    sign_in.close()


@pytest.mark.usefixtures("off_the_record")
def test_a_sign_in_that_was_refused_for_good_is_not_taken_for_a_service_that_fails(speaker):
    sign_in = simulated_sign_in(speaker.accounts_url)
    token = sign_in.access_token()
    speaker.fail(503, where=ACCOUNTS)
    with pytest.raises(SpeakerUnavailable, match="503"):
        sign_in.renew(token)
    speaker.end_sign_in()
    with pytest.raises(SignInNeeded, match="moodify spotify login"):
        sign_in.renew(token)
    sign_in.close()


@pytest.mark.parametrize(
    ("made", "names", "words"),
    [
        (datetime.now(UTC) + timedelta(days=1000), ("localhost",), "certificate is not good yet by this device's clock"),
        (datetime.now(UTC) - timedelta(days=365 * 20), ("localhost",), "certificate has expired by this device's clock"),
        (datetime.now(UTC), ("elsewhere.example",), "something on the way answers in Spotify's place"),
    ],
    ids=["a clock that is behind", "a clock that is ahead", "a stranger"],
)
def test_a_certificate_that_is_not_good_is_said_by_what_is_wrong_with_it(room, tmp_path, made, names, words):
    files = make_certificate(tmp_path, names=names, now=made)
    with tls_server(files) as port:
        player = room.open(api_url=f"https://localhost:{port}/v1/")
        player._transport.verify = str(files[0])
        with pytest.raises(SpeakerUnavailable, match=words):
            player.playback()
