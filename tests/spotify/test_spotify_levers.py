"""What goes wrong at a home, and what the adapter makes of it: the error, how long to wait, and what was really sent."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from moodify.errors import CannotWork, NotAllowed, SignInNeeded, SpeakerNotFound, SpeakerUnavailable
from moodify.music.spotify.simulated.levers import ACCOUNTS
from waiting import wait_until

DEVICES, STATE, PLAY, QUEUE, NEXT, PAUSE = (
    ("GET", "me/player/devices"),
    ("GET", "me/player"),
    ("PUT", "me/player/play"),
    ("POST", "me/player/queue"),
    ("POST", "me/player/next"),
    ("PUT", "me/player/pause"),
)
TOKEN = ("POST", "/api/token")


def test_a_sleeping_speaker_is_woken_waited_for_and_played_on(room, speaker, clock):
    room.player.play(room.happy())
    speaker.fall_asleep(wakes_after_s=2)
    sent = room.sent_by(lambda: room.player.play(room.happy(1)))
    assert sent == [PLAY, DEVICES, DEVICES, DEVICES, PLAY]
    assert clock.waits == [1, 2]
    assert speaker.now_playing == room.happy(1)


def test_a_speaker_that_does_not_wake_up_is_waited_for_twelve_seconds_at_most(room, speaker, clock):
    room.player.play(room.happy())
    speaker.vanish()
    with pytest.raises(SpeakerUnavailable, match="switch it on"):
        room.sent_by(lambda: room.player.play(room.happy(1)))
    assert sum(clock.waits) == 12
    assert room.sent == [PLAY] + [DEVICES] * 6
    speaker.reappear()
    room.player.play(room.happy(1))
    assert speaker.now_playing == room.happy(1)


def test_closing_ends_the_wait_for_a_sleeping_speaker(room, speaker):
    player = room.open(pause=None)
    player.play(room.happy())
    speaker.vanish()
    ended = []

    def play():
        try:
            player.play(room.happy(1))
        except SpeakerUnavailable as error:
            ended.append(error)

    thread = threading.Thread(target=play)
    thread.start()
    wait_until(lambda: speaker.requests[-1] == ("GET", "/v1/me/player/devices"), what="a look at the devices")
    player.close()
    thread.join(timeout=10)
    assert len(ended) == 1


def test_a_closed_player_says_so(room):
    room.player.close()
    room.player.close()
    with pytest.raises(SpeakerUnavailable, match="closed"):
        room.player.playback()


@pytest.mark.parametrize(("order", "verb"), [("pause", PAUSE), ("skip", NEXT)])
def test_a_speaker_that_is_back_under_another_id_is_found_by_its_name(room, speaker, order, verb):
    room.player.play(room.happy())
    speaker.new_id()
    assert room.sent_by(getattr(room.player, order)) == [verb, DEVICES, verb]
    assert len(speaker.orders) == 2


def test_the_state_tells_a_new_id_without_another_request(room, speaker):
    room.player.play(room.happy())
    speaker.new_id()
    assert room.sent_by(room.player.playback) == [STATE]
    assert room.sent_by(room.player.pause) == [PAUSE]


def test_a_name_that_nobody_knows_names_those_that_are_there(room):
    with pytest.raises(SpeakerNotFound, match=f"'Cellar'.*there: {room.speaker.name}"):
        room.open(speaker="Cellar").play(room.happy())


def test_without_a_name_the_only_speaker_is_taken_and_described(room):
    player = room.open(speaker=None)
    assert player.description == "Spotify"
    player.play(room.happy())
    assert player.description == f"Spotify on {room.speaker.name}"


def test_without_a_name_and_without_a_speaker_a_person_is_told_what_to_do(room, speaker):
    speaker.vanish()
    with pytest.raises(SpeakerNotFound, match=r"music\.spotify\.speaker"):
        room.open(speaker=None).play(room.happy())


def test_a_restricted_speaker_takes_no_orders(room, speaker):
    room.player.play(room.happy())
    speaker.restrict()
    with pytest.raises(NotAllowed, match="no orders"):
        room.player.pause()
    another = room.open()
    with pytest.raises(NotAllowed, match="no orders"):
        room.sent_by(lambda: another.play(room.happy()))
    assert room.sent == [DEVICES]


def test_a_speaker_with_a_fixed_volume_is_not_asked(room, speaker):
    speaker.fix_volume()
    room.player.play(room.happy())
    with pytest.raises(NotAllowed, match="fixed volume"):
        room.sent_by(lambda: room.player.set_volume(10))
    assert room.sent == []


def test_a_volume_that_has_become_fixed_is_refused(room, speaker):
    room.player.play(room.happy())
    speaker.fix_volume()
    with pytest.raises(NotAllowed, match="fixed volume"):
        room.player.set_volume(10)


@pytest.mark.parametrize("percent", [-1, 101, 1000])
def test_a_volume_beyond_its_range_is_not_sent(room, percent):
    with pytest.raises(CannotWork, match="0 to 100"):
        room.sent_by(lambda: room.player.set_volume(percent))
    assert room.sent == []


def test_what_spotipy_silently_does_not_send_is_an_error(room):
    room.player.play(room.happy())
    with pytest.raises(CannotWork, match="not sent"):
        room.player.set_volume(60.0)


def test_an_accepted_order_is_waited_for(room, speaker, clock):
    room.player.play(room.happy())
    speaker.accept_late(2.5)
    sent = room.sent_by(lambda: room.player.play(room.happy(1)))
    assert sent == [PLAY, STATE, STATE]
    assert clock.waits == [1, 2]
    assert [order.uri for order in speaker.orders] == [room.happy(), room.happy(1)]


def test_an_accepted_order_that_never_shows_is_for_later(room, speaker, clock):
    speaker.accept_late(60)
    with pytest.raises(SpeakerUnavailable, match="did not carry it out") as caught:
        room.player.play(room.happy())
    assert caught.value.retry_after_s == 5
    assert sum(clock.waits) == 5


def test_queueing_or_skipping_in_silence_is_for_later(room, speaker):
    for call in (lambda: room.player.queue(room.happy()), room.player.skip):
        with pytest.raises(SpeakerUnavailable, match="nothing is active"):
            call()
    assert speaker.orders == ()


def test_pausing_in_silence_is_done(room, speaker):
    room.player.pause()
    assert speaker.orders == ()


def test_a_restriction_is_looked_into_once_and_not_repeated(room, speaker):
    room.player.play(room.happy())
    speaker.refuse(403)
    with pytest.raises(CannotWork, match="choose another track"):
        room.sent_by(lambda: room.player.play(room.happy(1)))
    assert room.sent == [PLAY, STATE]
    assert speaker.now_playing == room.happy()


def test_a_restriction_because_it_is_so_already_is_done(room, speaker):
    room.player.play(room.happy())
    speaker.refuse(403)
    assert room.sent_by(lambda: room.player.play(room.happy())) == [PLAY, STATE]


@pytest.mark.parametrize(
    ("message", "reason", "next_step"),
    [
        ("Player command failed: Premium required", "PREMIUM_REQUIRED", "Premium"),
        ("Insufficient client scope", None, "moodify spotify login"),
        ("Player command failed", "REMOTE_CONTROL_DISALLOW", r"music\.spotify\.speaker"),
        ("Active premium subscription required for the owner of the app", None, "Premium"),
    ],
)
def test_what_the_account_may_not_do_says_the_next_step(room, speaker, message, reason, next_step):
    speaker.refuse(403, message, reason)
    with pytest.raises(NotAllowed, match=next_step):
        room.player.playback()


def test_an_account_that_is_not_listed_in_the_app_is_sent_to_the_dashboard(room, speaker):
    speaker.refuse(403, "User not registered in the Developer Dashboard", None)
    with pytest.raises(NotAllowed, match=r"developer\.spotify\.com"):
        room.player.search("happy")


def test_a_playlist_of_somebody_else_can_be_played_but_not_read(room, speaker):
    strange = speaker.catalogue.stranger_playlist().uri
    assert room.player.tracks_of(strange) == ()
    room.player.play(strange)
    assert room.player.playback().context_uri == strange


def test_a_missing_permission_is_no_empty_playlist(room, speaker):
    speaker.refuse(403, "Insufficient client scope", None)
    with pytest.raises(NotAllowed, match="moodify spotify login"):
        room.player.tracks_of(speaker.catalogue.playlist_of("sad").uri)


@pytest.mark.parametrize("reason", [None, "QUOTA_EXCEEDED"])
def test_a_quota_of_fourteen_hours_is_neither_slept_nor_asked_through(room, speaker, clock, reason):
    speaker.rate_limit(14 * 3600, reason)
    with pytest.raises(SpeakerUnavailable, match="quota" if reason else "fewer") as caught:
        room.player.playback()
    assert caught.value.retry_after_s == 14 * 3600
    clock.advance(3600)
    for call in (room.player.playback, room.player.skip, lambda: room.player.play(room.happy())):
        with pytest.raises(SpeakerUnavailable, match="again in 46800 s") as caught:
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
def test_gaps_in_lists_are_left_out(room, speaker):
    song = {"type": "track", "id": "t", "uri": "spotify:track:t", "name": "T", "artists": [{"name": "A"}, None], "duration_ms": 1}
    gaps = [None, {"type": "episode", "id": "e"}, {"type": "track", "id": None, "uri": "spotify:local:x"}]
    speaker.answer_with(json.dumps({"tracks": {"items": [*gaps, song]}}).encode())
    assert [track.title for track in room.player.search("happy")] == ["T"]
    speaker.answer_with(b'{"items": [null, {"item": null}], "next": null}')
    assert room.player.tracks_of(speaker.catalogue.playlist_of("sad").uri) == ()
    speaker.answer_with(b'{"devices": [{"id": null, "name": "No id"}]}')
    assert room.player.speakers() == ()


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


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_accounts_service_does_not_end_the_sign_in(room, speaker, status):
    speaker.expire_access_token()
    speaker.fail(status, where=ACCOUNTS)
    with pytest.raises(SpeakerUnavailable, match=str(status)):
        room.player.playback()
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()


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


def test_several_threads_may_call_and_each_order_is_carried_out_once(room, speaker):
    room.player.play(speaker.catalogue.playlist_of("happy").uri)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: room.player.skip(), range(8)))
    assert [order.verb for order in speaker.orders] == ["play", *["next"] * 8]
    assert speaker.now_playing == room.happy(8)


def test_a_speaker_that_wakes_under_another_id_is_played_on_at_once(room, speaker, clock):
    room.player.play(room.happy())
    speaker.fall_asleep()
    speaker.new_id()
    speaker.wake()
    assert room.sent_by(room.player.resume) == [PLAY, DEVICES, PLAY]
    assert clock.waits == []
    assert speaker.now_playing == room.happy()


def test_resuming_where_nothing_is_active_transfers_to_the_speaker(room, speaker):
    room.player.play(room.happy())
    room.player.pause()
    speaker.refuse(404, "Player command failed: No active device found", "NO_ACTIVE_DEVICE")
    assert room.sent_by(room.player.resume) == [PLAY, ("PUT", "me/player")]
    assert speaker.now_playing == room.happy()


def test_a_long_playlist_is_read_in_pages_and_no_further_than_asked(room, speaker):
    playlist = speaker.catalogue.playlist_of("sad")
    assert [track.uri for track in room.player.tracks_of(playlist.uri, limit=5)] == [song.uri for song in playlist.songs[:5]]
    assert len(room.sent_by(lambda: room.player.tracks_of(playlist.uri, limit=500))) == 1
    album, artist = playlist.songs[0].album, playlist.songs[0].album.artist
    assert [track.title for track in room.player.tracks_of(f"spotify:album:{album.id}")] == ["Two Coats, One Hook", "Ferry in the Fog", "Letters I Kept", "November Ground"]
    assert {track.artist for track in room.player.tracks_of(f"spotify:artist:{artist.id}")} == {"Wren Ashdown"}
