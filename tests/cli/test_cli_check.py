"""``moodify check`` and ``moodify config``: each part broken in turn, and what a person is told to do."""

import json
import re
import shutil
import socket
import sqlite3
import tomllib
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from appliance import configure, data_folder, environment_of, moodify
from hub_process import HubDevice, HubProcess, made_hub
from hub_process import enrol as enrol_there
from moodify.cli.main import app
from moodify.cloud import enrolment
from moodify.cloud.certificates import Certificate
from moodify.cloud.identity import load_or_make
from moodify.daemon.kept import LAST_SEEN_KEY, PRIVACY_KEY
from moodify.store.lock import FolderLock
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.system import trust
from moodify.system.crashes import FILE as CRASHES
from moodify.system.crashes import MANY
from moodify.types import Event, EventKind
from tls import make_certificate, tls_server

PARTS = ["configuration", "models", "database", "camera", "speaker", "link", "clock", "disk", "crashes"]


def parts_of(home):
    """Return the exit code, and verdict and message of each part."""
    done = moodify(home, "check")
    assert done.stderr == ""
    return done.returncode, found_in(done.stdout)


def found_in(said):
    lines = [line for line in said.splitlines() if re.match(r"\w", line)]
    return {name: (verdict, message) for name, verdict, message in (re.split(r"\s+", line.rstrip(), maxsplit=2) for line in lines)}


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


@pytest.mark.parametrize(("column", "verdict", "said"), [("merged", "ok", "7 events are told only as part of a longer summary"), ("lost", "degraded", "7 events were never sent")])
def test_what_the_outbox_had_no_room_for_is_told(tmp_path, database, column, verdict, said):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"UPDATE outbox_state SET {column} = 7")
        connection.commit()
    found, message = parts_of(tmp_path)[1]["database"]
    assert (found, said in message) == (verdict, True)


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
    remember(database, PRIVACY_KEY, {"closed": True, "opened_until": None, "origin": "page"})
    assert parts_of(tmp_path)[1]["camera"] == ("ok", "off for privacy, turned on from the page; not opened")


def test_spotify_without_a_sign_in_is_broken(tmp_path):
    configure(tmp_path, '[music]\nspeaker = "spotify"\n[camera]\nsource = "sample"')
    name, message = broken(tmp_path)
    assert (name, "moodify spotify login" in message) == ("speaker", True)


@pytest.fixture
def behind(tmp_path, database, monkeypatch):
    """Runs the command in this process, by a clock that is behind what was seen, and that the network has not set."""
    remember(database, LAST_SEEN_KEY, (datetime.now(UTC) + timedelta(days=400)).isoformat())
    # Most machines' clocks are set from the network, and believed.
    monkeypatch.setattr(trust, "clock_synchronised", lambda: False)
    # This process's logging is other tests' too.
    monkeypatch.setattr("moodify.cli.check.set_up_logging", lambda *_, **__: None)

    def parts():
        given = dict.fromkeys(("STATE_DIRECTORY", "XDG_DATA_HOME", "XDG_CONFIG_HOME")) | environment_of(tmp_path) | {"COLUMNS": "1000"}
        done = CliRunner().invoke(app, ["check"], env=given)
        return done.exit_code, found_in(done.stdout)

    return parts


def test_a_clock_behind_what_was_seen_is_broken(tmp_path, behind):
    configure(tmp_path)
    code, parts = behind()
    assert (code, [name for name, (verdict, _) in parts.items() if verdict == "broken"]) == (1, ["clock"])
    assert "this device last noted the time" in parts["clock"][1]


def broker_of(home):
    return parts_of(home)[1]["link"]


def test_a_broker_that_does_not_answer_is_degraded(tmp_path):
    configure(tmp_path, '[link]\nhost = "127.0.0.1"\nport = 1\ntls = false')
    code, parts = parts_of(tmp_path)
    assert code == 0
    assert parts["link"][0] == "degraded"
    assert "127.0.0.1:1 cannot be reached" in parts["link"][1]


def test_a_link_that_is_off_is_said_to_be(tmp_path):
    configure(tmp_path, "[link]\nenabled = false")
    assert broker_of(tmp_path) == ("ok", "off: link.enabled is false")


def test_where_no_broker_is_named_a_hub_of_its_own_is(tmp_path):
    assert broker_of(tmp_path) == ("ok", "a hub of its own, beside the appliance on loopback, for as long as that runs")


@pytest.fixture
def hub(tmp_path):
    """A hub's port, for a home that is enrolled with it."""
    files = make_certificate(tmp_path / "certificate")
    certificate = Certificate.from_pem(files[0].read_text())
    with tls_server(files) as port:
        enrolment.enrol(data_folder(tmp_path), "127.0.0.1", port, certificate.fingerprint, name="Attic", now=datetime.now(UTC))
        yield port


def test_a_hub_that_answers_with_its_certificate_is_well(tmp_path, hub):
    assert broker_of(tmp_path) == ("ok", f"the hub Attic (127.0.0.1:{hub}) answers with the certificate that this device was enrolled with")


def test_a_hub_that_does_not_let_the_device_in_is_broken_until_it_does(tmp_path, database):
    own = HubDevice(database.parent)
    folder = tmp_path / "hub"
    made_hub(tmp_path, folder)
    with HubProcess(tmp_path, folder) as running:
        port = running.address["mqtt"]["port"]
        certificate = Certificate.from_pem((folder / "certificate.pem").read_text())
        enrolment.enrol(database.parent, "127.0.0.1", port, certificate.fingerprint, now=datetime.now(UTC))
        name, message = broken(tmp_path)
        assert (name, message.startswith(f"the hub 127.0.0.1:{port} does not let this device in")) == ("link", True)
        assert message.endswith(f"there, run: {enrolment.hub_command(own.identity)}")
        enrol_there(folder, own)
        verdict, message = broker_of(tmp_path)
        assert (verdict, message.endswith("; it lets this device in")) == ("ok", True)


