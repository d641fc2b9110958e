"""``moodify hub listen`` beside an appliance with a hub of its own."""

import json
import signal
import subprocess
import sys

from appliance import Appliance, environment_of, moodify

SAMPLE = ("--camera", "sample", "--speaker", "simulated")


def test_listen_prints_what_the_appliance_prints_each_event_once(tmp_path):
    with Appliance(tmp_path, *SAMPLE) as appliance:
        appliance.wait_for("link", state="ok")
        listening = moodify(tmp_path, "hub", "listen", "--for", 6)
        assert (listening.returncode, listening.stderr.count("\n")) == (0, 1)
        assert "moodify: listening at " in listening.stderr
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
