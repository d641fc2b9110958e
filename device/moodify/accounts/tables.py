"""What is kept, in three tables of a database that speaks SQL: SQLite on the device, SQLite or PostgreSQL at the hub.

The tables are made by :mod:`moodify.store.migrations` and :mod:`moodify.hub.database.migrations`: ``users``, ``sessions`` and ``codes``.
Ids, dates (UTC to the microsecond, so that they sort) and hashes (hex) are text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from moodify.accounts.address import normalise
from moodify.accounts.codes import Purpose
from moodify.accounts.lockout import Tries
from moodify.accounts.port import code_used, email_taken, id_taken, last_owner, leaves_no_owner, no_such_user, owner_there
from moodify.accounts.rows import code_of, moment, row_of_code, row_of_life, row_of_session, row_of_user, session_of, stamp, user_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from uuid import UUID

    from moodify.accounts.codes import Code
    from moodify.accounts.session import Life, Session
    from moodify.accounts.user import User

_USERS = "SELECT * FROM users"
_SESSIONS = "SELECT * FROM sessions"
_CODES = "SELECT * FROM codes"


class Statements(Protocol):
    """A transaction that statements run in; ``:name`` stands for a value."""

    def run(self, sql: str, values: Mapping[str, Any]) -> int:
        """Run a statement that changes rows; return how many."""

    def rows(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Return what a query finds."""


class Transactions(Protocol):
    """Gives transactions to any thread; maps what the database raises."""

    def reading(self) -> AbstractContextManager[Statements]:
        """Begin one that only reads."""

    def writing(self) -> AbstractContextManager[Statements]:
        """Begin one that is alone in writing accounts, committed at the end of the block, or rolled back where it raises."""


