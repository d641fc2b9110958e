"""The unit and its user, read by systemd's own tools; and what the daemon says, against what the unit waits for."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from moodify.daemon.ending import AGAIN
from moodify.daemon.watcher import ALIVE_S
from moodify.system.crashes import MANY, WINDOW_S


@pytest.fixture
def analyze():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze, which scripts/test --all installs (package systemd)")

    def run(*arguments):
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60, env={"PATH": os.environ["PATH"], "SYSTEMD_COLORS": "0"})

    return run


@pytest.fixture
def text(project_root):
    return (project_root / "systemd/moodify.service").read_text("utf-8")


@pytest.fixture(params=["moodify", "moodify-hub"])
def unit(request, project_root, tmp_path):
    """A unit, with a program that is there: systemd looks for it."""
    file = tmp_path / f"{request.param}.service"
    file.write_text((project_root / "systemd" / file.name).read_text("utf-8").replace("/opt/moodify/bin/moodify", "/bin/true"))
    return file


def test_systemd_knows_every_line(analyze, unit):
    result = analyze("verify", "--recursive-errors=yes", "--man=no", str(unit))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_systemd_would_find_a_line_that_it_does_not_know(analyze, unit):
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchDogSec="))
    assert "WatchDogSec" in analyze("verify", "--recursive-errors=yes", "--man=no", str(unit)).stderr


def test_the_sandbox_is_tight(analyze, unit):
    result = analyze("security", "--offline=yes", "--no-pager", "--threshold=15", str(unit))
    assert result.returncode == 0, result.stdout
    assert re.search(r"exposure level for moodify(-hub)?\.service: 1\.[0-5] OK", result.stdout)


def test_the_models_can_ask_what_the_processor_can(text):
    assert not re.search(r"(?m)^ProcSubset=", text)


def test_the_start_limit_lies_above_safe_mode(text):
    assert re.search(r"(?m)^StartLimitIntervalSec=(\d+)min$", text)[1] == f"{WINDOW_S / 60:g}"
    # Five crashes, the start in safe mode, and the one after a press.
    assert int(re.search(r"(?m)^StartLimitBurst=(\d+)$", text)[1]) > MANY + 2
    assert re.search(r"(?m)^RestartForceExitStatus=(\d+)$", text)[1] == re.search(r"(?m)^SuccessExitStatus=(\d+)$", text)[1] == str(AGAIN)


def test_five_starts_that_hang_fit_into_the_time_that_is_looked_at(text):
    seconds = {name: int(re.search(rf"(?m)^{name}=(\d+)$", text)[1]) for name in ("TimeoutStartSec", "RestartSec", "WatchdogSec")}
    assert MANY * (seconds["TimeoutStartSec"] + seconds["RestartSec"]) < WINDOW_S
    assert seconds["WatchdogSec"] > 2 * ALIVE_S
    # A start that is given up counts as a crash only where it does not look like somebody's wish.
    assert "\nTimeoutStartFailureMode=abort\n" in text


def test_the_hub_may_hold_ten_thousand_connections(project_root):
    text = (project_root / "systemd/moodify-hub.service").read_text("utf-8")
    assert int(re.search(r"(?m)^LimitNOFILE=(\d+)$", text)[1]) >= 2 * 10_000 + 256


def test_each_unit_has_its_user_and_its_folder(project_root):
    for unit in ("moodify", "moodify-hub"):
        text = (project_root / f"systemd/{unit}.service").read_text("utf-8")
        assert f"\nUser={unit}\n" in text
        assert f"\nStateDirectory={unit}\n" in text
        assert re.search(rf"(?m)^u {unit} .* /var/lib/{unit} ", (project_root / f"systemd/sysusers.d/{unit}.conf").read_text())
        assert f"\nd /var/lib/{unit} 0700 {unit} {unit}\n" in (project_root / f"systemd/tmpfiles.d/{unit}.conf").read_text()


def test_the_user_and_its_groups_are_made(project_root, text, tmp_path):
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("needs systemd-sysusers, which scripts/test --all installs (package systemd)")
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", str(project_root / "systemd/sysusers.d/moodify.conf")], capture_output=True, check=True, timeout=60)
    users = dict(line.split(":", 1) for line in (tmp_path / "etc/passwd").read_text().splitlines())
    groups = {line.split(":")[0]: line.split(":")[3].split(",") for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert users["moodify"].endswith("/var/lib/moodify:/usr/sbin/nologin")
    assert re.search(r"(?m)^User=(.*)$", text)[1] == "moodify"
    for group in re.search(r"(?m)^SupplementaryGroups=(.*)$", text)[1].split():
        assert groups[group] == ["moodify"]


@pytest.mark.skipif(os.geteuid() != 0, reason="root: gives folders away")
def test_the_folder_is_made_and_is_the_users_own(project_root, tmp_path):
    if shutil.which("systemd-tmpfiles") is None:
        pytest.skip("needs systemd-tmpfiles, which scripts/test --all installs (package systemd)")
    (tmp_path / "etc").mkdir()
    for tool, file in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")):
        arguments = ["--create"] if tool == "systemd-tmpfiles" else []
        subprocess.run([tool, *arguments, f"--root={tmp_path}", str(project_root / f"systemd/{file}/moodify.conf")], capture_output=True, check=True, timeout=60)
    user = next(line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("moodify:"))
    folder = (tmp_path / "var/lib/moodify").stat()
    assert (folder.st_mode & 0o7777, folder.st_uid, folder.st_gid) == (0o700, int(user[2]), int(user[3]))


def test_the_daemon_says_what_the_unit_waits_for(text, tmp_path):
    pytest.importorskip("systemd.daemon", reason="systemd-python is not installed (extra: systemd)")
    assert "\nType=notify\n" in text
    # As the unit has it: a folder for what lasts, one for the run, and the working folder there.
    state, runtime = tmp_path / "state", tmp_path / "runtime"
    for folder in (state, runtime):
        folder.mkdir(mode=0o700)
    configuration = tmp_path / "moodify.toml"
    configuration.write_text("[web]\nenabled = false\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        environment = os.environ | {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": str(int(float(re.search(r"(?m)^WatchdogSec=(\d+)$", text)[1]) * 1e6)),
            "STATE_DIRECTORY": str(state),
            "RUNTIME_DIRECTORY": str(runtime),
            "LG_WD": str(runtime),
        }
        command = [sys.executable, "-m", "moodify", "run", "--config", str(configuration), "--camera", "sample", "--speaker", "simulated"]
        with subprocess.Popen(command, cwd=runtime, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as daemon:
            said = []
            try:
                while not {"READY=1", "WATCHDOG=1"} <= set(said):
                    said += manager.recv(4096).decode().splitlines()
                daemon.terminate()
                while "STOPPING=1" not in said:
                    said += manager.recv(4096).decode().splitlines()
                assert daemon.wait(15) == 0
            finally:
                daemon.kill()
    assert said.index("READY=1") < said.index("STOPPING=1")
    assert (state / "moodify.db").is_file()


def test_the_unit_starts_what_the_installation_puts_there(project_root, text):
    program = Path(re.search(r"(?m)^ExecStart=(\S+) run$", text)[1])
    installer = (project_root / "scripts/install").read_text()
    assert f"\nprogram={program.parent.parent}\n" in installer
