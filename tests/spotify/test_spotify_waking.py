"""A speaker that is missing: found by its name, woken, told apart (asleep, gone, renamed), and its music taken up again; all within bounds."""

import json
import logging
import random
import threading
from itertools import pairwise

import pytest
from spotify_network import LoopbackHome, Overheard, unique
from spotify_room import HandClock, Room

from moodify.errors import CannotWork, MoodifyError, SpeakerNotFound, SpeakerUnavailable
from moodify.music.names import nearest, same_speaker
from moodify.music.spotify.adapter import MOST_PAUSE_S, MOST_REQUESTS, SpotifyPlayer
from moodify.music.spotify.radar import SimulatedRadar
from moodify.music.spotify.signin import simulated_sign_in
from moodify.music.spotify.simulated.http import Answer
from moodify.music.spotify.simulated.server import LoopbackServer
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.music.spotify.waking import LISTEN_S, examine
from waiting import wait_until

DEVICES, STATE, PLAY, PAUSE, TRANSFER = (
    ("GET", "me/player/devices"),
    ("GET", "me/player"),
    ("PUT", "me/player/play"),
    ("PUT", "me/player/pause"),
    ("PUT", "me/player"),
)


@pytest.fixture
def speaker(clock, conformance):
    with SimulatedSpeaker(clock=clock, name="Kitchen", tap=conformance) as speaker:
        yield speaker
    assert conformance is None or conformance.problems == []


@pytest.fixture
def radar():
    return SimulatedRadar("Kitchen")


@pytest.fixture
def player(room, radar):
    """A player that can hear the home network."""
    return room.open(radar=radar)


def asked_for(speaker):
    """Return the bodies of the orders to play, through the simulated speaker's tap."""
    bodies, judge = [], speaker.tap

    def tap(exchange):
        if (exchange.request.method, exchange.request.path) == ("PUT", "/v1/me/player/play"):
            bodies.append(json.loads(exchange.request.body or b"{}"))
        if judge is not None:
            judge(exchange)

    speaker.tap = tap
    return bodies


# The name


@pytest.mark.parametrize("name", ["kitchen", " KITCHEN  ", "\uff2bitchen"])
def test_a_speaker_is_found_by_its_name_however_it_is_written(room, speaker, name):
    room.open(speaker=name).play(room.happy())
    assert speaker.now_playing == room.happy()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Küche", "Ku\u0308che", True),
        ("Anna\u2019s room", "anna's  room", True),
        ("Straße", "STRASSE", True),
        ("Kitchen", "Kitchen 2", False),
        ("Kitchen", "Chicken", False),
        ("", "Kitchen", False),
    ],
)
def test_names_are_the_same_where_people_would_say_so(one, other, same):
    assert same_speaker(one, other) is same
    assert same_speaker(other, one) is same


@pytest.mark.parametrize(
    ("name", "others", "near"),
    [
        ("Kitchen", ["Bath", "Kitchen speaker"], "Kitchen speaker"),
        ("Living room", ["Livingroom", "Bath"], "Livingroom"),
        ("Kitchen", ["Bath", "sonos5CAAFD"], None),
        ("Kitchen", ["kitchen"], None),
        ("", ["Bath"], None),
        ("Kitchen", [], None),
    ],
)
def test_a_name_that_is_close_may_be_the_new_one(name, others, near):
    assert nearest(name, others) == near


def test_the_name_that_is_written_just_so_counts_before_one_that_is_alike(room, speaker):
    speaker.add_device("KITCHEN")
    player = room.open()
    player.play(room.happy())
    assert player.playback().speaker.name == "Kitchen"
    assert player.notices() == ()


def test_of_two_speakers_of_one_name_the_one_that_plays_is_taken_and_it_is_said(room, speaker, caplog):
    other = speaker.add_device("Kitchen")
    speaker.play_by_hand(room.happy(), device_id=other)
    room.player.pause()
    assert room.player.playback().speaker.id == other
    assert "2 speakers are called Kitchen" in room.player.notices()[0]
    assert "a name of its own" in caplog.text


