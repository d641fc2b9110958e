"""What is kept, as the page reaches it."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue

import pytest

from moodify.config.model import Config
from moodify.daemon.data_places import BACKING_UP
from moodify.daemon.diagnosis import diagnose
from moodify.daemon.erasing import FILE, wanted
from moodify.daemon.household import Household
from moodify.daemon.keeping import RunningKeeping
from moodify.daemon.places import DATABASE
from moodify.daemon.snapshot import Facts
from moodify.errors import PersonMustAct
from moodify.music.port import Requests
from moodify.store.prepare import prepare
from moodify.store.store import Store
from moodify.types import Event, EventKind
from moodify.web.fake import FakeHouse

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
#: What must be in no diagnostics: what lets somebody in, who lives here, what they felt and heard.
NEVER = (
    JWT,
    "hunter2",
    "s3cret",
    "pirate",
    "Grandma",
    "Nightswimming",
    "surprised",
    "/home/ann",
    "37i9dQZF1DXdPec7aLTmlC",
    "broker.ann.example",
    "abcdef0123456789abcdef0123456789",
)


@pytest.fixture
def config():
    return Config.model_validate(
        {
            "link": {"host": "broker.ann.example", "sign_in_file": "/home/ann/pirate/sign-in", "tls": True},
            "music": {"goal": "lift", "spotify": {"client_id": "abcdef0123456789abcdef0123456789"}, "moods": {"happy": {"uri": "spotify:playlist:37i9dQZF1DXdPec7aLTmlC"}}},
            "people": {"Grandma": {"goal": "calm"}},
            "system": {"health_s": 600},
        }
    )


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "state"
    prepare(folder / DATABASE)
    return folder


@pytest.fixture
def queue():
    return SimpleQueue()


@pytest.fixture
def keeping(home, config, queue):
    household = Household(config, home / DATABASE, home, lambda: None)
    return RunningKeeping(home, None, household, lambda: Requests(300, 41, 3, 0.0), queue.put)


@pytest.fixture
def happens(home):
    def record(kind, minutes_ago=5, **data):
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        with Store(home / DATABASE) as store:
            store.record([Event(f"{kind}-{minutes_ago}", kind, at, data)])

    return record


def diagnosis():
    now = FakeHouse().now()
    now["camera"] = {"state": "broken", "message": "can't open /home/ann/pirate/video0"}
    return diagnose(Facts("m-x", "1", "", demo=False), now, health=None, reasons=("password=hunter2",), outbox=None, clock_trusted=True, at=datetime.now(UTC), running_s=60.0)


def test_looking_back_takes_the_owners_readings_for_signs_of_life(keeping, happens):
    happens(EventKind.MOOD, 50, mood="calm", confidence=0.8, valence=0.1, arousal=0.1, people=1)
    # Twice health_s and a minute: 21.
    happens(EventKind.HEALTH, 30)
    happens(EventKind.HEALTH, 10)
    now = datetime.now(UTC)
    seen = keeping.look_back(now - timedelta(hours=1), now, reasons=True)
    [calm] = seen["moods"]
    assert calm["mood"] == "calm"
    assert datetime.fromisoformat(calm["to"]) > now - timedelta(seconds=5)


def test_spotify_is_told_without_whose_it_is(keeping):
    told = keeping.spotify()
    assert (told["state"], told["usable"], told["requests"]) == ("not signed in", False, None)
    assert "abcdef" not in json.dumps(told)


def test_diagnostics_tell_what_went_wrong_and_what_was_set(keeping, happens):
    happens(EventKind.CAMERA, state="broken", message="unplugged")
    happens(EventKind.HEALTH, 7, reasons=[], disk_free_mb=1)
    happens(EventKind.HEALTH, 8, reasons=["Only 3 MB are free"])
    told = json.loads(keeping.diagnostics(diagnosis()))
    assert [(each["kind"], each.get("message"), each.get("reasons")) for each in told["lately"]] == [("camera", "unplugged", None), ("health", None, ["Only 3 MB are free"])]
    assert told["configuration"]["music"]["goal"] == "lift"
    assert told["configuration"]["system"] == {"health_s": 600.0}
    assert told["appliance"]["parts"]["camera"]["state"] == "broken"


def test_diagnostics_hold_no_secret_no_name_no_mood_and_no_song(keeping, happens):
    happens(EventKind.LINK, state="broken", message=f"refused: Authorization: Bearer {JWT}; token={JWT} at mqtts://ann:s3cret@home and /home/ann/pirate/key")
    happens(EventKind.SPEAKER, 6, state="broken", message='{"refresh_token": "hunter2"}')
    happens(EventKind.MOOD, 7, mood="surprised", confidence=0.9, valence=0.1, arousal=0.9, people=1)
    happens(EventKind.DECISION, 8, act="play", mood="surprised", reason="so Nightswimming plays", track=None, order=None)
    content = keeping.diagnostics(diagnosis()).decode()
    assert [never for never in NEVER if never in content] == []
    assert content.count("********") >= 4


def test_a_backup_is_one_and_leaves_nothing_beside(keeping, home):
    (home / "device.key").write_text("s3cret")
    (home / f"{BACKING_UP}cut-off").mkdir()
    out = io.BytesIO()
    keeping.back_up(out)
    with zipfile.ZipFile(out) as file:
        assert set(file.namelist()) == {DATABASE, "moodify.json"}
        assert not json.loads(file.read("moodify.json"))["keys"]
    assert list(home.glob(f"{BACKING_UP}*")) == []


def test_erasing_is_written_down_before_the_run_ends_to_be_started_again(keeping, home, queue):
    keeping.erase()
    assert wanted(home)
    stop = queue.get_nowait()
    assert (stop.again, stop.failed) == (True, False)


def test_erasing_that_can_not_be_written_down_ends_nothing(keeping, home, queue):
    (home / f"{FILE}.new").mkdir()
    with pytest.raises(PersonMustAct, match="moodify erase"):
        keeping.erase()
    assert queue.empty()
    assert not wanted(home)
