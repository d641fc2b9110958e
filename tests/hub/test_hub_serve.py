"""The hub as its owner runs it: real processes, a real device key, real mosquitto."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance import listening_on, moodify, tree_of
from hub_process import HubDevice, HubProcess, enrol, made_hub
from moodify.cloud.keys import line_of
from moodify.cloud.mqtt import Lost, Refused
from waiting import wait_until


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "hub"


@pytest.fixture
def hub(tmp_path, folder):
    """A hub of the test's own."""
    token = made_hub(tmp_path, folder)
    with HubProcess(tmp_path, folder) as hub:
        hub.token = token
        yield hub


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """A hub that several tests look at and none ends."""
    home = tmp_path_factory.mktemp("standing")
    token = made_hub(home, home / "hub")
    with HubProcess(home, home / "hub") as hub:
        hub.token = token
        yield hub


@pytest.fixture
def device(tmp_path):
    device = HubDevice(tmp_path / "device")
    yield device
    device.close()


def come_in(hub, device):
    """Have a device enrolled and connected."""
    enrol(hub.folder, device)
    assert device.connect(hub).is_in


def asked(hub, path, token=None):
    """Return status and body of the API's answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{hub.address['api']['port']}{path}", headers={} if token is None else {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def status_of(home, folder):
    done = moodify(home, "hub", "status", "--folder", folder, "--json")
    return done.returncode, json.loads(done.stdout)


def mosquittos_of(folder):
    configuration = os.fsencode(folder / "run" / "mosquitto.conf")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = entry.joinpath("cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if configuration in arguments:
                found.append(int(entry.name))
    return found


def test_a_device_is_let_in_stored_acknowledged_shown_and_shut_out(standing, device):
    hub, home, folder = standing, standing.home, standing.folder
    assert not device.connect(hub).is_in
    let_in = moodify(home, "hub", "enroll", device.id, line_of(device.identity.key.public_key()), "--name", "Kitchen", "--folder", folder)
    assert (let_in.returncode, let_in.stderr) == (0, "")
    assert f"Kitchen ({device.id}) may come in now" in let_in.stdout
    assert f"moodify device enroll 127.0.0.1:{hub.address['mqtt']['port']} --fingerprint sha256:" in let_in.stdout
    wait_until(lambda: device.connect(hub).is_in, every_s=0.5, what="the enrolment's effect")
    device.say("event-1", "event-2")
    device.show("status", state="online")

    code, history = asked(hub, f"/v1/devices/{device.id}/history", hub.token)
    assert code == 200
    assert sorted(event["id"] for event in json.loads(history)["events"]) == ["event-1", "event-2"]
    wait_until(lambda: status_of(home, folder)[1]["online"] == [device.id], every_s=0.2, what="the device's being online")
    code, status = status_of(home, folder)
    assert (code, status["running"], status["devices"], status["act"]) == (0, True, 1, [])
    assert {part for part, trouble in status["parts"].items() if trouble is None} == {"database", "mosquitto", "gate", "collector-1", "dispatcher", "alerts", "alert-sender"}
    assert [event["device"] for event in status["events"]] == [device.id] * 2
    listed = moodify(home, "hub", "devices", "--folder", folder).stdout.splitlines()
    assert [line.split()[:3] for line in listed] == [["ID", "NAME", "STATE"], [device.id, "Kitchen", "online"]]

    revoked = moodify(home, "hub", "revoke", device.id, "--yes", "--folder", folder)
    assert (revoked.returncode, revoked.stdout) == (0, f"Kitchen ({device.id}) is shut out.\n")
    device.wait_for(Lost)
    assert isinstance(device.connect(hub).wait_for(Refused, Lost), Refused)
    assert json.loads(moodify(home, "hub", "devices", "--folder", folder, "--json").stdout)["devices"][0]["state"] == "revoked"


def test_what_devices_send_is_heard_beside_the_hub(standing, device):
    come_in(standing, device)
    with subprocess.Popen(
        [sys.executable, "-m", "moodify", "hub", "listen", "--folder", str(standing.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as listener:
        assert "listening at" in listener.stderr.readline()
        device.say("heard-1")
        heard = json.loads(listener.stdout.readline())
        listener.send_signal(signal.SIGINT)
        assert listener.wait(30) == 0
    assert (heard["device"], heard["seq"], heard["id"]) == (device.id, 1, "heard-1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_with_a_device_connected(tmp_path, folder, hub, device, number):
    come_in(hub, device)
    pids = tree_of(hub.process.pid)
    assert len(pids) == 2
    assert hub.end(number) == 0
    assert not hub.address_file.exists()
    assert not (folder / "run" / "local.token").exists()
    assert mosquittos_of(folder) == []
    assert "Traceback" not in hub.log
    assert "events stored: 0, repeats absorbed: 0" in hub.log


def test_what_a_killed_hub_leaves_behind_is_ended_by_the_next_start(tmp_path, folder, hub, device):
    come_in(hub, device)
    device.say("before")
    hub.kill()
    (left,) = mosquittos_of(folder)
    code, status = status_of(tmp_path, folder)
    assert (code, status["running"]) == (3, False)
    assert "moodify hub serve" in status["act"][0]
    with HubProcess(tmp_path, folder) as again:
        (now,) = mosquittos_of(folder)
        assert now != left
        device.connect(again)
        # The same again: absorbed, and acknowledged.
        device.say("before")
        device.say("after", seq=2)
        assert status_of(tmp_path, folder)[0] == 0
        assert again.end() == 0
        assert "events stored: 1, repeats absorbed: 1" in again.log


def test_only_the_configured_ports_are_open(standing):
    address = standing.address
    assert listening_on(tree_of(standing.process.pid)) == {("127.0.0.1", address["mqtt"]["port"]), ("127.0.0.1", address["api"]["port"])}


def test_a_mosquitto_that_dies_is_started_again_and_the_hub_says_so(tmp_path, folder, hub, device):
    come_in(hub, device)
    before = hub.address["processes"]["mosquitto"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: hub.address["processes"]["mosquitto"] != before, within_s=30, what="another mosquitto")
    wait_until(lambda: asked(hub, "/readyz")[0] == 200, every_s=0.1, within_s=30, what="a hub that is ready again")
    device.connect(hub)
    device.say("after")
    assert "mosquitto has ended; it is started again" in hub.log


def test_a_mosquitto_that_cannot_be_started_again_is_said_by_readyz(tmp_path, folder):
    program = tmp_path / "mosquitto"
    program.symlink_to("/usr/sbin/mosquitto")
    made_hub(tmp_path, folder, mosquitto=json.dumps(str(program)))
    with HubProcess(tmp_path, folder) as hub:
        program.unlink()
        os.kill(hub.address["processes"]["mosquitto"], signal.SIGKILL)
        wait_until(lambda: "not installed" in (json.loads(asked(hub, "/readyz")[1])["parts"]["mosquitto"] or ""), every_s=0.1, what="what is wrong")
        assert asked(hub, "/readyz")[0] == 503
        assert asked(hub, "/healthz")[0] == 200
        code, status = status_of(tmp_path, folder)
        assert code == 3
        assert any(line.startswith("mosquitto: ") for line in status["act"])
        program.symlink_to("/usr/sbin/mosquitto")
        wait_until(lambda: asked(hub, "/readyz")[0] == 200, every_s=0.1, within_s=40, what="a hub that has healed")


def test_a_folder_has_one_hub(standing):
    second = moodify(standing.home, "hub", "serve", "--folder", standing.folder)
    assert second.returncode == 1
    assert f"another Moodify (process {standing.process.pid}) uses {standing.folder}" in second.stderr
    assert "--folder" in second.stderr
    assert asked(standing, "/readyz")[0] == 200


def test_a_port_that_is_taken_ends_the_start_and_says_which_key(tmp_path, folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for key in ("port", "api_port"):
            made_hub(tmp_path, folder, **{key: str(port)})
            done = moodify(tmp_path, "hub", "serve", "--folder", folder)
            assert done.returncode == 1
            last = done.stderr.splitlines()[-1]
            assert str(port) in last
            assert key in last
            assert "hub.toml" in last
            assert mosquittos_of(folder) == []
            assert not (folder / "run" / "address.json").exists()


def test_the_admin_token_opens_the_api_and_another_one_takes_its_place_at_once(standing):
    assert asked(standing, "/v1/devices", standing.token)[0] == 200
    assert asked(standing, "/v1/devices")[0] == 401
    other = re.search(r"Admin token:  (\S+)", moodify(standing.home, "hub", "init", "--new-token", "--folder", standing.folder).stdout)[1]
    assert asked(standing, "/v1/devices", standing.token)[0] == 401
    assert asked(standing, "/v1/devices", other)[0] == 200
    assert status_of(standing.home, standing.folder)[0] == 0
    standing.token = other


def test_no_secret_stands_in_a_log_or_in_another_file_than_its_own(tmp_path, folder, hub, device):
    token = hub.token
    come_in(hub, device)
    device.say("x")
    jwt = device.identity.token("moodify", datetime.now(UTC))
    asked(hub, "/v1/devices", token)
    asked(hub, "/v1/devices", "wrong" + token)
    local = (folder / "run" / "local.token").read_text()
    status = moodify(tmp_path, "hub", "status", "--folder", folder)
    assert hub.end() == 0
    where = {file: file.read_bytes() for file in (*folder.rglob("*"), hub.log_file) if file.is_file()}
    outputs = (status.stdout + status.stderr).encode()
    key = (folder / "certificate.key").read_bytes().splitlines()[1]
    for secret in (token.encode(), local.encode(), jwt.split(".")[0].encode()):
        assert [str(file) for file, content in where.items() if secret in content] == []
        assert secret not in outputs
    assert [file.name for file, content in where.items() if key in content] == ["certificate.key"]


def test_a_collector_of_its_own_stores_for_the_hub(tmp_path, folder, hub, device):
    come_in(hub, device)
    log = tmp_path / "collector.log"
    with log.open("wb") as errors:
        collector = subprocess.Popen([sys.executable, "-m", "moodify", "hub", "collect", "--folder", str(folder)], stdin=subprocess.DEVNULL, stderr=errors)
    try:
        wait_until(lambda: "collecting for the hub" in log.read_text(), within_s=60, what="the collector's start")
        # Members of a shared subscription take turns: of so many, some come to each.
        for seq in range(1, 41):
            device.say(f"event-{seq}", seq=seq)
        collector.send_signal(signal.SIGTERM)
        assert collector.wait(30) == 0
    finally:
        collector.kill()
        collector.wait()
    assert hub.end() == 0
    stored = [int(re.search(r"events stored: (\d+)", text)[1]) for text in (log.read_text(), hub.log)]
    assert sum(stored) == 40
    assert all(stored)


def test_a_backup_restored_elsewhere_goes_on_without_enrolling_anew(tmp_path, folder, hub, device):
    come_in(hub, device)
    device.say("before")
    file, elsewhere = tmp_path / "backups" / "hub.backup", tmp_path / "elsewhere"
    file.parent.mkdir()
    done = moodify(tmp_path, "hub", "backup", file, "--folder", folder)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert hub.end() == 0
    done = moodify(tmp_path, "hub", "restore", file, "--folder", elsewhere)
    assert done.returncode == 0, done.stderr
    assert {path.stat().st_mode & 0o077 for path in elsewhere.rglob("*")} == {0}
    with HubProcess(tmp_path, elsewhere) as other:
        assert (elsewhere / "certificate.pem").read_bytes() == (folder / "certificate.pem").read_bytes()
        assert device.connect(other).is_in
        device.say("before")
        device.say("after", seq=2)
        history = json.loads(asked(other, f"/v1/devices/{device.id}/history", hub.token)[1])["events"]
        assert [event["id"] for event in history] == ["after", "before"]


def test_beside_an_appliance_it_needs_no_preparation_lets_the_named_device_in_and_ends_with_its_input(tmp_path, folder, device):
    public = tmp_path / "device.pub"
    public.write_text(device.identity.public_pem)
    with HubProcess(tmp_path, folder, "--beside", "--enrol", public, stdin=subprocess.PIPE) as hub:
        address = hub.address
        assert (address["mqtt"]["host"], address["mqtt"]["tls"]) == ("127.0.0.1", False)
        assert listening_on(tree_of(hub.process.pid)) == {("127.0.0.1", address["mqtt"]["port"]), ("127.0.0.1", address["api"]["port"])}
        assert device.connect(hub).is_in
        device.say("mine")
        assert status_of(tmp_path, folder)[0] == 0
        assert not (folder / "hub.toml").exists()
        hub.process.stdin.close()
        assert hub.process.wait(30) == 0
        assert mosquittos_of(folder) == []
        assert "oken" not in hub.log
    # The next run knows the device already.
    with HubProcess(tmp_path, folder, "--beside", "--enrol", public, stdin=subprocess.PIPE) as hub:
        assert device.connect(hub).is_in


def test_beside_an_appliance_it_ends_when_that_is_killed(tmp_path, folder):
    script = (
        "import subprocess, sys, time\n"
        f"hub = subprocess.Popen([sys.executable, '-m', 'moodify', 'hub', 'serve', '--beside', '--folder', {str(folder)!r}], stdin=subprocess.PIPE)\n"
        "print(hub.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        hub = int(parent.stdout.readline())
        wait_until((folder / "run" / "address.json").exists, within_s=60, what="the hub")
        parent.kill()
        parent.wait()
    wait_until(lambda: not Path(f"/proc/{hub}").exists() or "Z" in Path(f"/proc/{hub}/stat").read_text().rpartition(")")[2][:3], within_s=30, what="the hub's end")
    assert mosquittos_of(folder) == []
    assert not (folder / "run" / "address.json").exists()


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("nonsense", "this is no public key")])
def test_beside_an_appliance_a_key_that_is_none_ends_the_start(tmp_path, folder, content, said):
    file = tmp_path / "device.pub"
    if content is not None:
        file.write_text(content)
    done = moodify(tmp_path, "hub", "serve", "--beside", "--enrol", file, "--folder", folder, stdin=None)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
