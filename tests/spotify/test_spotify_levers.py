"""What goes wrong at a home, and what the adapter makes of it: the error, how long to wait, and what was really sent."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest
from spotify_room import Room

from moodify.errors import CannotWork, NotAllowed, SignInNeeded, SpeakerNotFound, SpeakerUnavailable
from moodify.music.spotify.simulated.accounts import LIFETIME_S, SIGN_IN_LASTS_S
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from waiting import wait_until

TOKEN = ("POST", "/api/token")
DEVICES, STATE, PLAY, NEXT, PAUSE = (
    ("GET", "me/player/devices"),
    ("GET", "me/player"),
    ("PUT", "me/player/play"),
    ("POST", "me/player/next"),
    ("PUT", "me/player/pause"),
)


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
    thread.join(timeout=30)
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
    speaker.unrestrict()
    another.play(room.happy(1))
    assert speaker.now_playing == room.happy(1)


def test_a_speaker_that_its_owner_renames_keeps_its_id(room, speaker):
    (before,) = room.player.speakers()
    speaker.rename("Disco")
    (after,) = room.player.speakers()
    assert (after.id, after.name, speaker.name) == (before.id, "Disco", "Disco")


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


def test_without_premium_a_speaker_can_be_seen_but_takes_no_orders(room, speaker):
    speaker.lose_premium()
    assert [one.name for one in room.player.speakers()] == [speaker.name]
    for order in (lambda: room.player.play(room.happy()), room.player.skip, room.player.pause):
        with pytest.raises(NotAllowed, match="Premium"):
            order()
    assert speaker.orders == ()
    speaker.regain_premium()
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()


def test_a_permission_that_is_missing_is_named_and_stands_in_the_way_of_nothing_else(room, speaker):
    speaker.withdraw("user-library-read", "user-top-read", "user-read-recently-played", "playlist-modify-private")
    for read in (room.player.liked, room.player.top, room.player.recent, lambda: room.player.save_playlist("Mine", [room.happy()])):
        with pytest.raises(NotAllowed, match="moodify spotify login"):
            read()
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()
    speaker.give_back("user-top-read")
    assert room.player.top()
    with pytest.raises(NotAllowed):
        room.player.liked()


def test_an_account_that_is_not_listed_in_the_app_is_sent_to_the_dashboard(room, speaker):
    speaker.leave_dashboard()
    for call in (lambda: room.player.search("happy"), room.player.playback, lambda: room.player.play(room.happy())):
        with pytest.raises(NotAllowed, match=r"add the account to the app's users at developer\.spotify\.com"):
            call()
    speaker.join_dashboard()
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


def test_of_two_speakers_with_one_name_the_one_that_plays_is_kept_to(room, speaker):
    twin = speaker.add_device(speaker.name)
    speaker.play_by_hand(room.happy(), device_id=twin)
    player = room.open()
    player.play(room.happy(1))
    assert player.playback().speaker.id == twin
    speaker.new_id()
    assert room.sent_by(player.skip) == [NEXT]
    assert len(player.speakers()) == 2


def test_music_on_another_device_is_seen_and_named(room, speaker):
    phone = speaker.add_device("My phone", kind="Smartphone")
    speaker.play_by_hand(speaker.catalogue.playlist_of("sad").uri, device_id=phone)
    now = room.player.playback()
    assert (now.speaker.name, now.playing, now.context_uri) == ("My phone", True, speaker.catalogue.playlist_of("sad").uri)
    room.player.play(room.happy())
    assert room.player.playback().speaker.name == speaker.name


def test_what_hands_do_at_the_speaker_is_seen(room, speaker):
    room.player.play(speaker.catalogue.playlist_of("happy").uri)
    speaker.skip_by_hand()
    speaker.turn_volume(12)
    now = room.player.playback()
    assert (now.track.uri, now.speaker.volume_percent) == (room.happy(1), 12)
    speaker.pause_by_hand()
    assert not room.player.playback().playing
    assert [order.verb for order in speaker.orders] == ["play"]


def test_a_song_that_was_set_to_repeat_by_hand_begins_again(room, speaker, clock):
    room.player.play(speaker.catalogue.playlist_of("happy").uri)
    speaker.set_modes(repeat="track")
    clock.advance(speaker.catalogue.playlist_of("happy").songs[0].duration_ms / 1000 + 5)
    now = room.player.playback()
    assert (now.track.uri, now.progress_ms) == (room.happy(), 5000)


def test_two_orders_may_be_carried_out_the_wrong_way_round(room, speaker, clock):
    room.player.play(speaker.catalogue.playlist_of("happy").uri)
    speaker.swap_orders()
    room.player.queue(room.happy(5))
    assert [order.verb for order in speaker.orders] == ["play"]
    room.player.skip()
    assert [order.verb for order in speaker.orders] == ["play", "next", "queue"]
    assert room.player.playback().track.uri == room.happy(1)
    speaker.swap_orders()
    room.player.skip()
    assert speaker.now_playing == room.happy(1)
    clock.advance(2)
    assert speaker.now_playing == room.happy(5)


def test_an_order_that_never_arrived_is_not_carried_out_and_a_put_is_sent_once_more(room, speaker):
    room.player.play(room.happy())
    speaker.cut_connection(before=True)
    with pytest.raises(SpeakerUnavailable, match="can't be reached"):
        room.player.skip()
    speaker.cut_connection(before=True)
    assert room.sent_by(lambda: room.player.play(room.happy(1))) == [PLAY, PLAY]
    assert [order.verb for order in speaker.orders] == ["play", "play"]


def test_an_order_that_was_accepted_late_is_lost_where_the_speaker_sleeps_by_then(room, speaker):
    room.player.play(room.happy())
    speaker.accept_late(3)
    with pytest.raises(SpeakerUnavailable):
        room.open(pause=lambda _: speaker.vanish()).play(room.happy(1))
    assert [order.uri for order in speaker.orders] == [room.happy()]


@pytest.mark.parametrize("uri", ["spotify:track:0000000000000000000000", "spotify:playlist:0000000000000000000000"])
def test_what_is_unknown_can_be_neither_played_nor_read(room, speaker, uri):
    for call in (room.player.play, room.player.tracks_of):
        with pytest.raises(CannotWork, match="check the uri"):
            call(uri)
    assert speaker.orders == ()


def test_the_sign_in_ends_six_months_after_the_owner_agreed_however_often_it_was_refreshed(room, speaker, clock):
    clock.advance(SIGN_IN_LASTS_S - 60)
    assert room.sent_by(room.player.playback) == [STATE, TOKEN, STATE]
    clock.advance(LIFETIME_S)
    for sent in ([STATE, TOKEN], [STATE]):
        with pytest.raises(SignInNeeded, match="moodify spotify login"):
            room.sent_by(room.player.playback)
        assert room.sent == sent


def test_what_the_service_has_forgotten_is_played_again_from_where_it_was_seen(room, speaker, clock):
    playlist = speaker.catalogue.playlist_of("happy")
    room.player.play(playlist.uri)
    clock.advance(30)
    room.player.playback()
    room.player.pause()
    speaker.fall_asleep()
    speaker.forget_music()
    room.player.resume()
    now = room.player.playback()
    assert (now.playing, now.track.uri, now.context_uri, now.progress_ms) == (True, playlist.songs[0].uri, playlist.uri, 30_000)


def test_gaps_and_local_files_in_lists_are_left_out(room, speaker, clock):
    room.player.play(speaker.catalogue.playlist_of("happy").uri)
    clock.advance(600)
    heard = room.player.recent()
    whole = [len(read()) for read in (room.player.liked, room.player.top)]
    playlist = speaker.catalogue.playlist_of("calm")
    speaker.leave_gaps()
    assert [len(read()) for read in (room.player.liked, room.player.top)] == [whole[0] - 2, whole[1] - 1]
    assert [track.uri for track in room.player.tracks_of(playlist.uri)] == [song.uri for song in (playlist.songs[0], *playlist.songs[3:])]
    assert len(room.player.search("happy")) == 9
    assert room.player.recent() == (heard[0], *heard[2:])


def test_an_idle_speaker_falls_asleep_by_itself_and_is_woken_by_an_order(clock, conformance):
    with SimulatedSpeaker(clock=clock, tap=conformance, sleeps_after_s=600) as speaker, closing(Room(speaker, clock)) as room:
        playlist = speaker.catalogue.playlist_of("happy")
        room.player.play(playlist.uri)
        clock.advance(sum(song.duration_ms for song in playlist.songs) / 1000 + 599)
        assert len(room.player.speakers()) == 1
        clock.advance(1)
        assert room.player.speakers() == ()
        assert room.player.playback().speaker is None
        room.player.play(room.happy())
        assert speaker.now_playing == room.happy()
    assert conformance is None or conformance.problems == []


def test_a_day_of_simulated_time_needs_a_new_token_for_every_hour_and_no_real_time(clock, conformance):
    begins = datetime(2026, 3, 1, 6, tzinfo=UTC)
    with SimulatedSpeaker(clock=clock, tap=conformance, starts=begins, sleeps_after_s=1200) as speaker, closing(Room(speaker, clock)) as room:
        speaker.set_modes(repeat="context")
        room.player.play(speaker.catalogue.playlist_of("calm").uri)
        for _ in range(24 * 4):
            clock.advance(900)
            assert room.player.playback().playing
        room.player.pause()
        assert speaker.requests.count(TOKEN) == 1 + 24
        clock.advance(1200)
        assert room.player.speakers() == ()
        assert len(room.player.recent()) == 12
    assert clock.waits == []
    assert conformance is None or conformance.problems == []


@pytest.mark.usefixtures("off_the_record")
def test_all_trouble_ends_at_once(room, speaker):
    speaker.fail(times=1000)
    speaker.rate_limit(1000)
    speaker.cut_connection(1000, before=True)
    speaker.cut_connection(1000)
    speaker.slow(1000)
    speaker.recover()
    room.player.play(room.happy())
    assert speaker.now_playing == room.happy()
