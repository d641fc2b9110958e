"""``moodify hub listen``."""

import json
import signal
import socket
import subprocess
import sys

import pytest

from appliance import Appliance, data_folder, environment_of, moodify

SAMPLE = ("--camera", "sample", "--speaker", "simulated")


def test_listen_prints_what_the_appliance_prints_each_event_once(tmp_path):
    with Appliance(tmp_path, *SAMPLE) as appliance:
        appliance.wait_for("link", state="ok")
        listening = moodify(tmp_path, "hub", "listen", "--for", 6)
        assert (listening.returncode, listening.stderr.count("\n")) == (0, 1)
        assert "listening at 127.0.0.1:" in listening.stderr
        heard = [json.loads(line) for line in listening.stdout.splitlines()]
        assert appliance.end() == 0
    printed = {event["id"]: event for event in appliance.events}
    assert heard
    assert len({event["id"] for event in heard}) == len(heard)
    for event in heard:
        assert {key: value for key, value in event.items() if key not in {"device", "seq"}} == printed[event["id"]]


def test_listen_ends_with_ctrl_c(tmp_path):
    with Appliance(tmp_path, *SAMPLE) as appliance:
        appliance.wait_for("link", state="ok")
        with subprocess.Popen(
            [sys.executable, "-m", "moodify", "hub", "listen"],
            cwd=tmp_path,
            env=environment_of(tmp_path) | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as listener:
            assert listener.stdout.readline().startswith(b'{"device": "m-')
            listener.send_signal(signal.SIGINT)
            assert listener.wait(10) == 0
            assert b"Traceback" not in listener.stderr.read()
        assert appliance.end() == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "start the appliance first"), ("", "does not say where the broker listens"), ("[1]", "does not say where"), ('{"host": "x"}', "does not say where")],
)
def test_listen_without_a_broker_says_what_to_do(tmp_path, content, said):
    file = data_folder(tmp_path) / "broker.json"
    if content is not None:
        file.parent.mkdir(parents=True)
        file.write_text(content)
    done = moodify(tmp_path, "hub", "listen", "--for", 1)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert said in done.stderr


def test_listen_to_a_broker_that_is_gone_says_so(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = data_folder(tmp_path) / "broker.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"host": "127.0.0.1", "port": port}))
    done = moodify(tmp_path, "hub", "listen", "--for", 4)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"no broker answers at 127.0.0.1:{port}" in done.stderr
