"""Who is signed in: the one service that page and hub ask."""

from __future__ import annotations

import hmac
import logging
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from moodify.accounts.clock import SystemClock, WatchedClock
from moodify.accounts.codes import Purpose, typed
from moodify.accounts.lockout import Guesses, refuse_early
from moodify.accounts.managing import Managing
from moodify.accounts.port import owner_there
from moodify.accounts.remembered import Remembered
from moodify.accounts.session import SESSIONS_AT_MOST, Session, SignedIn, Who, new_life, shown
from moodify.accounts.strength import weaknesses
from moodify.accounts.tokens import Tokens, hash_of, not_signed_in
from moodify.accounts.user import Role, User
from moodify.accounts.window import WINDOW_S, Window
from moodify.errors import AccountError, StoreBusy, WrongSignIn

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from moodify.accounts.clock import Clock
    from moodify.accounts.codes import Code
    from moodify.accounts.passwords import Hasher
    from moodify.accounts.port import Kept
    from moodify.accounts.session import Life

logger = logging.getLogger(__name__)

#: A refresh token that was replaced is answered with its replacement for so long: two tabs may renew at once, and an answer may be lost.
GRACE_S: Final = 10.0
_LOOKS: Final = 5
#: The longest wait after wrong codes. A code can't be guessed at one try in half a minute, and the one who was given it must not wait for others' guesses.
_CODE_WAIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class NewUser:
    """What somebody says of themselves when they come in."""

    email: str
    first_name: str
    password: str = field(repr=False)
    last_name: str = ""


