"""What a process asks of the kernel for itself."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from processes import AS_A_USER, may_be_looked_into
from waiting import wait_until

KEEPS = "from moodify.process import keep_memory_to_itself; keep_memory_to_itself()"


@contextmanager
def waiting(code):
    """A process that has done something and waits."""
    with subprocess.Popen([*AS_A_USER, sys.executable, "-c", f"import sys\n{code}\nprint(flush=True)\nsys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"\n"
        yield process


@pytest.mark.parametrize(("code", "open_to_others"), [("", True), (KEEPS, False)])
def test_a_process_that_keeps_its_memory_to_itself_can_not_be_looked_into(code, open_to_others):
    with waiting(code) as process:
        assert may_be_looked_into(process.pid) is open_to_others


@pytest.mark.parametrize(("code", "dumped"), [("pass", True), (KEEPS, False)])
def test_its_crash_leaves_no_core_dump(tmp_path, code, dumped):
    if Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/")):
        pytest.skip("root: here core dumps are not written beside the process")

    def allow_core_dumps():
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, resource.getrlimit(resource.RLIMIT_CORE)[1]))

    crash = subprocess.run([sys.executable, "-c", f"{code}\nimport os; os.abort()"], cwd=tmp_path, preexec_fn=allow_core_dumps, check=False)
    assert crash.returncode == -signal.SIGABRT
    assert any(tmp_path.iterdir()) is dumped


def is_gone(pid):
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_process_ends_with_the_one_that_started_it():
    child = "import os, time; from moodify.process import end_with; end_with(os.getppid(), 9); print(os.getpid(), flush=True); time.sleep(3600)"
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]).stdout; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline())
        assert not is_gone(pid)
        process.kill()
        wait_until(lambda: is_gone(pid), what="the end of the process that was left behind")


def test_a_process_whose_parent_has_ended_already_ends_at_once():
    ended = subprocess.run([sys.executable, "-c", f"from moodify.process import end_with; end_with({os.getpid()} + 1, 15)"], check=False)
    assert ended.returncode == -signal.SIGTERM