def test_of_two_speakers_of_one_name_the_last_used_is_taken_again(room, speaker):
    ids = {speaker.add_device("Kitchen"), room.player.speakers()[0].id}
    room.player.play(room.happy())
    first = room.player.playback().speaker.id
    assert first in ids
    speaker.refuse(404, "Device not found", None)
    room.player.play(room.happy(1))
    assert room.player.playback().speaker.id == first


def test_a_twin_that_takes_no_orders_is_passed_over(room, speaker):
    speaker.add_device("Kitchen")
    speaker.restrict()
    room.player.play(room.happy())
    assert not room.player.playback().speaker.restricted


def test_what_was_said_of_a_speaker_is_over_when_it_is_over(room, speaker, radar, player):
    player.play(room.happy())
    speaker.vanish()
    with pytest.raises(SpeakerUnavailable):
        player.skip()
    assert len(player.notices()) == 1
    speaker.reappear()
    player.play(room.happy(1))
    assert player.notices() == ()


# Awake, asleep, gone, renamed


def test_while_all_is_well_nobody_listens_to_the_network(room, speaker, radar, player):
    player.play(room.happy())
    player.playback()
    player.pause()
    player.resume()
    speaker.new_id()
    player.skip()
    assert radar.listened == 0


def test_a_speaker_that_wakes_up_is_listened_for_no_longer_than_it_takes(room, speaker, radar, player):
    player.play(room.happy())
    speaker.fall_asleep(wakes_after_s=2)
    player.play(room.happy(1))
    assert speaker.now_playing == room.happy(1)
    assert radar.listened == 1
    assert not radar.on


def test_a_speaker_that_is_on_the_network_but_does_not_wake_is_asleep(room, speaker, radar, player, clock):
    player.play(room.happy())
    speaker.vanish()
    with pytest.raises(SpeakerUnavailable, match="Kitchen is on the network, but asleep to Spotify; open Spotify on a phone once and choose Kitchen"):
        room.sent_by(lambda: player.play(room.happy(1)))
    assert room.sent == [PLAY] + [DEVICES] * 6
    assert sum(clock.waits) == 12
    assert not radar.on
    assert "asleep" in player.notices()[0]


def test_a_speaker_that_was_never_seen_but_is_on_the_network_is_asleep_too(room, speaker, radar, player, clock):
    speaker.vanish()
    with pytest.raises(SpeakerUnavailable, match="open Spotify on a phone once and choose Kitchen"):
        room.sent_by(lambda: player.play(room.happy()))
    assert room.sent == [DEVICES]
    assert clock.waits == [3]


@pytest.mark.parametrize(("others", "step"), [(["Bath"], "plug it in and check its Wi-Fi"), ([], "no other speaker is heard.*same network as this device")])
def test_a_speaker_that_is_not_on_the_network_is_gone(room, speaker, radar, player, others, step):
    player.play(room.happy())
    speaker.vanish()
    radar.leave("Kitchen")
    for name in others:
        radar.appear(name)
    with pytest.raises(SpeakerUnavailable, match=f"Kitchen is not on the network.*{step}"):
        player.play(room.happy(1))


def test_a_speaker_that_nobody_ever_knew_is_named_with_those_that_are_there(room, speaker, radar):
    player = room.open(speaker="Cellar", radar=radar)
    with pytest.raises(SpeakerNotFound, match=r"no speaker 'Cellar', neither at Spotify \(there: Kitchen\) nor on the network \(Kitchen\)"):
        player.play(room.happy())


def test_without_a_name_those_on_the_network_are_named_too(room, speaker, radar):
    speaker.vanish()
    with pytest.raises(SpeakerNotFound, match=r"there: none; on the network: Kitchen.*music\.spotify\.speaker"):
        room.open(speaker=None, radar=radar).play(room.happy())


def test_a_speaker_with_a_new_name_is_asked_about_not_played_on(room, speaker, radar, player):
    player.play(room.happy())
    speaker.vanish()
    radar.rename("Kitchen", "Kitchen speaker")
    with pytest.raises(SpeakerNotFound, match='speaker = "Kitchen speaker"'):
        player.play(room.happy(1))


def test_another_speaker_that_was_always_there_is_no_new_name(room, speaker, radar, player):
    speaker.add_device("Kitchen 2")
    player.play(room.happy())
    speaker.vanish()
    radar.leave("Kitchen")
    radar.appear("Kitchen 2")
    with pytest.raises(SpeakerUnavailable, match="Kitchen is not on the network; plug it in"):
        player.play(room.happy(1))


