"""What every Player does, whether it is simulated or Spotify itself.

Against Spotify: MOODIFY_SPOTIFY_CLIENT_ID, MOODIFY_SPOTIFY_FOLDER (where `moodify spotify login` keeps the tokens) and
MOODIFY_SPOTIFY_SPEAKER. It plays music there.
"""

import os
from pathlib import Path

import pytest

from moodify.errors import CannotWork
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.signin import SignIn
from moodify.music.spotify.tokens import TokenFile
from waiting import wait_until

CREDENTIALS = ("MOODIFY_SPOTIFY_CLIENT_ID", "MOODIFY_SPOTIFY_FOLDER", "MOODIFY_SPOTIFY_SPEAKER")


@pytest.fixture(params=["simulated", pytest.param("spotify", marks=pytest.mark.network)])
def any_player(request):
    if request.param == "simulated":
        yield request.getfixturevalue("player")
        return
    missing = [name for name in CREDENTIALS if name not in os.environ]
    if missing:
        pytest.skip(f"network: {', '.join(missing)} not set")
    client_id, folder, speaker = (os.environ[name] for name in CREDENTIALS)
    player = SpotifyPlayer(SignIn(client_id, TokenFile(Path(folder)), redirect_port=8888), speaker=speaker)
    yield player
    player.pause()
    player.close()


@pytest.fixture
def songs(any_player):
    return any_player.search("happy pop")


def shows(condition):
    """The real state follows an order within seconds; looking once a second spares the quota."""
    wait_until(condition, what="the order's effect", every_s=1.0)


def playing(player, uri):
    now = player.playback()
    return now.playing and now.track is not None and now.track.uri == uri


def test_lists_its_speakers_by_name_and_id(any_player):
    assert all(speaker.id and speaker.name for speaker in any_player.speakers())
    assert any_player.speakers()


def test_finds_tracks_with_title_artist_and_length(any_player):
    found = any_player.search("happy", limit=3)
    assert len(found) == 3
    assert all(track.uri.startswith("spotify:track:") and track.title and track.artist and track.duration_ms > 0 for track in found)


@pytest.mark.parametrize("limit", [0, 11, 50])
def test_a_search_for_more_than_ten_or_less_than_one_can_not_work(any_player, limit):
    with pytest.raises(CannotWork, match="1 to 10"):
        any_player.search("happy", limit=limit)


def test_plays_a_track_and_tells_what_plays(any_player, songs):
    any_player.play(songs[0].uri)
    shows(lambda: playing(any_player, songs[0].uri))
    now = any_player.playback()
    assert now.track.title == songs[0].title
    assert now.speaker.active


def test_a_queued_track_comes_after_the_one_that_plays(any_player, songs):
    any_player.play(songs[0].uri)
    shows(lambda: playing(any_player, songs[0].uri))
    any_player.queue(songs[1].uri)
    assert playing(any_player, songs[0].uri)
    any_player.skip()
    shows(lambda: playing(any_player, songs[1].uri))


def test_pausing_and_resuming_twice_is_as_good_as_once(any_player, songs):
    any_player.play(songs[0].uri)
    shows(lambda: playing(any_player, songs[0].uri))
    any_player.pause()
    shows(lambda: not any_player.playback().playing)
    any_player.pause()
    assert not any_player.playback().playing
    any_player.resume()
    shows(lambda: playing(any_player, songs[0].uri))
    any_player.resume()
    assert playing(any_player, songs[0].uri)


def test_the_volume_is_what_was_set(any_player, songs):
    any_player.play(songs[0].uri)
    shows(lambda: playing(any_player, songs[0].uri))
    any_player.set_volume(35)
    shows(lambda: any_player.playback().speaker.volume_percent == 35)


def test_a_track_can_be_read_again_and_its_artist_searched_for(any_player, songs):
    assert any_player.tracks_of(songs[0].uri) == songs[:1]
    assert any(songs[0].artist in track.artist for track in any_player.search(f'artist:"{songs[0].artist}"'))


@pytest.mark.parametrize(
    "uri", ["", "happy", "https://open.spotify.com/track/6rqhFgbbKwnb9MLmUQDhG6", "spotify:episode:6rqhFgbbKwnb9MLmUQDhG6", "spotify:track:", "spotify:track:../me"]
)
def test_what_is_no_uri_can_not_be_played_queued_or_read(any_player, uri):
    for call in (any_player.play, any_player.queue, any_player.tracks_of):
        with pytest.raises(CannotWork, match="uri"):
            call(uri)


def test_something_unknown_can_not_be_read(any_player):
    with pytest.raises(CannotWork):
        any_player.tracks_of("spotify:track:0000000000000000000000")
