"""What the README says to type first: the script that starts the appliance out of a checkout."""

import json
import subprocess

import pytest

from appliance import environment_of, hubs_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_run_script_starts_the_appliance_and_gives_nothing_but_events(tmp_path, project_root):
    arguments = [project_root / "scripts" / "run", "--for", "12", "--camera", "sample", "--events", "-"]
    done = subprocess.run(arguments, cwd=tmp_path, env=environment_of(tmp_path), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"id", "kind", "at", "data"} <= set.intersection(*(set(event) for event in events))
    assert "ok" in {event["data"]["state"] for event in events if event["kind"] == "camera"}
    assert "presence" in {event["kind"] for event in events}
    assert hubs_of(tmp_path) == []
