"""``moodify hub listen`` beside an appliance with a hub of its own."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

from appliance import Appliance, environment_of

SAMPLE = ("--camera", "sample", "--speaker", "simulated")


@contextmanager
def listening(home):
    """Give a listener that hears what happens from now on."""
    environment = environment_of(home) | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, "-m", "moodify", "hub", "listen"], cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listener:
        assert "moodify: listening at " in listener.stderr.readline()
        yield listener
        listener.send_signal(signal.SIGINT)
        rest, errors = listener.communicate(timeout=60)
        assert (listener.returncode, errors) == (0, "")
        listener.rest = rest


def look_again(appliance):
    appliance.ask("/api/scan", "POST")


def test_listen_prints_what_the_appliance_prints_each_event_once_and_ends_with_ctrl_c(tmp_path):
    with Appliance(tmp_path, *SAMPLE) as appliance:
        appliance.wait_for("link", state="ok")
        with listening(tmp_path) as listener:
            look_again(appliance)
            heard = [json.loads(listener.stdout.readline())]
            while not heard[-1]["data"].get("asked"):
                heard.append(json.loads(listener.stdout.readline()))
        heard += [json.loads(line) for line in listener.rest.splitlines()]
        assert appliance.end() == 0
    printed = {event["id"]: event for event in appliance.events}
    assert len({event["id"] for event in heard}) == len(heard)
    for event in heard:
        assert {key: value for key, value in event.items() if key not in {"device", "seq"}} == printed[event["id"]]
