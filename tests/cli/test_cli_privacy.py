"""``moodify privacy``: with and without an appliance that runs."""

import json
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from appliance import Appliance, configure, data_folder, moodify
from moodify.cli import privacy as command
from moodify.daemon.kept import PRIVACY_ASKED_KEY
from moodify.errors import RetryLater
from moodify.store.lock import FolderLock
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from waiting import wait_until


def said(home, *arguments):
    done = moodify(home, "privacy", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_without_an_appliance_it_is_kept_for_the_next_start(tmp_path):
    configure(tmp_path)
    assert said(tmp_path, "status").startswith("Privacy is off. Moodify does not run")
    assert not data_folder(tmp_path).exists()
    assert said(tmp_path, "on").startswith("Privacy is on, turned on by moodify privacy. Moodify does not run, and starts with the camera closed")
    assert json.loads(said(tmp_path, "--json")) == {"on": True, "why": "turned on by moodify privacy", "runs": False}
    assert said(tmp_path, "off").startswith("Privacy is off. ")


def test_the_hours_of_the_configuration_count_and_a_hand_counts_for_more(tmp_path):
    now = datetime.now().astimezone()
    start, end = ((now + timedelta(hours=hours)).strftime("%H:%M:00") for hours in (-2, 2))
    configure(tmp_path, f"[[privacy.hours]]\nstart = {start}\nend = {end}\n")
    assert f"Privacy is on, until {end[:5]}, by privacy.hours" in said(tmp_path)
    assert f"Privacy is off, turned off by moodify privacy until {end[:5]}" in said(tmp_path, "off")
    assert f"until {end[:5]}, by privacy.hours" in said(tmp_path, "on")


def test_one_that_does_not_answer_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "ANSWER_S", 0.1)
    path = tmp_path / "moodify.db"
    file = tmp_path / "moodify.toml"
    file.write_text(f'[store]\nfolder = "{tmp_path}"\n')
    prepare(path)
    with FolderLock(tmp_path), pytest.raises(RetryLater, match="as soon as it can"):
        command.privacy("on", file, as_json=False)
    # Left for the next start.
    with closing(Settings(path)) as settings:
        assert settings.get(PRIVACY_ASKED_KEY)["on"] is True


@pytest.mark.slow
def test_an_appliance_that_runs_is_asked_and_logs_no_error(tmp_path):
    with Appliance(tmp_path, "--camera", "sample", "--speaker", "simulated") as appliance:
        appliance.wait_for("presence", present=True)
        assert said(tmp_path, "on").startswith("Privacy is on, turned on by moodify privacy. The camera is closed, or closes")
        off = appliance.wait_for("camera", state="off")
        assert off["data"]["message"] == "off for privacy, turned on by moodify privacy"
        reason = "Privacy is on (turned on by moodify privacy): the camera is closed, and the music is left as it is"
        wait_until(lambda: any(event["data"]["reason"] == reason for event in appliance.of("decision")), what="the reason")
        assert said(tmp_path, "off").startswith("Privacy is off. The camera may look")
        appliance.wait_for("camera", after=appliance.events.index(off), state="ok")
        assert appliance.end() == 0
    assert [line for line in appliance.log.splitlines() if "WARNING" in line or "ERROR" in line] == []


@pytest.mark.slow
def test_an_appliance_that_starts_in_privacy_hours_opens_no_camera_until_somebody_opens_it(tmp_path):
    now = datetime.now().astimezone()
    start, end = ((now + timedelta(hours=hours)).strftime("%H:%M:00") for hours in (-2, 2))
    with Appliance(tmp_path, "--camera", "sample", "--speaker", "simulated", toml=f"[[privacy.hours]]\nstart = {start}\nend = {end}\n") as appliance:
        off = appliance.wait_for("camera", state="off")
        assert off["data"]["message"] == f"off for privacy, until {end[:5]}, by privacy.hours"
        assert appliance.of("camera") == [off]
        assert f"off for privacy, until {end[:5]}" in moodify(tmp_path, "check").stdout
        assert said(tmp_path, "off").startswith(f"Privacy is off, turned off by moodify privacy until {end[:5]}")
        appliance.wait_for("camera", after=appliance.events.index(off), state="ok")
        assert appliance.end() == 0
