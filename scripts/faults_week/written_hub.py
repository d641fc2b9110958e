"""What a hub writes: itself at its first start, what devices say, who may come in, a backup, a restore."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from faults_week.written import Written, nothing
from moodify.cloud.identity import load_or_make
from moodify.daemon.places import DEVICE_KEY
from moodify.errors import PersonMustAct
from moodify.hub.api.admin import hash_of
from moodify.hub.backup import back_up, restore
from moodify.hub.database import open_database
from moodify.hub.folder import HubFolder
from moodify.hub.port import Summary
from moodify.hub.setup import initialise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Say = Callable[[str], None]

_BACKUP, _EPOCH = "hub-backup.zip", "e1"
#: How many summaries of two events there are at first.
_BEFORE = 3


def _hub(folder: Path) -> HubFolder:
    return HubFolder(folder / "hub")


def _summary(device: str, seq: int) -> Summary:
    ids = (str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seq}-{part}")) for part in "ab")
    return Summary(device, _EPOCH, seq, tuple({"id": each, "kind": "mood", "at": datetime.now(UTC).isoformat(), "data": {"mood": "calm"}} for each in ids))


def _lay(folder: Path) -> None:
    initialise(_hub(folder))
    identity = load_or_make(folder / DEVICE_KEY)
    with open_database(_hub(folder).database) as database:
        database.registry.enrol(identity.device, identity.public_pem, datetime.now(UTC))
        database.intake.commit([_summary(identity.device, seq) for seq in range(1, _BEFORE + 1)], datetime.now(UTC))


def _whole(folder: Path, said: list[str]) -> list[str]:
    """Return what is wrong with the hub's database, and with what was acknowledged of summaries."""
    device = load_or_make(folder / DEVICE_KEY).device
    with open_database(_hub(folder).database) as database:
        events = [event.id for event in database.events.events(device, limit=500)]
        streams = database.events.streams(device)
    with closing(sqlite3.connect(_hub(folder).database)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    wrong = [] if found == "ok" else [f"the hub's database is not whole: {found}"]
    if len(events) != len(set(events)):
        wrong.append("events are there twice")
    last = max([_BEFORE, *(int(each[4:]) for each in said if each.startswith("seq "))])
    there = streams[0].last if streams else 0
    # The next one may be committed already and not yet said.
    if there not in {last, last + 1} or len(events) != 2 * there or (streams and streams[0].gaps):
        wrong.append(f"{len(events)} events of {there} summaries are there, {last} were acknowledged")
    return wrong


def _collect(folder: Path, say: Say) -> None:
    device = load_or_make(folder / DEVICE_KEY).device
    with open_database(_hub(folder).database) as database:
        for seq in (_BEFORE + 1, _BEFORE + 2):
            database.intake.commit([_summary(device, seq)], datetime.now(UTC))
            say(f"seq {seq}")
        command = database.commands.add(device, "rescan", {}, datetime.now(UTC), expires_s=600)
        say(f"command {command.id}")
        database.registry.revoke(device, datetime.now(UTC))
        say("revoked")


def _look_at_collected(folder: Path, said: list[str]) -> list[str]:
    wrong = _whole(folder, said)
    device = load_or_make(folder / DEVICE_KEY).device
    with open_database(_hub(folder).database) as database:
        if any(database.commands.get(each[8:]) is None for each in said if each.startswith("command ")):
            wrong.append("a command that was acknowledged is gone")
        found = database.registry.device(device)
    if found is None or ("revoked" in said and found.revoked is None):
        wrong.append("a device that was shut out may come in")
    return wrong


def _first_start(folder: Path, say: Say) -> None:
    said = initialise(_hub(folder))
    say(f"token {said.token}")
    say(f"certificate {said.fingerprint}")
    with open_database(_hub(folder).database):
        say("database")


def _look_at_first_start(folder: Path, said: list[str]) -> list[str]:
    again = initialise(_hub(folder))
    with open_database(_hub(folder).database) as database:
        database.check()
    wrong = [f"the hub's certificate is {again.fingerprint} after it was {each[12:]}" for each in said if each.startswith("certificate ") and each[12:] != again.fingerprint]
    # A token that nobody was told is not in use: who starts it again is told another, or asks for one.
    kept = _hub(folder).admin.read_text("ascii").strip()
    return wrong + ["the token that was told is not taken" for each in said if each.startswith("token ") and hash_of(each[6:]) != kept]


def _lay_backup(folder: Path) -> None:
    _lay(folder)
    with open_database(_hub(folder).database) as database:
        back_up(_hub(folder), database, folder / _BACKUP)
        database.intake.commit([_summary(load_or_make(folder / DEVICE_KEY).device, _BEFORE + 1)], datetime.now(UTC))


def _back_up(folder: Path, say: Say) -> None:
    with open_database(_hub(folder).database) as database:
        back_up(_hub(folder), database, folder / _BACKUP)
    say("backed up")


def _look_at_backup(folder: Path, said: list[str]) -> list[str]:
    device, elsewhere = load_or_make(folder / DEVICE_KEY).device, HubFolder(folder / "elsewhere")
    restore(elsewhere, folder / _BACKUP)
    with open_database(elsewhere.database) as database:
        last = database.events.streams(device)[0].last
    wrong = _whole(folder, [f"seq {_BEFORE + 1}"])
    return wrong if last == _BEFORE + 1 or (last == _BEFORE and not said) else [*wrong, f"the backup holds {last} summaries"]


def _restore(folder: Path, say: Say) -> None:
    restore(HubFolder(folder / "elsewhere"), folder / _BACKUP)
    say("restored")


def _look_at_restored(folder: Path, said: list[str]) -> list[str]:
    """Look as who restores does: where it says that there is a hub already, that is a whole one."""
    elsewhere, device = HubFolder(folder / "elsewhere"), load_or_make(folder / DEVICE_KEY).device
    if not said:
        with suppress(PersonMustAct):
            restore(elsewhere, folder / _BACKUP)
    with open_database(elsewhere.database) as database:
        streams = database.events.streams(device)
    return [] if streams and streams[0].last == _BEFORE and initialise(elsewhere).token is None else ["what was restored is there by half"]


WRITTEN = (
    Written("a hub's first start", nothing, _first_start, _look_at_first_start),
    Written("what a hub is told", _lay, _collect, _look_at_collected),
    Written("a hub's backup", _lay_backup, _back_up, _look_at_backup),
    Written("a hub's restore", _lay_backup, _restore, _look_at_restored),
)
