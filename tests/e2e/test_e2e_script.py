"""What the README says to type first: the script that starts the appliance out of a checkout."""

import json
import signal
import subprocess

import pytest

from appliance import environment_of, hubs_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_run_script_starts_the_appliance_and_gives_nothing_but_events(tmp_path, project_root):
    arguments = [project_root / "scripts" / "run", "--for", "120", "--camera", "sample", "--events", "-"]
    log, events, kinds = tmp_path / "log", [], []
    options = {"cwd": tmp_path, "env": environment_of(tmp_path), "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True}
    with log.open("wb") as said, subprocess.Popen(arguments, stderr=said, **options) as run:
        for line in run.stdout:
            events.append(json.loads(line))
            kinds.append(events[-1]["kind"])
            if kinds[-1] == "presence" and kinds.count("presence") == 1:
                # Asked once more it would end where it is.
                run.send_signal(signal.SIGINT)
    assert run.returncode == 0, log.read_text()
    assert {"id", "kind", "at", "data"} <= set.intersection(*(set(event) for event in events))
    assert "ok" in {event["data"]["state"] for event in events if event["kind"] == "camera"}
    assert "presence" in kinds
    assert hubs_of(tmp_path) == []
