"""What all tests share."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ("servers",)

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

#: How the reason of a skip begins that no installation would take away.
ALLOWED_SKIPS = ("data:", "hardware:", "network:", "root:")

# Beside a heavy load an example may take any time: a fifth of a second, Hypothesis's own deadline, says nothing of the code.
# Where a change is judged (.ci/run), each is judged by the same examples; elsewhere others are drawn each time.
_JUDGED = bool(os.environ.get("CI") or os.environ.get("MOODIFY_STRICT_SKIPS"))
settings.register_profile("moodify", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True, derandomize=_JUDGED)
settings.load_profile("moodify")

for _number, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    # Started in the background or under nohup these are ignored, here and in every process that a test starts.
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("data: the training and validation data (../shared/data) are not on this machine")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path_factory, monkeypatch):
    """No test reads or writes what belongs to the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "STATE_DIRECTORY", "RUNTIME_DIRECTORY", "MOODIFY_CONFIG", "NOTIFY_SOCKET"):
        monkeypatch.delenv(name, raising=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Where MOODIFY_STRICT_SKIPS is set, a test skipped for want of a tool fails."""
    outcome = yield
    report = outcome.get_result()
    if not report.skipped or hasattr(report, "wasxfail") or not os.environ.get("MOODIFY_STRICT_SKIPS"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr).removeprefix("Skipped: ")
    if not reason.startswith(ALLOWED_SKIPS):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be missing: {reason}"