@pytest.mark.usefixtures("off_the_record")
def test_the_same_id_under_another_name_is_the_speaker_renamed_however_different(room, speaker):
    room.player.play(room.happy())
    there = room.player.speakers()[0]
    speaker.refuse(404, "Device not found", None)
    renamed = {"id": there.id, "name": "Disco", "is_active": False, "is_restricted": False, "supports_volume": True, "volume_percent": 50, "type": "Speaker"}
    speaker.answer_with(json.dumps({"devices": [renamed]}).encode())
    with pytest.raises(SpeakerNotFound, match='"Disco"'):
        room.player.skip()


def test_a_deaf_radar_only_says_less(room, speaker, radar, player):
    radar.deafen()
    player.play(room.happy())
    speaker.vanish()
    with pytest.raises(SpeakerUnavailable, match="Kitchen is asleep or off; switch it on"):
        player.play(room.happy(1))


def test_a_speaker_that_stays_missing_is_waited_for_less_and_less_often_and_found_at_once_when_it_is_back(room, speaker, radar, player, clock):
    player.play(room.happy())
    speaker.vanish()
    began_s, waited_at_s, sent = clock(), [], 0
    while clock() < began_s + 3500:
        waits = sum(clock.waits)
        with pytest.raises(SpeakerUnavailable, match="open Spotify on a phone") as caught:
            room.sent_by(lambda: player.play(room.happy(1)))
        assert caught.value.retry_after_s is None
        sent += len(room.sent)
        if sum(clock.waits) - waits > LISTEN_S:
            waited_at_s.append(clock() - began_s)
        clock.advance(30)
    gaps = [later - earlier for earlier, later in pairwise(waited_at_s)]
    assert gaps == sorted(gaps)
    assert 600 <= gaps[-1] <= 660
    assert sent <= 200
    speaker.reappear()
    assert room.sent_by(lambda: player.play(room.happy(1))) == [DEVICES, PLAY]


def test_a_speaker_that_takes_longer_to_wake_is_found_by_the_next_try(room, speaker, radar, player, clock):
    player.play(room.happy())
    speaker.fall_asleep(wakes_after_s=15)
    with pytest.raises(SpeakerUnavailable):
        player.play(room.happy(1))
    clock.advance(5)
    assert room.sent_by(lambda: player.play(room.happy(1))) == [DEVICES, PLAY]
    assert speaker.now_playing == room.happy(1)


def test_each_press_hears_anew_what_is_the_matter(room, speaker, radar, player):
    player.play(room.happy())
    speaker.vanish()
    radar.leave("Kitchen")
    with pytest.raises(SpeakerUnavailable, match="plug it in"):
        player.play(room.happy(1))
    radar.appear("Kitchen")
    with pytest.raises(SpeakerUnavailable, match="open Spotify on a phone"):
        room.sent_by(lambda: player.play(room.happy(1)))
    assert room.sent == [DEVICES]


def test_an_order_that_wakes_nobody_tells_asleep_from_gone_too(room, speaker, radar, player, clock, caplog):
    player.play(room.happy())
    speaker.vanish()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            with pytest.raises(SpeakerUnavailable, match="asleep to Spotify"):
                player.skip()
    assert clock.waits == [3, 3, 3]
    assert caplog.text.count("asleep to Spotify") == 1


def test_pausing_a_speaker_that_is_known_to_be_gone_is_done(room, speaker, player):
    player.play(room.happy())
    speaker.vanish()
    with pytest.raises(SpeakerUnavailable):
        player.skip()
    player.pause()
    assert player.notices()


def test_a_speaker_that_is_listed_but_does_not_know_the_order_is_handed_the_session(room, speaker):
    room.player.play(room.happy())
    speaker.refuse(404, "Device not found", None, times=1)
    speaker.faults.add(lambda: Answer(200, json.dumps({"devices": [device_of(room)]}).encode()), 2, "/v1/me/player/devices")
    speaker.faults.add(lambda: Answer(404, b'{"error": {"status": 404, "message": "Device not found"}}'), 1, "/v1/me/player/play")
    assert room.sent_by(lambda: room.player.play(room.happy(1))) == [PLAY, DEVICES, DEVICES, PLAY, TRANSFER, PLAY]
    assert speaker.now_playing == room.happy(1)


