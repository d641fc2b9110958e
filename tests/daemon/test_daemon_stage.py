"""What plays is opened anew where the household wants another speaker, and follows its rules where it does not."""

from datetime import UTC, datetime

import pytest
import requests

from moodify.config import parse
from moodify.daemon.household import Household, in_house
from moodify.daemon.kept import Kept
from moodify.daemon.places import DATABASE
from moodify.daemon.snapshot import Facts
from moodify.daemon.stage import Stage
from moodify.music.spotify.services import VARIABLE, Services
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.system.clock import RecordingClock

CLIENT_ID = "0123456789abcdef0123456789abcdef"


class House:
    """A stage over a folder of its own, and a household that may sign in to a simulated Spotify."""

    def __init__(self, folder, spotify, toml):
        prepare(folder / DATABASE)
        self.spotify = spotify
        self.store, self.settings = Store(folder / DATABASE), Settings(folder / DATABASE)
        self.household = Household(parse(toml, source="test"), folder / DATABASE, folder, lambda: None, services=Services(spotify.accounts_url, spotify.api_url))
        kept = Kept(self.store, self.settings, retention_days=365)
        kept.note_sample(taken=True)
        self.kept = kept
        self.stage = Stage(self.household, folder, RecordingClock(datetime(2026, 1, 5, 12, tzinfo=UTC)), kept, self.settings, recording=False)
        self.without_sample = []
        self.stage.without_sample = lambda: self.without_sample.append("no portraits")
        self.band = self.stage.begin(self.stage.open(), Facts("m-test", "1", "", demo=False))

    def sign_in(self):
        link, _ = self.household.begin_sign_in(CLIENT_ID, None)
        self.household.finish(requests.get(link, allow_redirects=False, timeout=30).headers["Location"])

    def close(self):
        self.stage.close()
        self.store.close()
        self.settings.close()


@pytest.fixture
def spotify():
    with SimulatedSpeaker(name="Kitchen") as speaker:
        yield speaker


@pytest.fixture
def house(tmp_path, spotify):
    house = House(tmp_path, spotify, "[music]\nvolume_cap = 70\n")
    yield house
    house.close()


def test_signing_in_lets_the_households_own_speaker_play_and_ends_the_demo(house):
    assert (house.band.facts.demo, house.band.config.music.dwell_s, house.band.facts.speaker) == (True, 4.0, "the simulated speaker")
    house.sign_in()
    band = house.stage.follow()
    assert (band.facts.demo, band.config.music.dwell_s, band.facts.speaker) == (False, 120.0, "Spotify")
    assert [speaker.name for speaker in house.household.speakers()] == ["Kitchen"]
    assert house.stage.band is band
    assert house.stage.follow() is None


def test_portraits_do_not_choose_the_households_own_music(house):
    house.sign_in()
    house.stage.follow()
    assert house.without_sample == ["no portraits"]
    assert house.kept.sample is False


def test_another_speaker_is_another_band_and_the_last_one_is_closed_once_nobody_uses_it(house):
    house.sign_in()
    first = house.stage.follow()
    house.household.change(speaker="Kitchen")
    second = house.stage.follow()
    assert (second.speaker, second.facts.speaker) == ("Kitchen", "Spotify on Kitchen")
    assert second.opened is not first.opened
    second.release_last()
    assert second.opened.player.player.playback().playing is False


def test_other_rules_are_followed_by_the_same_band(house):
    house.household.change(goal="calm", volume_cap=20, moods={"sad": "spotify:album:3"})
    assert house.stage.follow() is None
    assert house.stage.band.config.music.volume_cap == 20
    assert house.stage.band.policy.goal(datetime(2026, 1, 5, 12, tzinfo=UTC).time()) == "calm"
    assert house.stage.band.pool.source("sad").uri == "spotify:album:3"


def test_signing_out_goes_back_to_the_simulated_speaker_and_forgets_what_was_learned_of_nobody(house):
    house.sign_in()
    house.stage.follow()
    house.household.sign_out()
    band = house.stage.follow()
    assert band.opened.player.simulated is not None
    assert house.household.simulated


def test_a_speaker_that_can_not_be_opened_leaves_the_one_that_plays(tmp_path, spotify, caplog):
    house = House(tmp_path, spotify, "")
    try:
        house.sign_in()
        house.stage.follow()
        # From now on it must be Spotify, and nobody is signed in any more.
        house.household._file = parse('[music]\nspeaker = "spotify"\n', source="test")
        house.household.sign_out()
        assert house.stage.follow() is None
        assert "The speaker stays as it is" in caplog.text
    finally:
        house.close()


def test_another_program_sees_what_was_set(tmp_path, house):
    house.household.change(volume_cap=20)
    config, settings = in_house(parse("", source="test"), tmp_path)
    assert (config.music.volume_cap, settings.volume_cap) == (20, 20)
    assert in_house(parse("", source="test"), tmp_path / "nowhere")[0].music.volume_cap == 80


@pytest.mark.parametrize("address", ["https://accounts.example.org", "http://192.168.1.2:80", "http://localhost", "http://127.0.0.1", "file:///tmp", "http://[::1"])
def test_tokens_go_to_no_simulated_service_elsewhere(address):
    from moodify.errors import ConfigError

    with pytest.raises(ConfigError, match="address of this machine"):
        Services.of({VARIABLE: address})


def test_a_simulated_service_on_this_machine_may_stand_in():
    assert Services.of({VARIABLE: "http://127.0.0.1:80/"}) == Services("http://127.0.0.1:80", "http://127.0.0.1:80/v1/")
    assert Services.of({}) == Services("https://accounts.spotify.com", "https://api.spotify.com/v1/")
