from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from brokers import OBSERVER, subscribed
from moodify.cloud.broker import PrivateBroker, end_left_behind
from moodify.cloud.mqtt import Acked, Connected, Connection
from moodify.cloud.port import Credentials, Endpoint
from moodify.errors import LinkDown, PersonMustAct
from moodify.hub.listen import Listener
from waiting import wait_until

STARTS_AND_WAITS = """
import sys, time
from pathlib import Path
from moodify.cloud.broker import PrivateBroker
broker = PrivateBroker(Path(sys.argv[1]), Path(sys.argv[2]))
print(broker.endpoint().port, broker._process.pid, flush=True)
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


def ended(pid):
    """Whether a process that is not our child is gone; a zombie that nobody has buried yet is."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def listening_addresses(pid):
    """Local addresses of the sockets on which a process listens, from /proc."""
    links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:")}
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[9] in inodes and row[3] == "0A"]


def test_it_listens_on_loopback_only_and_says_where(broker, tmp_path):
    endpoint = broker.endpoint()
    assert endpoint == Endpoint("127.0.0.1", endpoint.port, tls=False)
    assert listening_addresses(broker._process.pid) == [f"0100007F:{endpoint.port:04X}"]
    assert json.loads((tmp_path / "broker state" / "broker.json").read_text()) == {"host": "127.0.0.1", "port": endpoint.port}
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_it_ends_with_close_and_comes_back_on_the_same_port(tmp_path):
    with PrivateBroker(tmp_path / "state", tmp_path / "run") as broker:
        port, pid = broker.endpoint().port, broker._process.pid
    assert ended(pid)
    with PrivateBroker(tmp_path / "state", tmp_path / "run") as broker:
        assert broker.endpoint().port == port


def test_a_port_that_somebody_took_is_left_to_them(tmp_path):
    with PrivateBroker(tmp_path / "state", tmp_path / "run") as broker:
        port = broker.endpoint().port
    with socket.create_server(("127.0.0.1", port)), PrivateBroker(tmp_path / "state", tmp_path / "run") as broker:
        other = broker.endpoint().port
        assert other != port
        socket.create_connection(("127.0.0.1", other), timeout=5).close()


def test_asking_again_starts_it_anew_when_it_was_killed(broker):
    first, pid = broker.endpoint(), broker._process.pid
    assert broker.endpoint() == first
    assert broker._process.pid == pid
    os.kill(pid, signal.SIGKILL)
    broker._process.wait()
    assert broker.endpoint() == first
    assert broker._process.pid != pid


def test_a_broker_left_behind_by_a_killed_daemon_is_ended_and_replaced_and_no_other(tmp_path, broker):
    state, run = tmp_path / "state", tmp_path / "daemon"
    with subprocess.Popen([sys.executable, "-c", STARTS_AND_WAITS, str(state), str(run)], stdout=subprocess.PIPE, text=True) as daemon:
        port, left_behind = map(int, daemon.stdout.readline().split())
        daemon.kill()
    assert not ended(left_behind)
    with PrivateBroker(state, run) as successor:
        assert successor.endpoint().port == port
        wait_until(lambda: ended(left_behind), what="the end of the one left behind")
        assert broker._process.poll() is None


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
def test_a_chroot_s_broker_at_the_same_path_is_left_alone(tmp_path):
    configuration = tmp_path / "mosquitto.conf"
    with named_mosquitto(tmp_path, tmp_path, configuration) as elsewhere, named_mosquitto(tmp_path, "", configuration) as here:
        end_left_behind(configuration)
        assert here.wait(5) == -signal.SIGTERM
        assert elsewhere.poll() is None


@pytest.mark.parametrize("left_behind", [True, False])
def test_what_waits_for_a_client_that_is_away_outlives_the_broker_s_end(tmp_path, device_at, left_behind):
    with PrivateBroker(tmp_path / "state", tmp_path / "run") as first:
        with subscribed(Listener(first.endpoint(), OBSERVER, client_id="away", session_s=3600)):
            pass
        device = device_at(first.endpoint)
        device.happen(3)
        device.until_empty()
        if not left_behind:
            first.close()
        with PrivateBroker(tmp_path / "state", tmp_path / "run") as second, Listener(second.endpoint(), OBSERVER, client_id="away", session_s=3600) as listener:
            heard = []
            wait_until(lambda: heard.extend(listener.poll(0.05)) or len(heard) >= 3, what="hearing what came meanwhile")
            assert len({one.event["id"] for one in heard}) == 3


def test_without_mosquitto_it_says_what_to_install(tmp_path):
    with pytest.raises(PersonMustAct, match="sudo apt install mosquitto"):
        PrivateBroker(tmp_path / "state", tmp_path / "run", program="no-such-mosquitto").endpoint()


def test_a_mosquitto_that_does_not_come_up_is_down_with_its_last_words(tmp_path):
    bad = tmp_path / "mosquitto"
    bad.write_text("#!/bin/sh\necho 'no licence to run' >&2\nexit 3\n")
    bad.chmod(0o755)
    with pytest.raises(LinkDown, match="no licence to run"):
        PrivateBroker(tmp_path / "state", tmp_path / "run", program=str(bad)).endpoint()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    tmp_path.joinpath("file").touch()
    with pytest.raises(PersonMustAct, match=r"give .* to the user that runs Moodify"):
        PrivateBroker(tmp_path / "state", tmp_path / "file" / "run").endpoint()


def test_a_damaged_note_of_the_address_is_written_anew(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    state.joinpath("broker.json").write_text("[")
    with PrivateBroker(state, tmp_path / "run") as broker:
        endpoint = broker.endpoint()
        assert json.loads(state.joinpath("broker.json").read_text())["port"] == endpoint.port


def test_a_device_neither_writes_nor_reads_outside_its_own_topics(broker, device_at):
    with subscribed(Listener(broker.endpoint(), OBSERVER)) as listener:
        device = device_at(broker.endpoint)
        device.link._topics = type(device.link._topics)("m-somebodyelses000")
        device.happen(2)
        device.until_empty()
        reasons = [row["refused"] for row in device.store._db.query("SELECT refused FROM outbox")]
        assert reasons == ["Not authorized"] * 2
        assert listener.poll(0.2) == []


def code_of_publishing(endpoint, user, topic):
    """Return what the broker's PUBACK says of a message: 0 and 0x10 let it pass."""
    connection = Connection(endpoint, Credentials(user, None), client_id=user, session_s=0)
    signals = []
    wait_until(lambda: signals.extend(connection.step(0.05)) or any(isinstance(one, Connected) for one in signals), what="the connection")
    connection.publish(topic, b"{}")
    acked = wait_until(lambda: signals.extend(connection.step(0.05)) or [one.code for one in signals if isinstance(one, Acked)], what="the PUBACK")
    connection.close()
    return acked[0]


@pytest.mark.parametrize(
    ("user", "topic", "passes"),
    [
        ("household", "moodify/v1/m-abcdefghijklmnop/down/cmd/rescan", True),
        ("household", "moodify/v1/m-abcdefghijklmnop/down/cmd/rescan/now", False),
        ("household", "moodify/v1/m-abcdefghijklmnop/up/status", False),
        ("household", "moodify/v1/household/up/ev", False),
        ("household", "elsewhere", False),
        ("observer", "moodify/v1/m-abcdefghijklmnop/down/cmd/rescan", False),
        ("observer", "moodify/v1/observer/up/ev", False),
    ],
)
def test_the_household_may_send_commands_and_nothing_else_and_the_observer_nothing(broker, user, topic, passes):
    assert (code_of_publishing(broker.endpoint(), user, topic) < 0x80) is passes
