"""``moodify check`` and ``moodify config``: each part broken in turn, and what a person is told to do."""

import re
import shutil
import sqlite3
import tomllib
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from appliance import configure, data_folder, moodify
from moodify.daemon.kept import LAST_SEEN_KEY, PRIVACY_KEY
from moodify.store.prepare import prepare
from moodify.store.settings import Settings

PARTS = ["configuration", "models", "database", "camera", "speaker", "broker", "clock", "disk"]


def parts_of(home):
    """Return the exit code, and verdict and message of each part."""
    done = moodify(home, "check")
    assert done.stderr == ""
    lines = [line for line in done.stdout.splitlines() if re.match(r"\w", line)]
    found = {name: (verdict, message) for name, verdict, message in (re.split(r"\s+", line.rstrip(), maxsplit=2) for line in lines)}
    return done.returncode, found


def broken(home):
    """Return the one part that is broken, and its message."""
    code, parts = parts_of(home)
    assert code == 1
    ((name, message),) = ((name, message) for name, (verdict, message) in parts.items() if verdict == "broken")
    return name, message


@pytest.fixture
def database(tmp_path):
    """A prepared database."""
    path = data_folder(tmp_path) / "moodify.db"
    prepare(path)
    return path


def remember(path, key, value):
    with Settings(path) as settings:
        settings.put(key, value)


def test_a_fresh_home_has_nothing_broken_and_stays_empty(tmp_path):
    code, parts = parts_of(tmp_path)
    assert (code, list(parts)) == (0, PARTS)
    assert {verdict for verdict, _ in parts.values()} <= {"ok", "degraded"}
    assert list(tmp_path.iterdir()) == []


def test_mistakes_in_the_configuration_are_all_told(tmp_path):
    configure(tmp_path, '[camera]\nsorce = "usb"\nface_fps = -1')
    done = moodify(tmp_path, "check")
    assert done.returncode == 1
    assert "2 mistakes" in done.stdout
    assert "did you mean source?" in done.stdout


def test_a_missing_model_is_broken(tmp_path):
    configure(tmp_path, f'[vision]\nmodels = "{tmp_path}"')
    name, message = broken(tmp_path)
    assert name == "models"
    assert "unset vision.models" in message


def test_a_model_that_was_altered_is_broken(tmp_path, project_root):
    models = tmp_path / "models"
    shutil.copytree(project_root / "models", models, ignore=shutil.ignore_patterns("recipe", ".work", "*.py"))
    model = bytearray((models / "emotion.tflite").read_bytes())
    model[len(model) // 2] ^= 1
    (models / "emotion.tflite").write_bytes(model)
    configure(tmp_path, f'[vision]\nmodels = "{models}"')
    name, message = broken(tmp_path)
    assert (name, "emotion.tflite" in message) == ("models", True)


def test_a_damaged_database_is_broken_and_the_camera_is_not_opened(tmp_path, database):
    database.write_bytes(b"not a database" * 1000)
    name, message = broken(tmp_path)
    assert (name, "sets it aside" in message) == ("database", True)
    assert parts_of(tmp_path)[1]["camera"][1].startswith("not opened")


def test_a_newer_database_is_broken(tmp_path, database):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 999")
    name, message = broken(tmp_path)
    assert (name, "install that again" in message) == ("database", True)


def test_a_folder_in_the_databases_place_is_broken(tmp_path):
    (data_folder(tmp_path) / "moodify.db").mkdir(parents=True)
    name, message = broken(tmp_path)
    assert (name, "move it away" in message) == ("database", True)


def test_a_data_folder_that_cannot_be_made_is_broken(tmp_path):
    (tmp_path / "file").write_text("")
    configure(tmp_path, f'[store]\nfolder = "{tmp_path}/file/data"')
    name, message = broken(tmp_path)
    assert (name, "set store.folder" in message) == ("database", True)


@pytest.mark.parametrize(("source", "said"), [("usb:63", "USB"), ("/nowhere/clip.mp4", "check the path"), ("frontdoor", "choose")])
def test_a_camera_that_is_not_there_is_broken(tmp_path, source, said):
    configure(tmp_path, f'[camera]\nsource = "{source}"')
    name, message = broken(tmp_path)
    assert (name, said in message) == ("camera", True)


def test_privacy_keeps_check_from_opening_the_camera(tmp_path, database):
    configure(tmp_path, '[camera]\nsource = "/nowhere"')
    remember(database, PRIVACY_KEY, True)
    assert parts_of(tmp_path)[1]["camera"] == ("ok", "off for privacy; not opened")


def test_spotify_without_a_sign_in_is_broken(tmp_path):
    configure(tmp_path, '[music]\nspeaker = "spotify"\n[camera]\nsource = "sample"')
    name, message = broken(tmp_path)
    assert (name, "moodify spotify login" in message) == ("speaker", True)


def test_a_clock_behind_what_was_seen_is_broken(tmp_path, database):
    remember(database, LAST_SEEN_KEY, (datetime.now(UTC) + timedelta(days=400)).isoformat())
    name, message = broken(tmp_path)
    assert (name, bool(message)) == ("clock", True)


def test_a_broker_that_does_not_answer_is_degraded(tmp_path):
    configure(tmp_path, '[link]\nhost = "127.0.0.1"\nport = 1\ntls = false')
    code, parts = parts_of(tmp_path)
    assert code == 0
    assert parts["broker"][0] == "degraded"
    assert "127.0.0.1:1 does not answer" in parts["broker"][1]


def test_a_full_disk_is_degraded(tmp_path):
    configure(tmp_path, "[system]\nmin_free_mb = 1000000000")
    code, parts = parts_of(tmp_path)
    assert (code, parts["disk"][0]) == (0, "degraded")


def test_config_prints_what_holds_and_can_be_read_back(tmp_path):
    configure(tmp_path, '[link]\nhost = "broker.home"\nsign_in_file = "~/sign-in"')
    done = moodify(tmp_path, "config")
    assert (done.returncode, done.stderr) == (0, "")
    link = tomllib.loads(done.stdout)["link"]
    assert (link["host"], link["sign_in_file"]) == ("broker.home", str(tmp_path / "sign-in"))


def test_config_annotated_is_the_file_that_ships(tmp_path, project_root):
    done = moodify(tmp_path, "config", "--annotated")
    assert (done.returncode, done.stdout) == (0, (project_root / "firmware_config" / "moodify.toml").read_text("utf-8"))


@pytest.mark.parametrize("command", [("config",), ("run",), ("scan", "x.png")])
def test_every_command_tells_all_mistakes_of_the_configuration(tmp_path, command):
    file = configure(tmp_path, '[musik]\n[camera]\nface_fps = "fast"\n[link]\npassword = "correct horse"')
    done = moodify(tmp_path, *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"moodify: {file}: 3 mistakes\n")
    assert "did you mean music?" in done.stderr
    assert "correct horse" not in done.stderr


def test_a_named_configuration_must_exist(tmp_path):
    done = moodify(tmp_path, "config", "--config", "elsewhere.toml")
    assert done.returncode == 2
    assert "elsewhere.toml" in done.stderr
    assert "there is no such file" in done.stderr
