"""What people allow of the face record, and their looks: numbers as JSON, kept until their person deletes one, allows none any more, or goes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from moodify.errors import NoSuchUser, StoreError
from moodify.sqlite import transaction
from moodify.store.database import DAMAGE, Connected, mapped, overwrite_deleted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a person allows."""

    since: datetime
    """When they allowed looks, in UTC."""
    shared: bool
    """Whether the newest leaves the appliance."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look as it is kept."""

    id: UUID
    user: UUID
    record: str
    """JSON."""


class SkinTables(Connected):
    """Who allows looks, and the looks. Belongs to one thread.

    Raises (all calls):
        StoreBusy: locked, or the disk is full; nothing was changed.
        StoreError: the database can't be used.
    """

    def __init__(self, path: Path) -> None:
        """Open ``path``; :func:`moodify.store.prepare.prepare` has been run on it."""
        super().__init__(path)
        with mapped(path):
            overwrite_deleted(self._db)

    def allowed(self, user: UUID) -> Allowed | None:
        """Return what a person allows; None where they never did, or are gone."""
        return next(map(_allowed_of, self._people(user)), None)

    def allow(self, user: UUID, at: datetime) -> Allowed:
        """Allow looks from ``at`` on; where they are allowed, that stands.

        Raises:
            NoSuchUser: nobody has the id.
        """
        with mapped(self._path), transaction(self._db):
            if not self._db.execute("SELECT count(*) FROM users WHERE id = ?", [str(user)]).fetchone()[0]:
                raise NoSuchUser("this account is not there any more; sign in with another")
            self._db.execute("INSERT OR IGNORE INTO skin_people (user_id, opted_in_at) VALUES (?, ?)", [str(user), _stamp(at)])
            row = next(self._db.query("SELECT * FROM skin_people WHERE user_id = ?", [str(user)]))
        return _allowed_of(row)

    def forbid(self, user: UUID) -> int:
        """Allow no looks any more and erase those that are kept; return how many those were."""
        with mapped(self._path), transaction(self._db):
            erased = int(self._db.execute("DELETE FROM skin_looks WHERE user_id = ?", [str(user)]).rowcount)
            self._db.execute("DELETE FROM skin_people WHERE user_id = ?", [str(user)])
        return erased

    def share(self, user: UUID, *, on: bool) -> bool:
        """Say whether the newest look leaves the appliance; return whether that could be said: looks are allowed."""
        with mapped(self._path), transaction(self._db):
            return bool(self._db.execute("UPDATE skin_people SET shared = ? WHERE user_id = ?", [int(on), str(user)]).rowcount)

    def keep(self, user: UUID, looked_at: datetime, record: str) -> Look | None:
        """Keep a look; return None where its person does not allow it."""
        look = Look(uuid4(), user, record)
        # The question and its answer in one statement: nobody can say no in between.
        sql = "INSERT INTO skin_looks (id, user_id, looked_at, record) SELECT ?, user_id, ?, ? FROM skin_people WHERE user_id = ?"
        with mapped(self._path), transaction(self._db):
            kept = self._db.execute(sql, [str(look.id), _stamp(looked_at), record, str(user)]).rowcount
        return look if kept else None

    def looks(self, user: UUID) -> tuple[Look, ...]:
        """Return a person's looks, the oldest first."""
        return tuple(_looks_of(self._looks(user)))

    def everything(self, user: UUID) -> tuple[Mapping[str, Any] | None, Sequence[Mapping[str, Any]]]:
        """Return what a person allows, None where that is nothing, and their looks, the oldest first: columns as they are kept, damaged or not."""
        return next(iter(self._people(user)), None), self._looks(user)

    def remove(self, user: UUID, look: UUID) -> bool:
        """Erase a look; return whether that person had it."""
        with mapped(self._path), transaction(self._db):
            return bool(self._db.execute("DELETE FROM skin_looks WHERE id = ? AND user_id = ?", [str(look), str(user)]).rowcount)

    def shared(self) -> tuple[Look, ...]:
        """Return the newest look of everybody who shares theirs and may sign in, by the id of the person."""
        sql = """
            SELECT * FROM skin_looks AS newest
            WHERE user_id IN (SELECT user_id FROM skin_people JOIN users ON users.id = user_id WHERE shared AND active)
              AND id = (SELECT id FROM skin_looks WHERE user_id = newest.user_id ORDER BY looked_at DESC, id DESC LIMIT 1)
            ORDER BY user_id
        """
        return tuple(_looks_of(self._rows(sql)))

    def version(self) -> int:
        """Return a number that is another one once somebody else has changed the database; quick."""
        with mapped(self._path):
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _people(self, user: UUID) -> Sequence[Mapping[str, Any]]:
        return self._rows("SELECT * FROM skin_people WHERE user_id = :user", user=str(user))

    def _looks(self, user: UUID) -> Sequence[Mapping[str, Any]]:
        return self._rows("SELECT * FROM skin_looks WHERE user_id = :user ORDER BY looked_at, id", user=str(user))

    def _rows(self, sql: str, **values: str) -> Sequence[Mapping[str, Any]]:
        with mapped(self._path):
            return list(self._db.query(sql, values))


def _stamp(at: datetime) -> str:
    """Return a date as it is kept: all have one length, so that they sort as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _allowed_of(row: Mapping[str, Any]) -> Allowed:
    try:
        return Allowed(datetime.fromisoformat(row["opted_in_at"]).astimezone(UTC), bool(row["shared"]))
    except DAMAGE as error:
        raise StoreError(f"what is kept of who allows looks at their skin ({row['user_id']}) can't be read; run moodify skin forget, or restore a backup") from error


def _looks_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[Look]:
    for row in rows:
        try:
            yield Look(UUID(row["id"]), UUID(row["user_id"]), str(row["record"]))
        except DAMAGE:
            logger.warning("a damaged look at somebody's skin is passed over: %r", row["id"])