@pytest.mark.parametrize(
    ("state", "message", "verdict"), [("ok", "connected", "ok"), ("degraded", "the hub is away", "degraded"), ("broken", "the hub does not let this device in", "broken")]
)
def test_while_it_runs_its_link_is_believed_and_nobody_signs_in_beside_it(tmp_path, database, state, message, verdict):
    load_or_make(database.with_name("device.key"))
    files, said = make_certificate(tmp_path / "certificate"), []
    with Store(database) as store:
        store.record([Event(str(uuid.uuid4()), EventKind.LINK, datetime.now(UTC), {"state": state, "message": message})])
    with tls_server(files, said=said) as port, FolderLock(database.parent):
        enrolment.enrol(database.parent, "127.0.0.1", port, Certificate.from_pem(files[0].read_text()).fingerprint, now=datetime.now(UTC))
        found, text = broker_of(tmp_path)
    assert (found, text.endswith(f"; Moodify runs, and says of its link: {state}: {message}")) == (verdict, True)
    assert said == []


def test_while_it_runs_and_has_said_nothing_of_its_link_that_is_said(tmp_path, hub):
    with FolderLock(data_folder(tmp_path)):
        verdict, message = broker_of(tmp_path)
    assert (verdict, message.endswith("has not said yet whether it is let in")) == ("ok", True)


def test_a_hub_that_has_another_certificate_is_broken(tmp_path):
    files = make_certificate(tmp_path / "certificate")
    with tls_server(make_certificate(tmp_path / "another")) as port:
        made = enrolment.Enrolment("127.0.0.1", port, Certificate.from_pem(files[0].read_text()), "Attic", datetime.now(UTC))
        enrolment.save(data_folder(tmp_path), made)
        name, message = broken(tmp_path)
    assert name == "link"
    assert "not the one that this device was enrolled with" in message


def test_a_hub_whose_certificate_ends_soon_is_degraded(tmp_path):
    files = make_certificate(tmp_path / "certificate", now=datetime.now(UTC) - timedelta(days=3640))
    certificate = Certificate.from_pem(files[0].read_text())
    with tls_server(files) as port:
        enrolment.enrol(data_folder(tmp_path), "127.0.0.1", port, certificate.fingerprint, now=datetime.now(UTC))
        verdict, message = broker_of(tmp_path)
    assert (verdict, f"ends on {certificate.expires:%Y-%m-%d}" in message) == ("degraded", True)


def test_a_hub_that_is_away_is_degraded(tmp_path):
    files = make_certificate(tmp_path / "certificate")
    enrolment.save(data_folder(tmp_path), enrolment.Enrolment("127.0.0.1", 1, Certificate.from_pem(files[0].read_text()), "Attic", datetime.now(UTC)))
    verdict, message = broker_of(tmp_path)
    assert (verdict, message.endswith("summaries wait")) == ("degraded", True)


def test_a_damaged_enrolment_is_broken(tmp_path):
    data_folder(tmp_path).mkdir(parents=True)
    (data_folder(tmp_path) / "hub.json").write_text("{")
    name, message = broken(tmp_path)
    assert (name, "moodify device enroll" in message) == ("link", True)


@pytest.mark.parametrize(("mode", "said"), [(0o600, "signs in with what"), (0o644, "chmod 600")])
def test_a_households_sign_in_is_looked_at_and_not_shown(tmp_path, mode, said):
    file = tmp_path / "sign-in"
    file.write_text("me\nopen sesame\n")
    file.chmod(mode)
    with socket.create_server(("127.0.0.1", 0)) as server:
        configure(tmp_path, f'[link]\nhost = "127.0.0.1"\nport = {server.getsockname()[1]}\ntls = false\nsign_in_file = "{file}"')
        verdict, message = broker_of(tmp_path)
    assert (verdict, said in message) == ("ok" if mode == 0o600 else "broken", True)
    assert "sesame" not in message


def test_a_device_key_that_others_may_read_is_broken(tmp_path, hub):
    key = data_folder(tmp_path) / "device.key"
    load_or_make(key)
    key.chmod(0o644)
    name, message = broken(tmp_path)
    assert (name, "chmod 600" in message) == ("link", True)


def test_where_the_clock_keeps_the_device_from_making_a_token_the_broker_says_so(hub, behind):
    code, parts = behind()
    assert (code, parts["clock"][0], parts["link"][0]) == (1, "broken", "degraded")
    assert parts["clock"][1] in parts["link"][1]


def test_a_full_disk_is_degraded(tmp_path):
    configure(tmp_path, "[system]\nmin_free_mb = 1000000000")
    code, parts = parts_of(tmp_path)
    assert (code, parts["disk"][0]) == (0, "degraded")


@pytest.mark.parametrize(("count", "verdict"), [(0, "ok"), (MANY - 1, "degraded"), (MANY, "broken")])
def test_crashes_are_told_and_how_safe_mode_ends(tmp_path, database, count, verdict):
    (database.parent / CRASHES).write_text(json.dumps({"boot": "this", "on": True, "crashes_s": [1.0] * count, "why": None}))
    found = parts_of(tmp_path)[1]["crashes"]
    assert found[0] == verdict
    assert ("a press on the button" in found[1]) is (verdict == "broken")


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