class TableAccounts:
    """:class:`moodify.accounts.port.Kept` in tables. Safe from any thread."""

    def __init__(self, transactions: Transactions) -> None:
        """Work in a database of the newest shape."""
        self._transactions = transactions

    def add(self, user: User, password_hash: str, *, first: bool = False, code_id: UUID | None = None) -> None:
        """Keep a new user."""
        with self._transactions.writing() as tables:
            everybody = _everybody(tables)
            if first and any(other.is_active_owner for other in everybody):
                raise owner_there()
            if code_id is not None and not tables.run("DELETE FROM codes WHERE id = :id", {"id": str(code_id)}):
                raise code_used()
            if any(other.id == user.id for other in everybody):
                raise id_taken()
            _refuse_taken(user, everybody)
            if first:
                tables.run("DELETE FROM codes WHERE purpose = :purpose", {"purpose": Purpose.CLAIM.value})
            _insert(tables, "users", row_of_user(user) | {"password_hash": password_hash, "failures": 0, "last_failure": None})

    def by_id(self, user_id: UUID) -> User | None:
        """Return the user, or None."""
        with self._transactions.reading() as tables:
            return _user(tables, user_id)

    def by_email(self, email: str) -> User | None:
        """Return the user of an address, or None."""
        with self._transactions.reading() as tables:
            found = tables.rows(f"{_USERS} WHERE email = :email", {"email": normalise(email)})
        return user_of(found[0]) if found else None

    def everybody(self) -> tuple[User, ...]:
        """Return all users, the first made first."""
        with self._transactions.reading() as tables:
            return _everybody(tables)

    def change(self, user_id: UUID, how: Callable[[User], User]) -> User:
        """Change a user."""
        with self._transactions.writing() as tables:
            everybody = _everybody(tables)
            before = next((user for user in everybody if user.id == user_id), None)
            if before is None:
                raise no_such_user()
            user = replace(how(before), id=user_id, last_sign_in_at=before.last_sign_in_at)
            _refuse_taken(user, everybody)
            if leaves_no_owner(before, user, everybody):
                raise last_owner()
            row = row_of_user(user)
            tables.run(f"UPDATE users SET {', '.join(f'{name} = :{name}' for name in row if name != 'id')} WHERE id = :id", row)  # noqa: S608 - names of columns
            if not user.active:
                tables.run("DELETE FROM sessions WHERE user_id = :id", {"id": str(user_id)})
            return user

    def remove(self, user_id: UUID) -> None:
        """Forget a user."""
        with self._transactions.writing() as tables:
            everybody = _everybody(tables)
            before = next((user for user in everybody if user.id == user_id), None)
            if before is None:
                raise no_such_user()
            if leaves_no_owner(before, None, everybody):
                raise last_owner()
            for sql in ("DELETE FROM sessions WHERE user_id = :id", "DELETE FROM codes WHERE made_by = :id", "DELETE FROM users WHERE id = :id"):
                tables.run(sql, {"id": str(user_id)})

    def password_hash(self, user_id: UUID) -> str:
        """Return the hash of the password."""
        with self._transactions.reading() as tables:
            return str(_kept_of(tables, user_id)["password_hash"])

    def set_password_hash(self, user_id: UUID, password_hash: str, *, keep: UUID | None = None) -> None:
        """Change the password."""
        with self._transactions.writing() as tables:
            _must(tables.run("UPDATE users SET password_hash = :hash, failures = 0, last_failure = NULL WHERE id = :id", {"hash": password_hash, "id": str(user_id)}))
            _end_all(tables, user_id, keep)

    def rehash(self, user_id: UUID, was: str, password_hash: str) -> None:
        """Keep another hash of the same password."""
        with self._transactions.writing() as tables:
            tables.run("UPDATE users SET password_hash = :hash WHERE id = :id AND password_hash = :was", {"hash": password_hash, "was": was, "id": str(user_id)})

    def tries(self, user_id: UUID) -> Tries:
        """Return the failures since the last success."""
        with self._transactions.reading() as tables:
            return _tries(tables, user_id)

    def count_failure(self, user_id: UUID, at: datetime) -> Tries:
        """Count one failure more and return what it makes."""
        with self._transactions.writing() as tables:
            _must(tables.run("UPDATE users SET failures = failures + 1, last_failure = :at WHERE id = :id", {"at": stamp(at), "id": str(user_id)}))
            return _tries(tables, user_id)

    def clear_failures(self, user_id: UUID) -> None:
        """Forget failures."""
        with self._transactions.writing() as tables:
            _must(tables.run("UPDATE users SET failures = 0, last_failure = NULL WHERE id = :id", {"id": str(user_id)}))

    def begin(self, session: Session, password_hash: str) -> bool:
        """Keep a new session."""
        with self._transactions.writing() as tables:
            begun = tables.run(
                "UPDATE users SET last_sign_in = :at, failures = 0, last_failure = NULL WHERE id = :id AND active = 1 AND password_hash = :hash",
                {"at": stamp(session.life.began), "id": str(session.user_id), "hash": password_hash},
            )
            if begun:
                _insert(tables, "sessions", row_of_session(session))
            return bool(begun)

    def session(self, session_id: UUID) -> Session | None:
        """Return a session, or None."""
        with self._transactions.reading() as tables:
            found = tables.rows(f"{_SESSIONS} WHERE id = :id", {"id": str(session_id)})
        return session_of(found[0]) if found else None

    def sessions_of(self, user_id: UUID) -> tuple[Session, ...]:
        """Return the sessions of a user, the one that was used last first."""
        with self._transactions.reading() as tables:
            found = tables.rows(f"{_SESSIONS} WHERE user_id = :id ORDER BY used DESC, id", {"id": str(user_id)})
        return tuple(session_of(row) for row in found)

    def renew(self, was: Session, new: Session) -> bool:
        """Put a session in the place of another."""
        with self._transactions.writing() as tables:
            found = tables.rows(f"{_SESSIONS} WHERE id = :id", {"id": str(was.id)})
            if not found or session_of(found[0]) != was:
                return False
            tables.run("UPDATE sessions SET began = :began, used = :used, ends = :ends, token_hash = :token_hash, label = :label WHERE id = :id", row_of_session(new))
            return True

    def end(self, session_id: UUID) -> None:
        """Forget a session."""
        with self._transactions.writing() as tables:
            tables.run("DELETE FROM sessions WHERE id = :id", {"id": str(session_id)})

    def end_all(self, user_id: UUID, *, but: UUID | None = None) -> int:
        """Forget the sessions of a user."""
        with self._transactions.writing() as tables:
            return _end_all(tables, user_id, but)

    def end_old(self, now: datetime) -> int:
        """Forget what is over."""
        with self._transactions.writing() as tables:
            tables.run("DELETE FROM codes WHERE ends < :now", {"now": stamp(now)})
            return tables.run("DELETE FROM sessions WHERE ends < :now", {"now": stamp(now)})

    def redate(self, how: Callable[[Life], Life]) -> None:
        """Move the life of everything."""
        with self._transactions.reading() as tables:
            if not any(how(life) != life for _, _, life in _lives(tables)):
                return
        with self._transactions.writing() as tables:
            for table, row_id, life in _lives(tables):
                tables.run(f"UPDATE {table} SET began = :began, used = :used, ends = :ends WHERE id = :id", row_of_life(how(life)) | {"id": row_id})  # noqa: S608 - one of two names

    def add_code(self, code: Code) -> None:
        """Keep a code."""
        with self._transactions.writing() as tables:
            if code.purpose is Purpose.CLAIM:
                tables.run("DELETE FROM codes WHERE purpose = :purpose", {"purpose": code.purpose.value})
            _insert(tables, "codes", row_of_code(code))

    def codes(self) -> tuple[Code, ...]:
        """Return all codes, the first made first."""
        with self._transactions.reading() as tables:
            return tuple(code_of(row) for row in tables.rows(f"{_CODES} ORDER BY began, id", {}))

    def withdraw(self, code_id: UUID) -> bool:
        """Forget a code."""
        with self._transactions.writing() as tables:
            return bool(tables.run("DELETE FROM codes WHERE id = :id", {"id": str(code_id)}))


