"""An appliance whose disk is really full."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from appliance import Appliance
from moodify.store import reserve
from moodify.store.history import History
from waiting import wait_until

pytestmark = pytest.mark.slow

TOML = '[store]\nfolder = "{}"\n[link]\nenabled = false\n'
SIMULATED = ("--camera", "sample", "--speaker", "simulated")


@pytest.fixture
def disk(tmp_path):
    """A disk with room for 64 MB."""
    if os.geteuid() != 0:
        pytest.skip("root: only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", folder], check=False, capture_output=True).returncode:
        pytest.skip("root: a small disk can't be mounted in this container")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk):
    with (disk / "ballast").open("ab", buffering=0) as file:
        for size in (1 << 20, 4_096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    assert shutil.disk_usage(disk).free == 0


def test_an_appliance_goes_on_while_its_disk_is_full_and_writes_all_of_it_down_after(tmp_path, disk):
    with Appliance(tmp_path, *SIMULATED, toml=TOML.format(disk)) as appliance:
        appliance.wait_for("mood")
        fill(disk)
        wait_until(lambda: "Events wait in memory" in appliance.log, within_s=60, what="the full disk")
        (disk / "ballast").unlink()
        wait_until(lambda: "Events are written again; 0 were given up" in appliance.log, within_s=60, what="the end of it")
        assert appliance.end() == 0
    with History(disk / "moodify.db") as history:
        assert [event.id for event in history.each()] == [event["id"] for event in appliance.events]


def test_an_appliance_starts_on_a_full_disk_and_keeps_what_it_knew(tmp_path, disk):
    with Appliance(tmp_path, *SIMULATED, toml=TOML.format(disk)) as appliance:
        appliance.wait_for("mood")
        assert appliance.end() == 0
    before = [event["id"] for event in appliance.events]
    assert reserve.beside(disk / "moodify.db").exists()
    fill(disk)
    with Appliance(tmp_path, *SIMULATED, toml=TOML.format(disk)) as appliance:
        appliance.wait_for("mood")
        assert "the disk is full" in appliance.log
        assert appliance.end() == 0
    with History(disk / "moodify.db") as history:
        assert [event.id for event in history.each()] == [*before, *(event["id"] for event in appliance.events)]
