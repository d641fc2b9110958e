"""The files for a first boot without SSH, read by cloud-init and netplan themselves; and what the board then does, done."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml


@pytest.fixture
def tools(project_root):
    unpacked = project_root / ".cache/tools"
    if not (unpacked / "unpacked").is_file():
        pytest.skip("needs cloud-init, netplan and others, unpacked by scripts/appliance/tools.sh, as scripts/test --all does")
    return unpacked


@pytest.fixture
def user_data(project_root):
    return project_root / "firmware_config/cloud-init/user-data"


@pytest.fixture
def network_config(project_root):
    return project_root / "firmware_config/cloud-init/network-config"


def schema(tools, file):
    """Hold a file to cloud-init's schema: exit status, and what it says."""
    command = [sys.executable, "-W", "ignore", "-m", "cloudinit.config.schema", "--config-file", str(file)]
    environment = os.environ | {"PYTHONPATH": str(tools / "usr/lib/python3/dist-packages")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    return done.returncode, done.stdout + done.stderr


def test_cloud_init_knows_every_key(tools, user_data):
    code, said = schema(tools, user_data)
    assert (code, said.startswith("Valid")) == (0, True), said


@pytest.mark.parametrize("wrong", ["lock_passwd: maybe", "sudoo: 1"])
def test_cloud_init_would_find_a_value_that_it_does_not_know(tools, user_data, tmp_path, wrong):
    file = tmp_path / "user-data"
    file.write_text(user_data.read_text("utf-8").replace("lock_passwd: true", wrong))
    code, said = schema(tools, file)
    assert code != 0
    assert "users.0" in said


def test_there_is_no_password_and_no_way_in_by_one(user_data):
    settings = yaml.safe_load(user_data.read_text("utf-8"))
    assert not {"password", "chpasswd"} & set(settings)
    assert settings["ssh_pwauth"] is False
    for user in settings["users"]:
        assert user["lock_passwd"] is True
        assert not {"passwd", "plain_text_passwd", "hashed_passwd"} & set(user)


def test_the_example_of_a_key_is_one_that_cloud_init_takes(tools, user_data, tmp_path):
    file = tmp_path / "user-data"
    file.write_text(user_data.read_text("utf-8").replace("# ssh_authorized_keys", "ssh_authorized_keys").replace("AAAA… you@home", "AAAA you@home"))
    assert yaml.safe_load(file.read_text("utf-8"))["users"][0]["ssh_authorized_keys"] == ["ssh-ed25519 AAAA you@home"]
    assert schema(tools, file)[0] == 0


@pytest.fixture
def unit(user_data):
    """The service that installs, as it lies on the board."""
    (file,) = yaml.safe_load(user_data.read_text("utf-8"))["write_files"]
    assert file["path"] == "/etc/systemd/system/moodify-install.service"
    return file["content"]


def test_systemd_knows_every_line_of_the_service_that_installs(unit, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze, which scripts/test --all installs (package systemd)")
    file = tmp_path / "moodify-install.service"
    # systemd looks for the programs, of which the installer comes later.
    file.write_text(re.sub(r"(?m)^ExecStart=(/usr/local/src/moodify/scripts/install|/usr/bin/systemctl)", "ExecStart=/bin/true", unit))
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=yes", "--man=no", str(file)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_started_is_what_was_written(user_data, unit):
    commands = yaml.safe_load(user_data.read_text("utf-8"))["runcmd"]
    assert commands == [["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", "--no-block", "moodify-install.service"]]
    # Whoever installs a service must say what starts it with the machine.
    assert "\nWantedBy=" in unit


def test_what_was_fetched_is_installed_and_kept_for_another_try(unit, project_root, tmp_path):
    (fetch,) = re.findall(r"(?m)^ExecStart=/bin/sh -c '(.*)'$", unit)
    (install,) = re.findall(r"(?m)^ExecStart=(/usr/local/src/moodify/\S+)$", unit)
    assert (project_root / install.removeprefix("/usr/local/src/moodify/")).is_file()
    source, target = tmp_path / "source", tmp_path / "target"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost"]
    subprocess.run([*git, "init", "--quiet", str(source)], check=True, timeout=60)
    (source / "file").write_text("one")
    subprocess.run([*git, "-C", str(source), "add", "file"], check=True, timeout=60)
    subprocess.run([*git, "-C", str(source), "commit", "--quiet", "-m", "one"], check=True, timeout=60)
    address = re.search(r"https://\S+", fetch)[0]
    here = fetch.replace(address, source.as_uri()).replace("/usr/local/src/moodify", str(target))
    assert here.count(str(target)) == 2
    for _ in range(2):
        subprocess.run(["/bin/sh", "-c", here], check=True, timeout=60, capture_output=True)
        assert (target / "file").read_text() == "one"
    # Where nothing can be fetched the service fails, and systemd tries again.
    shutil.rmtree(target)
    shutil.rmtree(source)
    assert subprocess.run(["/bin/sh", "-c", here], check=False, timeout=60, capture_output=True).returncode != 0


def connections(tools, tmp_path, text):
    """What netplan makes of the networks: NetworkManager's connections by name."""
    (tmp_path / "etc/netplan").mkdir(parents=True)
    file = tmp_path / "etc/netplan/50-cloud-init.yaml"
    file.write_text(text)
    file.chmod(0o600)
    libraries = ":".join(sorted({str(found.parent) for found in tools.glob("usr/lib/*/libnetplan.so*")}))
    generate = next(found for found in tools.glob("usr/libexec/netplan/*") if found.name in {"generate", "configure"})
    done = subprocess.run(
        [generate, "--root-dir", tmp_path], capture_output=True, text=True, check=False, timeout=60, env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": libraries}
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {made.name: made.read_text("utf-8") for made in tmp_path.glob("run/NetworkManager/system-connections/*")}


def test_netplan_reads_the_networks_and_there_is_no_secret_in_them(tools, network_config, tmp_path):
    made = connections(tools, tmp_path, network_config.read_text("utf-8"))
    assert set(made) == {"netplan-eth0.nmconnection"}
    assert "psk" not in made["netplan-eth0.nmconnection"]


def test_the_lines_for_wifi_hold_once_their_marks_are_off(tools, network_config, tmp_path):
    text = network_config.read_text("utf-8")
    at = text.index("  # wifis:")
    made = connections(tools, tmp_path, text[:at] + re.sub(r"(?m)^  # ", "  ", text[at:]))
    (wifi,) = (connection for name, connection in made.items() if name.startswith("netplan-wlan0-"))
    assert "\nssid=name of your network\n" in wifi
    assert "\npsk=password of your network\n" in wifi
