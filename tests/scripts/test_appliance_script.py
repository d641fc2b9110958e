"""scripts/test-appliance, where nothing can be booted; what it does elsewhere it shows itself."""

import os
import subprocess
import sys

import pytest

WITHOUT_NAMESPACES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
NOT_ROOT = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def start(script, before):
    # Somebody who is not root has none of this to take off.
    command = [*before, "bash", "-c", 'exec "$0"', str(script)] if os.geteuid() == 0 else [str(script)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("before", [NOT_ROOT, WITHOUT_NAMESPACES], ids=["not root", "no namespaces"])
def test_where_no_root_can_be_booted_it_says_so_and_ends_with_a_number_of_its_own(project_root, before):
    done = start(project_root / "scripts/test-appliance", before)
    assert (done.returncode, done.stdout) == (77, "")
    assert "the appliance was not tested" in done.stderr


def test_what_must_pass_says_loudly_that_the_appliance_was_not_tested(project_root, tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / ".ci").mkdir()
    run = tmp_path / ".ci/run"
    run.write_text((project_root / ".ci/run").read_text("utf-8"))

    def ends(status, *, tests=0, faults=0):
        for name, code in (("check", 0), ("test", tests), ("faults", faults), ("soak", 0), ("test-appliance", status)):
            (tmp_path / "scripts" / name).write_text(f"#!/bin/sh\nexit {code}\n")
            (tmp_path / "scripts" / name).chmod(0o755)
        return subprocess.run(["bash", str(run)], capture_output=True, text=True, check=False, timeout=60)

    assert (ends(0).returncode, ends(0).stderr) == (0, "")
    assert ends(77).returncode == 0
    assert "*** NOT TESTED" in ends(77).stderr
    assert ends(1).returncode == 1
    # Interrupted, or not begun: there is nothing to run again.
    assert ends(0, tests=2).returncode == 2
    assert ends(0, faults=1).returncode == 1
    # Not set up, which has the same number as tests that failed: what failed in a run before does not stand for those that were not run.
    (tmp_path / ".ci/again.py").write_text((project_root / ".ci/again.py").read_text("utf-8"))
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / ".venv/bin/python").chmod(0o755)
    last_failed = tmp_path / ".pytest_cache/v/cache/lastfailed"
    last_failed.parent.mkdir(parents=True)
    last_failed.write_text('{"tests/test_before.py::test_it": true}')
    not_begun = ends(0, tests=1)
    assert (not_begun.returncode, "0 tests failed" in not_begun.stderr) == (1, True)
