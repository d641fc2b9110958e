"""Users that are gone with the process: for tests of what signs people in."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from moodify.accounts.address import normalise
from moodify.accounts.lockout import Tries
from moodify.errors import AccountError, EmailTaken, NoSuchUser, StoreBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from moodify.accounts.user import User


@dataclass(frozen=True, slots=True)
class _Account:
    user: User
    password_hash: str = field(repr=False)
    tries: Tries = field(default_factory=Tries)


class MemoryUsers:
    """:class:`moodify.accounts.port.Users` in a dictionary. Safe from any thread."""

    def __init__(self) -> None:
        self._accounts: dict[UUID, _Account] = {}
        self._lock = threading.Lock()
        self._jammed = False

    def jam(self) -> None:
        """Lever: from now on the database is locked by somebody else."""
        self._jammed = True

    def free(self) -> None:
        """Lever: it is free again."""
        self._jammed = False

    def add(self, user: User, password_hash: str) -> None:
        """Keep a new user."""
        with self._open() as accounts:
            if user.id in accounts:
                raise AccountError("an account of this id is there already; make a new id")
            self._refuse_taken(user)
            accounts[user.id] = _Account(user, password_hash)

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
        with self._open() as accounts:
            return tuple(sorted((account.user for account in accounts.values()), key=lambda user: (user.created_at, user.id)))

    def update(self, user: User) -> None:
        """Put ``user`` in the place of the one with its id."""
        with self._open() as accounts:
            account = _known(accounts, user.id)
            self._refuse_taken(user)
            accounts[user.id] = replace(account, user=user)

    def remove(self, user_id: UUID) -> None:
        """Forget a user."""
        with self._open() as accounts:
            _known(accounts, user_id)
            del accounts[user_id]

    def password_hash(self, user_id: UUID) -> str:
        """Return the hash of the password."""
        with self._open() as accounts:
            return _known(accounts, user_id).password_hash

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None:
        """Change the password."""
        with self._open() as accounts:
            accounts[user_id] = replace(_known(accounts, user_id), password_hash=password_hash)

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

    @contextmanager
    def _open(self) -> Iterator[dict[UUID, _Account]]:
        if self._jammed:
            raise StoreBusy("the accounts are in use by another program; try again in a moment")
        with self._lock:
            yield self._accounts

    def _refuse_taken(self, user: User) -> None:
        if any(other.user.email == user.email for other in self._accounts.values() if other.user.id != user.id):
            raise EmailTaken(f"{user.email} has an account already; sign in with it, or give another address")


def _known(accounts: dict[UUID, _Account], user_id: UUID) -> _Account:
    if user_id not in accounts:
        raise NoSuchUser("this account is not there any more; look at the list of accounts again")
    return accounts[user_id]
