"""A hub in one file, and back."""

import io
import json
import zipfile
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from moodify.cloud.keys import device_of, pem_of
from moodify.errors import MoodifyError, PersonMustAct, StoreBusy, StoreError
from moodify.hub.backup import back_up, restore
from moodify.hub.database import open_database
from moodify.hub.folder import HubFolder
from moodify.hub.port import Summary
from moodify.hub.setup import initialise
from moodify.store.lock import FolderLock


@pytest.fixture
def folder(tmp_path):
    folder = HubFolder(tmp_path / "hub")
    initialise(folder)
    with open_database(folder.database) as database:
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        now = datetime.now(UTC)
        device = database.registry.enrol(device_of(key), pem_of(key), now)
        database.intake.commit([Summary(device.id, "e", 1, ({"id": "x", "kind": "mood", "at": now.isoformat(), "data": {}},))], now)
    return folder


@pytest.fixture
def backup(folder, tmp_path):
    file = tmp_path / "hub.backup"
    with open_database(folder.database) as database:
        assert back_up(folder, database, file) > 0
    return file


def files_of(folder):
    return {path.name: path.read_bytes() for path in (folder.config, folder.certificate, folder.key, folder.admin)}


def test_what_is_restored_is_what_was_backed_up_and_private(folder, backup, tmp_path):
    other = HubFolder(tmp_path / "other")
    assert restore(other, backup) > 0
    assert files_of(other) == files_of(folder)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert {path.stat().st_mode & 0o077 for path in (other.path, *other.path.rglob("*"))} == {0}
    with open_database(folder.database) as one, open_database(other.database) as another:
        assert another.registry.devices() == one.registry.devices()
        assert another.events.events() == one.events.events() != []
    assert list(folder.run.iterdir()) == list(other.run.iterdir()) == []


def test_a_hub_that_is_there_is_not_written_over(folder, backup):
    before = files_of(folder), folder.database.read_bytes()
    with pytest.raises(PersonMustAct, match=r"there is a hub in .* already .*nothing was changed"):
        restore(folder, backup)
    assert (files_of(folder), folder.database.read_bytes()) == before


def test_one_that_an_appliance_has_beside_itself_is_not_written_over(backup, tmp_path):
    other = HubFolder(tmp_path / "beside")
    other.make()
    open_database(other.database).close()
    with pytest.raises(PersonMustAct, match=r"already \(hub\.db\)"):
        restore(other, backup)


@pytest.mark.parametrize("share", [0, 0.3, 0.6, 0.9, 0.999])
def test_half_a_backup_leaves_nothing(backup, tmp_path, share):
    backup.write_bytes(backup.read_bytes()[: int(backup.stat().st_size * share)])
    other = HubFolder(tmp_path / "other")
    with pytest.raises(PersonMustAct, match="no whole backup"):
        restore(other, backup)
    assert not other.path.exists()


@pytest.mark.parametrize("at", range(0, 100, 7))
def test_a_backup_with_a_wrong_byte_leaves_nothing_or_is_restored_whole(folder, backup, tmp_path, at):
    content = bytearray(backup.read_bytes())
    content[len(content) * at // 100] ^= 0xFF
    backup.write_bytes(content)
    other = HubFolder(tmp_path / "other")
    try:
        restore(other, backup)
    except MoodifyError:
        assert not other.path.exists()
    else:
        assert files_of(other) == files_of(folder)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ({"program": "another", "format": 1}, "another version"),
        ({"program": "moodify-hub-backup", "format": 2}, "another version"),
        ([], "no whole backup"),
        ({}, "no whole backup"),
    ],
)
def test_another_programs_file_is_refused(tmp_path, note, said):
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hub.json", json.dumps(note))
    with pytest.raises(PersonMustAct, match=said):
        restore(HubFolder(tmp_path / "other"), file)
    assert not (tmp_path / "other").exists()


def test_a_row_without_end_is_none_and_leaves_nothing(backup, tmp_path):
    with zipfile.ZipFile(backup) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(io.BytesIO(members["database.zip"])) as archive:
        tables = {name: archive.read(name) for name in archive.namelist()}
    tables["events.jsonl"] = b'{"data":"' + b"x" * 20_000_000 + b'"}\n'
    members["database.zip"] = packed(tables)
    backup.write_bytes(packed(members))
    assert backup.stat().st_size < 100_000
    other = HubFolder(tmp_path / "other")
    with pytest.raises((PersonMustAct, StoreError), match="no whole backup"):
        restore(other, backup)
    assert not other.config.exists()
    assert not other.database.exists()


def test_what_the_disk_does_not_take_is_not_unpacked(backup, tmp_path, monkeypatch):
    monkeypatch.setattr("moodify.hub.backup.shutil.disk_usage", lambda _place: SimpleNamespace(free=5_000))
    other = HubFolder(tmp_path / "other")
    with pytest.raises(PersonMustAct, match=r"unpacks to .* MB, and the disk of .* has 0 MB free; free disk space, or name another folder with --folder"):
        restore(other, backup)
    assert not other.path.exists()


def test_tables_that_the_disk_does_not_take_leave_nothing(backup, tmp_path, monkeypatch):
    # So much that the file itself has room, and what is in it has none.
    with zipfile.ZipFile(backup) as archive, zipfile.ZipFile(io.BytesIO(archive.read("database.zip"))) as tables:
        members = {name: archive.read(name) for name in archive.namelist()}
        rows = {name: tables.read(name) for name in tables.namelist()}
    free = 1_000_000
    rows["events.jsonl"] = b" " * 2 * free
    members["database.zip"] = packed(rows)
    backup.write_bytes(packed(members))
    monkeypatch.setattr("moodify.hub.backup.shutil.disk_usage", lambda _place: SimpleNamespace(free=free))
    other = HubFolder(tmp_path / "other")
    with pytest.raises(PersonMustAct, match="unpacks to"):
        restore(other, backup)
    assert not other.config.exists()
    assert not other.database.exists()


def packed(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_what_is_not_of_a_hub_is_not_unpacked(backup, tmp_path):
    with zipfile.ZipFile(backup, "a") as archive:
        archive.writestr("../escaped", "x")
        archive.writestr("stranger", "x")
    other = HubFolder(tmp_path / "other")
    restore(other, backup)
    assert not (tmp_path / "escaped").exists()
    assert not (other.path / "stranger").exists()


def test_a_missing_file_and_a_folder_that_is_none_are_said(folder, tmp_path):
    with pytest.raises(PersonMustAct, match="there is no such file"):
        restore(HubFolder(tmp_path / "other"), tmp_path / "nothing")
    assert not (tmp_path / "other").exists()
    with open_database(folder.database) as database, pytest.raises(StoreBusy, match="folder that can be written"):
        back_up(folder, database, tmp_path / "nowhere" / "hub.backup")
    assert list(folder.run.iterdir()) == []


def test_a_folder_in_use_is_left_alone(backup, tmp_path):
    other = HubFolder(tmp_path / "other")
    other.make()
    with FolderLock(other.path), pytest.raises(StoreError, match=r"another Moodify .* uses"):
        restore(other, backup)
    assert {path.name for path in other.path.iterdir()} == {"run", "moodify.lock"}


def test_a_hub_beside_an_appliance_which_has_no_configuration_is_restored_too(tmp_path):
    beside, other = HubFolder(tmp_path / "beside"), HubFolder(tmp_path / "other")
    beside.make()
    with open_database(beside.database) as database:
        back_up(beside, database, tmp_path / "hub.backup")
    restore(other, tmp_path / "hub.backup")
    assert (other.database.exists(), other.config.exists()) == (True, False)
