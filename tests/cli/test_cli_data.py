"""``moodify backup``, ``restore``, ``export`` and ``erase``, on what a real run has left."""

from __future__ import annotations

import csv
import errno
import itertools
import json
import os
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance import Appliance, configure, data_folder, environment_of, hubs_of, moodify
from brokers import OBSERVER, running_broker
from hub_process import HubDevice, HubProcess, made_hub
from moodify.accounts.accounts import Accounts, NewUser
from moodify.accounts.managing import TERMINAL
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role
from moodify.cli.main import app
from moodify.cloud.enrolment import enrol
from moodify.cloud.identity import load, load_or_make
from moodify.cloud.keys import pem_of
from moodify.cloud.mqtt import Acked, Connected, Connection, Received, Subscribed
from moodify.cloud.port import Credentials
from moodify.cloud.topics import Topics
from moodify.daemon.data_places import KINDS, set_aside, unknown
from moodify.daemon.kept import PRIVACY_ASKED_KEY, PRIVACY_KEY, privacy_kept
from moodify.errors import MoodifyError
from moodify.hub.certificate import fingerprint
from moodify.hub.database import open_database
from moodify.hub.reading import read_summary
from moodify.music import taste_keeping
from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.song import Features
from moodify.music.taste import ThompsonTaste
from moodify.store.accounts import AccountTransactions
from moodify.store.history import History
from moodify.store.lock import FolderLock, is_held
from moodify.store.outbox import Outbox
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind, Track
from signed_in import ADA, EMAIL, PASSWORD, QUICK
from terminals import typed
from waiting import wait_until

SONG = Track("spotify:track:6rqhFgbbKwnb9MLmUQDhG6", "=Halló, Heimur", "The Paper Weather", 201_000, explicit=True)
TOKEN = {"access_token": "secret-access", "refresh_token": "secret-refresh", "scope": "", "expires_at": 0, "client_id": "0" * 32}
LEARNED = {"format": taste_keeping.FORMAT, "day": 20_000, "own": [250, 100, 20_000, 0, 0], "moods": {}}
BY_HAND = 'source = "sample"\n'


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A home in which an appliance has run: history, key, a hub beside it; and songs, a taste and a sign-in."""
    home = tmp_path_factory.mktemp("lived-in")
    with Appliance(home, "--camera", "sample", "--speaker", "simulated", toml="[camera]\n" + BY_HAND) as appliance:
        appliance.wait_for("mood")
        appliance.wait_for("order", status="done")
        wait_until((data_folder(home) / "hub" / "hub.db").exists, what="the hub beside it")
        # While it runs: nothing in the folder is unknown or for others to see, and a backup is whole.
        assert {(each.is_dir(), each.stat().st_mode & 0o777) for each in data_folder(home).rglob("*") if not each.is_socket()} == {(True, 0o700), (False, 0o600)}
        assert unknown(data_folder(home)) == []
        backup = moodify(home, "backup", home / "running.backup")
        assert (backup.returncode, backup.stderr) == (0, "")
        assert appliance.end() == 0
    wait_until(lambda: not hubs_of(home), what="the end of the hub")
    folder = data_folder(home)
    with Catalogue(folder / "music.db") as catalogue:
        catalogue.keep("imported", [SONG])
        catalogue.keep_features({SONG.uri: Features(0.8, 0.9, 120.0)}, "imported")
    with Settings(folder / "moodify.db") as settings:
        settings.put(taste_keeping.TASTE_KEY, LEARNED)
    with Store(folder / "moodify.db") as store:
        store.record([event(n) for n in range(3)])
    with AccountTransactions(folder / "moodify.db") as transactions:
        people = Accounts(TableAccounts(transactions), QUICK, bytes(32), audience="moodify-page:m-test")
        people.claim(people.make_claim_code(), NewUser(**ADA), "Firefox")
        people.invite(TERMINAL, "Bo", Role.MEMBER)
    token = folder / "spotify-token.json"
    token.write_text(json.dumps(TOKEN), "utf-8")
    token.chmod(0o600)
    return home


@pytest.fixture
def home(lived_in, tmp_path):
    """A copy of that home, for a test to change."""
    home = tmp_path / "house"
    shutil.copytree(lived_in, home, symlinks=True)
    return home


@pytest.fixture
def fresh(tmp_path):
    """The home of somebody who has just installed it."""
    home = tmp_path / "fresh"
    home.mkdir()
    configure(home, "[camera]\n" + BY_HAND)
    return home


def event(n=0):
    return Event(f"00000000-0000-4000-8000-{n:012}", EventKind.ORDER, datetime.now(UTC), {"act": "play", "status": "done", "took_ms": 7_654, "track": None, "message": "-1+1"})


def command(home, *arguments, answer=None):
    """Run a command in this process, as somebody whose home it is."""
    given = dict.fromkeys(("STATE_DIRECTORY", "XDG_DATA_HOME", "XDG_CONFIG_HOME")) | environment_of(home)
    return CliRunner().invoke(app, [str(each) for each in arguments], env=given, input=answer)


def done(home, *arguments):
    result = command(home, *arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.exception
    return result.stdout


def refused(home, *arguments):
    """Return what an error says that ends a command which has said nothing yet."""
    result = command(home, *arguments)
    assert isinstance(result.exception, MoodifyError)
    assert result.output == ""
    return str(result.exception)


def begun(home):
    """Start an appliance, and end it at once."""
    own = home / "begin.toml"
    own.write_text("[link]\nenabled = false\n[web]\nenabled = false\n", "utf-8")
    assert moodify(home, "run", "--config", own, "--for", "0", "--camera", "sample", "--speaker", "simulated").returncode == 0


def events_of(home):
    with History(data_folder(home) / "moodify.db") as history:
        return list(history.each())


def content_of(folder):
    """What files hold, without databases' logs, which SQLite makes and unmakes."""
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in sorted(folder.rglob("*"))
        if each.is_file() and not each.is_symlink() and not each.name.endswith(("-wal", "-shm", "moodify.lock"))
    }


