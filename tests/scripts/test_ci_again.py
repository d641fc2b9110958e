""".ci/again.py: a test that failed once may be unsteady; one that fails again is broken."""

import subprocess
import sys

import pytest

TESTS = """\
from pathlib import Path
RUNS = Path("runs")
def test_fails_so_often():
    runs = int(RUNS.read_text())
    RUNS.write_text(str(runs - 1))
    assert runs <= 0
def test_is_well():
    pass
"""
MANY = """\
from pathlib import Path
import pytest
@pytest.mark.parametrize("n", range(4))
def test_fails_once(n):
    failed_before = Path(f"{n}").exists()
    Path(f"{n}").touch()
    assert failed_before
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run(project, *command):
    return subprocess.run([sys.executable, *command], cwd=project, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize(
    ("failures", "passes", "words"),
    [(1, True, "UNSTEADY, to be mended: failed above and then passed 3 times: test_it.py::test_fails_so_often"), (2, False, "broken"), (99, False, "broken")],
)
def test_what_failed_must_pass_three_times_by_itself(project, project_root, failures, passes, words):
    (project / "runs").write_text(str(failures))
    assert run(project, "-m", "pytest").returncode == 1
    again = run(project, project_root / ".ci/again.py")
    assert (again.returncode == 0, "test_is_well" in again.stdout) == (passes, False)
    assert words in again.stderr


def test_many_failures_are_never_called_unsteady(project, project_root):
    (project / "test_it.py").write_text(MANY)
    assert run(project, "-m", "pytest").returncode == 1
    again = run(project, project_root / ".ci/again.py")
    assert again.returncode == 1
    assert "4 tests failed: nothing is run again" in again.stderr


def test_where_no_test_failed_there_is_nothing_to_excuse(project, project_root):
    again = run(project, project_root / ".ci/again.py")
    assert again.returncode == 1
    assert "0 tests failed" in again.stderr