def device_of(room):
    return room.speaker._device.as_object(active=False)


def test_a_speaker_that_takes_no_order_even_then_says_what_to_do(room, speaker):
    room.player.play(room.happy())
    speaker.faults.add(lambda: Answer(404, b'{"error": {"status": 404, "message": "Device not found"}}'), 9, "/v1/me/player/play")
    with pytest.raises(SpeakerUnavailable, match="takes no orders; open Spotify on a phone once and choose Kitchen"):
        room.player.play(room.happy(1))


def test_pausing_a_speaker_that_fell_asleep_is_done(room, speaker, radar, player):
    player.play(room.happy())
    speaker.fall_asleep()
    assert room.sent_by(player.pause) == [PAUSE, DEVICES, STATE]
    assert radar.listened == 0


def test_the_real_network_tells_asleep_from_gone(clock):
    name, other = unique("Kitchen"), unique("Bath")
    home = LoopbackHome()
    radar = Overheard(home.radar)

    def pause(seconds):
        clock.wait(seconds)
        wait_until(lambda: radar.names() & {name, other} == set(home.there), what=lambda: f"{set(home.there)}, but heard {set(radar.names())}")

    with SimulatedSpeaker(clock=clock, name=name) as speaker:
        room = Room(speaker, clock)
        try:
            player = room.open(radar=radar, pause=pause)
            player.play(room.happy())
            speaker.vanish()
            home.appear(name)
            home.appear(other)
            with pytest.raises(SpeakerUnavailable, match="asleep to Spotify"):
                player.play(room.happy(1))
            home.leave(name)
            with pytest.raises(SpeakerUnavailable, match="is not on the network; plug it in"):
                player.play(room.happy(1))
        finally:
            room.close()
            home.close()


def test_closing_ends_the_wait_and_the_listening(room, speaker, radar):
    player = room.open(pause=None, radar=radar)
    player.play(room.happy())
    speaker.vanish()
    ended = []

    def play():
        try:
            player.play(room.happy(1))
        except SpeakerUnavailable as error:
            ended.append(str(error))

    thread = threading.Thread(target=play)
    thread.start()
    wait_until(lambda: radar.on, what="listening")
    player.close()
    thread.join(timeout=30)
    assert ended == ["closed while Kitchen was looked for; start again"]
    assert not radar.on


def test_a_check_finds_a_speaker_that_is_there_without_listening(room, radar, clock):
    assert examine("kitchen", room.player.speakers, radar, pause=clock.wait) is None
    assert examine(None, room.player.speakers, radar, pause=clock.wait) is None
    assert (radar.listened, clock.waits) == (0, [])


def test_a_check_says_of_twins_and_of_a_missing_speaker_what_to_do(room, speaker, radar, clock):
    speaker.add_device("Kitchen")
    assert "2 speakers are called Kitchen" in examine("Kitchen", room.player.speakers, radar, pause=clock.wait)
    with pytest.raises(SpeakerNotFound, match="plug it in, or check music"):
        room.sent_by(lambda: examine("Cellar", room.player.speakers, radar, pause=clock.wait))
    assert room.sent == [DEVICES]
    assert clock.waits == [3]


# Taking the music up again


def test_after_a_sleep_the_song_goes_on_where_it_was_within_its_playlist(room, speaker, clock, caplog):
    playlist = speaker.catalogue.playlist_of("sad").uri
    room.player.play(playlist)
    room.player.skip()
    clock.advance(42)
    room.player.pause()
    song = room.player.playback().track
    clock.advance(600)
    speaker.fall_asleep()
    bodies = asked_for(speaker)
    with caplog.at_level(logging.INFO):
        room.player.resume()
    assert bodies[-1] == {"context_uri": playlist, "offset": {"uri": song.uri}, "position_ms": 42_000}
    now = room.player.playback()
    assert (now.playing, now.track, now.context_uri, now.progress_ms) == (True, song, playlist, 42_000)
    assert f"{song.title} at 0:42 goes on" in room.player.notices()[0]
    assert "0:42" in caplog.text
    speaker.skip_by_hand()
    room.player.playback()
    assert room.player.notices() == ()


