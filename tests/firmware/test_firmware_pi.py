"""What a Raspberry Pi gets besides the program: updates, devices, swap, and the list that the installer reads."""

import json
import os
import re
import shutil
import subprocess

import pytest

from moodify.hub import config as hub

#: In firmware_config/, but for somebody to copy: their own words are to be put into these.
EXAMPLES = {"moodify.toml", "hub.toml", "mosquitto/moodify.conf", "mosquitto/moodify.acl", "cloud-init/user-data", "cloud-init/network-config"}
NO_FILES_OF_A_PI = {"README.md", "install.list"}


@pytest.fixture
def folder(project_root):
    return project_root / "firmware_config"


@pytest.fixture
def tools(project_root):
    unpacked = project_root / ".cache/tools"
    if not (unpacked / "unpacked").is_file():
        pytest.skip("needs cloud-init, netplan and others, unpacked by scripts/appliance/tools.sh, as scripts/test --all does")
    return unpacked


@pytest.fixture
def entries(folder):
    """The lines of the installer's list, as words."""
    return [line.split() for line in (folder / "install.list").read_text("utf-8").splitlines() if line and not line.startswith("#")]


def test_the_list_speaks_the_installers_language(entries, folder):
    words = {"package": 2, "file": 4, "lines": 3, "off": 2}
    for entry in entries:
        assert len(entry) == words[entry[0]], entry
        if entry[0] == "file":
            assert entry[1] == "0644"
        if entry[0] in {"file", "lines"}:
            source, destination = entry[-2:]
            assert (folder / source).is_file()
            assert destination.startswith(("/etc/", "/boot/firmware/"))


def test_every_file_is_installed_or_an_example(entries, folder):
    installed = {entry[-2] for entry in entries if entry[0] in {"file", "lines"}}
    there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} - NO_FILES_OF_A_PI
    assert there == installed | EXAMPLES


def test_every_installed_file_says_where_it_goes(entries, folder):
    for kind, *_, source, destination in (entry for entry in entries if entry[0] in {"file", "lines"}):
        assert destination in (folder / source).read_text("utf-8").splitlines()[0], (kind, source)


def test_the_page_about_the_files_names_each(entries, folder):
    page = (folder / "README.md").read_text("utf-8")
    for source in EXAMPLES | {entry[-2] for entry in entries if entry[0] in {"file", "lines"}}:
        assert f"`{source}`" in page


def apt_environment(tmp_path, *files):
    """What makes apt read these files, and nothing of this machine's."""
    parts = tmp_path / "apt.conf.d"
    parts.mkdir()
    for file in files:
        shutil.copy(file, parts)
    main = tmp_path / "main"
    main.write_text(f'Dir::Etc::parts "{parts}";\nDir::Etc::main "/none";\n')
    return {"PATH": os.environ["PATH"], "APT_CONFIG": str(main)}


def apt_settings(tmp_path, *files):
    """What apt makes of these files, as a dictionary of lists; a list's members have a name that ends in ``::``."""
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True, timeout=60, env=apt_environment(tmp_path, *files))
    assert done.stderr == ""
    settings = {}
    for name, value in re.findall(r'(?m)^(\S+) "(.*)";$', done.stdout):
        settings.setdefault(name, []).append(value)
    return settings


#: Asks unattended-upgrades itself, without a start of it, which archives it would take packages from.
ASK = """
import json, runpy, sys, types
program = runpy.run_path(sys.argv[1], run_name="asked")
import apt_pkg
apt_pkg.init_config()
allowed = program["get_allowed_origins"]()
ask = lambda archive: program["is_allowed_origin"](types.SimpleNamespace(component="main", site="somewhere", trusted=True, **archive), allowed)
print(json.dumps([bool(ask(archive)) for archive in json.loads(sys.argv[2])]))
"""

ARCHIVES = {
    "Debian's security archive": {"origin": "Debian", "label": "Debian-Security", "codename": "bookworm-security", "archive": "stable-security"},
    "the same, as it was named before": {"origin": "Debian", "label": "Debian-Security", "codename": "bookworm", "archive": "stable"},
    "Debian's releases": {"origin": "Debian", "label": "Debian", "codename": "bookworm", "archive": "stable"},
    "another Debian's security archive": {"origin": "Debian", "label": "Debian-Security", "codename": "trixie-security", "archive": "testing-security"},
    "Raspberry Pi's archive": {"origin": "Raspberry Pi Foundation", "label": "Raspberry Pi Foundation", "codename": "bookworm", "archive": "stable"},
}


