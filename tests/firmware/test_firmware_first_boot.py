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
def written(user_data):
    """The files that lie on the board, by their places."""
    return {file["path"]: file for file in yaml.safe_load(user_data.read_text("utf-8"))["write_files"]}


@pytest.fixture
def unit(written):
    """The service that installs, as it lies on the board."""
    return written["/etc/systemd/system/moodify-install.service"]["content"]


def test_systemd_knows_every_line_of_the_service_that_installs(unit, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze, which scripts/test --all installs (package systemd)")
    file = tmp_path / "moodify-install.service"
    # systemd looks for the program, which is not on this machine.
    file.write_text(unit.replace("ExecStart=/usr/local/sbin/moodify-install", "ExecStart=/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=yes", "--man=no", str(file)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_started_is_what_was_written(user_data, unit):
    commands = yaml.safe_load(user_data.read_text("utf-8"))["runcmd"]
    assert commands == [["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", "--no-block", "moodify-install.service"]]
    # Whoever installs a service must say what starts it with the machine.
    assert "\nWantedBy=" in unit


@pytest.fixture
def board(written, tmp_path):
    """What installs at the first boot, on a board that is a folder; systemctl and apt-get only say that they were called."""
    card, place, called = tmp_path / "card", tmp_path / "place", tmp_path / "called"
    card.mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("systemctl", "apt-get"):
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{called}\n')
        (tmp_path / "bin" / name).chmod(0o755)
    address = tmp_path / "address"
    address.write_text(written["/etc/moodify-install"]["content"])
    script = written["/usr/local/sbin/moodify-install"]
    assert script["permissions"] == "0755"
    text = script["content"]
    for theirs, ours in (("/boot/firmware", card), ("/usr/local/src/moodify", place), ("/etc/moodify-install", address)):
        assert theirs in text
        text = text.replace(theirs, str(ours))
    (tmp_path / "moodify-install").write_text(text)

    class Board:
        def __init__(self):
            self.card, self.place, self.address = card, place, address

        def starts(self):
            """Install; the exit status, and what it said."""
            command = ["/bin/sh", str(tmp_path / "moodify-install")]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
            return done.returncode, done.stdout + done.stderr

        def called(self):
            return called.read_text().splitlines() if called.exists() else []

    return Board()


@pytest.fixture
def sources(tmp_path):
    """A checkout whose installer says that it was called."""
    folder = tmp_path / "sources"
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts/install").write_text("#!/bin/sh\necho installing\n")
    (folder / "scripts/install").chmod(0o755)
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@localhost"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "one"]):
        subprocess.run([*git, *command], check=True, timeout=60)
    return folder


def archive(sources, file):
    """Make it by the line that the file for the first boot gives."""
    subprocess.run(["git", "-C", str(sources), "archive", "--prefix=moodify/", f"--output={file}", "HEAD"], check=True, timeout=60)


def test_what_lies_on_the_card_is_installed_without_an_address(board, sources, user_data):
    assert '"git archive --prefix=moodify/ --output=moodify.tar.gz HEAD"' in user_data.read_text("utf-8")
    archive(sources, board.card / "moodify.tar.gz")
    assert board.starts() == (0, "installing\n")
    assert board.called() == ["systemctl disable moodify-install.service"]


def test_what_has_an_address_is_fetched_from_there_and_kept_for_another_try(board, sources):
    board.address.write_text(f"{sources.as_uri()}\n")
    assert board.starts()[0] == 0
    shutil.rmtree(sources)
    assert board.starts() == (0, "installing\n")
    assert sum("install --no-install-recommends git" in call for call in board.called()) == 1


def test_a_first_boot_with_nothing_to_install_says_what_to_put_where_and_is_not_tried_again(board, unit):
    code, said = board.starts()
    assert (code, "put moodify.tar.gz on the card's first partition" in said) == (78, True)
    assert board.called() == []
    assert f"\nRestartPreventExitStatus={code}\n" in unit


def test_what_can_not_be_fetched_or_installed_is_tried_again(board, sources, unit):
    board.address.write_text((sources.parent / "nowhere").as_uri())
    assert board.starts()[0] not in {0, 78}
    (sources / "scripts/install").write_text("#!/bin/sh\nexit 1\n")
    subprocess.run(["git", "-C", str(sources), "-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "--quiet", "-am", "two"], check=True, timeout=60)
    archive(sources, board.card / "moodify.tar.gz")
    assert board.starts()[0] == 1
    assert "systemctl disable moodify-install.service" not in board.called()
    assert "\nRestart=on-failure\n" in unit


def test_this_checkout_is_one_that_a_first_boot_can_install(board, project_root, unit):
    assert "\nExecStart=/usr/local/sbin/moodify-install\n" in unit
    tree = subprocess.run(["git", "-C", str(project_root), "ls-files", "--stage", "scripts/install"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert tree.startswith("100755 ")


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
