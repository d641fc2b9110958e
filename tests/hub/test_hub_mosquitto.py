"""The hub's mosquitto: on no port, by itself, and gone with the hub."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from moodify.cloud.mqtt import Acked, Connected, Connection, Received, Subscribed
from moodify.cloud.port import Credentials, Endpoint
from moodify.errors import LinkDown, PersonMustAct
from moodify.hub import mosquitto as module
from moodify.hub.mosquitto import HUB, OBSERVER, Mosquitto, end_left_behind
from waiting import wait_until

DEVICE, OTHER = "m-abcdefghijklmnop", "m-ponmlkjihgfedcba"

STARTS_AND_WAITS = """
import sys, time
from pathlib import Path
from moodify.hub.mosquitto import Mosquitto
mosquitto = Mosquitto(Path(sys.argv[1]))
mosquitto.start()
print(mosquitto.pid, mosquitto.socket, flush=True)
time.sleep(600)
"""

#: A program named mosquitto that lets its folder be its root, or stays where it is.
WAITS_IN = """
import os, sys, time
if sys.argv[1]:
    os.chroot(sys.argv[1])
print("there", flush=True)
time.sleep(600)
"""


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path / "run") as mosquitto:
        mosquitto.start()
        yield mosquitto


def ended(pid):
    """Whether a process that is not our child is gone; a zombie that nobody has buried yet is."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def addresses(pid):
    """Local addresses of the TCP and UDP sockets of a process, from /proc."""
    links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:")}
    assert inodes
    rows = [line.split() for table in ("tcp", "tcp6", "udp", "udp6") for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[9] in inodes]


def reachable(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class Client:
    def __init__(self, mosquitto, user, *, client_id=None, **options):
        self.connection = Connection(Endpoint("", 0, tls=False, socket=mosquitto.socket), Credentials(user, None), client_id=client_id or user, **options)
        self.signals = []
        self.until(Connected)

    def poll(self):
        self.signals += self.connection.step(0.02)
        return self.signals

    def until(self, kind, condition=lambda signal: True):
        return wait_until(lambda: next((one for one in self.poll() if isinstance(one, kind) and condition(one)), None), what=kind.__name__, every_s=0)

    def code_of_publishing(self, topic):
        mid = self.connection.publish(topic, b"{}")
        return self.until(Acked, lambda one: one.mid == mid).code

    def subscribe(self, topic):
        self.connection.subscribe(topic)
        self.until(Subscribed)


@pytest.fixture
def client(mosquitto):
    made = []

    def make(user, **options):
        made.append(Client(mosquitto, user, **options))
        return made[-1]

    yield make
    for one in made:
        one.connection.close()


def test_it_has_no_port_and_its_folder_is_its_owner_s_alone(mosquitto, client):
    client(HUB)
    assert addresses(mosquitto.pid) == []
    assert mosquitto.socket.parent.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o077 for path in mosquitto.socket.parent.glob("mosquitto.[ac]*")} == {"mosquitto.acl": 0, "mosquitto.conf": 0}


def test_a_listener_option_of_the_configuration_stands_behind_the_listener(mosquitto):
    lines = (mosquitto.socket.parent / "mosquitto.conf").read_text().splitlines()
    assert lines[-2:] == ["listener 0 mosquitto.sock", "max_qos 1"]
    assert not [line for line in lines if line.startswith(("port", "per_listener_settings", "bind_address", "socket_domain", "protocol"))]
    assert [line for line in lines if line.startswith("max_qos")] == ["max_qos 1"]


def test_it_ends_with_close_and_starts_again(tmp_path):
    mosquitto = Mosquitto(tmp_path / "run")
    assert not mosquitto.alive
    for _ in range(2):
        mosquitto.start()
        pid = mosquitto.pid
        mosquitto.start()
        assert mosquitto.pid == pid
        mosquitto.close()
        mosquitto.close()
        assert ended(pid)
        assert not mosquitto.alive
    assert mosquitto.wait(0)


