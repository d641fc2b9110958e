"""``moodify hub`` without a hub that runs: what each command says and leaves."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from appliance import environment_of, moodify
from hub_process import HubDevice, enrol, made_hub
from moodify.cloud.keys import line_of
from moodify.hub.certificate import fingerprint
from moodify.hub.database import open_database
from summaries import summary
from terminals import typed


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "hub"


@pytest.fixture
def made(tmp_path, folder):
    made_hub(tmp_path, folder)
    return folder


@pytest.fixture
def device(tmp_path):
    return HubDevice(tmp_path / "device")


def hub(home, command, *arguments, **options):
    return moodify(home, "hub", command, *arguments, **options)


def key_of(device):
    return line_of(device.identity.key.public_key())


def content_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_init_makes_a_private_hub_shows_its_token_once_and_changes_nothing_the_second_time(tmp_path):
    first = hub(tmp_path, "init")
    folder = tmp_path / ".local" / "share" / "moodify-hub"
    assert (first.returncode, first.stderr) == (0, "")
    token = re.search(r"Admin token:  (\S{43})\n", first.stdout)[1]
    shown = re.search(r"Fingerprint:  (sha256:[0-9a-f]{64})\n", first.stdout)[1]
    assert shown == fingerprint((folder / "certificate.pem").read_text())
    assert first.stdout.count(shown) == 2
    assert "moodify hub serve" in first.stdout
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "admin.hash": 0o600,
        "certificate.key": 0o600,
        "certificate.pem": 0o600,
        "hub.toml": 0o600,
        "run": 0o700,
    }
    before = content_of(folder)
    assert not any(token.encode() in content for content in before.values())
    again = hub(tmp_path, "init")
    assert again.returncode == 0
    assert "Admin token" not in again.stdout
    assert shown in again.stdout
    assert content_of(folder) == before


def test_init_says_who_can_reach_the_hub(tmp_path, folder, made):
    assert "from this machine alone, at port 0" in hub(tmp_path, "init", "--folder", made).stdout
    (made / "hub.toml").unlink()
    said = hub(tmp_path, "init", "--folder", made).stdout
    assert "from the whole network at port 8883, and the hub makes itself known there, but only those that you let in" in said


def test_init_makes_what_is_missing_and_another_token_where_it_is_asked_to(tmp_path, folder):
    first = hub(tmp_path, "init", "--folder", folder)
    before = content_of(folder)
    (folder / "certificate.pem").unlink()
    second = hub(tmp_path, "init", "--folder", folder)
    assert "Made: certificate.key, certificate.pem" in second.stdout
    third = hub(tmp_path, "init", "--folder", folder, "--new-token")
    assert "Made: admin.hash\n" in third.stdout
    after = content_of(folder)
    assert {name for name in before if before[name] != after[name]} == {"certificate.pem", "certificate.key", "admin.hash"}
    tokens = [re.search(r"Admin token:  (\S+)", done.stdout)[1] for done in (first, third)]
    assert tokens[0] != tokens[1]


def test_a_hub_is_gone_once_it_is_closed_whatever_else_would_hold_its_process(tmp_path, folder):
    program = "import atexit, time; atexit.register(time.sleep, 3600); from moodify.cli import main; main()"
    asked = [sys.executable, "-c", program, "hub", "serve", "--beside", "--folder", folder]
    done = subprocess.run(asked, env=environment_of(tmp_path), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    assert "the hub ends" in done.stderr.splitlines()[-1]
    assert not (folder / "run" / "address.json").exists()


def test_the_certificate_has_the_names_that_are_configured(tmp_path, made):
    with (made / "hub.toml").open("a") as config:
        config.write('names = ["hub.example", "192.0.2.77"]\n')
    (made / "certificate.pem").unlink()
    assert hub(tmp_path, "init", "--folder", made).returncode == 0
    from moodify.hub.certificate import names_of

    assert {"hub.example", "192.0.2.77", "localhost"} <= set(names_of((made / "certificate.pem").read_text()))


@pytest.mark.parametrize(
    "command", [("serve",), ("devices",), ("status",), ("collect",), ("revoke", "m-x", "--yes"), ("erase", "m-x", "--yes"), ("backup", "x"), ("enroll", "m-x", "key")]
)
def test_without_a_hub_every_command_says_how_to_make_one(tmp_path, folder, command):
    done = hub(tmp_path, *command, "--folder", folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"there is no hub in {folder} yet; make one with: moodify hub init --folder {folder}" in done.stderr
    assert not (folder / "hub.db").exists()


@pytest.mark.parametrize("command", [("serve",), ("init",), ("devices",), ("status",)])
def test_mistakes_in_the_configuration_are_said_all_at_once(tmp_path, made, command):
    (made / "hub.toml").write_text('hots = "x"\nport = 99999\ndatabase_url = "mysql://me:open-sesame@x/y"\n')
    done = hub(tmp_path, *command, "--folder", made)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{made}/hub.toml: 3 mistakes" in done.stderr
    for part in ("hots: unknown key; did you mean host?", "port = 99999: must be less", "database_url: must begin with"):
        assert part in done.stderr
    assert "open-sesame" not in done.stderr


def test_a_folder_that_others_can_look_into_is_not_used(tmp_path, made):
    made.chmod(0o755)
    done = hub(tmp_path, "serve", "--folder", made)
    assert done.returncode == 1
    assert "run: chmod 700" in done.stderr.splitlines()[-1]


def test_devices_can_be_let_in_and_shut_out_while_the_hub_is_away(tmp_path, made, device):
    assert "No device was let in yet" in hub(tmp_path, "devices", "--folder", made).stdout
    done = hub(tmp_path, "enroll", device.id, key_of(device), "--name", "Küche", "--folder", made)
    assert (done.returncode, done.stderr) == (0, "")
    assert "moodify device enroll 127.0.0.1:0 --fingerprint sha256:" in done.stdout
    assert hub(tmp_path, "enroll", device.id, key_of(device), "--folder", made).returncode == 0
    (listed,) = json.loads(hub(tmp_path, "devices", "--folder", made, "--json").stdout)["devices"]
    assert (listed["id"], listed["name"], listed["state"], len(listed["keys"])) == (device.id, "Küche", "not known", 1)
    asked = hub(tmp_path, "revoke", device.id, "--folder", made)
    assert (asked.returncode, asked.stderr) == (1, "moodify: nothing was changed, for nobody could be asked; add --yes\n")
    said, code = typed(tmp_path, "y", "hub", "revoke", device.id, "--folder", made)
    assert (code, said.endswith("Nothing was changed.\n")) == (1, True)
    said, code = typed(tmp_path, "revoke", "hub", "revoke", device.id, "--folder", made)
    assert (code, said.endswith(f"Küche ({device.id}) is shut out.\n")) == (0, True)
    assert "already" in hub(tmp_path, "revoke", device.id, "--yes", "--folder", made).stdout
    assert json.loads(hub(tmp_path, "devices", "--folder", made, "--json").stdout)["devices"][0]["state"] == "revoked"


def test_a_device_is_erased_with_all_that_it_said_once_somebody_has_typed_the_word(tmp_path, made, device):
    enrol(made, device)
    with open_database(made / "hub.db") as database:
        database.intake.commit([summary(device.id, 1), summary(device.id, 2)], datetime.now(UTC))
    asked = hub(tmp_path, "erase", device.id, "--folder", made)
    assert (asked.returncode, asked.stderr) == (1, "moodify: nothing was erased, for nobody could be asked; add --yes\n")
    said, code = typed(tmp_path, "revoke", "hub", "erase", device.id, "--folder", made)
    assert (code, said.endswith("Nothing was erased.\n")) == (1, True)
    said, code = typed(tmp_path, "erase", "hub", "erase", device.id, "--folder", made)
    assert code == 0
    assert f"Erased: {device.id}, its keys, and 2 events." in said
    assert "No device was let in yet" in hub(tmp_path, "devices", "--folder", made).stdout
    again = hub(tmp_path, "erase", device.id, "--yes", "--folder", made)
    assert (again.returncode, again.stdout) == (2, "")
    assert f"nothing of a device {device.id} is here" in again.stderr


def test_devices_without_a_name_are_listed_by_their_id_alone(tmp_path, made, device):
    enrol(made, device)
    head, row = hub(tmp_path, "devices", "--folder", made).stdout.splitlines()
    assert head.split() == ["ID", "NAME", "STATE", "ENROLLED", "KEYS"]
    assert (row.count(device.id), row.split()[:2]) == (1, [device.id, "-"])


def test_a_key_can_be_given_as_a_file(tmp_path, made, device):
    file = tmp_path / "device.pem"
    file.write_text(device.identity.public_pem)
    assert hub(tmp_path, "enroll", device.id, file, "--folder", made).returncode == 0


@pytest.mark.parametrize(("device_id", "key", "said"), [("m-aaaaaaaaaaaaaaaa", "nonsense", "this is no public key"), ("kitchen", None, "kitchen")])
def test_what_is_no_key_or_no_id_is_refused(tmp_path, made, device, device_id, key, said):
    done = hub(tmp_path, "enroll", device_id, key or key_of(device), "--folder", made)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
    assert "No device" in hub(tmp_path, "devices", "--folder", made).stdout


def test_nobody_is_shut_out_who_was_never_let_in(tmp_path, made):
    done = hub(tmp_path, "revoke", "m-aaaaaaaaaaaaaaaa", "--yes", "--folder", made)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no device m-aaaaaaaaaaaaaaaa was let in" in done.stderr


def test_status_of_a_hub_that_is_away_wants_somebody_to_act(tmp_path, made):
    done = hub(tmp_path, "status", "--folder", made)
    assert done.returncode == 3
    assert f"hub            does not run in {made}" in done.stdout
    assert "the hub does not run; start it: moodify hub serve" in done.stderr
    found = json.loads(hub(tmp_path, "status", "--folder", made, "--json").stdout)
    assert (found["running"], found["devices"], found["commands_waiting"], found["events"]) == (False, 0, 0, [])
    assert found["fingerprint"] == fingerprint((made / "certificate.pem").read_text())


def test_a_certificate_that_ends_soon_wants_somebody_to_act(tmp_path, made):
    from datetime import UTC, datetime, timedelta

    from moodify.hub.certificate import make

    make(made / "certificate.pem", made / "certificate.key", ["localhost"], now=datetime.now(UTC) - timedelta(days=3640))
    done = hub(tmp_path, "status", "--folder", made)
    assert done.returncode == 3
    assert "ends on" in done.stderr


def test_a_backup_goes_into_a_fresh_folder_only(tmp_path, made):
    file = tmp_path / "hub.backup"
    assert hub(tmp_path, "backup", file, "--folder", made).returncode == 0
    refused = hub(tmp_path, "restore", file, "--folder", made)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "there is a hub in" in refused.stderr
    done = hub(tmp_path, "restore", file, "--folder", tmp_path / "other")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"moodify hub serve --folder {tmp_path / 'other'}" in done.stdout


def test_listen_says_what_to_do_where_no_hub_runs(tmp_path, made):
    done = hub(tmp_path, "listen", "--folder", made, "--for", 1)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "no hub runs in" in done.stderr
    everywhere = hub(tmp_path, "listen", "--for", 1)
    assert "moodify-hub or in" in everywhere.stderr


@pytest.mark.parametrize("content", ["", "[1]", '{"api": {}}'])
def test_listen_says_what_to_do_where_a_damaged_file_says_where(tmp_path, made, content):
    (made / "run").mkdir(exist_ok=True)
    (made / "run" / "address.json").write_text(content)
    done = hub(tmp_path, "listen", "--folder", made, "--for", 1)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "restart" in done.stderr


def test_listen_says_so_where_the_hub_was_killed(tmp_path, made):
    (made / "run" / "address.json").write_text(json.dumps({"socket": str(made / "run" / "mosquitto.sock")}))
    done = hub(tmp_path, "listen", "--folder", made, "--for", 4)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody answers at" in done.stderr


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ('host = "broker.home"', "set link.sign_in_file"),
        ('host = "broker.home"\nsign_in_file = "/nowhere/sign-in"', "/nowhere/sign-in"),
    ],
)
def test_listen_at_a_households_broker_needs_its_sign_in(tmp_path, link, said):
    file = tmp_path / "moodify.toml"
    file.write_text(f"[link]\n{link}\n")
    done = hub(tmp_path, "listen", "--config", file, "--for", 1)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


def test_a_signal_while_the_hub_starts_ends_it(tmp_path, made):
    with subprocess.Popen(
        [sys.executable, "-m", "moodify", "hub", "serve", "--folder", str(made)],
        env=environment_of(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        # The log's first line comes in the middle of the start.
        process.stdout.readline()
        process.terminate()
        assert process.wait(60) == 0
        assert "Traceback" not in process.stdout.read()
    assert not (made / "run" / "address.json").exists()
