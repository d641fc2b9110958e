"""What every Player does, whether it is simulated or Spotify itself.

Against Spotify: MOODIFY_SPOTIFY_CLIENT_ID, MOODIFY_SPOTIFY_FOLDER (where `moodify spotify login` keeps the tokens) and
MOODIFY_SPOTIFY_SPEAKER, then `pytest -m network tests/spotify`. It plays music there for about a minute, with some 60 requests,
changes nothing in the owner's library (a playlist could not be deleted again), and puts volume and music back: what played on this
speaker before begins its song anew, for the port knows no places within a song; music on another device stays paused.
"""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from moodify.errors import CannotWork, MoodifyError, NotAllowed, SpeakerUnavailable
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.signin import SignIn
from moodify.music.spotify.tokens import TokenFile
from waiting import wait_until

CREDENTIALS = ("MOODIFY_SPOTIFY_CLIENT_ID", "MOODIFY_SPOTIFY_FOLDER", "MOODIFY_SPOTIFY_SPEAKER")
#: The album that Spotify's own description of this order plays.
ALBUM = "spotify:album:5ht7ItJgpBH7W6vJ5BqpPr"
ANYWHERE = ["simulated", pytest.param("spotify", marks=pytest.mark.network)]


@pytest.fixture(scope="module")
def spotify():
    """The owner's own speaker, left as it was found."""
    missing = [name for name in CREDENTIALS if name not in os.environ]
    if missing:
        pytest.skip(f"network: {', '.join(missing)} not set")
    client_id, folder, name = (os.environ[credential] for credential in CREDENTIALS)
    player = SpotifyPlayer(SignIn(client_id, TokenFile(Path(folder)), redirect_port=8888), speaker=name)
    with player.asked():
        before = player.playback()
        volumes = [speaker.volume_percent for speaker in player.speakers() if speaker.name.casefold() == name.casefold() and speaker.supports_volume]
        yield player
        put_back(player, before, name, volumes)
    player.close()


@pytest.fixture(params=ANYWHERE)
def any_player(request):
    return request.getfixturevalue("player" if request.param == "simulated" else "spotify")


@pytest.fixture
def songs(any_player):
    return any_player.search("happy pop")


@pytest.fixture
def album(request):
    if request.node.callspec.params["any_player"] == "spotify":
        return ALBUM
    return f"spotify:album:{request.getfixturevalue('speaker').catalogue.playlist_of('happy').songs[0].album.id}"


@pytest.fixture
def owners(request, any_player):
    """Reads a list of the owner's; a real sign-in may lack the permission."""

    def read(name, **args):
        try:
            return getattr(any_player, name)(**args)
        except NotAllowed as error:
            if request.node.callspec.params["any_player"] == "simulated":
                raise
            pytest.skip(f"network: {error}")

    return read


def put_back(player, before, name, volumes):
    what = before.context_uri or (before.track.uri if before.track is not None else None)
    # What can't be put back any more (a station, a speaker that has gone since) must not hide what a test found.
    with suppress(MoodifyError):
        for percent in volumes[:1]:
            player.set_volume(percent)
        if before.playing and what is not None and before.speaker is not None and before.speaker.name.casefold() == name.casefold():
            player.play(what)
            return
    player.pause()


def shows(condition):
    """The real state follows an order within seconds; looking once a second spares the quota."""
    wait_until(condition, what="the order's effect", every_s=1.0)


def playing(player, uri):
    now = player.playback()
    return now.playing and now.track is not None and now.track.uri == uri


def started(player, song):
    player.play(song.uri)
    shows(lambda: playing(player, song.uri))


def is_whole(track):
    return track.uri.startswith("spotify:track:") and track.title and track.artist and track.duration_ms > 0


def test_lists_its_speakers_by_name_and_id(any_player):
    assert all(speaker.id and speaker.name for speaker in any_player.speakers())
    assert any_player.speakers()


def test_finds_tracks_with_title_artist_and_length(any_player):
    found = any_player.search("happy", limit=3)
    assert len(found) == 3
    assert all(is_whole(track) for track in found)


@pytest.mark.parametrize("limit", [0, 11, 50])
def test_a_search_for_more_than_ten_or_less_than_one_can_not_work(any_player, limit):
    with pytest.raises(CannotWork, match="1 to 10"):
        any_player.search("happy", limit=limit)


@pytest.mark.parametrize("text", ["", "  "])
def test_a_search_for_nothing_can_not_work(any_player, text):
    with pytest.raises(CannotWork, match="words"):
        any_player.search(text)