def test_that_it_was_killed_is_seen_and_it_starts_anew(mosquitto):
    assert not mosquitto.wait(0)
    os.kill(mosquitto.pid, signal.SIGKILL)
    assert mosquitto.wait(30)
    assert not mosquitto.alive
    mosquitto.start()
    assert reachable(mosquitto.socket)


def test_a_path_longer_than_a_socket_s_address_is_reached_from_here_and_from_another_process(tmp_path):
    with Mosquitto(tmp_path / ("long" * 25) / "with a space") as mosquitto:
        mosquitto.start()
        assert len(str(mosquitto.socket)) <= 107
        assert reachable(mosquitto.socket)
        other = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        subprocess.run([sys.executable, "-c", other, str(mosquitto.socket)], check=True)


def test_its_files_may_be_many(mosquitto):
    soft, hard = (line.split()[3:5] for line in Path(f"/proc/{mosquitto.pid}/limits").read_text().splitlines() if line.startswith("Max open files")).__next__()
    assert int(soft) == min(int(hard), 110_000)


def test_systemd_hears_nothing_of_it(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with Mosquitto(tmp_path / "run") as mosquitto:
            mosquitto.start()
        with pytest.raises(BlockingIOError):
            systemd.recv(100)


def test_one_left_behind_by_a_killed_hub_is_ended_and_replaced_and_no_other(tmp_path, mosquitto):
    run = tmp_path / "killed"
    with subprocess.Popen([sys.executable, "-c", STARTS_AND_WAITS, str(run)], stdout=subprocess.PIPE, text=True) as hub:
        left_behind = int(hub.stdout.readline().split()[0])
        hub.kill()
    assert not ended(left_behind)
    with Mosquitto(run) as successor:
        successor.start()
        wait_until(lambda: ended(left_behind), what="the end of the one left behind")
        assert successor.alive
        assert mosquitto.alive


def test_ctrl_c_at_the_hub_does_not_reach_it(mosquitto):
    assert os.getsid(mosquitto.pid) == mosquitto.pid


@contextmanager
def named_mosquitto(folder, root, configuration):
    """Give a process whose command line is that of a mosquitto with this configuration, and whose root is ``root`` where one is given."""
    program = folder / "mosquitto"
    if not program.is_symlink():
        program.symlink_to(Path(sys.executable).resolve())
    with subprocess.Popen([program, "-I", "-c", WAITS_IN, root, configuration], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "there\n"
        yield process
        process.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="root: nobody else may change a root")
def test_a_chroot_s_mosquitto_at_the_same_path_is_left_alone(tmp_path):
    configuration = tmp_path / "mosquitto.conf"
    with named_mosquitto(tmp_path, tmp_path, configuration) as elsewhere, named_mosquitto(tmp_path, "", configuration) as here:
        end_left_behind(configuration)
        assert here.wait(20) == -signal.SIGTERM
        assert elsewhere.poll() is None


STARTS = """
import pathlib, tempfile
from moodify.hub.mosquitto import Mosquitto
with tempfile.TemporaryDirectory() as folder, Mosquitto(pathlib.Path(folder)) as mosquitto:
    mosquitto.start()
    print(mosquitto.alive)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="root: nobody else may become another user")
def test_an_ordinary_user_runs_it_too(project_root):
    environment = {"PYTHONPATH": str(project_root / "device"), "HOME": "/", "TMPDIR": "/tmp"}
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    done = subprocess.run([sys.executable, "-c", STARTS], capture_output=True, text=True, check=False, env=environment, **nobody)
    assert done.stdout == "True\n", done.stderr


def test_without_mosquitto_it_says_what_to_install(tmp_path):
    with pytest.raises(PersonMustAct, match="sudo apt install mosquitto"):
        Mosquitto(tmp_path / "run", "no-such-mosquitto").start()


def program(folder, script):
    path = folder / "mosquitto"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_one_that_does_not_come_up_is_down_with_its_last_words(tmp_path):
    mosquitto = Mosquitto(tmp_path / "run", program(tmp_path, "echo 'no licence to run' >&2; exit 3"))
    with pytest.raises(LinkDown, match="no licence to run"):
        mosquitto.start()
    assert not mosquitto.alive


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    tmp_path.joinpath("file").touch()
    with pytest.raises(PersonMustAct, match=r"give .*file/run to the user that runs the hub"):
        Mosquitto(tmp_path / "file" / "run").start()


def test_its_log_does_not_grow_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOG_AT_MOST", 10_000)
    mosquitto = Mosquitto(tmp_path / "run", program(tmp_path, 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i of many"; done; exit 1'))
    with pytest.raises(LinkDown, match="line 3000 of many"):
        mosquitto.start()
    assert sorted(path.name for path in (tmp_path / "run").glob("*.log*")) == ["mosquitto.log", "mosquitto.log.1"]
    assert sum(path.stat().st_size for path in (tmp_path / "run").glob("*.log*")) <= 20_000


@pytest.mark.parametrize(
    ("user", "topic", "passes"),
    [
        (HUB, f"moodify/v1/{DEVICE}/down/cmd/rescan", True),
        (HUB, f"moodify/v1/{DEVICE}/down/ack", True),
        (HUB, f"moodify/v1/{DEVICE}/up/ev", False),
        (HUB, f"moodify/v1/{DEVICE}/up/status", True),
        (HUB, "moodify/v1/hub/up/ev", False),
        (DEVICE, f"moodify/v1/{DEVICE}/up/res/1", True),
        (DEVICE, f"moodify/v1/{DEVICE}/up/key", True),
        (DEVICE, f"moodify/v1/{DEVICE}/up/health", True),
        (DEVICE, f"moodify/v1/{DEVICE}/up/skin", True),
        (DEVICE, f"moodify/v1/{DEVICE}/up/more", False),
        (DEVICE, f"moodify/v1/{DEVICE}/up", False),
        (HUB, "elsewhere", False),
        (OBSERVER, f"moodify/v1/{DEVICE}/down/cmd/rescan", False),
        (OBSERVER, "moodify/v1/observer/up/ev", False),
        (DEVICE, f"moodify/v1/{DEVICE}/up/ev", True),
        (DEVICE, f"moodify/v1/{DEVICE}/down/ack", False),
        (DEVICE, f"moodify/v1/{OTHER}/up/ev", False),
        (DEVICE, "elsewhere", False),
    ],
)
def test_each_role_writes_its_own_topics_alone(client, user, topic, passes):
    assert (client(user).code_of_publishing(topic) < 0x80) is passes


def test_the_hub_hears_every_device_also_shared_and_a_device_hears_the_hub(client):
    hub, shared, device = client(HUB), client(HUB, client_id="collector"), client(DEVICE)
    hub.subscribe("moodify/v1/+/up/#")
    shared.subscribe("$share/collectors/moodify/v1/+/up/ev")
    device.subscribe(f"moodify/v1/{DEVICE}/down/#")
    assert device.code_of_publishing(f"moodify/v1/{DEVICE}/up/ev") == 0
    for ears in (hub, shared):
        assert ears.until(Received).topic == f"moodify/v1/{DEVICE}/up/ev"
    hub.code_of_publishing(f"moodify/v1/{DEVICE}/down/ack")
    assert device.until(Received).topic == f"moodify/v1/{DEVICE}/down/ack"


def test_a_last_will_is_sent_when_its_delay_is_over(client, monkeypatch):
    monkeypatch.setattr("moodify.cloud.mqtt.WILL_DELAY_S", 1)
    observer = client(OBSERVER)
    observer.subscribe("moodify/v1/+/up/status")
    client(DEVICE, will=(f"moodify/v1/{DEVICE}/up/status", b"gone")).connection.abandon()
    assert observer.until(Received).payload == b"gone"


def test_what_came_for_a_device_that_was_away_for_a_while_waits_for_it(client):
    device, hub = client(DEVICE), client(HUB)
    device.subscribe(f"moodify/v1/{DEVICE}/down/#")
    device.connection.abandon()
    assert hub.code_of_publishing(f"moodify/v1/{DEVICE}/down/ack") == 0
    assert client(DEVICE).until(Received).topic == f"moodify/v1/{DEVICE}/down/ack"
