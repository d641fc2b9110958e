"""What an appliance writes, each as something that can be done, cut off at any step, and looked at after."""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from moodify import sqlite
from moodify.accounts.accounts import Accounts, NewUser
from moodify.accounts.passwords import Hasher
from moodify.accounts.tables import TableAccounts
from moodify.cli.data_backup import backup
from moodify.cli.data_erase import erase
from moodify.cli.data_restore import restore
from moodify.cloud.identity import load, load_or_make
from moodify.cloud.rotation import KeyRotation, begin, pending, setback
from moodify.daemon.data_places import unknown
from moodify.daemon.kept import PRIVACY_KEY, privacy_kept
from moodify.daemon.places import DATABASE, DEVICE_KEY
from moodify.daemon.privacy import ByHand
from moodify.errors import SignInNeeded
from moodify.music.spotify.tokens import TokenFile
from moodify.store import archive
from moodify.store.accounts import AccountTransactions
from moodify.store.database import connect
from moodify.store.history import History
from moodify.store.lock import FolderLock
from moodify.store.migrations import MIGRATIONS
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.system.crashes import FILE as CRASHES
from moodify.system.crashes import Crashes, count_of
from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Say = Callable[[str], None]

EMAIL, PASSWORD = "ada@example.org", "lantern over the slow river"
_BACKUP = "backup.zip"


@dataclass(frozen=True, slots=True)
class Written:
    """One write."""

    name: str
    lay: Callable[[Path], None]
    """Gets a folder ready."""
    do: Callable[[Path, Say], None]
    """Does it; says what is acknowledged, as soon as it is."""
    look: Callable[[Path, list[str]], list[str]]
    """Looks at it as the next start does; returns what is wrong, of what was acknowledged and of itself."""


# -- what a next start finds


def event_of(number: int) -> Event:
    """Return an event whose id goes by a number."""
    return Event(str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))), EventKind.MOOD, datetime.now(UTC), {"mood": "happy", "n": number})


def start(folder: Path) -> list[str]:
    """Start as the daemon does, as far as files go; return what is wrong."""
    with FolderLock(folder):
        aside = prepare(folder / DATABASE)
        load_or_make(folder / DEVICE_KEY)
    wrong = [] if aside is None else ["the database was damaged"]
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    return wrong if found == "ok" else [*wrong, f"the database is not whole: {found}"]


def _ids(folder: Path) -> set[str]:
    with History(folder / DATABASE) as history:
        return {event.id for event in history.each()}


def _missing(said: list[str], there: set[str], what: str) -> list[str]:
    gone = set(said) - there
    return [f"{len(gone)} {what} that were acknowledged are gone"] if gone else []


def _is_private(folder: Path) -> bool:
    with Settings(folder / DATABASE) as settings:
        return privacy_kept(settings)


def _be_private(folder: Path) -> None:
    with Settings(folder / DATABASE) as settings:
        settings.put(PRIVACY_KEY, ByHand(closed=True, origin="page").as_json())


def nothing(_folder: Path) -> None:
    """Leave a folder empty, as a first start finds it."""


def lived_in(folder: Path) -> None:
    """Have a folder in which an appliance has lived: a key, a database, three events."""
    prepare(folder / DATABASE)
    load_or_make(folder / DEVICE_KEY)
    with Store(folder / DATABASE) as store:
        store.record([event_of(number) for number in range(3)])


# -- the first start


def _first_start(folder: Path, say: Say) -> None:
    with FolderLock(folder):
        prepare(folder / DATABASE)
        say(f"id {load_or_make(folder / DEVICE_KEY).device}")
        _be_private(folder)
        say("private")


def _look_at_first_start(folder: Path, said: list[str]) -> list[str]:
    wrong = start(folder)
    if "private" in said and not _is_private(folder):
        wrong.append("privacy was acknowledged and is off")
    device = load(folder / DEVICE_KEY).device
    return wrong + [f"it is {device} after it was {each[3:]}" for each in said if each.startswith("id ") and each[3:] != device]


# -- recording and sending


def _record(folder: Path, say: Say) -> None:
    with Store(folder / DATABASE) as store, Outbox(folder / DATABASE) as outbox, Settings(folder / DATABASE) as settings:
        for number in (10, 11):
            store.record([event_of(number)])
            say(event_of(number).id)
        first = outbox.unsent()[0]
        outbox.delivered(first.epoch, [(first.seq, first.seq)])
        settings.put("music", {"played": 1})
        say("set")
        store.retain(1, now=datetime.now(UTC))
        store.record([event_of(12)])
        say(event_of(12).id)