def archives_taken(tools, tmp_path, *files):
    """The names of those that unattended-upgrades takes packages from on a board with Debian 12 and these files."""
    release = tmp_path / "bin/lsb_release"
    release.parent.mkdir()
    release.write_text("#!/bin/sh\necho bookworm\n")
    release.chmod(0o755)
    environment = apt_environment(tmp_path, *files)
    environment |= {"PATH": f"{release.parent}:{environment['PATH']}", "PYTHONPATH": str(tools / "usr/lib/python3/dist-packages"), "PYTHONDONTWRITEBYTECODE": "1"}
    # Debian's own Python, which apt's bindings are built for.
    command = ["/usr/bin/python3", "-W", "ignore", "-c", ASK, str(tools / "usr/bin/unattended-upgrade"), json.dumps(list(ARCHIVES.values()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return [name for name, taken in zip(ARCHIVES, json.loads(done.stdout), strict=True) if taken]


def test_packages_change_by_themselves_where_it_is_a_matter_of_security_and_nowhere_else(folder, tools, tmp_path):
    debians = tools / "usr/share/unattended-upgrades/50unattended-upgrades"
    assert archives_taken(tools, tmp_path, debians, folder / "apt/52moodify") == ["Debian's security archive", "the same, as it was named before"]


def test_debians_own_list_has_more_than_that(tools, tmp_path):
    assert "Debian's releases" in archives_taken(tools, tmp_path, tools / "usr/share/unattended-upgrades/50unattended-upgrades")


def test_the_board_looks_for_updates_every_day(folder, tmp_path):
    settings = apt_settings(tmp_path, folder / "apt/52moodify")
    assert settings["APT::Periodic::Enable"] == settings["APT::Periodic::Update-Package-Lists"] == settings["APT::Periodic::Unattended-Upgrade"] == ["1"]


def test_the_board_starts_anew_for_an_update_only_where_somebody_asked(folder, tmp_path):
    settings = apt_settings(tmp_path, folder / "apt/52moodify")
    assert settings["Unattended-Upgrade::Automatic-Reboot"] == ["false"]
    assert settings["Unattended-Upgrade::Automatic-Reboot-Time"] == ["04:00"]


def read_rules(rules):
    """What udev says of the rules file: its complaints."""
    if shutil.which("udevadm") is None:
        pytest.skip("needs udevadm, which scripts/test --all installs (package udev)")
    if int(subprocess.run(["udevadm", "--version"], capture_output=True, text=True, check=True, timeout=60).stdout) >= 254:
        done = subprocess.run(["udevadm", "verify", "--resolve-names=never", "--no-summary", str(rules)], capture_output=True, text=True, check=False, timeout=60)
        return (done.stdout + done.stderr).splitlines()
    # Before Debian 13 udevadm reads rules from its own folders only, so the file is shown to it there, and to nobody else.
    if os.geteuid() != 0:
        pytest.skip("root: shows udev a folder of its own")
    script = 'mkdir -p /run/udev && mount -t tmpfs tmpfs /run/udev && mkdir /run/udev/rules.d && cp "$1" /run/udev/rules.d/ && udevadm test --action=add /sys/class/mem/null'
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "-", str(rules)], capture_output=True, text=True, check=False, timeout=60)
    said = [line for line in (done.stdout + done.stderr).splitlines() if f"/run/udev/rules.d/{rules.name}" in line]
    assert f"Reading rules file: /run/udev/rules.d/{rules.name}" in said, done.stderr
    # Whether this very machine has the service's groups is no matter of the file's.
    return [line for line in said if "Reading rules file" not in line and "Unknown group" not in line]


def test_udev_understands_every_rule(folder):
    assert read_rules(folder / "udev/70-moodify.rules") == []


def test_udev_would_find_a_rule_that_it_does_not_understand(folder, tmp_path):
    wrong = tmp_path / "71-wrong.rules"
    wrong.write_text((folder / "udev/70-moodify.rules").read_text("utf-8").replace("SUBSYSTEM", "SUBSISTEM", 1))
    assert any("SUBSISTEM" in complaint for complaint in read_rules(wrong))


def test_the_rules_give_devices_to_the_services_groups_only(folder, project_root):
    groups = set(re.findall(r'GROUP="(\w+)"', (folder / "udev/70-moodify.rules").read_text("utf-8")))
    assert groups == set(re.search(r"(?m)^SupplementaryGroups=(.*)$", (project_root / "systemd/moodify.service").read_text("utf-8"))[1].split())


def swap_units(tools, tmp_path, configuration):
    """The units that the generator makes for a board with this configuration, by name."""
    (tmp_path / "root/etc/systemd/zram-generator.conf.d").mkdir(parents=True)
    (tmp_path / "root/proc").mkdir()
    (tmp_path / "root/proc/meminfo").write_text("MemTotal:         443904 kB\n")
    (tmp_path / "root/proc/cmdline").write_text("\n")
    (tmp_path / "root/etc/systemd/zram-generator.conf.d/70-moodify.conf").write_text(configuration)
    made = tmp_path / "made"
    made.mkdir()
    generator = next(tools.glob("**/system-generators/zram-generator"))
    done = subprocess.run(
        [generator, made, made, made], capture_output=True, text=True, check=False, timeout=60, env={"PATH": os.environ["PATH"], "ZRAM_GENERATOR_ROOT": str(tmp_path / "root")}
    )
    assert done.returncode == 0, done.stderr
    return {file.name: file.read_text("utf-8") for file in made.iterdir() if file.is_file()}


def test_the_generator_makes_swap_in_memory_and_nowhere_else(folder, tools, tmp_path):
    units = swap_units(tools, tmp_path, (folder / "swap/zram-generator.conf").read_text("utf-8"))
    assert set(units) == {"dev-zram0.swap"}
    assert "\nWhat=/dev/zram0\n" in units["dev-zram0.swap"]
    assert "\nPriority=100\n" in units["dev-zram0.swap"]


def test_the_generator_makes_no_swap_unasked(tools, tmp_path):
    assert swap_units(tools, tmp_path, "") == {}


def test_the_hubs_example_shows_every_key_with_its_default(folder):
    write = "write it again: .venv/bin/python -c 'from moodify.hub import config; print(config.annotated(), end=\"\")' > firmware_config/hub.toml"
    assert (folder / "hub.toml").read_text("utf-8") == hub.annotated(), write
    assert hub.load(folder / "hub.toml") == hub.HubConfig()


def test_the_hubs_examples_of_keys_without_a_default_are_valid(folder, tmp_path):
    text = (folder / "hub.toml").read_text("utf-8")
    commented = re.findall(r"(?m)^# ([a-z_]+) = ", text)
    assert set(commented) == {name for name, field in hub.HubConfig.model_fields.items() if field.default is None} > {"certificate", "database_url"}
    file = tmp_path / "hub.toml"
    file.write_text(re.sub(r"(?m)^# (?=[a-z_]+ = )", "", text))
    assert hub.load(file).model_fields_set >= set(commented)
