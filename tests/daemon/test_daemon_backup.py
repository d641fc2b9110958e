"""What is in a backup, as the command and the page make it."""

import sqlite3
import zipfile
from contextlib import closing

import pytest

from moodify.daemon.data_backup import copied
from moodify.daemon.places import DATABASE
from moodify.errors import PersonMustAct
from moodify.store import archive
from moodify.store.copying import ACCOUNTS
from moodify.store.prepare import prepare

HASH = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"


@pytest.fixture
def folder(tmp_path):
    """A data folder with an account that is there, and one that was removed."""
    folder = tmp_path / "state"
    prepare(folder / DATABASE)
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        for number in (1, 2):
            db.execute(
                "INSERT INTO users VALUES (?, ?, 'Ann', '', 'owner', 1, '', '', '{}', NULL, NULL, NULL, ?, 0, NULL)",
                [str(number), f"ann{number}@home.example", HASH],
            )
            db.execute("INSERT INTO sessions VALUES (?, ?, 'Firefox', '', '', '', 'hash-of-a-session')", [str(number), str(number)])
            db.execute("INSERT INTO skin_people VALUES (?, '', 1)", [str(number)])
            db.execute("INSERT INTO skin_looks VALUES (?, ?, '', '{\"skin_score\": 48.25}')", [str(number), str(number)])
        db.execute("INSERT INTO codes VALUES ('1', 'claim', 'owner', '', NULL, '', '', '', 'hash-of-a-code')")
        for table in ("skin_looks", "skin_people", "sessions"):
            db.execute(f"DELETE FROM {table} WHERE {'user_id' if table == 'skin_people' else 'id'} = '2'")
        db.execute("DELETE FROM users WHERE id = '2'")
        db.commit()
    for name in ("device.key", "spotify-token.json"):
        (folder / name).write_text(f"secret of {name}")
    return folder


def packed(folder, tmp_path, *, with_keys):
    with copied(folder, None, tmp_path, with_keys=with_keys) as members:
        archive.write(tmp_path / "backup", members, device=None, keys=with_keys)
    with zipfile.ZipFile(tmp_path / "backup") as file:
        return {name: file.read(name) for name in file.namelist()}


def test_without_keys_there_is_no_account_in_it_and_nothing_that_signs_in(folder, tmp_path):
    contents = packed(folder, tmp_path, with_keys=False)
    assert set(contents) == {DATABASE, "moodify.json"}
    assert not [secret for secret in (HASH, "hash-of-a", "secret of", "ann1@", "ann2@", "skin_score") if any(secret.encode() in content for content in contents.values())]
    (tmp_path / "copy.db").write_bytes(contents[DATABASE])
    with closing(sqlite3.connect(tmp_path / "copy.db")) as db:
        assert {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ACCOUNTS} == dict.fromkeys(ACCOUNTS, 0)


def test_with_keys_accounts_and_keys_are_in_it(folder, tmp_path):
    contents = packed(folder, tmp_path, with_keys=True)
    assert {"device.key", "spotify-token.json"} <= set(contents)
    assert HASH.encode() in contents[DATABASE]
    assert b'{"skin_score": 48.25}' in contents[DATABASE]


def test_the_appliance_keeps_its_accounts(folder, tmp_path):
    packed(folder, tmp_path, with_keys=False)
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        assert {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ACCOUNTS} == dict.fromkeys(ACCOUNTS, 1)


def test_copies_are_gone_afterwards(folder, tmp_path):
    packed(folder, tmp_path, with_keys=False)
    assert {path.name for path in tmp_path.iterdir()} == {"state", "backup"}


def test_there_is_nothing_to_back_up_before_the_first_run(tmp_path):
    with pytest.raises(PersonMustAct, match="first run"), copied(tmp_path, None, tmp_path, with_keys=False):
        pass