def _look_at_records(folder: Path, said: list[str]) -> list[str]:
    wrong = start(folder)
    wrong += _missing([each for each in said if each != "set"], _ids(folder), "events")
    with Outbox(folder / DATABASE) as outbox, Settings(folder / DATABASE) as settings:
        waiting = [item["id"] for message in outbox.unsent(limit=100) for item in json.loads(message.payload)["items"]]
        if "set" in said and settings.get("music") != {"played": 1}:
            wrong.append("a setting that was acknowledged is not kept")
    if len(waiting) != len(set(waiting)) or not set(waiting) <= _ids(folder):
        wrong.append("outbox and events do not agree")
    # What was sent is one message, of the first three events.
    return wrong + _missing([each for each in _ids(folder) if each not in {event_of(number).id for number in range(3)}], set(waiting), "summaries")


# -- the sign-in to Spotify, renewed: a refresh token works once


def _tokens(number: int) -> dict[str, object]:
    return {"access_token": f"a{number}", "refresh_token": f"r{number}", "scope": "user-read-playback-state", "expires_at": 1_900_000_000}


def _lay_tokens(folder: Path) -> None:
    TokenFile(folder).save_token_to_cache(_tokens(1))


def _renew(folder: Path, say: Say) -> None:
    file = TokenFile(folder)
    with file.exclusive(5):
        file.save_token_to_cache(_tokens(2))
    say("renewed")


def _look_at_tokens(folder: Path, said: list[str]) -> list[str]:
    try:
        found = TokenFile(folder).get_cached_token()["access_token"]
    except SignInNeeded as error:
        return [f"the sign-in is gone: {error}"]
    return [f"{found} was kept after the renewal was acknowledged"] if "renewed" in said and found != "a2" else []


# -- the first account


@contextmanager
def accounts_in(folder: Path) -> Iterator[Accounts]:
    """Give the accounts of a prepared folder, as long as a ``with`` lasts."""
    with AccountTransactions(folder / DATABASE) as transactions:
        yield Accounts(TableAccounts(transactions), Hasher(memory_kib=8, passes=1), bytes(32), audience="moodify-page:m-faults")


def _claim(folder: Path, say: Say) -> None:
    with accounts_in(folder) as accounts:
        accounts.claim(accounts.make_claim_code(), NewUser(EMAIL, "Ada", PASSWORD), "a browser")
        say("claimed")


def _look_at_accounts(folder: Path, said: list[str]) -> list[str]:
    wrong = start(folder)
    with accounts_in(folder) as accounts:
        if accounts.claimable:
            return [*wrong, "the account that was acknowledged is gone"] if "claimed" in said else wrong
        accounts.sign_in(EMAIL, PASSWORD, "a browser")
    return wrong


# -- the device's key, changed


def _rotate(folder: Path, say: Say) -> None:
    waiting, _ = begin(folder / DEVICE_KEY)
    say(f"waits {waiting.kid}")
    # The hub knows it from here on.
    KeyRotation(folder / DEVICE_KEY, "moodify").accepted(waiting.kid)
    say("changed")


def _look_at_keys(folder: Path, said: list[str]) -> list[str]:
    before = load_or_make(folder / DEVICE_KEY)
    waits = next((each[6:] for each in said if each.startswith("waits ")), None)
    if waits is None:
        return []
    again, new = begin(folder / DEVICE_KEY)
    wrong = [] if "changed" in said or before.kid == waits or (again.kid == waits and not new) else ["the key that was offered to the hub is gone"]
    return [*wrong, "the key was changed and is not in use"] if "changed" in said and before.kid != waits else wrong


def _refuse(folder: Path, say: Say) -> None:
    waiting, _ = begin(folder / DEVICE_KEY)
    say(f"waits {waiting.kid}")
    KeyRotation(folder / DEVICE_KEY, "moodify").refused(waiting.kid, "the hub has no room for it")
    say("refused")


def _look_at_refused(folder: Path, said: list[str]) -> list[str]:
    kept, waiting = load_or_make(folder / DEVICE_KEY).kid, pending(folder / DEVICE_KEY)
    wrong = ["the key that was refused is in use"] if f"waits {kept}" in said else []
    return [*wrong, "the key that was refused is offered again"] if "refused" in said and (waiting is not None or setback(folder / DEVICE_KEY) is None) else wrong


# -- backup, restore, erase


def as_daemon(folder: Path) -> None:
    """Let commands of this process find a folder as those of the service do."""
    os.environ |= {"STATE_DIRECTORY": str(folder), "MOODIFY_CONFIG": os.devnull}


def _lay_backup(folder: Path) -> None:
    lived_in(folder)
    as_daemon(folder)
    backup(None, folder / _BACKUP, with_keys=True)
    with Store(folder / DATABASE) as store:
        store.record([event_of(99)])
    _be_private(folder)


def _back_up(folder: Path, say: Say) -> None:
    as_daemon(folder)
    backup(None, folder / _BACKUP, with_keys=True)
    say("backed up")