def outbox_of(home):
    with Outbox(data_folder(home) / "moodify.db") as outbox:
        return outbox.unsent(limit=1_000)


# -- backup


def test_a_backup_that_was_made_while_it_ran_holds_one_moment(lived_in, fresh):
    assert (lived_in / "running.backup").stat().st_mode & 0o777 == 0o600
    done(fresh, "restore", lived_in / "running.backup")
    kinds = {event.kind for event in events_of(fresh)}
    assert {EventKind.MOOD, EventKind.DECISION, EventKind.CAMERA} <= kinds
    assert {event.id for event in events_of(fresh)} <= {event.id for event in events_of(lived_in)}


def test_keys_are_in_a_backup_only_where_they_are_asked_for(home):
    for beside in ("damaged", "reserve"):
        (data_folder(home) / f"moodify.db.{beside}").write_bytes(b"")
    said = done(home, "backup", home / "plain")
    assert "accounts and looks at people's skin are not in it" in said
    with zipfile.ZipFile(home / "plain") as archive:
        assert set(archive.namelist()) == {"moodify.json", "moodify.db", "music.db", "moodify.toml"}
    told = done(home, "backup", home / "plain", "--with-keys")
    assert "as you would keep a key" in told
    assert "Accounts and the looks at people's skin are in it too." in told
    with zipfile.ZipFile(home / "plain") as archive:
        assert {"device.key", "device.id", "spotify-token.json"} <= set(archive.namelist())


def test_a_backup_takes_the_place_of_nothing_but_a_backup(home):
    letter = home / "letter"
    letter.write_text("dear friend")
    assert "name another file" in refused(home, "backup", letter)
    assert letter.read_text() == "dear friend"
    assert "No such file" in refused(home, "backup", home / "nowhere" / "backup")


def test_before_the_first_run_there_is_nothing_to_back_up_or_to_export(fresh):
    assert "nothing to back up" in refused(fresh, "backup", fresh / "backup")
    assert "nothing to export" in refused(fresh, "export", fresh / "export")
    assert "There is nothing" in done(fresh, "erase", "--yes")


# -- restore


def test_a_fresh_installation_goes_on_from_a_backup(home, fresh):
    done(home, "backup", home / "backup", "--with-keys")
    said = done(fresh, "restore", home / "backup")
    assert "summaries wait" in said
    assert events_of(fresh) == events_of(home)
    folder = data_folder(fresh)
    assert load(folder / "device.key").device == load(data_folder(home) / "device.key").device
    assert json.loads((folder / "spotify-token.json").read_bytes()) == TOKEN
    assert set_aside(folder) == []
    assert {each.stat().st_mode & 0o777 for each in folder.iterdir()} == {0o600}
    with Catalogue(folder / "music.db") as catalogue:
        assert [known.song.track for known in catalogue.every_song()] == [SONG]
    with Settings(folder / "moodify.db") as settings:
        taste = ThompsonTaste(random.Random(0))
        taste_keeping.recall(taste, settings.get(taste_keeping.TASTE_KEY), datetime.now(UTC))
        assert taste.own.good == 2.5
    # And it runs on, with its hub told what waited.
    waited = [item["id"] for message in outbox_of(fresh) for item in json.loads(message.payload)["items"]]
    with Appliance(fresh, "--camera", "sample", "--speaker", "simulated", toml="[camera]\n" + BY_HAND) as appliance:
        appliance.wait_for("mood")
        database = open_database(folder / "hub" / "hub.db") if wait_until(lambda: hubs_of(fresh) and (folder / "hub" / "run" / "address.json").exists(), what="the hub") else None
        wait_until(lambda: {each.id for each in database.events.events(after=0, limit=500)} >= set(waited), what="what waited, at the hub")
        database.close()
        assert appliance.end() == 0
    assert {event.id for event in events_of(home)} < {event.id for event in events_of(fresh)}


