"""What is set on the page lies over the file, and what a listener prefers over that."""

import pytest
from pydantic import ValidationError

from moodify.config import parse
from moodify.config.household import HouseSettings, Wishes, for_listener, laid_over, paths, read_kept

FILE = parse('[music]\nvolume_cap = 70\n[music.moods.happy]\nsearch = "sunny soul"\nuri = "spotify:playlist:1"\n[music.spotify]\nspeaker = "Attic"\ntimeout_s = 3\n', source="test")


def test_what_is_set_on_the_page_holds_and_the_rest_stays_as_the_file_has_it():
    config = laid_over(FILE, HouseSettings(speaker="Kitchen", moods={"happy": "spotify:playlist:2", "sad": "https://open.spotify.com/album/3?si=x"}, goal="calm"))
    music = config.music
    assert (music.spotify.speaker, music.spotify.timeout_s, music.goal, music.volume_cap) == ("Kitchen", 3, "calm", 70)
    assert (music.moods["happy"].uri, music.moods["happy"].search, music.moods["sad"].uri) == ("spotify:playlist:2", "sunny soul", "spotify:album:3")


def test_nothing_set_is_the_file_itself():
    config = laid_over(FILE, HouseSettings())
    assert config == FILE
    assert config.music.model_fields_set == FILE.music.model_fields_set


def test_keys_that_were_set_on_the_page_are_named_as_the_file_writes_them():
    assert paths(HouseSettings(client_id="0" * 32, volume_cap=40, moods={"sad": "spotify:album:3"})) == ("music.spotify.client_id", "music.volume_cap", "music.moods.sad.uri")


def test_what_is_kept_comes_back():
    wanted = HouseSettings(client_id="0" * 32, volume_cap=0, start_when_silent=False, quiet_hours={"start": "22:00", "end": "07:00"}, moods={"sad": "spotify:album:3"})
    assert read_kept(wanted.as_json()) == wanted


def test_one_kept_setting_that_can_not_be_any_more_takes_no_other_with_it(caplog):
    assert read_kept({"volume_cap": 40, "client_id": "short", "unknown": 1}) == HouseSettings(volume_cap=40)
    assert "client_id, unknown; set it anew" in caplog.text
    assert read_kept("odd") == read_kept(None) == HouseSettings()


@pytest.mark.parametrize(("wish", "cap"), [(90, 70), (50, 50), (None, 70)])
def test_a_listener_is_never_louder_than_the_household_allows(wish, cap):
    assert for_listener(FILE, Wishes(volume_cap=wish)).music.volume_cap == cap


def test_a_listeners_cap_holds_at_each_hour():
    text = "[[music.volume_caps]]\nstart = 21:00:00\nend = 08:00:00\nvolume_cap = 35\n[[music.volume_caps]]\nstart = 08:00:00\nend = 09:00:00\nvolume_cap = 90\n"
    file = parse(text, source="test")
    assert [hours.volume_cap for hours in for_listener(file, Wishes(volume_cap=50)).music.volume_caps] == [35, 50]


def test_a_listeners_goal_and_music_come_first_and_their_quiet_hours_never_end_the_households():
    text = '[music]\ngoal = "match"\n[music.quiet_hours]\nstart = 22:00:00\nend = 07:00:00\n[[music.goals]]\nstart = 20:00:00\nend = 22:00:00\ngoal = "calm"\n'
    file = parse(text, source="test")
    music = for_listener(file, Wishes(goal="lift", moods={"sad": "spotify:album:3"}, quiet_hours={"start": "12:00", "end": "13:00"})).music
    assert (music.goal, music.goals, music.moods["sad"].uri) == ("lift", (), "spotify:album:3")
    assert music.quiet_hours == file.music.quiet_hours


def test_a_mood_without_music_and_a_wrong_client_id_are_refused():
    for wrong in ({"moods": {"absent": "spotify:album:3"}}, {"client_id": "0" * 31}, {"speaker": ""}, {"volume_cap": 101}, {"loudness": 3}):
        with pytest.raises(ValidationError):
            HouseSettings.model_validate(wrong)
