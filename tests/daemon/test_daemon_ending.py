"""What ends a run from outside."""

import os
import signal
import subprocess
import sys

import pytest

from moodify.daemon.ending import EndedBySignals, ended_after
from moodify.daemon.signals import Stop
from waiting import wait_until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_start_ends_it_where_it_is(number):
    with pytest.raises(SystemExit) as ended, EndedBySignals():
        os.kill(os.getpid(), number)
    assert ended.value.code == 0


def test_a_start_that_waits_for_a_device_can_be_ended(tmp_path):
    os.mkfifo(tmp_path / "device")
    code = f"from moodify.daemon.ending import EndedBySignals\nwith EndedBySignals():\n    print('waiting', flush=True)\n    open({str(tmp_path / 'device')!r})\n"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "waiting\n"
        process.terminate()
        assert process.wait(20) == 0


def test_a_signal_during_the_run_is_put_on_the_queue():
    told = []
    with EndedBySignals() as signals:
        signals.from_now_on_by(told.append)
        os.kill(os.getpid(), signal.SIGTERM)
    assert told == [Stop("asked to by SIGTERM")]


def test_the_handlers_from_before_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with EndedBySignals():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_time_that_was_given_ends_the_run():
    told = []
    with ended_after(0.01, told.append):
        wait_until(lambda: told, what="the end of the time")
    assert told == [Stop("0.01 seconds are over")]
