"""What is read of the owner's music, and the playlists that are saved there."""

import json

import pytest

from moodify.errors import NotAllowed


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