def test_a_song_without_a_playlist_goes_on_alone(room, speaker, clock):
    room.player.play(room.happy())
    clock.advance(61)
    room.player.playback()
    speaker.fall_asleep()
    bodies = asked_for(speaker)
    room.player.resume()
    assert bodies[-1] == {"uris": [room.happy()], "position_ms": 61_000}


def test_where_the_pause_was_not_looked_at_the_song_went_on_until_then(room, speaker, clock):
    room.player.play(room.happy())
    clock.advance(10)
    room.player.playback()
    clock.advance(20)
    room.player.pause()
    speaker.fall_asleep()
    bodies = asked_for(speaker)
    room.player.resume()
    assert bodies[-1]["position_ms"] == 30_000


def test_a_song_that_was_queued_into_a_playlist_goes_on_without_it(room, speaker, clock):
    playlist = speaker.catalogue.playlist_of("sad").uri
    room.player.play(playlist)
    room.player.queue(room.happy())
    room.player.skip()
    clock.advance(5)
    room.player.playback()
    speaker.fall_asleep()
    room.player.resume()
    assert speaker.now_playing == room.happy()


def test_a_speaker_that_is_back_but_idle_is_given_its_music_again(room, speaker, clock):
    room.player.play(room.happy())
    clock.advance(30)
    room.player.pause()
    room.player.playback()
    speaker.vanish()
    speaker.reappear()
    assert not room.player.playback().playing
    bodies = asked_for(speaker)
    assert room.sent_by(room.player.resume) == [STATE, PLAY]
    assert bodies == [{"uris": [room.happy()], "position_ms": 30_000}]


def test_music_that_somebody_has_started_since_is_not_put_back(room, speaker, clock):
    room.player.play(room.happy())
    room.player.playback()
    speaker.vanish()
    room.player.playback()
    speaker.reappear()
    speaker.play_by_hand(room.happy(1))
    room.player.resume()
    assert speaker.now_playing == room.happy(1)


def test_a_speaker_that_has_forgotten_its_music_is_told_it_again(room, speaker, clock):
    room.player.play(room.happy())
    clock.advance(7)
    room.player.pause()
    room.player.playback()
    speaker.refuse(403)
    assert room.sent_by(room.player.resume) == [PLAY, STATE, PLAY]
    assert speaker.now_playing == room.happy()


def test_where_nothing_is_remembered_it_says_what_to_do(room, speaker):
    with pytest.raises(CannotWork, match="Kitchen has nothing to go on with; press the button"):
        room.player.resume()


def test_what_played_elsewhere_since_is_not_taken_up_here(room, speaker):
    phone = speaker.add_device("Phone", kind="Smartphone")
    room.player.play(room.happy())
    room.player.playback()
    speaker.play_by_hand(room.happy(1), device_id=phone)
    room.player.playback()
    assert room.player._heard.song is None


def test_a_song_that_can_not_go_on_says_what_to_do(room, speaker, clock):
    room.player.play(room.happy())
    room.player.pause()
    room.player.playback()
    speaker.refuse(403)
    speaker.faults.add(lambda: Answer(403, b'{"error": {"status": 403, "message": "Restriction violated", "reason": "UNKNOWN"}}'), 1, "/v1/me/player/play")
    with pytest.raises(CannotWork, match="press the button for music that fits"):
        room.player.resume()
    assert room.player.notices() == ()


def test_at_the_very_end_of_a_song_it_begins_anew(room, speaker, clock):
    room.player.play(room.happy())
    track = room.player.playback().track
    clock.advance(track.duration_ms / 1000 - 1)
    room.player.playback()
    speaker.fall_asleep()
    bodies = asked_for(speaker)
    room.player.resume()
    assert bodies[-1] == {"uris": [track.uri], "position_ms": 0}


# Bounds


def error(status, message, reason=None):
    return Answer(status, json.dumps({"error": {"status": status, "message": message, **({} if reason is None else {"reason": reason})}}).encode())


