"""What page and hub know of the place where users, their sessions and their codes are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from moodify.errors import AccountError, EmailTaken, NoSuchUser, NotPermitted, WrongSignIn

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from moodify.accounts.codes import Code
    from moodify.accounts.lockout import Tries
    from moodify.accounts.session import Life, Session
    from moodify.accounts.user import User


class Users(Protocol):
    """The accounts. Each call is done as a whole or not at all, and what it changed is on the disk when it returns. Safe from any thread.

    Where there is an active owner there is one after each call.

    Raises (all calls):
        StoreBusy: locked or the disk is full; nothing was changed.
        StoreError: the database can't be used.
    """

    def add(self, user: User, password_hash: str, *, first: bool = False, code_id: UUID | None = None) -> None:
        """Keep a new user, without failures.

        Args:
            user: who it is.
            password_hash: what :class:`moodify.accounts.passwords.Hasher` made.
            first: only while there is no active owner; all claim codes end with it. Of two at once one is refused.
            code_id: a code that is used up by it. Of two at once one is refused.

        Raises:
            EmailTaken: another user has the address.
            NotPermitted: there is an active owner, and it was to be the first.
            WrongSignIn: the code is not there any more.
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

    def change(self, user_id: UUID, how: Callable[[User], User]) -> User:
        """Put what ``how`` makes of a user in their place and return it; password, failures and last sign-in stay. Nothing else changes them meanwhile.

        The sessions of one who is not active any more end.

        Raises:
            EmailTaken: another user has the address.
            NoSuchUser: nobody has the id.
            AccountError: no active owner would be left; or what ``how`` raises.
        """

    def remove(self, user_id: UUID) -> None:
        """Forget a user, their password, their failures, their sessions, and the codes that they made.

        Raises:
            NoSuchUser: nobody has the id.
            AccountError: no active owner would be left.
        """

    def password_hash(self, user_id: UUID) -> str:
        """Return what :class:`moodify.accounts.passwords.Hasher` made.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def set_password_hash(self, user_id: UUID, password_hash: str, *, keep: UUID | None = None) -> None:
        """Change the password, forget failures, and end all sessions but ``keep``.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def rehash(self, user_id: UUID, was: str, password_hash: str) -> None:
        """Keep another hash of the same password; sessions and failures stay. Does nothing where ``was`` is not the hash any more."""

    def tries(self, user_id: UUID) -> Tries:
        """Return the failures since the last success.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def count_failure(self, user_id: UUID, at: datetime) -> Tries:
        """Count one failure more and return what it makes, in one step, so that none of two at once is lost.

        Count before the password is looked at, and :meth:`clear_failures` (or :meth:`Sessions.begin`) once it proves right: guesses that come
        together then can't all be made within the time that one of them takes to check.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def clear_failures(self, user_id: UUID) -> None:
        """Forget failures after a success.

        Raises:
            NoSuchUser: nobody has the id.
        """


class Sessions(Protocol):
    """The browsers that are signed in. What :class:`Users` says of its calls holds here too."""

    def begin(self, session: Session, password_hash: str) -> bool:
        """Keep a new session, note the user's sign-in at its beginning, and forget their failures; return whether that was done.

        It is not where the user is gone or not active, or ``password_hash`` is not theirs any more: a password that was changed while an old one was
        checked signs nobody in.
        """

    def session(self, session_id: UUID) -> Session | None:
        """Return a session, over or not; None where there is none."""

    def sessions_of(self, user_id: UUID) -> tuple[Session, ...]:
        """Return the sessions of a user, over or not, the one that was used last first; then by id."""

    def renew(self, was: Session, new: Session) -> bool:
        """Put ``new`` in the place of ``was`` and return True; return False where it has changed or ended meanwhile. Of two at once one does it."""

    def end(self, session_id: UUID) -> None:
        """Forget a session, if it is there."""

    def end_all(self, user_id: UUID, *, but: UUID | None = None) -> int:
        """Forget the sessions of a user, but one; return how many."""

    def end_old(self, now: datetime) -> int:
        """Forget sessions and codes that ended before ``now``; return how many sessions."""

    def redate(self, how: Callable[[Life], Life]) -> None:
        """Move the life of each session and each code; see :mod:`moodify.accounts.clock`."""


class Codes(Protocol):
    """Codes that were made and not yet used. What :class:`Users` says of its calls holds here too."""

    def add_code(self, code: Code) -> None:
        """Keep a code; one for a claim takes the place of the one before."""

    def codes(self) -> tuple[Code, ...]:
        """Return all codes, over or not, the first made first; then by id."""

    def withdraw(self, code_id: UUID) -> bool:
        """Forget a code; return whether it was there."""


class Kept(Users, Sessions, Codes, Protocol):
    """All of it, in one place."""


def email_taken(email: str) -> EmailTaken:
    """Return what whoever asks for an address that another user has is told."""
    return EmailTaken(f"{email} has an account already; sign in with it, or give another address")


def no_such_user() -> NoSuchUser:
    """Return what whoever asks for a user that is not there is told."""
    return NoSuchUser("this account is not there any more; look at the list of accounts again")


def id_taken() -> AccountError:
    """Return what whoever adds a user twice is told."""
    return AccountError("an account of this id is there already; make a new id")


def owner_there() -> NotPermitted:
    """Return what whoever comes second to a claim is told."""
    return NotPermitted("this Moodify has an owner already; ask them for an invitation, or sign in")


def code_used() -> WrongSignIn:
    """Return what whoever uses a code that was used meanwhile is told."""
    return WrongSignIn("this code is not good any more; ask for a new one")


def last_owner() -> AccountError:
    """Return what whoever takes the last owner away is told."""
    return AccountError("this is the only owner who may sign in; make somebody else an owner first")


def leaves_no_owner(before: User, after: User | None, others: tuple[User, ...]) -> bool:
    """Return whether a change of one user takes the last active owner away."""
    return before.is_active_owner and not (after is not None and after.is_active_owner) and not any(other.is_active_owner for other in others if other.id != before.id)
