"""After a restart a speaker that sleeps is still known, and can be woken."""

import json
import stat

import pytest
from spotify_room import Room

from moodify.config.model import MusicConfig
from moodify.errors import SpeakerNotFound, SpeakerUnavailable
from moodify.music.spotify.factory import open_player
from moodify.music.spotify.last_speaker import FILE
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker

DEVICES, PLAY = ("GET", "me/player/devices"), ("PUT", "me/player/play")


@pytest.fixture
def speaker(clock, conformance):
    with SimulatedSpeaker(clock=clock, name="Kitchen", tap=conformance) as speaker:
        yield speaker
    assert conformance is None or conformance.problems == []


@pytest.fixture
def restarted(room: Room, tmp_path):
    """Return a player of a new run, in which the speaker was used before."""
    room.open(folder=tmp_path).play(room.happy())
    return lambda **changes: room.open(folder=tmp_path, **changes)


def test_a_speaker_that_fell_asleep_before_the_restart_is_woken(room, speaker, restarted):
    speaker.fall_asleep(wakes_after_s=2)
    restarted().play(room.happy(1))
    assert speaker.now_playing == room.happy(1)


def test_one_that_does_not_wake_is_asleep_and_no_mistake_in_the_configuration(room, speaker, restarted):
    speaker.vanish()
    with pytest.raises(SpeakerUnavailable, match="Kitchen is asleep or off; switch it on"):
        restarted().play(room.happy(1))


def test_one_that_came_back_under_a_new_id_is_found_at_once(room, speaker, restarted):
    speaker.new_id()
    player = restarted()
    assert room.sent_by(lambda: player.play(room.happy(1)))[-2:] == [DEVICES, PLAY]
    assert restarted()._finder.known.id == room.player.speakers()[0].id


def test_without_a_wish_the_speaker_that_is_active_now_goes_before_the_one_of_the_last_run(room, speaker, restarted):
    bath = speaker.add_device("Bath")
    speaker.play_by_hand(room.happy(), device_id=bath)
    player = restarted(speaker=None)
    player.play(room.happy(1))
    assert player.playback().speaker.name == "Bath"


def test_another_speaker_than_the_configured_one_is_not_woken(room, speaker, restarted):
    speaker.vanish()
    with pytest.raises(SpeakerNotFound, match="no speaker 'Cellar'"):
        room.sent_by(lambda: restarted(speaker="Cellar").play(room.happy()))
    assert PLAY not in room.sent


def test_it_is_written_only_where_it_changes_and_is_the_owners_alone(room, speaker, restarted, tmp_path):
    path = tmp_path / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before, player = path.stat().st_ino, restarted()
    player.play(room.happy(1))
    player.playback()
    assert path.stat().st_ino == before
    speaker.new_id()
    player.play(room.happy())
    assert json.loads(path.read_text()) == {"speaker": {"id": player.speakers()[0].id, "name": "Kitchen"}}


def kept(**changes):
    return json.dumps({"speaker": {"id": "abc", "name": "Kitchen"} | changes})


def test_what_these_tests_keep_is_taken(room, tmp_path):
    (tmp_path / FILE).write_text(kept())
    assert room.open(folder=tmp_path)._finder.known.id == "abc"


@pytest.mark.parametrize(
    "content",
    ["{", '{"speaker": "Kitchen"}', kept(id=None), kept(id=""), kept(id="a&b=c"), kept(id="a" * 129), kept(name=7), kept(name=" "), kept(name="a" * 201), kept(name="Kit\nchen")],
)
def test_odd_contents_are_forgotten(room, tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert room.open(folder=tmp_path, speaker=None)._finder.known is None


def test_a_folder_that_can_not_be_written_is_said_once_and_does_no_harm(room, speaker, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    player = room.open(folder=blocked)
    player.play(room.happy())
    player.play(room.happy(1))
    assert speaker.now_playing == room.happy(1)
    assert caplog.text.count("After a restart Kitchen can't be woken") == 1


def test_the_simulated_speaker_of_a_demo_keeps_nothing(tmp_path):
    with open_player(MusicConfig(speaker="simulated"), tmp_path) as opened:
        opened.player.play(opened.simulated.catalogue.playlist_of("happy").uri)
    assert list(tmp_path.iterdir()) == []
