"""scripts/board.sh: what scripts/install puts on a Raspberry Pi, in a folder that stands for its card."""

import subprocess

import pytest

OWN = "# the owner's\ndtparam=audio=on\n"


@pytest.fixture
def card(tmp_path):
    card = tmp_path / "card"
    (card / "boot/firmware").mkdir(parents=True)
    (card / "boot/firmware/config.txt").write_text(OWN)
    return card


@pytest.fixture
def sh(project_root, card, tmp_path):
    def run(lines):
        script = f"set -euo pipefail\n. scripts/setup.sh\n. scripts/board.sh\nsources={tmp_path}\nBOARD_ROOT={card}\n{lines}"
        return subprocess.run(["bash", "-c", script], cwd=project_root, capture_output=True, text=True, check=True, timeout=30).stdout

    return run


def files_of(card):
    return {str(path.relative_to(card)): path.read_text() for path in card.rglob("*") if path.is_file()}


def test_each_file_comes_to_its_place_and_the_owners_lines_stay(sh, card, project_root):
    sh("put_board_files")
    files = files_of(card)
    listed = [line.split() for line in (project_root / "firmware_config/install.list").read_text().splitlines() if line.startswith("file ")]
    assert listed
    for _, _, source, destination in listed:
        assert files[destination.lstrip("/")] == (project_root / "firmware_config" / source).read_text()
    text = files["boot/firmware/config.txt"]
    assert text.startswith(f"{OWN}# moodify: begin\n")
    assert (project_root / "firmware_config/boot/config.txt").read_text() in text
    assert not [name for name in files if name.endswith(".moodify")]


def test_put_twice_nothing_is_there_twice(sh, card):
    sh("put_board_files")
    once, written = files_of(card), (card / "boot/firmware/config.txt").stat().st_ino
    sh("put_board_files")
    assert files_of(card) == once
    assert (card / "boot/firmware/config.txt").stat().st_ino == written


def test_taken_away_only_the_owners_lines_are_left(sh, card):
    sh("put_board_files\ntake_board_files_away")
    assert files_of(card) == {"boot/firmware/config.txt": OWN}


def test_a_card_without_boot_settings_gets_none(sh, card):
    (card / "boot/firmware/config.txt").unlink()
    sh("put_board_files")
    assert "boot/firmware/config.txt" not in files_of(card)


def test_the_packages_that_read_them_are_asked_for(sh):
    assert "unattended-upgrades" in sh("board_says package").split()