class Accounts(Managing):
    """Signs people in and out and says who asks. Safe from any thread; a password is hashed in the caller's, one at a time.

    Raises (all calls):
        StoreBusy: the accounts can't be read or written now.
        StoreError: they can't be used.
    """

    def __init__(self, kept: Kept, hasher: Hasher, key: bytes, *, audience: str, clock: Clock | None = None) -> None:
        """Take what the service is made of.

        Args:
            kept: where everything is kept.
            hasher: for passwords.
            key: 32 secret bytes, see :func:`moodify.accounts.key.load_key`. With another key nobody is signed in any more, and no code holds.
            audience: whom tokens are for: ``moodify-page:DEVICE`` or ``moodify-hub``.
            clock: the machine's, unless it is given.
        """
        machine = clock or SystemClock()
        super().__init__(kept, Tokens(key, audience), WatchedClock(machine, self._redate), Remembered(kept, machine.now_s))
        self._hasher = hasher
        self._window = Window(machine.now_s)
        self._codes_tried = Guesses(machine.now_s, longest_s=_CODE_WAIT_S)
        self._nobodys_tries = Guesses(machine.now_s)
        self._trying = threading.Lock()

    def claim(self, code: str | None, new: NewUser, label: str) -> SignedIn:
        """Make an account and sign it in: the first owner with the claim code or an open window (code None), or whoever has an invitation's code.

        Raises:
            WrongSignIn: the code is not right, or not any more.
            TooManyTries: after wrong codes.
            NotPermitted: there is an owner already; or no code, and the window is shut.
            AccountError: address, name or password can't be.
        """
        now = self._clock.now()
        found = None if code is None else self._found(code, now)
        first = found is None or found.purpose is Purpose.CLAIM
        if first and not self.claimable:
            raise owner_there()
        if found is None:
            self._window.check()
        user = User(uuid4(), new.email, new.first_name, new.last_name, Role.OWNER if found is None else found.role, active=True, created_at=now, updated_at=now)
        _refuse_weak(new.password, user)
        password_hash = self._hasher.hash(new.password)
        if found is None:
            with self._window.use():
                self._kept.add(user, password_hash, first=True)
        else:
            self._kept.add(user, password_hash, first=first, code_id=found.id)
        logger.info("account %s was made, as %s", user.id, user.role)
        return self._signed_in(user.id, password_hash, label)

    def sign_in(self, email: str, password: str, label: str) -> SignedIn:
        """Begin a session.

        Args:
            email: in any spelling.
            password: as typed.
            label: what the person will know the session by; see :func:`moodify.accounts.label.label_of`.

        Raises:
            WrongSignIn: address or password is not right, or the account is not active.
            TooManyTries: after wrong passwords.
            RetryLater: there is not enough memory to check a password now.
        """
        user = self._of(email)
        if user is None:
            self._nobodys_tries.count(email.strip().lower()[:254])
            self._hasher.verify(None, password)
            raise _wrong()
        with self._trying:
            now = self._clock.now()
            refuse_early(self._kept.tries(user.id), now)
            self._kept.count_failure(user.id, now)
        password_hash = self._kept.password_hash(user.id)
        if not self._hasher.verify(password_hash, password) or not user.active:
            raise _wrong()
        if self._hasher.needs_rehash(password_hash):
            newer = self._hasher.hash(password)
            self._kept.rehash(user.id, password_hash, newer)
            password_hash = newer
        return self._signed_in(user.id, password_hash, label)

    def refresh(self, refresh_token: str) -> SignedIn:
        """Renew a session: a new access token, and a refresh token that takes the place of this one.

        Raises:
            NotSignedIn: the session is over, or the token was never ours; or it was used before, which ends the session, as somebody has copied it.
        """
        now = self._clock.now()
        session_id, successor = self._tokens.session_of(refresh_token), self._tokens.next_refresh(refresh_token)
        # Whoever loses a race finds the other's outcome at the next look.
        for _ in range(_LOOKS):
            session = self._kept.session(session_id)
            user = None if session is None else self._kept.by_id(session.user_id)
            if session is None or user is None or not user.active or session.life.ends <= now:
                raise not_signed_in()
            if hmac.compare_digest(session.token_hash, hash_of(successor)) and abs((now - session.life.used).total_seconds()) <= GRACE_S:
                return self._given(user, session, successor, now)
            if not hmac.compare_digest(session.token_hash, hash_of(refresh_token)):
                self._end(session_id)
                logger.warning("session %s of account %s was ended: an old token of it was used again, as if somebody had copied it", session_id, user.id)
                raise not_signed_in()
            renewed = replace(session, life=session.life.used_at(now), token_hash=hash_of(successor))
            if self._kept.renew(session, renewed):
                return self._given(user, renewed, successor, now)
        raise StoreBusy("this session is being changed; try again in a moment")

    def who(self, access_token: str) -> Who:
        """Return who asks.

        Raises:
            NotSignedIn: the token is not ours or too old, or its session is over.
        """
        now = self._clock.now()
        claims = self._tokens.claims(access_token, now)
        found = self._remembered.look(claims.session_id)
        if found is None:
            raise not_signed_in()
        session, user = found
        if session.user_id != claims.user_id or not user.active or session.life.ends <= now:
            raise not_signed_in()
        return Who(user, session.id)

    def sessions(self, user_id: UUID) -> tuple[Session, ...]:
        """Return somebody's sessions, the one that was used last first."""
        now = self._clock.now()
        return tuple(session for session in self._kept.sessions_of(user_id) if session.life.ends > now)

    def end_session(self, user_id: UUID, session_id: UUID) -> bool:
        """End a session of somebody; return whether it was theirs and there."""
        session = self._kept.session(session_id)
        if session is None or session.user_id != user_id:
            return False
        self._end(session_id)
        return True

    def end_all(self, user_id: UUID, *, but: UUID | None = None) -> int:
        """End all sessions of somebody, but one; return how many."""
        ended = self._kept.end_all(user_id, but=but)
        self._remembered.forget(user_id=user_id)
        return ended

    def confirm_password(self, user_id: UUID, password: str) -> None:
        """Return if the password is theirs: for what must not be done by whoever finds a browser open.

        Raises:
            WrongSignIn: it is not.
            TooManyTries: after wrong passwords.
            AccountError: the account is gone.
        """
        with self._trying:
            now = self._clock.now()
            refuse_early(self._kept.tries(user_id), now)
            self._kept.count_failure(user_id, now)
        if not self._hasher.verify(self._kept.password_hash(user_id), password):
            raise WrongSignIn("this password is not right; type it again")
        self._kept.clear_failures(user_id)

    def change_password(self, user_id: UUID, old: str, new: str, *, keep: UUID | None = None) -> None:
        """Change somebody's password and end their sessions, but ``keep``.

        Raises:
            WrongSignIn: the old one is not right.
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
            _refuse_weak(new, user)
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
        _refuse_weak(new_password, user)
        with self._window.use():
            self.set_password(user.id, new_password)

    def _found(self, code: str, now: datetime) -> Code:
        self._codes_tried.count("code")
        wanted = self._tokens.code_hash(typed(code))
        for found in self._kept.codes():
            if hmac.compare_digest(found.hash, wanted) and self._holds(found, now):
                self._codes_tried.forget("code")
                return found
        raise WrongSignIn("this code is not right, or not good any more; type it again, or ask for a new one")

    def _of(self, email: str) -> User | None:
        try:
            return self._kept.by_email(email)
        except AccountError:
            return None

    def _signed_in(self, user_id: UUID, password_hash: str, label: str) -> SignedIn:
        now, session_id = self._clock.now(), uuid4()
        token = self._tokens.first_refresh(session_id)
        session = Session(session_id, user_id, shown(label), new_life(now), hash_of(token))
        if not self._kept.begin(session, password_hash):
            raise _wrong()
        self._kept.end_old(now)
        for old in self._kept.sessions_of(user_id)[SESSIONS_AT_MOST:]:
            self._end(old.id)
        user = self._kept.by_id(user_id)
        if user is None:
            raise not_signed_in()
        return self._given(user, session, token, now)

    def _given(self, user: User, session: Session, refresh_token: str, now: datetime) -> SignedIn:
        access_token, expires = self._tokens.access(session, now)
        return SignedIn(user, session.id, access_token, expires, refresh_token, session.life.ends)

    def _end(self, session_id: UUID) -> None:
        self._kept.end(session_id)
        self._remembered.forget(session_id=session_id)

    def _redate(self, how: Callable[[Life], Life]) -> None:
        self._kept.redate(how)
        self._remembered.forget_all()


def _refuse_weak(password: str, user: User) -> None:
    if found := weaknesses(password, user):
        raise AccountError("; ".join(found))


def _wrong() -> WrongSignIn:
    return WrongSignIn("address or password is not right; try again, or hold the device's button for a reset")