def _insert(tables: Statements, table: str, row: Mapping[str, Any]) -> None:
    tables.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", row)  # noqa: S608 - names of columns


def _everybody(tables: Statements) -> tuple[User, ...]:
    return tuple(user_of(row) for row in tables.rows(f"{_USERS} ORDER BY created, id", {}))


def _user(tables: Statements, user_id: UUID) -> User | None:
    found = tables.rows(f"{_USERS} WHERE id = :id", {"id": str(user_id)})
    return user_of(found[0]) if found else None


def _kept_of(tables: Statements, user_id: UUID) -> Mapping[str, Any]:
    found = tables.rows("SELECT password_hash, failures, last_failure FROM users WHERE id = :id", {"id": str(user_id)})
    if not found:
        raise no_such_user()
    return found[0]


def _tries(tables: Statements, user_id: UUID) -> Tries:
    kept = _kept_of(tables, user_id)
    return Tries(int(kept["failures"]), None if kept["last_failure"] is None else moment(kept["last_failure"]))


def _end_all(tables: Statements, user_id: UUID, but: UUID | None) -> int:
    return tables.run("DELETE FROM sessions WHERE user_id = :id AND id <> :but", {"id": str(user_id), "but": "" if but is None else str(but)})


def _lives(tables: Statements) -> list[tuple[str, str, Life]]:
    sessions = [("sessions", str(row["id"]), session_of(row).life) for row in tables.rows(_SESSIONS, {})]
    return [*sessions, *(("codes", str(row["id"]), code_of(row).life) for row in tables.rows(_CODES, {}))]


def _must(changed: int) -> None:
    if not changed:
        raise no_such_user()


def _refuse_taken(user: User, everybody: tuple[User, ...]) -> None:
    if any(other.email == user.email for other in everybody if other.id != user.id):
        raise email_taken(user.email)
