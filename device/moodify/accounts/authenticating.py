"""Passwords: proving them, changing them, and setting them anew after the button was held."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from moodify.accounts.lockout import Guesses, refuse_early
from moodify.accounts.managing import Managing
from moodify.accounts.strength import weaknesses
from moodify.accounts.window import WINDOW_S, Window
from moodify.errors import AccountError, WrongPassword, WrongSignIn

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from moodify.accounts.clock import WatchedClock
    from moodify.accounts.export import Also
    from moodify.accounts.passwords import Hasher
    from moodify.accounts.port import Kept
    from moodify.accounts.remembered import Remembered
    from moodify.accounts.tokens import Tokens
    from moodify.accounts.user import User

logger = logging.getLogger(__name__)

#: The longest wait after wrong codes. A code can't be guessed at one try in half a minute, and the one who was given it must not wait for others' guesses.
_CODE_WAIT_S: Final = 30.0


class Authenticating(Managing):
    """The part of :class:`moodify.accounts.accounts.Accounts` that proves and sets passwords."""

    def __init__(self, kept: Kept, tokens: Tokens, clock: WatchedClock, remembered: Remembered, hasher: Hasher, now_s: Callable[[], float], also: Also) -> None:
        super().__init__(kept, tokens, clock, remembered, also)
        self._hasher = hasher
        self._window = Window(now_s)
        self._codes_tried = Guesses(now_s, longest_s=_CODE_WAIT_S)
        self._confirmed = Guesses(now_s)
        self._trying = threading.Lock()

    def confirm_password(self, user_id: UUID, password: str) -> None:
        """Return if the password is theirs: for what must not be done by whoever finds a browser open.

        Wrong ones are counted apart from those of sign-ins, so that nobody who is not signed in can keep somebody who is from it.

        Raises:
            WrongPassword: it is not.
            TooManyTries: after wrong passwords.
            AccountError: the account is gone.
        """
        self._confirmed.count(str(user_id))
        if not self._hasher.verify(self._kept.password_hash(user_id), password):
            raise WrongPassword("this password is not right; type it again")
        self._confirmed.forget(str(user_id))
        self._kept.clear_failures(user_id)

    def change_password(self, user_id: UUID, old: str, new: str, *, keep: UUID | None = None) -> None:
        """Change somebody's password and end their sessions, but ``keep``.

        Raises:
            WrongPassword: the old one is not right.
            TooManyTries: after wrong ones.
            AccountError: the new one can't be, or the account is gone.
        """
        self.confirm_password(user_id, old)
        self.set_password(user_id, new, keep=keep)

    def set_password(self, user_id: UUID, new: str, *, keep: UUID | None = None) -> None:
        """Set somebody's password without asking for the old one, as the terminal does, and end their sessions, but ``keep``.

        Raises:
            AccountError: it can't be, or the account is gone.
        """
        user = self._kept.by_id(user_id)
        if user is not None:
            refuse_weak(new, user)
        self._kept.set_password_hash(user_id, self._hasher.hash(new), keep=keep)
        self._remembered.forget(user_id=user_id)
        logger.info("account %s has a new password; its other sessions were ended", user_id)

    def open_window(self, seconds: float = WINDOW_S) -> None:
        """Let the next claim, or the next reset of an owner's password, do without a code: somebody held the button."""
        self._window.open(seconds)

    @property
    def window_left_s(self) -> float:
        """How long the window stays open, in seconds; 0 where it is shut."""
        return self._window.left_s

    def reset(self, email: str, new_password: str) -> None:
        """Set an owner's password while the window is open, which shuts it, and end their sessions.

        Raises:
            NotPermitted: the window is shut.
            WrongSignIn: no active owner has this address.
            TooManyTries: after wrong addresses.
            AccountError: the password can't be.
        """
        self._window.check()
        self._codes_tried.count("reset")
        user = self._of(email)
        if user is None or not user.is_active_owner:
            raise WrongSignIn("no owner has this address; type the one that you sign in with")
        self._codes_tried.forget("reset")
        refuse_weak(new_password, user)
        with self._window.use():
            self.set_password(user.id, new_password)

    def _count_try(self, user_id: UUID) -> None:
        """Count a try as wrong before the password is looked at.

        Raises:
            TooManyTries: it has to wait, and was not counted.
        """
        with self._trying:
            now = self._clock.now()
            refuse_early(self._kept.tries(user_id), now)
            self._kept.count_failure(user_id, now)

    def _of(self, email: str) -> User | None:
        try:
            return self._kept.by_email(email)
        except AccountError:
            return None


def refuse_weak(password: str, user: User) -> None:
    """Return if ``user`` may have this password.

    Raises:
        AccountError: they may not; says why.
    """
    if found := weaknesses(password, user):
        raise AccountError("; ".join(found))
