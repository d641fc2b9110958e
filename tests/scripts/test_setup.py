"""scripts/setup.sh: what it decides, without a network and without installing anything."""

import os
import re
import shutil
import subprocess

import pytest

from moodify.config import load
from moodify.web import certificate


@pytest.fixture
def project(tmp_path, project_root):
    """A project of scripts and lists only, in a folder with a space in its name."""
    folder = tmp_path / "my music box"
    shutil.copytree(project_root / "scripts", folder / "scripts")
    (folder / "requirements").mkdir()
    for name in ("base", "sample"):
        (folder / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    (folder / "pyproject.toml").write_text("# the project\n")
    (folder / ".venv").mkdir()
    return folder


@pytest.fixture
def sh(project):
    """Run lines of bash after setup.sh, as the scripts do; pip and the making of environments are told, not done."""

    def run(lines, **environment):
        told = """
        make_venv() { mkdir -p "$1"; printf 'make %s\\n' "$*"; }
        pip_into() { printf 'pip %s\\n' "$*"; [ -z "${PIP_FAILS:-}" ]; }
        """
        script = f"set -euo pipefail\n. scripts/setup.sh\n{told}\n{lines}"
        return subprocess.run(["bash", "-c", script, "scripts/run"], cwd=project, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=30)

    return run


@pytest.fixture
def pi(tmp_path):
    model = tmp_path / "model"
    model.write_bytes(b"Raspberry Pi Zero 2 W Rev 1.0\0")
    return {"PI_MODEL": str(model)}


@pytest.fixture
def no_pi(tmp_path):
    return {"PI_MODEL": str(tmp_path / "nothing")}


def test_a_pi_takes_camera_and_pins_from_debian(sh, pi):
    assert sh("packages_to_run", **pi).stdout.split() == ["mosquitto", "python3-picamera2", "python3-lgpio"]
    assert sh("venv_options", **pi).stdout.split() == ["--system-site-packages"]


def test_another_machine_needs_the_broker_only(sh, no_pi):
    assert sh("packages_to_run", **no_pi).stdout.split() == ["mosquitto"]
    assert sh("venv_options", **no_pi).stdout == ""


def test_packages_that_are_there_are_not_asked_for(sh):
    assert sh("missing_packages bash no-such-package coreutils").stdout.split() == ["no-such-package"]


def test_a_python_that_is_too_old_is_refused_with_what_to_do(sh, tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    result = sh(f'PYTHONS=("{old}" no-such-python)\nneed_venv base')
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Python 3.11 or newer is missing" in result.stderr
    assert "sudo apt install python3" in result.stderr


def test_a_first_start_makes_the_environment_and_installs_all(sh, project, no_pi):
    (project / ".venv").rmdir()
    assert sh("need_venv base sample", **no_pi).stdout.splitlines() == [
        "make .venv",
        "pip .venv --require-hashes -r requirements/base.txt",
        "pip .venv --require-hashes --no-deps -r requirements/sample.txt",
        "pip .venv --no-deps --no-build-isolation -e .",
    ]


def test_a_later_start_does_nothing(sh, no_pi):
    sh("need_venv base sample", **no_pi)
    result = sh("need_venv base sample", **no_pi)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_list_that_changed_is_installed_again_and_no_other(sh, project, no_pi):
    sh("need_venv base sample", **no_pi)
    (project / "requirements/base.txt").write_text("# more\n")
    assert sh("need_venv base sample", **no_pi).stdout == "pip .venv --require-hashes -r requirements/base.txt\n"


def test_what_pip_could_not_install_is_tried_again(sh, no_pi):
    failed = sh("need_venv base", PIP_FAILS="1", **no_pi)
    assert failed.returncode == 1
    assert "pip could not install requirements/base.txt" in failed.stderr
    assert "pip .venv --require-hashes -r requirements/base.txt" in sh("need_venv base", **no_pi).stdout


def test_an_environment_whose_set_up_was_killed_is_made_anew(sh, no_pi):
    sh("need_venv base", **no_pi)
    killed = sh('pip_into() { kill -KILL $$; }\n: >>requirements/base.txt; echo "# more" >>requirements/base.txt\nneed_venv base', **no_pi)
    assert killed.returncode == -9
    result = sh("need_venv base", **no_pi)
    assert result.stdout.startswith("make .venv\n")
    assert "half made" in result.stderr


@pytest.mark.parametrize("change", ["moved", "became a Pi"])
def test_an_environment_that_was_made_for_something_else_is_made_anew(sh, project, no_pi, pi, change):
    sh("need_venv base", **no_pi)
    if change == "moved":
        made = project / ".venv/made"
        made.write_text(made.read_text().replace("my music box", "elsewhere"))
    assert "make .venv" in sh("need_venv base", **(pi if change == "became a Pi" else no_pi)).stdout


def test_the_audits_have_an_environment_of_their_own_which_is_made_once_for_a_list(sh, project, no_pi):
    (project / "requirements/audit.txt").write_text("# audit\n")
    made = ["make .venv-audit", "pip .venv-audit --require-hashes -r requirements/audit.txt"]
    assert sh("need_audit", PIP_FAILS="1", **no_pi).returncode == 1
    assert sh("need_audit", **no_pi).stdout.splitlines() == made
    assert sh("need_audit", **no_pi).stdout == ""
    (project / "requirements/audit.txt").write_text("# more\n")
    assert sh("need_audit", **no_pi).stdout.splitlines() == made


def test_two_that_start_together_set_up_one_after_the_other(sh, no_pi):
    result = sh('slow() { need_venv base; echo "done"; }\nslow & slow & wait', **no_pi)
    assert result.stdout.count("pip .venv --require-hashes -r requirements/base.txt") == 1
    assert result.stdout.count("done") == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root: is root already")
def test_without_sudo_it_says_what_root_should_do(sh, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "id", "dpkg-query", "grep", "apt-get"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    result = sh("need_apt no-such-package", PATH=str(programs))
    assert result.returncode == 1
    assert "run as root: apt-get install no-such-package" in result.stderr


def test_a_configuration_that_one_may_read_is_left_to_the_program(sh, tmp_path):
    installed = tmp_path / "moodify.toml"
    installed.touch()
    assert sh('choose_configuration; echo "${MOODIFY_CONFIG:-}"', INSTALLED_CONFIGURATION=str(installed), MOODIFY_CONFIG="").stdout == "\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root: may read everything")
@pytest.mark.parametrize("own", [True, False])
def test_a_configuration_that_one_may_not_read_does_not_end_the_run(sh, tmp_path, own):
    installed, mine = tmp_path / "moodify.toml", tmp_path / "home/moodify/moodify.toml"
    installed.touch(0)
    if own:
        mine.parent.mkdir(parents=True)
        mine.touch()
    result = sh('choose_configuration; echo "$MOODIFY_CONFIG"', INSTALLED_CONFIGURATION=str(installed), XDG_CONFIG_HOME=str(tmp_path / "home"), MOODIFY_CONFIG="")
    assert result.stdout.strip() == (str(mine) if own else "/dev/null")
    assert str(installed) in result.stderr


def test_messages_carry_no_colours_where_no_terminal_is(sh):
    result = sh('say "hello"')
    assert (result.stdout, result.stderr) == ("", "· hello\n")


def test_each_script_starts_in_the_project_whatever_the_place_it_is_called_from(project_root):
    shell = [file for folder in ("scripts", ".ci") for file in (project_root / folder).iterdir() if file.is_file() and file.read_bytes().startswith(b"#!")]
    assert {"run", "test", "test-appliance", "check", "install", "lock", "bench"} <= {file.name for file in shell}
    for file in [*shell, project_root / "models/train"]:
        commands = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        assert commands[:2] == ["set -euo pipefail", 'cd "$(dirname "$0")/.."'], file
        assert os.access(file, os.X_OK), file


def test_install_only_tells_its_steps_when_asked_to(project_root, tmp_path):
    before = sorted(tmp_path.parent.iterdir())
    result = subprocess.run([project_root / "scripts/install", "--dry-run"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=30)
    assert re.findall(r"(?m)^(\d)\. ", result.stdout) == list("1234567")
    for told in ("pip_into /opt/moodify.a --require-hashes", "make_users", "point_to /opt/moodify.a", "systemctl enable --quiet moodify.service"):
        assert told in result.stdout
    assert sorted(tmp_path.parent.iterdir()) == before


def test_a_new_configuration_opens_the_page_to_the_home_and_says_how_to_come_in(project_root, tmp_path):
    text = (project_root / "scripts/install").read_text()
    parts = [re.search(rf"(?ms)^{name}\(\) \{{.*?\}}$", text)[0] for name in ("step", "fill_in_configuration", "tell_of_the_page")]
    script = "\n".join([*parts, f"fill_in_configuration {tmp_path}/moodify.toml", "tell_of_the_page"]).replace("--group=moodify ", "")
    told = subprocess.run(["bash", "-euc", script], cwd=project_root, capture_output=True, text=True, check=True, timeout=30).stdout
    example = (project_root / "firmware_config/moodify.toml").read_text().splitlines()
    changed = [line for line in (tmp_path / "moodify.toml").read_text().splitlines() if line not in example]
    assert changed == ['folder = "/var/lib/moodify"', 'host = "0.0.0.0"']
    assert load(tmp_path / "moodify.toml").web.announced
    (address,) = re.findall(r"https://(\S+):8080", told)
    assert address in certificate.own_names()
    assert "more than 15 s" in told


def test_install_tells_the_steps_of_a_hub_and_of_uninstalling_too(project_root):
    def told(*arguments):
        command = [project_root / "scripts/install", "--dry-run", *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=30).stdout

    hub = told("--hub")
    assert "systemctl enable --quiet moodify-hub.service" in hub
    assert "python3-picamera2" not in hub
    assert "rm -rf /etc/moodify" not in told("--uninstall")
    assert "rm -rf /etc/moodify" not in told("--uninstall", "--keep")
    assert "rm -rf /etc/moodify /var/lib/moodify /var/lib/moodify-hub" in told("--uninstall", "--purge")


def test_install_says_what_it_does(project_root):
    text = subprocess.run([project_root / "scripts/install", "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    for option in ("--dry-run", "--hub", "--uninstall", "--keep", "--purge"):
        assert option in text


@pytest.mark.parametrize(("arguments", "said"), [(["--force"], "unknown argument --force"), (["--purge"], "--purge belongs to --uninstall")])
def test_install_refuses_what_it_does_not_know(project_root, arguments, said):
    result = subprocess.run([project_root / "scripts/install", *arguments], capture_output=True, text=True, check=False, timeout=30)
    assert result.returncode == 1
    assert said in result.stderr
