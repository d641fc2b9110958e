"""The database: corrupt, locked, of a newer version."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.error import HTTPError

from faults_week.fault import Fault, Group, Outcome
from faults_week.house import House

if TYPE_CHECKING:
    from collections.abc import Callable

#: A page of a database, in bytes.
PAGE = 4096


def _corrupt(house: House, *, keep: int) -> None:
    """Overwrite the database but for its first pages, and what its log still has."""
    house.database.with_name(f"{house.database.name}-wal").unlink(missing_ok=True)
    size = house.database.stat().st_size
    with house.database.open("r+b") as file:
        file.seek(keep * PAGE)
        file.write(b"\xa5" * max(size - keep * PAGE, PAGE))


def _comes_up_closed(house: House, start: Callable[[], object]) -> Outcome:
    """Start over what was corrupted, and open the camera again, which stays closed until somebody does."""
    began_s = time.monotonic()
    start()
    seen = house.seen("health")
    # Nobody knows any more whether it was closed.
    house.await_now(lambda now: now["privacy"] and now["camera"]["state"] == "off", "a camera that stays closed")
    took_s = round(time.monotonic() - began_s, 1)
    house.private(on=False)
    house.await_well()
    return Outcome(seen, took_s, "the owner restores a backup, for the history; the household opens the camera")


def _corrupt_at_the_start(house: House, *, keep: int) -> Outcome:
    house.await_delivered()
    house.stop()
    _corrupt(house, keep=keep)
    return _comes_up_closed(house, house.start)


def _corrupt_in_privacy(house: House) -> Outcome:
    """What was set goes with the database; where nobody knows any more, the camera stays closed."""
    house.await_delivered()
    house.private(on=True)
    house.stop()
    _corrupt(house, keep=1)
    began_s = time.monotonic()
    house.started()
    outcome = Outcome(house.now()["camera"]["message"], round(time.monotonic() - began_s, 1), "the household opens it again")
    house.private(on=False)
    house.await_well()
    return outcome


def _corrupt_while_it_runs(house: House) -> Outcome:
    house.await_delivered()
    # Under its feet, and not only what it has in memory.
    with closing(sqlite3.connect(house.database)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with house.database.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xa5" * (house.database.stat().st_size - PAGE))
    # The page refuses it, for it no longer knows who asks.
    with suppress(HTTPError):
        house.press()
    return _comes_up_closed(house, house.start_again)


def _locked(house: House) -> Outcome:
    with closing(sqlite3.connect(house.database, isolation_level=None, timeout=20)) as other:
        other.execute("BEGIN IMMEDIATE")
        house.press()
        seen = house.logged("Events wait in memory")
        other.execute("ROLLBACK")
    began_s = time.monotonic()
    house.logged("Events are written again; 0 were given up")
    house.await_well()
    house.silence()
    return Outcome(re.sub(r"/\S*/", "", seen), round(time.monotonic() - began_s, 1))


def _newer(house: House) -> Outcome:
    house.stop()
    with closing(sqlite3.connect(house.database)) as other:
        version = other.execute("PRAGMA user_version").fetchone()[0]
        other.execute(f"PRAGMA user_version = {version + 1}")
    house.start()
    code = house.ended()
    assert code > 0, f"it ended with {code}"
    seen = house.appliance.log.strip().splitlines()[-1]
    with closing(sqlite3.connect(house.database)) as other:
        other.execute(f"PRAGMA user_version = {version}")
    house.start()
    return Outcome(re.sub(r"/\S*/", "", seen), house.time_until_well(), "the owner, as it says")


GROUP = Group(
    "database",
    House,
    (
        Fault("locked", _locked),
        Fault("of a newer version", _newer, quick=True),
        Fault("corrupt at the start", partial(_corrupt_at_the_start, keep=1)),
        Fault("no database any more", partial(_corrupt_at_the_start, keep=0)),
        Fault("corrupt in privacy", _corrupt_in_privacy),
        Fault("corrupt while it runs", _corrupt_while_it_runs),
    ),
)
