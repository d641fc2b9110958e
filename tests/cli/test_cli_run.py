"""``moodify run``: how it starts, what keeps it from starting, and how it ends."""

import json
import os
import pty
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import termios
import threading

import cv2
import numpy as np
import pytest

from appliance import Appliance, configure, data_folder, environment_of, hubs_of, moodify
from moodify.errors import RetryLater
from moodify.store.history import History
from processes import AS_A_USER, may_be_looked_into
from waiting import wait_until

SAMPLE = ("--camera", "sample", "--speaker", "simulated")
#: A run ends within so many seconds of being asked to.
CLEAN_END_S = 30.0


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("/nowhere/clip.mp4", 2, "check the path"),
        ("empty", 1, "put JPEG or PNG files into it"),
        ("frontdoor", 2, "choose auto, pi, usb"),
        ("text.mp4", 2, "neither a picture nor a clip"),
    ],
)
def test_a_camera_that_cannot_be_opened_ends_the_start_and_says_what_to_do(tmp_path, source, code, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("not a clip")
    done = moodify(tmp_path, "run", "--camera", source, "--for", 60)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert hubs_of(tmp_path) == []


def test_a_data_folder_that_cannot_be_written_ends_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    configure(tmp_path, f'[store]\nfolder = "{tmp_path}/file/data"')
    done = moodify(tmp_path, "run", *SAMPLE, "--for", 60)
    assert done.returncode == 1
    assert done.stderr == f"moodify: {tmp_path}/file/data/moodify.lock: Not a directory; give the user that runs Moodify a writable folder, or set [store] folder to another\n"


@pytest.mark.slow
def test_no_other_process_of_its_user_may_look_into_the_one_that_sees(tmp_path):
    with Appliance(tmp_path, *SAMPLE, before=AS_A_USER) as appliance:
        appliance.wait_for("presence", present=True)
        assert not may_be_looked_into(appliance.process.pid)
        # The hub beside it sees nothing of the room, and is as open as any process.
        assert any(map(may_be_looked_into, hubs_of(tmp_path)))
        assert appliance.end() == 0


def test_events_that_cannot_be_written_end_the_start(tmp_path):
    done = moodify(tmp_path, "run", *SAMPLE, "--events", tmp_path, "--for", 60)
    assert done.returncode == 2
    assert "name another file, or - for standard output" in done.stderr


@pytest.mark.parametrize("arguments", [("--for", "-1"), ("--for", "nan"), ("--pace", "-2"), ("--pace", "nan"), ("--speaker", "loud"), ("--sped", "1")])
def test_an_argument_that_makes_no_sense_is_refused(tmp_path, arguments):
    done = moodify(tmp_path, "run", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert arguments[0] in done.stderr


def test_a_page_whose_port_is_taken_is_done_without(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Appliance(tmp_path, *SAMPLE, toml=f"[web]\nport = {taken.getsockname()[1]}") as appliance:
            appliance.wait_for("presence", present=True)
            assert "Going on without the page" in appliance.log
            assert appliance.end() == 0


def test_a_second_one_on_the_same_folder_is_refused_and_the_first_goes_on(tmp_path):
    with Appliance(tmp_path, *SAMPLE) as first:
        first.wait_for("link", state="ok")
        done = moodify(tmp_path, "run", *SAMPLE, "--for", 60)
        assert done.returncode == 1
        assert done.stderr == f"moodify: another Moodify (process {first.process.pid}) uses {data_folder(tmp_path)}; end it, or set [store] folder to another\n"
        first.wait_for("mood", mood="happy")
        assert len(hubs_of(tmp_path)) == 2
        assert first.end() == 0


def test_events_go_to_a_file_that_grows_from_run_to_run(tmp_path):
    counts = []
    for _ in range(2):
        done = moodify(tmp_path, "run", *SAMPLE, "--events", "events", "--for", 2)
        assert done.returncode == 0
        assert "TensorFlow" not in done.stderr
        counts.append(len((tmp_path / "events").read_text().splitlines()))
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert 0 < counts[0] < counts[1]
    assert all(set(event) == {"id", "kind", "at", "data"} for event in events)
    with History(data_folder(tmp_path) / "moodify.db") as history:
        assert [event.as_json() for event in reversed(history.recent(1000))] == events


def test_a_reader_that_goes_away_does_not_end_the_appliance(tmp_path):
    configure(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "moodify", "run", *SAMPLE, "--events", "-", "--for", "120"],
        cwd=tmp_path,
        env=environment_of(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    process.stdout.close()
    with History(data_folder(tmp_path) / "moodify.db") as history:
        wait_until(lambda: {event.kind.value for event in history.recent(100)} >= {"presence", "mood"}, within_s=60, every_s=0.1, what="a mood in the history")
    process.terminate()
    log = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(60) == 0
    assert log.count("Events are not printed any more") == 1
    assert "Exception ignored" not in log


def test_a_full_disk_below_the_file_of_events_does_not_end_the_appliance(tmp_path):
    done = moodify(tmp_path, "run", *SAMPLE, "--events", "/dev/full", "--for", 3)
    assert done.returncode == 0
    assert done.stderr.count("Events are not printed any more") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_it_cleanly_and_nothing_is_left(tmp_path, number):
    with Appliance(tmp_path, *SAMPLE) as appliance:
        appliance.wait_for("link", state="ok")
        appliance.wait_for("presence", present=True)
        assert len(hubs_of(tmp_path)) == 2
        assert appliance.end(number, CLEAN_END_S) == 0
        assert hubs_of(tmp_path) == []
    assert f"asked to by {number.name}" in appliance.log
    assert "Traceback" not in appliance.log
    assert "is left behind" not in appliance.log


def test_a_signal_during_the_start_ends_it_as_cleanly(tmp_path):
    with Appliance(tmp_path, *SAMPLE) as appliance:
        wait_until((data_folder(tmp_path) / "moodify.lock").exists)
        assert appliance.end(signal.SIGTERM, CLEAN_END_S + 5) == 0
        assert hubs_of(tmp_path) == []


def test_a_recording_ends_the_run(tmp_path):
    cv2.imwrite(str(tmp_path / "room.png"), np.full((240, 320, 3), 128, np.uint8))
    with Appliance(tmp_path, "--camera", "room.png", "--speaker", "simulated", "--pace", 0) as appliance:
        assert appliance.wait() == 0
    assert "the recording has ended" in appliance.log


class Terminal:
    """The appliance in a terminal of its own."""

    def __init__(self, home):
        configure(home)
        self.home = home
        self.ours, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        with (home / "events").open("w") as events:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "moodify", "run", *SAMPLE, "--events", "-"],
                cwd=home,
                env=environment_of(home) | {"TERM": "xterm-256color"},
                stdin=theirs,
                stdout=events,
                stderr=theirs,
                start_new_session=True,
            )
        self.theirs = theirs
        self.shown = b""
        self._closing = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        while not self._closing:
            if select.select([self.ours], [], [], 0.1)[0]:
                self.shown += os.read(self.ours, 65536)

    def type(self, keys):
        os.write(self.ours, keys)

    def await_event(self, pattern, timeout_s=60):
        wait_until(lambda: re.search(pattern, (self.home / "events").read_text()), within_s=timeout_s, what=lambda: f"{pattern} among {(self.home / 'events').read_text()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._closing = True
        self._reader.join()
        os.close(self.ours)
        os.close(self.theirs)


def test_keys_look_again_close_the_camera_and_quit(tmp_path):
    with Terminal(tmp_path) as terminal:
        terminal.await_event('"mood": "happy"')
        wait_until(lambda: b"space look again" in terminal.shown, what="the keys' line")
        terminal.type(b" ")
        terminal.await_event('"asked": true')
        terminal.type(b"v")
        terminal.await_event('"off for privacy, turned on with a key of the terminal"')
        terminal.type(b"v")
        terminal.await_event('"off for privacy, turned on with a key of the terminal"(.|\n)*"the sample portraits')
        terminal.type(b"q")
        assert terminal.process.wait(CLEAN_END_S) == 0
        assert termios.tcgetattr(terminal.theirs) == terminal.before
        wait_until(lambda: terminal.shown.rindex(b"\x1b[?25h") > terminal.shown.rindex(b"\x1b[?25l"), what="the cursor")
    assert "Traceback" not in terminal.shown.decode(errors="replace")
    assert hubs_of(tmp_path) == []


@pytest.mark.parametrize("megabytes", [120, 300])
def test_too_little_memory_is_said_in_words(tmp_path, megabytes):
    done = moodify(tmp_path, "run", "--for", 1, "--camera", "sample", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20)))
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        RetryLater.exit_code,
        "moodify: there is not enough memory; end other programs, or restart the device, and try again",
    )
    assert "Traceback" not in done.stderr
