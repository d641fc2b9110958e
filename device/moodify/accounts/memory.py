"""Users that are gone with the process: for tests of what signs people in."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from moodify.accounts.address import normalise
from moodify.accounts.codes import Purpose
from moodify.accounts.lockout import Tries
from moodify.accounts.port import code_used, email_taken, id_taken, last_owner, leaves_no_owner, no_such_user, owner_there
from moodify.errors import StoreBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from uuid import UUID

    from moodify.accounts.codes import Code
    from moodify.accounts.session import Life, Session
    from moodify.accounts.user import User


@dataclass(frozen=True, slots=True)
class _Account:
    user: User
    password_hash: str = field(repr=False)
    tries: Tries = field(default_factory=Tries)


class MemoryAccounts:
    """:class:`moodify.accounts.port.Kept` in dictionaries. Safe from any thread."""

    def __init__(self) -> None:
        self._accounts: dict[UUID, _Account] = {}
        self._sessions: dict[UUID, Session] = {}
        self._codes: dict[UUID, Code] = {}
        self._lock = threading.Lock()
        self._jammed = False

    def jam(self) -> None:
        """Lever: from now on the database is locked by somebody else."""
        self._jammed = True

    def free(self) -> None:
        """Lever: it is free again."""
        self._jammed = False

    def add(self, user: User, password_hash: str, *, first: bool = False, code_id: UUID | None = None) -> None:
        """Keep a new user."""
        with self._open() as accounts:
            if first and any(account.user.is_active_owner for account in accounts.values()):
                raise owner_there()
            if code_id is not None and code_id not in self._codes:
                raise code_used()
            if user.id in accounts:
                raise id_taken()
            self._refuse_taken(user)
            accounts[user.id] = _Account(user, password_hash)
            self._codes = {code.id: code for code in self._codes.values() if code.id != code_id and not (first and code.purpose is Purpose.CLAIM)}

    def by_id(self, user_id: UUID) -> User | None:
        """Return the user, or None."""
        with self._open() as accounts:
            return accounts[user_id].user if user_id in accounts else None

    def by_email(self, email: str) -> User | None:
        """Return the user of an address, or None."""
        email = normalise(email)
        with self._open() as accounts:
            return next((account.user for account in accounts.values() if account.user.email == email), None)

    def everybody(self) -> tuple[User, ...]:
        """Return all users, the first made first."""
        with self._open():
            return self._users()

    def change(self, user_id: UUID, how: Callable[[User], User]) -> User:
        """Change a user."""
        with self._open() as accounts:
            account = _known(accounts, user_id)
            user = replace(how(account.user), id=user_id, last_sign_in_at=account.user.last_sign_in_at)
            self._refuse_taken(user)
            if leaves_no_owner(account.user, user, self._users()):
                raise last_owner()
            accounts[user_id] = replace(account, user=user)
            if not user.active:
                self._end_all(user_id, None)
            return user

    def remove(self, user_id: UUID) -> None:
        """Forget a user."""
        with self._open() as accounts:
            if leaves_no_owner(_known(accounts, user_id).user, None, self._users()):
                raise last_owner()
            del accounts[user_id]
            self._end_all(user_id, None)
            self._codes = {code.id: code for code in self._codes.values() if code.made_by != user_id}

    def password_hash(self, user_id: UUID) -> str:
        """Return the hash of the password."""
        with self._open() as accounts:
            return _known(accounts, user_id).password_hash

    def set_password_hash(self, user_id: UUID, password_hash: str, *, keep: UUID | None = None) -> None:
        """Change the password."""
        with self._open() as accounts:
            accounts[user_id] = _Account(_known(accounts, user_id).user, password_hash)
            self._end_all(user_id, keep)

    def rehash(self, user_id: UUID, was: str, password_hash: str) -> None:
        """Keep another hash of the same password."""
        with self._open() as accounts:
            if user_id in accounts and accounts[user_id].password_hash == was:
                accounts[user_id] = replace(accounts[user_id], password_hash=password_hash)

    def tries(self, user_id: UUID) -> Tries:
        """Return the failures since the last success."""
        with self._open() as accounts:
            return _known(accounts, user_id).tries

    def count_failure(self, user_id: UUID, at: datetime) -> Tries:
        """Count one failure more and return what it makes."""
        with self._open() as accounts:
            account = _known(accounts, user_id)
            tries = Tries(account.tries.failures + 1, at)
            accounts[user_id] = replace(account, tries=tries)
            return tries

    def clear_failures(self, user_id: UUID) -> None:
        """Forget failures."""
        with self._open() as accounts:
            accounts[user_id] = replace(_known(accounts, user_id), tries=Tries())

    def begin(self, session: Session, password_hash: str) -> bool:
        """Keep a new session."""
        with self._open() as accounts:
            account = accounts.get(session.user_id)
            if account is None or not account.user.active or account.password_hash != password_hash:
                return False
            accounts[session.user_id] = _Account(replace(account.user, last_sign_in_at=session.life.began), password_hash)
            self._sessions[session.id] = session
            return True

    def session(self, session_id: UUID) -> Session | None:
        """Return a session, or None."""
        with self._open():
            return self._sessions.get(session_id)

    def sessions_of(self, user_id: UUID) -> tuple[Session, ...]:
        """Return the sessions of a user, the one that was used last first."""
        with self._open():
            by_id = sorted((session for session in self._sessions.values() if session.user_id == user_id), key=lambda session: session.id)
            return tuple(sorted(by_id, key=lambda session: session.life.used, reverse=True))

    def renew(self, was: Session, new: Session) -> bool:
        """Put a session in the place of another."""
        with self._open():
            if self._sessions.get(was.id) != was:
                return False
            self._sessions[was.id] = new
            return True

    def end(self, session_id: UUID) -> None:
        """Forget a session."""
        with self._open():
            self._sessions.pop(session_id, None)

    def end_all(self, user_id: UUID, *, but: UUID | None = None) -> int:
        """Forget the sessions of a user."""
        with self._open():
            return self._end_all(user_id, but)

    def end_old(self, now: datetime) -> int:
        """Forget what is over."""
        with self._open():
            self._codes = {code.id: code for code in self._codes.values() if code.life.ends >= now}
            old = [session.id for session in self._sessions.values() if session.life.ends < now]
            for session_id in old:
                del self._sessions[session_id]
            return len(old)

    def redate(self, how: Callable[[Life], Life]) -> None:
        """Move the life of everything."""
        with self._open():
            self._sessions = {session.id: replace(session, life=how(session.life)) for session in self._sessions.values()}
            self._codes = {code.id: replace(code, life=how(code.life)) for code in self._codes.values()}

    def add_code(self, code: Code) -> None:
        """Keep a code."""
        with self._open():
            if code.purpose is Purpose.CLAIM:
                self._codes = {other.id: other for other in self._codes.values() if other.purpose is not Purpose.CLAIM}
            self._codes[code.id] = code

    def codes(self) -> tuple[Code, ...]:
        """Return all codes, the first made first."""
        with self._open():
            return tuple(sorted(self._codes.values(), key=lambda code: (code.life.began, code.id)))

    def withdraw(self, code_id: UUID) -> bool:
        """Forget a code."""
        with self._open():
            return self._codes.pop(code_id, None) is not None

    @contextmanager
    def _open(self) -> Iterator[dict[UUID, _Account]]:
        if self._jammed:
            raise StoreBusy("the accounts are in use by another program; try again in a moment")
        with self._lock:
            yield self._accounts

    def _users(self) -> tuple[User, ...]:
        return tuple(sorted((account.user for account in self._accounts.values()), key=lambda user: (user.created_at, user.id)))

    def _end_all(self, user_id: UUID, but: UUID | None) -> int:
        ended = [session.id for session in self._sessions.values() if session.user_id == user_id and session.id != but]
        for session_id in ended:
            del self._sessions[session_id]
        return len(ended)

    def _refuse_taken(self, user: User) -> None:
        if any(other.user.email == user.email for other in self._accounts.values() if other.user.id != user.id):
            raise email_taken(user.email)


def _known(accounts: dict[UUID, _Account], user_id: UUID) -> _Account:
    if user_id not in accounts:
        raise no_such_user()
    return accounts[user_id]