def test_a_hub_that_heard_more_since_the_backup_counts_everything_once_and_misses_nothing(home, tmp_path):
    folder = data_folder(home)
    identity = load(folder / "device.key")
    with closing(open_database(tmp_path / "hub.db")) as hub:
        hub.registry.enrol(identity.device, pem_of(identity.key.public_key()), datetime.now(UTC))

        def tell():
            return hub.intake.commit([read_summary(identity.device, message.payload) for message in outbox_of(home)], datetime.now(UTC))

        done(home, "backup", home / "backup")
        # After the backup it has told what waited, and more.
        with Store(folder / "moodify.db") as store:
            store.record([event(n) for n in range(10, 14)])
        tell()
        told = {each.id for each in hub.events.events(after=0, limit=500)}
        done(home, "restore", home / "backup")
        assert tell().events == 0
        with Store(folder / "moodify.db") as store:
            store.record([event(n) for n in range(20, 23)])
        assert tell().events == 3
        assert {each.id for each in hub.events.events(after=0, limit=500)} == told | {event(n).id for n in range(20, 23)}


def test_what_was_there_is_set_aside_whole(home):
    folder = data_folder(home)
    done(home, "backup", home / "backup", "--with-keys")
    with Store(folder / "moodify.db") as store:
        store.record([event(99)])
    before = content_of(folder)
    done(home, "restore", home / "backup")
    (aside,) = set_aside(folder)
    assert aside.stat().st_mode & 0o777 == 0o700
    kept = content_of(aside)
    assert {"moodify.db", "music.db", "device.key", "device.id", "spotify-token.json"} <= kept.keys()
    assert all(before[name] == content for name, content in kept.items())
    # Beside them is what no backup brings: the hub that ran here, the lock.
    assert before.keys() - kept.keys() == content_of(folder).keys() - kept.keys() - {f"{aside.name}/{name}" for name in kept}
    with closing(sqlite3.connect(aside / "moodify.db")) as connection:
        assert connection.execute("SELECT count(*) FROM events WHERE id = ?", [event(99).id]).fetchone() == (1,)


def test_without_keys_the_device_stays_who_it_is(home, fresh):
    done(home, "backup", home / "backup")
    begun(fresh)
    own = (data_folder(fresh) / "device.key").read_bytes()
    done(fresh, "restore", home / "backup")
    assert (data_folder(fresh) / "device.key").read_bytes() == own
    assert events_of(fresh) == events_of(home)


def accounts_of(home):
    """Return how many accounts, sessions and invitations there are."""
    with closing(sqlite3.connect(data_folder(home) / "moodify.db")) as connection:
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("users", "sessions", "codes")]


def test_without_keys_whoever_has_an_account_keeps_it(home, fresh):
    done(home, "backup", home / "backup")
    done(home, "restore", home / "backup")
    assert accounts_of(home) == [1, 1, 1]
    # One of which it is to be made the owner's anew.
    done(fresh, "restore", home / "backup")
    assert accounts_of(fresh) == [0, 0, 0]


def test_with_keys_accounts_come_along_and_nobody_is_signed_in(home, fresh):
    done(home, "backup", home / "backup", "--with-keys")
    for each in (fresh, home):
        done(each, "restore", home / "backup")
        assert accounts_of(each) == [1, 0, 0]


def test_with_keys_nothing_of_the_other_device_stays(home, fresh):
    (data_folder(home) / "spotify-token.json").unlink()
    done(home, "backup", home / "backup", "--with-keys")
    folder = data_folder(fresh)
    begun(fresh)
    (folder / "hub.json").write_text("{}")
    (folder / "device.key.next").write_bytes((folder / "device.key").read_bytes())
    done(fresh, "restore", home / "backup")
    assert not (folder / "hub.json").exists()
    assert not (folder / "device.key.next").exists()
    assert (folder / "device.id").read_text() == (data_folder(home) / "device.id").read_text()
    (aside,) = set_aside(folder)
    assert {"hub.json", "device.key.next", "device.key"} <= {each.name for each in aside.iterdir()}


def test_a_restore_opens_no_camera_that_is_closed(home):
    with Settings(data_folder(home) / "moodify.db") as settings:
        settings.put(PRIVACY_ASKED_KEY, {"on": False})
    done(home, "backup", home / "backup")
    with Settings(data_folder(home) / "moodify.db") as settings:
        settings.put(PRIVACY_KEY, True)
        assert privacy_kept(settings)
    done(home, "restore", home / "backup")
    with Settings(data_folder(home) / "moodify.db") as settings:
        assert privacy_kept(settings)
        assert settings.get(PRIVACY_ASKED_KEY) is None


