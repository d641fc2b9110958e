"""``scripts/faults``: its table tells what was survived, and can fail."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def environment(project_root):
    folders = [project_root / "scripts", *(project_root / "tests" / name for name in ("", "daemon", "faults", "spotify", "camera"))]
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}


def run(environment, *arguments):
    return subprocess.run([sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def test_two_faults_are_survived_and_stand_in_the_table(environment, tmp_path):
    names = ("another one is started", "killed at each step of a sign-in renewed")
    done = run(environment, "-m", "faults_week", "--json", tmp_path / "rows.json", *(word for name in names for word in ("--only", name)))
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(row["name"], row["wrong"]) for row in rows] == [(name, []) for name in names]
    assert "another Moodify (process" in rows[0]["outcome"]["seen"]
    assert rows[1]["outcome"]["seen"].startswith("killed before each of 8 steps")
    assert "2 faults in" in done.stdout
    assert "none went wrong" in done.stdout


#: Does everything once that an appliance writes and the week kills at each step, and prints what of the data folder was not there by then.
WRITE_ALL = """
import contextlib, io, json, pathlib, sys
from faults_week import written, written_files
from moodify.daemon.data_places import KINDS
seen = set()
for number, each in enumerate((*written.WRITTEN, *written_files.WRITTEN)):
    folder = pathlib.Path(sys.argv[1], str(number))
    folder.mkdir(mode=0o700)
    with contextlib.redirect_stdout(io.StringIO()):
        each.lay(folder)
        each.do(folder, lambda said: seen.update(path.name for path in folder.iterdir()))
    seen.update(path.name for path in folder.iterdir())
print(json.dumps([kind.name for kind in KINDS if kind.name not in seen]))
"""


def test_all_that_lies_in_the_data_folder_is_written_by_what_the_week_kills(environment, tmp_path):
    done = run(environment, "-c", WRITE_ALL, tmp_path)
    assert done.returncode == 0, done.stderr
    # What is made anew at each start; and a hub's own is killed beside it.
    assert set(json.loads(done.stdout)) == {"device.pub", "run", "hub"}


def test_a_house_that_does_not_recover_or_breaks_its_promises_is_told_by_each_of_them(environment, project_root):
    done = run(environment, project_root / "tests" / "scripts" / "misbehaving_house.py")
    assert done.returncode == 0, done.stderr
    lame, breaks = json.loads(done.stdout)
    assert (lame["outcome"], lame["wrong"]) == (None, ["it did not recover from video0"])
    lost, unasked, opened = breaks["wrong"]
    assert "events that were acknowledged are not in the store" in lost
    assert "music started unasked (PUT /v1/me/player/play" in unasked
    assert "the camera was opened" in opened
    assert "after privacy began" in opened
    # Where the house stood is by chance, and nothing to write down.
    assert breaks["outcome"]["seen"].startswith("…/")
    assert breaks["outcome"]["seen"].endswith(" is not as it was")


def test_ended_before_its_time_it_leaves_no_process_behind_and_tells_what_it_saw(environment, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "faults_week", "--only", "broker killed"], env=environment | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as week:
        # A hub of its own with its mosquitto, and an appliance: both are there before the first fault.
        wait_until(lambda: {b"hub", b"mosquitto", b"run"} <= words_of(processes_in(tmp_path)), within_s=120, what="hub, mosquitto and appliance")
        week.send_signal(signal.SIGTERM)
        said, _ = week.communicate(timeout=60)
    assert (week.returncode, processes_in(tmp_path)) == (128 + signal.SIGTERM, [])
    assert "ended before its time" in said


def processes_in(folder):
    """Return the command lines of the processes that were started with something of a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.fsencode(folder) + b"/" in entry.joinpath("cmdline").read_bytes() + entry.joinpath("environ").read_bytes():
                found.append(entry.joinpath("cmdline").read_bytes())
        except OSError:
            continue
    return found


def words_of(commands):
    return {Path(os.fsdecode(word)).name.encode() for command in commands for word in command.split(b"\0")}


def test_what_is_not_there_is_refused_and_all_there_is_can_be_listed(environment):
    refused = run(environment, "-m", "faults_week", "--only", "the moon")
    assert (refused.returncode, "no group and no fault named the moon" in refused.stderr) == (2, True)
    listed = run(environment, "-m", "faults_week", "--list").stdout.splitlines()
    assert len(listed) == len({line[12:].removesuffix("  (quick)") for line in listed}) > 60
    assert {line.split()[0] for line in listed} == {"camera", "models", "spotify", "speaker", "link", "hub", "clock", "disk", "database", "process", "kills", "writes"}
