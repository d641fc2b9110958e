"""What is read of the owner's music, and the playlists that are saved there."""

import json

import pytest

from moodify.errors import CannotWork, NotAllowed, SpeakerUnavailable
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.scopes import PLAYBACK
from moodify.music.spotify.signin import SignIn
from moodify.music.spotify.tokens import MemoryTokens

LIKED, MAKE = ("GET", "me/tracks"), ("POST", "me/playlists")


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


def test_a_playlist_of_somebody_else_can_be_played_but_not_read(room, speaker):
    strange = speaker.catalogue.stranger_playlist().uri
    assert room.player.tracks_of(strange) == ()
    room.player.play(strange)
    assert room.player.playback().context_uri == strange


def test_a_missing_permission_is_no_empty_playlist(room, speaker):
    speaker.refuse(403, "Insufficient client scope", None)
    with pytest.raises(NotAllowed, match="moodify spotify login"):
        room.player.tracks_of(speaker.catalogue.playlist_of("sad").uri)


def test_a_long_playlist_is_read_in_pages_and_no_further_than_asked(room, speaker):
    playlist = speaker.catalogue.playlist_of("sad")
    assert [track.uri for track in room.player.tracks_of(playlist.uri, limit=5)] == [song.uri for song in playlist.songs[:5]]
    assert len(room.sent_by(lambda: room.player.tracks_of(playlist.uri, limit=500))) == 1
    album, artist = playlist.songs[0].album, playlist.songs[0].album.artist
    assert [track.title for track in room.player.tracks_of(f"spotify:album:{album.id}")] == ["Two Coats, One Hook", "Ferry in the Fog", "Letters I Kept", "November Ground"]
    assert {track.artist for track in room.player.tracks_of(f"spotify:artist:{artist.id}")} == {"Wren Ashdown"}


def uris(tracks):
    return [track.uri for track in tracks]


def lasting(songs):
    return [song.uri for song in songs]


@pytest.fixture
def songs(speaker):
    """More songs than one request may add to a playlist."""
    return [song.uri for song in speaker.catalogue.songs.values()] * 4


@pytest.fixture
def frugal(room, speaker):
    """A player whose owner has agreed to playing only."""
    sign_in = SignIn("client", MemoryTokens(), redirect_port=8888, permissions=PLAYBACK, accounts_url=speaker.accounts_url)
    sign_in.agree_at_once()
    player = SpotifyPlayer(sign_in, speaker=speaker.name, api_url=speaker.api_url)
    yield player
    player.close()


def test_liked_songs_come_newest_first_from_as_many_pages_as_are_needed(room, speaker):
    assert uris(room.player.liked()) == lasting(saved.song for saved in speaker.library.liked)
    assert room.sent_by(room.player.liked) == [LIKED, LIKED]
    assert len(room.player.liked(limit=55)) == 55
    assert room.sent_by(lambda: room.player.liked(limit=50)) == [LIKED]


def test_what_is_heard_most_comes_best_first(room, speaker):
    assert uris(room.player.top(limit=10)) == lasting(speaker.library.top[:10])
    assert room.sent_by(room.player.top) == [("GET", "me/top/tracks")]
    assert uris(room.player.top()) == lasting(speaker.library.top)


def test_what_was_heard_lately_comes_newest_first_and_each_song_once(room, clock):
    for index in (0, 1, 0, 2, 1):
        room.player.play(room.happy(index))
        clock.advance(60)
    room.player.play(room.happy(3))
    assert uris(room.player.recent()) == [room.happy(1), room.happy(2), room.happy(0)]


def test_gaps_and_files_of_the_owners_computer_are_left_out_everywhere(room, speaker):
    playlist = speaker.catalogue.playlist_of("sad")
    speaker.leave_gaps()
    for read, whole in (
        (room.player.liked, len(speaker.library.liked)),
        (room.player.top, len(speaker.library.top)),
        (lambda: room.player.tracks_of(playlist.uri), len(playlist.songs)),
        (lambda: room.player.search("happy"), 10),
    ):
        found = read()
        assert 0 < len(found) < whole
        assert all(track.uri.startswith("spotify:track:") for track in found)


@pytest.mark.parametrize("body", [b'{"items": [null, {"track": null}], "next": "more"}', b'{"items": [], "next": "more"}'])
@pytest.mark.usefixtures("off_the_record")
def test_a_list_that_never_ends_is_read_no_further_than_asked(room, speaker, body):
    speaker.answer_with(body, times=100)
    assert len(room.sent_by(lambda: room.player.liked(limit=1000))) == 20
    assert room.player.liked(limit=1000) == ()


def test_more_than_may_be_read_can_not_work(room):
    for call in (room.player.liked, room.player.top, lambda limit: room.player.tracks_of(room.happy(), limit=limit)):
        for limit in (0, -1, 1001):
            with pytest.raises(CannotWork, match="ask for 1 to 1000"):
                room.sent_by(lambda call=call, limit=limit: call(limit=limit))
            assert room.sent == []
    with pytest.raises(CannotWork, match="ask for 1 to 50"):
        room.player.recent(limit=51)


@pytest.mark.parametrize("read", ["liked", "top", "recent"])
def test_what_the_owner_has_not_agreed_to_says_how_to_agree(frugal, read):
    with pytest.raises(NotAllowed, match="moodify spotify login"):
        getattr(frugal, read)()


