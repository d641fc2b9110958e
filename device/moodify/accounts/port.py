"""What page and hub know of the place where users are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from moodify.accounts.lockout import Tries
    from moodify.accounts.user import User


class Users(Protocol):
    """The accounts. Each call is done as a whole or not at all, and what it changed is on the disk when it returns.

    Belongs to one thread, unless an implementation says more.

    Raises (all calls):
        StoreBusy: locked or the disk is full; nothing was changed.
        StoreError: the database can't be used.
    """

    def add(self, user: User, password_hash: str) -> None:
        """Keep a new user, without failures.

        Raises:
            EmailTaken: another user has the address.
            AccountError: the id is there already.
        """

    def by_id(self, user_id: UUID) -> User | None:
        """Return the user, or None where there is none."""

    def by_email(self, email: str) -> User | None:
        """Return the user of an address in any spelling, or None where there is none.

        Raises:
            AccountError: it is no address.
        """

    def everybody(self) -> tuple[User, ...]:
        """Return all users, active or not, in the order of :attr:`User.created_at`, then id."""

    def update(self, user: User) -> None:
        """Put ``user`` in the place of the one with its id; password and failures stay.

        Raises:
            EmailTaken: another user has the address.
            NoSuchUser: nobody has the id.
        """

    def remove(self, user_id: UUID) -> None:
        """Forget a user, their password and their failures.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def password_hash(self, user_id: UUID) -> str:
        """Return what :class:`moodify.accounts.passwords.Hasher` made.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def set_password_hash(self, user_id: UUID, password_hash: str) -> None:
        """Change the password; failures stay.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def tries(self, user_id: UUID) -> Tries:
        """Return the failures since the last success.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def count_failure(self, user_id: UUID, at: datetime) -> Tries:
        """Count one failure more and return what it makes, in one step, so that none of two at once is lost.

        Count before the password is looked at, and :meth:`clear_failures` once it proves right: guesses that come
        together then can't all be made within the time that one of them takes to check.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def clear_failures(self, user_id: UUID) -> None:
        """Forget failures after a success.

        Raises:
            NoSuchUser: nobody has the id.
        """