def devices(*names, new_id=""):
    listed = [{"id": f"id{name}{new_id}", "name": name, "is_active": False, "is_restricted": name == "Shut", "supports_volume": True, "volume_percent": 30} for name in names]
    return Answer(200, json.dumps({"devices": listed}).encode())


SONG = {"type": "track", "id": "1", "uri": "spotify:track:1", "name": "Song", "artists": [{"name": "A"}], "duration_ms": 200_000}


def state(*, playing, song=SONG):
    there = {"id": "idKitchen", "name": "Kitchen", "is_active": True, "is_restricted": False}
    return Answer(200, json.dumps({"is_playing": playing, "progress_ms": 1000, "item": song, "device": there, "context": {"uri": "spotify:album:2"}}).encode())


REFUSALS = [
    error(404, "Device not found"),
    error(404, "No active device found", "NO_ACTIVE_DEVICE"),
    error(403, "Restriction violated", "UNKNOWN"),
    error(403, "Forbidden", "DEVICE_NOT_CONTROLLABLE"),
    error(400, "Invalid offset"),
    error(500, "Oops"),
    error(429, "API rate limit exceeded"),
]
ANSWERS = {
    "GET /v1/me/player/devices": [
        devices(),
        devices("Bath"),
        devices("Kitchen"),
        devices("Kitchen", new_id="2"),
        devices("Kitchen", "Kitchen", "Bath"),
        devices("Shut"),
        *REFUSALS,
    ],
    "GET /v1/me/player": [Answer(204), state(playing=True), state(playing=False), state(playing=True, song={**SONG, "uri": "spotify:track:3"}), *REFUSALS],
}
ORDERS = [Answer(202), Answer(204), *REFUSALS]
# What keeps a call going: the speaker is not there yet, knows no order, or only accepts.
PROLONGING = {
    "GET /v1/me/player/devices": [devices(), devices(), devices(), devices("Kitchen")],
    "GET /v1/me/player": [state(playing=False), Answer(204)],
    "PUT /v1/me/player/play": [error(404, "Device not found"), error(400, "Invalid offset"), error(403, "Restriction violated", "UNKNOWN"), Answer(202)],
}


@pytest.fixture(scope="module")
def tokens():
    with SimulatedSpeaker() as speaker:
        yield speaker.accounts_url


def calls_of(player):
    return {
        "play": lambda: player.play("spotify:track:1"),
        "context": lambda: player.play("spotify:album:2"),
        "resume": player.resume,
        "pause": player.pause,
        "skip": player.skip,
        "queue": lambda: player.queue("spotify:track:1"),
        "volume": lambda: player.set_volume(20),
        "look": player.playback,
        "list": player.speakers,
    }


class AnyService:
    """Answers by chance; with more patience, more often so that a call goes on."""

    def __init__(self):
        self.chance, self.sent, self.patience = random.Random(4), [], 0.0

    def __call__(self, request):
        what = f"{request.method} {request.path}"
        self.sent.append(what)
        prolong = what in PROLONGING and self.chance.random() < self.patience
        return self.chance.choice(PROLONGING[what] if prolong else ANSWERS.get(what, ORDERS))


def test_whatever_the_service_answers_no_call_sends_or_waits_beyond_its_bounds(tokens):
    service, longest = AnyService(), 0
    server = LoopbackServer(service, name="any-service")
    server.start()
    try:
        for service.patience in [0.3, 0.95, 0.99, 1.0] * 40:
            clock, radar = HandClock(), SimulatedRadar("Bath")
            player = SpotifyPlayer(simulated_sign_in(tokens), speaker="Kitchen", api_url=f"{server.url}/v1/", now_s=clock, pause=clock.wait, radar=radar, requests_per_hour=3600)
            calls = calls_of(player)
            for call in service.chance.choices([*calls, "resume"], k=7):
                service.sent.clear()
                clock.waits.clear()
                try:
                    calls[call]()
                except MoodifyError:
                    # What a 429 or the breaker asks for is over then.
                    clock.advance(60)
                longest = max(longest, len(service.sent))
                assert len(service.sent) <= MOST_REQUESTS, service.sent
                assert sum(clock.waits) <= MOST_PAUSE_S, service.sent
                assert not radar.on
            player.close()
        assert longest > MOST_REQUESTS / 2
    finally:
        server.close()
