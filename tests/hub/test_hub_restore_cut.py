"""A restore that is cut off in the middle: what is there is no hub, which says so, and the next restore makes a whole one."""

import threading

import pytest

from moodify.errors import PersonMustAct
from moodify.hub import backup as hub_backup
from moodify.hub.backup import back_up, restore
from moodify.hub.config import HubConfig
from moodify.hub.database import open_database
from moodify.hub.folder import HubFolder
from moodify.hub.serve import Options, serve
from moodify.hub.setup import configured, initialise
from moodify.system.notify import Notifier


class Cut(BaseException):
    """The power goes: nothing is undone."""


@pytest.fixture
def backup(tmp_path):
    folder, file = HubFolder(tmp_path / "hub"), tmp_path / "hub.backup"
    initialise(folder)
    with open_database(folder.database) as database:
        back_up(folder, database, file)
    return file


@pytest.fixture
def half(tmp_path, backup):
    """Return a hub's folder as a restore leaves it that was killed once the configuration was there."""
    folder = HubFolder(tmp_path / "half")
    restore(folder, backup)
    folder.database.unlink()
    folder.restoring.touch()
    return folder


def test_half_a_hub_is_neither_started_nor_set_up(half):
    for use in (configured, initialise):
        with pytest.raises(PersonMustAct, match=r"a restore into .* was cut off.*moodify hub restore FILE"):
            use(half)


def test_nor_is_half_a_hub_beside_an_appliance_which_has_no_configuration(half):
    half.config.unlink()
    with pytest.raises(PersonMustAct, match="was cut off"):
        serve(half, HubConfig(), Options(beside=True), stop=threading.Event(), notifier=Notifier(environ={}))
    assert not half.database.exists()


def test_half_a_hub_is_restored_anew_and_whole(half, backup):
    half.certificate.write_text("half")
    assert restore(half, backup) > 0
    assert not half.restoring.exists()
    assert configured(half) == initialise(half).config


def test_while_it_is_restored_it_is_no_hub(tmp_path, backup, monkeypatch):
    folder, seen = HubFolder(tmp_path / "other"), []

    def look(*_):
        seen.append(folder.restoring.exists())
        raise Cut

    monkeypatch.setattr(hub_backup, "open_database", look)
    with pytest.raises(Cut):
        restore(folder, backup)
    # What ends it by an error undoes it, and the note with it.
    assert (seen, folder.restoring.exists(), folder.config.exists()) == ([True], False, False)


def test_a_hub_that_came_while_the_file_was_looked_at_is_left_as_it_is(tmp_path, backup, monkeypatch):
    folder, examine = HubFolder(tmp_path / "other"), hub_backup._examine

    def while_it_is_looked_at(*given):
        examine(*given)
        initialise(folder)

    monkeypatch.setattr(hub_backup, "_examine", while_it_is_looked_at)
    with pytest.raises(PersonMustAct, match=r"there is a hub in .* already"):
        restore(folder, backup)
    assert configured(folder) == initialise(folder).config