def _look_at_backup(folder: Path, said: list[str]) -> list[str]:
    note = archive.read_note(folder / _BACKUP)
    into = folder / "unpacked"
    into.mkdir()
    archive.unpack(folder / _BACKUP, into, note.files.keys())
    wrong = start(folder) + ([] if {DATABASE, DEVICE_KEY} <= note.files.keys() else ["the backup is not whole"])
    # The one before has three events.
    return wrong if event_of(99).id in _ids(into) or not said else [*wrong, "the backup that was acknowledged is an older one"]


def _restore(folder: Path, say: Say) -> None:
    as_daemon(folder)
    restore(None, folder / _BACKUP)
    say("restored")


def _look_at_restored(folder: Path, said: list[str]) -> list[str]:
    wrong = start(folder)
    of_backup, of_now = {event_of(number).id for number in range(3)}, {event_of(number).id for number in (0, 1, 2, 99)}
    if not _is_private(folder):
        wrong.append("privacy was on and is off")
    found = _ids(folder)
    if found != of_backup and (found != of_now or "restored" in said):
        wrong.append("the history is neither what was nor what was restored")
    return wrong


def _erase(folder: Path, say: Say) -> None:
    as_daemon(folder)
    erase(None, yes=True)
    say("erased")


def _look_at_erased(folder: Path, said: list[str]) -> list[str]:
    left = [path for path in folder.iterdir() if path not in unknown(folder)]
    wrong = [f"{len(left)} files are left after it was acknowledged"] if "erased" in said and left else []
    as_daemon(folder)
    erase(None, yes=True)
    left = [path for path in folder.iterdir() if path.name != _BACKUP]
    return [*wrong, f"erased again, {left[0].name} is left"] if left else wrong


# -- an update, and what was damaged


def _lay_old(folder: Path) -> None:
    (folder / DATABASE).touch(mode=0o600)
    with closing(connect(folder / DATABASE)) as db:
        sqlite.migrate(db, MIGRATIONS[:1])
        for number in range(50):
            event = event_of(number)
            db.execute("INSERT INTO events (id, kind, at, data) VALUES (?, 'mood', ?, '{}')", [event.id, event.at.isoformat()])
            db.execute("INSERT INTO outbox (items) VALUES (?)", [json.dumps([event.as_json()])])


def _update(folder: Path, say: Say) -> None:
    prepare(folder / DATABASE)
    say("updated")


def _look_at_update(folder: Path, _said: list[str]) -> list[str]:
    wrong = start(folder)
    with Outbox(folder / DATABASE) as outbox:
        waiting = outbox.backlog()
    return wrong + ([] if (len(_ids(folder)), waiting) == (50, 50) else [f"of 50 events {len(_ids(folder))} are kept, {waiting} of 50 messages wait"])


def _lay_damaged(folder: Path) -> None:
    lived_in(folder)
    damaged = folder / DATABASE
    damaged.write_bytes(b"no database" * 1000)


def _look_at_aside(folder: Path, _said: list[str]) -> list[str]:
    with FolderLock(folder):
        prepare(folder / DATABASE)
    kept = [path for path in folder.glob(f"{DATABASE}.corrupt.*") if path.read_bytes().startswith(b"no database")]
    return [*start(folder), *([] if len(kept) == 1 else [f"the damaged file is kept {len(kept)} times"])]


# -- how often it crashed


def _crash(folder: Path, say: Say) -> None:
    with Crashes(folder / CRASHES, boot="now", now_s=lambda: 100.0) as crashes:
        say("runs")
        crashes.ended(why="a fault")
    say("crashed")


def _look_at_crashes(folder: Path, said: list[str]) -> list[str]:
    crashes = Crashes(folder / CRASHES, boot="now", now_s=lambda: 100.0 + timedelta(minutes=1).total_seconds())
    with crashes:
        counted = count_of(folder / CRASHES)
    return ["a run that was killed does not count as a crash"] if "runs" in said and counted < 1 else []


#: Those of its database, its tokens, its key, and of the folder as a whole.
WRITTEN = (
    Written("a first start", nothing, _first_start, _look_at_first_start),
    Written("recording and sending", lived_in, _record, _look_at_records),
    Written("a sign-in renewed", _lay_tokens, _renew, _look_at_tokens),
    Written("an account made", lived_in, _claim, _look_at_accounts),
    Written("a key changed", lived_in, _rotate, _look_at_keys),
    Written("a key refused", lived_in, _refuse, _look_at_refused),
    Written("a backup", _lay_backup, _back_up, _look_at_backup),
    Written("a restore", _lay_backup, _restore, _look_at_restored),
    Written("an erasing", _lay_backup, _erase, _look_at_erased),
    Written("an update", _lay_old, _update, _look_at_update),
    Written("a damaged database set aside", _lay_damaged, _update, _look_at_aside),
    Written("a crash counted", nothing, _crash, _look_at_crashes),
)