def test_plays_a_track_and_tells_what_plays(any_player, songs):
    started(any_player, songs[0])
    now = any_player.playback()
    assert now.track.title == songs[0].title
    assert now.speaker.active
    assert 0 <= now.progress_ms < now.track.duration_ms


def test_plays_an_album_as_a_context_and_goes_on_within_it(any_player, album):
    tracks = any_player.tracks_of(album)
    assert len(tracks) > 1
    any_player.play(album)
    shows(lambda: (now := any_player.playback()).playing and now.context_uri == album)
    first = any_player.playback().track
    any_player.skip()
    shows(lambda: any_player.playback().track not in {first, None})
    assert {first, any_player.playback().track} <= set(tracks)


def test_a_queued_track_comes_after_the_one_that_plays(any_player, songs):
    started(any_player, songs[0])
    any_player.queue(songs[1].uri)
    assert playing(any_player, songs[0].uri)
    any_player.skip()
    shows(lambda: playing(any_player, songs[1].uri))


def test_pausing_and_resuming_twice_is_as_good_as_once(any_player, songs):
    started(any_player, songs[0])
    any_player.pause()
    shows(lambda: not any_player.playback().playing)
    any_player.pause()
    assert not any_player.playback().playing
    any_player.resume()
    shows(lambda: playing(any_player, songs[0].uri))
    any_player.resume()
    assert playing(any_player, songs[0].uri)


def test_the_volume_is_what_was_set(any_player, songs):
    started(any_player, songs[0])
    if not any_player.playback().speaker.supports_volume:
        with pytest.raises(NotAllowed, match="fixed volume"):
            any_player.set_volume(35)
        return
    any_player.set_volume(35)
    shows(lambda: any_player.playback().speaker.volume_percent == 35)


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_volume_beyond_its_range_can_not_work(any_player, percent):
    with pytest.raises(CannotWork, match="0 to 100"):
        any_player.set_volume(percent)


def test_a_track_can_be_read_again_and_its_artist_searched_for(any_player, songs):
    assert any_player.tracks_of(songs[0].uri) == songs[:1]
    assert any(songs[0].artist in track.artist for track in any_player.search(f'artist:"{songs[0].artist}"'))


@pytest.mark.parametrize(("name", "limit"), [("liked", 7), ("top", 7), ("recent", 3)])
def test_the_owners_lists_hold_whole_tracks_and_no_more_than_asked_for(owners, name, limit):
    tracks = owners(name, limit=limit)
    assert len(tracks) <= limit
    assert all(is_whole(track) for track in tracks)
    assert len(set(tracks)) == len(tracks)


@pytest.mark.parametrize("name", ["liked", "top", "recent"])
def test_less_than_one_track_can_not_be_read(any_player, name):
    with pytest.raises(CannotWork, match="1"):
        getattr(any_player, name)(limit=0)


def test_notices_are_sentences_and_the_next_look_is_never_in_the_past(any_player):
    assert all(isinstance(notice, str) and notice for notice in any_player.notices())
    assert any_player.next_poll_s(30.0) > 0
    assert 0 < any_player.next_poll_s(30.0, 3.0) <= any_player.next_poll_s(30.0)


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


# What would leave traces at the real service


def test_a_saved_playlist_is_private_holds_its_tracks_in_order_and_can_be_played(room, speaker):
    songs = room.player.liked(limit=60)
    uri = room.player.save_playlist("Calm evening", [song.uri for song in songs], description="From Moodify")
    assert room.player.tracks_of(uri, limit=100) == songs
    made = next(playlist for playlist in speaker.library.own() if playlist.uri == uri)
    assert (made.name, made.description, made.public) == ("Calm evening", "From Moodify", False)
    room.player.play(uri)
    assert playing(room.player, songs[0].uri)


def test_what_was_heard_lately_comes_newest_first_and_once(room, clock, speaker):
    songs = speaker.catalogue.playlist_of("happy").songs
    for song in (songs[0], songs[1], songs[0]):
        room.player.play(song.uri)
        clock.advance(60)
    room.player.play(songs[2].uri)
    assert [track.uri for track in room.player.recent()] == [songs[0].uri, songs[1].uri]


def test_reading_notices_asks_nobody(room):
    assert room.sent_by(room.player.notices) == []


def test_a_closed_player_refuses_everything(room):
    room.player.close()
    for call in (room.player.playback, room.player.skip, room.player.liked, room.player.speakers):
        with pytest.raises(SpeakerUnavailable, match="closed"):
            call()