def test_a_playlist_is_saved_privately_in_chunks_that_spotify_takes(room, speaker, songs):
    made = room.player.save_playlist("Evening", songs, description="for the\nevening")
    (saved,) = [playlist for playlist in speaker.library.own() if playlist.name == "Evening"]
    assert saved.uri == made
    assert not saved.public
    assert saved.description == "for the evening"
    assert lasting(saved.songs) == songs
    room.player.play(made)
    assert speaker.now_playing == songs[0]


def test_saving_sends_one_request_for_each_hundred_songs(room, songs):
    sent = room.sent_by(lambda: room.player.save_playlist("Evening", tuple(songs[:201])))
    assert [method for method, path in sent if path.endswith("/items")] == ["POST"] * 3
    assert sent[:2] == [("GET", "me/playlists"), MAKE]


def test_a_playlist_can_not_be_saved_where_the_owner_has_not_agreed(frugal, songs, speaker):
    with pytest.raises(NotAllowed, match="save_playlists = true"):
        frugal.save_playlist("Evening", songs)
    assert named(speaker, "Evening") == []


@pytest.mark.parametrize(("name", "chosen"), [("", 1), (" \n", 1), ("x" * 101, 1), ("Evening", 0), ("Evening", 1001)])
def test_what_is_no_playlist_is_not_saved(room, name, chosen):
    with pytest.raises(CannotWork):
        room.sent_by(lambda: room.player.save_playlist(name, [room.happy()] * chosen))
    assert room.sent == []


@pytest.mark.parametrize("uri", ["spotify:album:4aawyAB9vmqN3uQ7FjRGTy", "happy"])
def test_only_tracks_are_saved(room, uri):
    with pytest.raises(CannotWork):
        room.sent_by(lambda: room.player.save_playlist("Evening", [uri]))
    assert room.sent == []


def named(speaker, name):
    return [playlist for playlist in speaker.library.own() if playlist.name == name]


def cut_after(speaker, method, ending, times=1):
    """Cut the connection once the first request that fits is carried out, and for what follows it."""
    judge, done = speaker.tap, []

    def tap(exchange):
        if judge is not None:
            judge(exchange)
        if not done and exchange.request.method == method and exchange.request.path.endswith(ending):
            done.append(exchange)
            speaker.cut_connection(times)

    speaker.tap = tap


def test_an_answer_lost_while_a_playlist_is_made_leaves_one_playlist(room, speaker, songs):
    cut_after(speaker, *MAKE)
    sent = room.sent_by(lambda: room.player.save_playlist("Evening", songs[:5]))
    assert sent[:3] == [("GET", "me/playlists"), MAKE, ("GET", "me/playlists")]
    assert sent.count(MAKE) == 1
    assert [lasting(playlist.songs) for playlist in named(speaker, "Evening")] == [songs[:5]]


def test_an_answer_lost_while_songs_are_added_adds_them_once(room, speaker, songs):
    cut_after(speaker, "POST", "/items")
    sent = room.sent_by(lambda: room.player.save_playlist("Evening", songs[:150]))
    assert [method for method, path in sent if path.endswith("/items")] == ["POST", "GET", "POST"]
    assert lasting(named(speaker, "Evening")[0].songs) == songs[:150]


def test_songs_that_were_not_added_when_the_connection_was_cut_are_added_again(room, speaker, songs):
    speaker.library.make("Evening", description="", public=False)
    judge = speaker.tap

    def tap(exchange):
        if judge is not None:
            judge(exchange)
        if exchange.request.path.endswith("/me/playlists"):
            speaker.cut_connection(before=True)

    speaker.tap = tap
    sent = room.sent_by(lambda: room.player.save_playlist("Evening", songs[:5]))
    assert [method for method, path in sent if path.endswith("/items")][-2:] == ["GET", "POST"]
    assert [lasting(playlist.songs) for playlist in named(speaker, "Evening")] == [songs[:5]]


def test_where_it_stays_unknown_whether_a_playlist_was_made_it_is_said_and_the_next_save_fills_it(room, speaker, songs):
    cut_after(speaker, *MAKE, times=3)
    with pytest.raises(SpeakerUnavailable, match="answer was lost while the playlist 'Evening' was made; save it again"):
        room.player.save_playlist("Evening", songs)
    room.player.save_playlist("Evening", songs)
    assert [lasting(playlist.songs) for playlist in named(speaker, "Evening")] == [songs]


def test_a_service_that_fails_while_songs_are_added_says_how_far_it_came(room, speaker, songs):
    judge = speaker.tap

    def tap(exchange):
        if judge is not None:
            judge(exchange)
        if exchange.request.path.endswith("/items") and exchange.answer.status == 201:
            speaker.rate_limit(600)

    speaker.tap = tap
    with pytest.raises(SpeakerUnavailable, match=r"only the first 100 of its 150 songs .*fewer requests.* remove it") as caught:
        room.player.save_playlist("Evening", songs[:150])
    assert caught.value.retry_after_s == pytest.approx(600, abs=1)


def test_a_playlist_that_can_only_be_filled_in_part_says_so(room, speaker, songs):
    unknown = "spotify:track:0000000000000000000000"
    with pytest.raises(CannotWork, match=r"'Evening' is in your library, only the first 100 of its .* remove it"):
        room.player.save_playlist("Evening", [*songs[:150], unknown])
    assert lasting(named(speaker, "Evening")[0].songs) == songs[:100]


def test_a_full_playlist_of_the_same_name_is_left_alone(room, speaker, songs):
    first = room.player.save_playlist("Evening", songs[:3])
    second = room.player.save_playlist("Evening", songs[3:6])
    assert first != second
    assert [lasting(playlist.songs) for playlist in named(speaker, "Evening")] == [songs[:3], songs[3:6]]