@pytest.mark.parametrize("keep", [4096, 0])
def test_a_restore_over_a_damaged_database_leaves_the_camera_closed_where_nobody_knows_any_more(home, keep):
    database = data_folder(home) / "moodify.db"
    done(home, "backup", home / "backup")
    with Settings(database) as settings:
        settings.put(PRIVACY_KEY, {"closed": True, "opened_until": None, "origin": "page"})
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(keep)
        file.write(b"\xa5" * (size - keep))
    done(home, "restore", home / "backup")
    with Settings(database) as settings:
        assert privacy_kept(settings)


def test_a_restore_that_finds_no_room_changes_nothing(home, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("root: only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", disk], check=False, capture_output=True).returncode:
        pytest.skip("root: a small disk can't be mounted in this container")
    try:
        with Store(data_folder(home) / "moodify.db") as store:
            store.record([event(99), *(Event(str(n), EventKind.MOOD, datetime.now(UTC), {"mood": "calm", "pad": "x" * 5_000}) for n in range(100))])
        done(home, "backup", home / "backup")
        configure(home, f'[store]\nfolder = "{disk}"\n')
        (disk / "moodify.db").write_bytes(b"")
        (disk / "ballast").write_bytes(bytes(500_000))
        assert "free disk space" in refused(home, "restore", home / "backup")
        assert {each.name for each in disk.iterdir()} == {"moodify.db", "moodify.lock", "ballast"}
        (disk / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        done(home, "restore", home / "backup")
        with History(disk / "moodify.db") as history:
            assert event(99).id in {each.id for each in history.each()}
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_another_configuration_is_put_beside_and_the_present_one_left(home, fresh):
    done(home, "backup", home / "backup")
    assert "configuration of then" not in done(fresh, "restore", home / "backup")
    present = configure(fresh, "[store]\nretention_days = 7\n")
    text = present.read_text("utf-8")
    assert "configuration of then" in done(fresh, "restore", home / "backup")
    assert present.read_text("utf-8") == text
    assert (data_folder(fresh) / "moodify.toml.restored").read_text("utf-8").startswith("[camera]")


@pytest.mark.parametrize("damage", ["no backup", "a hub's", "cut short", "newer", "newer database", "damaged database", "damaged songs", "no database"])
def test_what_can_not_be_restored_changes_nothing_and_says_why(home, tmp_path, damage):
    file = home / "backup"
    done(home, "backup", file)
    match damage:
        case "no backup":
            file.write_bytes(os.urandom(10_000))
            why = "no backup"
        case "a hub's":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("hub.json", json.dumps({"program": "moodify-hub-backup", "format": 1}))
            why = f"is a hub's backup; restore it with: moodify hub restore {file}."
        case "cut short":
            file.write_bytes(file.read_bytes()[:-100])
            why = "damaged"
        case "newer":
            rewritten(file, tmp_path, lambda note, _: note.update(format=99, version="9.9"))
            why = "newer Moodify (9.9"
        case "no database":
            rewritten(file, tmp_path, lambda note, _: note["files"].pop("moodify.db"))
            why = "holds no moodify.db"
        case "newer database":
            rewritten(file, tmp_path, lambda _, folder: executed(folder / "moodify.db", "PRAGMA user_version = 99"))
            why = "newer Moodify (version 99"
        case _:
            name = "moodify.db" if damage == "damaged database" else "music.db"
            rewritten(file, tmp_path, lambda _, folder: (folder / name).write_bytes(b"\xa5" * 50_000))
            why = "is damaged (file is not a database)"
    before = content_of(data_folder(home))
    said = refused(home, "restore", file)
    assert why in said
    assert "othing was changed" in said
    assert content_of(data_folder(home)) == before
    assert set_aside(data_folder(home)) == []


@pytest.mark.parametrize("fails_at", range(1, 7))
def test_a_restore_that_fails_on_the_way_puts_everything_back(home, monkeypatch, fails_at):
    done(home, "backup", home / "backup", "--with-keys")
    folder = data_folder(home)
    with Store(folder / "moodify.db") as store:
        store.record([event(99)])
    (folder / "hub.json").write_text("{}")
    before, calls = content_of(folder), itertools.count(1)
    rename = Path.rename

    def failing(path, target):
        # Only what is put in its place, or set aside: the temporary folder has files of its own.
        if folder in {path.parent, Path(target).parent} and next(calls) == fails_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return rename(path, target)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", failing)
        assert "Nothing was changed" in refused(home, "restore", home / "backup")
    assert content_of(folder) == before
    assert set_aside(folder) == []


#: An appliance that ends without a word, so that what it wrote last is in the logs alone.
ENDS_WITHOUT_A_WORD = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from moodify.music.catalogue.catalogue import Catalogue
from moodify.store.store import Store
from moodify.types import Event, EventKind, Track
folder = Path(sys.argv[1])
store, songs = Store(folder / "moodify.db"), Catalogue(folder / "music.db")
store.record([Event("only in the log", EventKind.MOOD, datetime.now(UTC), {"mood": "calm"})])
songs.keep("top", [Track("spotify:track:only-in-the-log", "Log", "The Paper Weather", 1000)])
os._exit(0)
"""
#: A restore for which the power goes at a step of its swap.
POWER_CUT = """
import os, sys
from pathlib import Path
from moodify.cli.main import app
steps, at = 0, int(sys.argv[2])
def cut(step):
    def one(path, target):
        global steps
        steps += 1
        if steps == at:
            os._exit(9)
        return step(path, target)
    return one
Path.rename, Path.hardlink_to = cut(Path.rename), cut(Path.hardlink_to)
app(["restore", sys.argv[1]])
"""


@pytest.mark.parametrize("at", range(1, 10, 2))
def test_a_restore_that_a_power_cut_ends_loses_nothing_and_can_be_done_again(home, at):
    done(home, "backup", home / "backup", "--with-keys")
    folder = data_folder(home)
    then = kept_in(folder)
    with Store(folder / "moodify.db") as store, Catalogue(folder / "music.db") as catalogue:
        store.record([event(99)])
        catalogue.keep("liked", [Track("spotify:track:later", "Later", "The Paper Weather", 1_000)])
    subprocess.run([sys.executable, "-c", ENDS_WITHOUT_A_WORD, folder], check=True)
    assert all((folder / f"{name}-wal").stat().st_size > 0 for name in ("moodify.db", "music.db"))
    now = [[*of_then, *more] for of_then, more in zip(then, ([event(99).id, "only in the log"], ["spotify:track:later", "spotify:track:only-in-the-log"]), strict=True)]
    ended = subprocess.run([sys.executable, "-c", POWER_CUT, home / "backup", str(at)], env=environment_of(home), cwd=home, check=False, capture_output=True)
    assert ended.returncode == 9
    # It starts again with what was there or with what was restored, of each all.
    begun(home)
    for found, of_then, of_now in zip(kept_in(folder), then, now, strict=True):
        assert set(of_now) <= set(found) or (set(of_then) <= set(found) and not set(found) & (set(of_now) - set(of_then)))
    done(home, "restore", home / "backup")
    assert kept_in(folder) == then
    assert list(folder.glob("restoring-*")) == []
    aside = [kept_in(one) for one in set_aside(folder)]
    for which, of_now in enumerate(now):
        assert any(set(of_now) <= set(one[which]) for one in aside)


def kept_in(folder):
    """Return the ids of events and the names of songs in a folder, each sorted; none where it has no such database."""
    events, songs = [], []
    if (folder / "moodify.db").exists():
        with History(folder / "moodify.db") as history:
            events = sorted(each.id for each in history.each())
    if (folder / "music.db").exists():
        with Catalogue(folder / "music.db") as catalogue:
            songs = sorted(known.song.track.uri for known in catalogue.every_song())
    return events, songs


def rewritten(file, tmp_path, change):
    """Write a backup again, whole in itself, after a change of its note or its files."""
    import hashlib

    folder = tmp_path / "content"
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    note = json.loads((folder / "moodify.json").read_bytes())
    change(note, folder)
    for name, each in note["files"].items():
        content = (folder / name).read_bytes()
        each.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    (folder / "moodify.json").write_text(json.dumps(note))
    with zipfile.ZipFile(file, "w") as archive:
        for each in folder.iterdir():
            archive.write(each, each.name)


def executed(database, statement):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)


def test_while_it_runs_nothing_is_restored_or_erased(home):
    done(home, "backup", home / "backup")
    before = content_of(data_folder(home))
    with FolderLock(data_folder(home)):
        for command in (("restore", home / "backup"), ("erase", "--yes")):
            said = refused(home, *command)
            assert "systemctl stop moodify" in said
            assert "Nothing was changed" in said
    assert content_of(data_folder(home)) == before


# -- export


@pytest.fixture(params=["folder", "zip"])
def exported(request, home):
    """An export, unpacked where it is a zip."""
    if request.param == "folder":
        done(home, "export", home / "out")
        assert (home / "out").stat().st_mode & 0o777 == 0o700
        return home / "out"
    done(home, "export", home / "out.zip")
    assert (home / "out.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(home / "out.zip") as archive:
        archive.extractall(home / "unpacked")
    return home / "unpacked" / "out"


def table(file):
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def test_an_export_can_be_read_and_says_what_it_holds(home, exported):
    manifest = json.loads((exported / "manifest.json").read_bytes())
    files = {each["name"]: each for each in manifest["files"]}
    assert {each.name for each in exported.iterdir()} == {*files, "manifest.json"}
    assert all(each["about"] for each in files.values())
    events = events_of(home)
    assert json.loads((exported / "events.json").read_bytes()) == [event.as_json() for event in events]
    for name, kind in (("moods.csv", "mood"), ("decisions.csv", "decision"), ("orders.csv", "order"), ("presence.csv", "presence")):
        rows = table(exported / name)
        assert len(rows) == files[name]["rows"] == sum(event.kind == kind for event in events)
        assert list(rows[0]) == list(files[name]["columns"])
        assert all(files[name]["columns"].values())
    assert table(exported / "moods.csv")[0]["mood"] == next(event for event in events if event.kind == "mood").data["mood"]
    (song,) = json.loads((exported / "songs.json").read_bytes())
    assert (song["title"], song["energy"], song["origins"]) == (SONG.title, 0.8, ["imported"])
    assert json.loads((exported / "taste.json").read_bytes()) == LEARNED
    assert json.loads((exported / "device.json").read_bytes())["id"] == load(data_folder(home) / "device.key").device
    assert len(json.loads((exported / "unsent.json").read_bytes())) == len(outbox_of(home))
    assert 'source = "sample"' in (exported / "configuration.toml").read_text("utf-8")


def test_no_cell_of_a_table_is_a_formula(exported):
    (song,) = table(exported / "songs.csv")
    assert song["title"] == f"'{SONG.title}"
    assert song["explicit"] == "yes"
    assert {row["message"] for row in table(exported / "orders.csv") if row["took_ms"] == "7654"} == {"'-1+1"}


def test_half_a_character_ends_no_export(home):
    with Settings(data_folder(home) / "moodify.db") as settings:
        settings.put("half", "a \ud83d")
    done(home, "export", home / "out")
    assert json.loads((home / "out" / "settings.json").read_bytes())["half"] == "a \ud83d"


def test_an_export_holds_no_key_and_no_token(home, exported):
    key = b"".join((data_folder(home) / "device.key").read_bytes().splitlines()[1:-1])
    everything = b"".join(each.read_bytes() for each in exported.iterdir())
    assert b"secret-" not in everything
    assert key[:40] not in everything
    assert b"PRIVATE" not in everything
    assert json.loads((exported / "device.json").read_bytes())["signed_in_to_spotify"] is True


def test_an_export_names_who_has_an_account_without_what_signs_in(home, exported):
    (person,) = json.loads((exported / "people.json").read_bytes())
    assert (person["email"], person["role"], [each["browser"] for each in person["sessions"]]) == (EMAIL, "owner", ["Firefox"])
    with closing(sqlite3.connect(data_folder(home) / "moodify.db")) as connection:
        secrets = [
            row[0] for table, column in (("users", "password_hash"), ("sessions", "token_hash"), ("codes", "hash")) for row in connection.execute(f"SELECT {column} FROM {table}")
        ]
    everything = b"".join(each.read_bytes() for each in exported.iterdir())
    assert len(secrets) == 3
    assert [secret for secret in (*secrets, PASSWORD) if secret.encode() in everything] == []


def test_an_export_takes_the_place_of_nothing(home):
    there = home / "there"
    there.mkdir()
    (there / "letter").write_text("dear friend")
    assert "there already" in refused(home, "export", there)
    assert "there already" in refused(home, "export", there / "letter")
    assert (there / "letter").read_text() == "dear friend"
    (there / "letter").unlink()
    done(home, "export", there)
    assert "No such file" in refused(home, "export", home / "nowhere" / "out")


def test_a_damaged_key_stands_in_no_exports_way(home):
    (data_folder(home) / "device.key").write_bytes(b"nothing")
    done(home, "export", home / "out")
    found = json.loads((home / "out" / "device.json").read_bytes())
    assert (found["id"], len(found["problems"])) == (None, 1)
    done(home, "backup", home / "backup")
    done(home, "erase", "--yes")


# -- erase


def test_erase_takes_everything_and_leaves_what_is_not_moodifys(home):
    folder = data_folder(home)
    device = load(folder / "device.key").device
    (folder / "moodify.db.corrupt.20260101T000000.000001Z").write_bytes(b"x")
    for beside in ("damaged", "reserve"):
        (folder / f"moodify.db.{beside}").write_bytes(b"x")
    (folder / "device.key.next").write_bytes(b"x")
    (folder / f".device.key.{'0' * 8}").write_bytes(b"x")
    (folder / "spotify-token.json.new").write_bytes(b"x")
    (folder / "restoring-abc").mkdir()
    (folder / "hub.json").write_bytes(b"x")
    (folder / "holiday.txt").write_bytes(b"x")
    done(home, "backup", home / "backup")
    done(home, "restore", home / "backup")
    said, code = erased(home)
    assert code == 3
    assert [each.name for each in folder.iterdir()] == ["holiday.txt"]
    assert "The hub was not told" in said
    assert f"moodify hub erase {device}" in said
    assert "spotify.com/account/apps" in said
    assert "holiday.txt" in said
    assert "SD card keeps old blocks" in said
    assert (home / "backup").exists()


def erased(home):
    """Erase, and return what that said and its exit code."""
    result = command(home, "erase", "--yes")
    assert result.stderr == ""
    return result.stdout, result.exit_code


@pytest.fixture
def belonging(home, tmp_path):
    """That home, whose device belongs to a hub that runs, and has told it of what happened."""
    folder = data_folder(home)
    token = made_hub(tmp_path, tmp_path / "hub", tls="true")
    with HubProcess(tmp_path, tmp_path / "hub") as hub:
        hub.token = token
        belongs(home, hub)
        device = HubDevice(folder)
        with open_database(hub.folder / "hub.db") as database:
            told = [read_summary(device.id, message.payload) for message in outbox_of(home)]
            hub.events = database.intake.commit(told, datetime.now(UTC)).events
        hub.device = device.id
        assert hub.events > 0
        yield hub


def belongs(home, hub):
    """Enrol the device of a home with a hub, on both sides."""
    folder = data_folder(home)
    identity = load_or_make(folder / "device.key")
    with open_database(hub.folder / "hub.db") as database:
        database.registry.enrol(identity.device, identity.public_pem, datetime.now(UTC))
    mqtt = hub.address["mqtt"]
    enrol(folder, "localhost", mqtt["port"], fingerprint((hub.folder / "certificate.pem").read_text()), name="attic", now=datetime.now(UTC))
    return identity.device


def known_to(hub):
    with open_database(hub.folder / "hub.db") as database:
        return {each.id for each in database.registry.devices()}, len(database.events.events(limit=1_000))


def test_the_hub_erases_too_and_says_how_much_that_was(home, belonging):
    said, code = erased(home)
    assert code == 0
    assert f"The hub attic (localhost:{belonging.address['mqtt']['port']}) has erased this device too, and {belonging.events} events of it." in said
    assert "hub erase" not in said
    assert list(data_folder(home).iterdir()) == []
    assert known_to(belonging) == (set(), 0)


def test_a_device_that_was_erased_begins_anew_at_the_same_hub(home, belonging):
    assert erased(home)[1] == 0
    begun(home)
    assert belongs(home, belonging) != belonging.device
    assert len(outbox_of(home)) > 0
    with Appliance(home, "--camera", "sample", "--speaker", "simulated", toml="[camera]\n" + BY_HAND) as appliance:
        appliance.wait_for("mood")
        wait_until(lambda: known_to(belonging)[1] > 2, every_s=0.5, what="what the new device says")
        assert appliance.end() == 0
    (device,) = known_to(belonging)[0]
    assert device == load(data_folder(home) / "device.key").device


def test_a_hub_that_is_away_keeps_nobody_from_erasing_and_is_said_to_hold_what_it_knows(home, belonging):
    assert belonging.end() == 0
    many = len(events_of(home))
    said, code = erased(home)
    assert code == 3
    assert "The hub attic (localhost:" in said
    assert f"may still hold what it was told of the {many} events that were here; erase that there:  moodify hub erase {belonging.device}" in said
    assert list(data_folder(home).iterdir()) == []
    there = moodify(belonging.home, "hub", "erase", belonging.device, "--yes", "--folder", belonging.folder)
    assert f"Erased: {belonging.device}, its keys, and {belonging.events} events." in there.stdout
    assert known_to(belonging) == (set(), 0)


def test_what_only_a_link_led_to_is_said_to_stay(home, tmp_path):
    folder, stick = data_folder(home), tmp_path / "stick.db"
    (folder / "music.db").rename(stick)
    (folder / "music.db").symlink_to(stick)
    said, code = erased(home)
    assert (code, list(folder.iterdir())) == (3, [])
    assert f"Not erased: {stick}" in said
    assert stick.exists()


def test_a_hub_is_not_told_where_the_owner_has_turned_the_link_off(home, belonging):
    configure(home, "[link]\nenabled = false\n")
    said, code = erased(home)
    assert (code, "link.enabled is false" in said) == (3, True)
    assert known_to(belonging)[0] == {belonging.device}


def test_a_hub_that_a_configuration_names_is_told_too(home, belonging):
    mqtt = belonging.address["mqtt"]
    (data_folder(home) / "hub.json").unlink()
    configure(home, f'[link]\nhost = "localhost"\nport = {mqtt["port"]}\ndelivery = "hub"\nca_file = "{belonging.folder / "certificate.pem"}"\n')
    said, code = erased(home)
    assert (code, known_to(belonging)) == (0, (set(), 0))
    assert "has erased this device too" in said


def test_nobody_starts_it_while_the_hub_is_told(home, monkeypatch):
    seen = []

    def told(*_):
        seen.append(is_held(data_folder(home)))
        return []

    monkeypatch.setattr("moodify.cli.data_erase.bid_farewell", told)
    assert erased(home)[1] == 0
    assert seen == [True]


def test_a_household_s_own_broker_keeps_nothing_of_what_was_erased(home):
    device = load(data_folder(home) / "device.key").device
    topics = Topics(device)
    topics = Topics(device)
    published = [topics.status, *map(topics.state, ("now", "state", "health", "skin"))]
    with running_broker(home) as broker:
        say(broker, device, published, retain=True)
        assert retained(broker, topics) == set(published)
        configure(home, f'[link]\nhost = "127.0.0.1"\nport = {broker.endpoint().port}\ntls = false\n')
        said = done(home, "erase", "--yes")
        assert "keeps no state of this device any more" in said
        assert "hub erase" not in said
        assert retained(broker, topics) == set()


def test_home_assistant_shows_nothing_of_what_was_erased(home):
    topics = Topics(load(data_folder(home) / "device.key").device)
    config = f"homeassistant/device/{topics.device}/config"
    with running_broker(home) as broker:
        say(broker, topics.device, [config], retain=True)
        configure(home, f'[link]\nhost = "127.0.0.1"\nport = {broker.endpoint().port}\ntls = false\nhome_assistant = true\n')
        done(home, "erase", "--yes")
        with Client(broker, Credentials("household", None)) as household:
            household.connection.subscribe("homeassistant/#")
            household.awaited(Subscribed)
            household.connection.publish("homeassistant/marker", b"{}")
            assert household.awaited(Received).topic == "homeassistant/marker"


class Client:
    """Somebody at a broker."""

    def __init__(self, broker, credentials):
        self.connection = Connection(broker.endpoint(), credentials, client_id=f"{credentials.username}-test", session_s=0)
        self.signals = []
        self.awaited(Connected)

    def awaited(self, kind):
        """Return the next signal of a kind; others before it are dropped."""

        def found():
            self.signals += self.connection.step(0.02)
            while self.signals:
                if isinstance(signal := self.signals.pop(0), kind):
                    return signal
            return None

        return wait_until(found, what=kind.__name__)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def say(broker, device, names, *, retain):
    """Publish to topics as a device."""
    with Client(broker, Credentials(device, None)) as client:
        for name in names:
            client.connection.publish(name, b"{}", retain=retain)
            client.awaited(Acked)


def retained(broker, topics):
    """Return the topics of a device that a broker keeps something of."""
    found = set()
    with Client(broker, OBSERVER) as observer:
        observer.connection.subscribe(f"moodify/v1/{topics.device}/up/#")
        observer.awaited(Subscribed)
        say(broker, topics.device, [topics.state("marker")], retain=False)
        # What is retained comes before what is new.
        while (heard := observer.awaited(Received)).topic != topics.state("marker"):
            found.add(heard.topic)
    return found


def test_a_broker_that_is_away_keeps_nobody_from_erasing(home):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        configure(home, f'[link]\nhost = "127.0.0.1"\nport = {nobody.getsockname()[1]}\ntls = false\n')
        said, code = erased(home)
    assert (code, "clear them there" in said) == (3, True)
    assert list(data_folder(home).iterdir()) == []


def test_after_erase_a_start_is_a_new_devices(home):
    folder = data_folder(home)
    before = load(folder / "device.key").device
    done(home, "erase", "--yes")
    begun(home)
    assert load(folder / "device.key").device != before
    assert not {event.id for event in events_of(home)} & {event(n).id for n in range(3)}


def test_erase_asks_and_takes_one_word_for_yes(home):
    assert "add --yes" in refused(home, "erase")
    before = content_of(data_folder(home))
    for word, code in (("yes", 1), ("", 1), ("erase", 0)):
        said, returned = typed(home, word, "erase")
        assert returned == code
        assert "the device's key" in said
        assert "can't be taken back" in said
        assert (content_of(data_folder(home)) == before) == bool(code)
    assert list(data_folder(home).iterdir()) == []


def test_every_kind_in_the_data_folder_is_named_once():
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert {kind.name for kind in KINDS if kind.secret} == {"device.key", "device.key.next", "spotify-token.json", "web.key", "web-certificate.key"}


def test_the_page_on_data_speaks_of_every_kind_and_file(project_root, home):
    text = (project_root / "docs" / "data.md").read_text("utf-8")
    done(home, "export", home / "out")
    missing = [
        name for name in (*(kind.name for kind in KINDS), "moodify.db.reserve", "moodify.db.damaged", *(each.name for each in (home / "out").iterdir())) if f"`{name}`" not in text
    ]
    assert missing == []
