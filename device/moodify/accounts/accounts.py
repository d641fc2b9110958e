"""Who is signed in: the one service that page and hub ask."""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from moodify.accounts.authenticating import Authenticating, refuse_weak
from moodify.accounts.clock import SystemClock, WatchedClock
from moodify.accounts.codes import Purpose, typed
from moodify.accounts.export import nothing_else
from moodify.accounts.lockout import Guesses
from moodify.accounts.port import owner_there
from moodify.accounts.remembered import Remembered
from moodify.accounts.session import SESSIONS_AT_MOST, Session, SignedIn, Who, new_life, shown
from moodify.accounts.tokens import Tokens, hash_of, not_signed_in
from moodify.accounts.user import Role, User
from moodify.errors import StoreBusy, WrongSignIn

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from moodify.accounts.clock import Clock
    from moodify.accounts.codes import Code
    from moodify.accounts.export import Also
    from moodify.accounts.passwords import Hasher
    from moodify.accounts.port import Kept
    from moodify.accounts.session import Life

logger = logging.getLogger(__name__)

#: A refresh token that was replaced is answered with its replacement for so long: two tabs may renew at once, and an answer may be lost.
GRACE_S: Final = 10.0
_LOOKS: Final = 5


@dataclass(frozen=True, slots=True)
class NewUser:
    """What somebody says of themselves when they come in."""

    email: str
    first_name: str
    password: str = field(repr=False)
    last_name: str = ""


class Accounts(Authenticating):
    """Signs people in and out and says who asks. Safe from any thread; a password is hashed in the caller's, one at a time.

    Raises (all calls):
        StoreBusy: the accounts can't be read or written now.
        StoreError: they can't be used.
    """

    def __init__(self, kept: Kept, hasher: Hasher, key: bytes, *, audience: str, clock: Clock | None = None, also: Also = nothing_else) -> None:
        """Take what the service is made of.

        Args:
            kept: where everything is kept.
            hasher: for passwords.
            key: 32 secret bytes, see :func:`moodify.accounts.key.load_key`. With another key nobody is signed in any more, and no code holds.
            audience: whom tokens are for: ``moodify-page:DEVICE`` or ``moodify-hub``.
            clock: the machine's, unless it is given.
            also: returns what else is kept of a user, for an export.
        """
        machine = clock or SystemClock()
        super().__init__(kept, Tokens(key, audience), WatchedClock(machine, self._redate), Remembered(kept, machine.now_s), hasher, machine.now_s, also)
        self._nobodys_tries = Guesses(machine.now_s)
        self._browsers_tries = Guesses(machine.now_s)

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
        refuse_weak(new.password, user)
        password_hash = self._hasher.hash(new.password)
        if found is None:
            with self._window.use():
                self._kept.add(user, password_hash, first=True)
        else:
            self._kept.add(user, password_hash, first=first, code_id=found.id)
        logger.info("account %s was made, as %s", user.id, user.role)
        return self._signed_in(user.id, password_hash, label)

    def sign_in(self, email: str, password: str, label: str, *, browser: str | None = None) -> SignedIn:
        """Begin a session.

        A browser with which somebody has signed in before has wrong tries of its own: who guesses from elsewhere makes wait whoever comes from
        elsewhere, and can't lock somebody out of their own home (OWASP, "Slow down online guessing attacks with device cookies").

        Args:
            email: in any spelling.
            password: as typed.
            label: what the person will know the session by; see :func:`moodify.accounts.label.label_of`.
            browser: what :attr:`moodify.accounts.session.SignedIn.browser_token` gave this browser, if anything.

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
        if browser is not None and self._tokens.is_browser_of(browser, user.id):
            self._browsers_tries.count(browser)
        else:
            self._count_try(user.id)
        password_hash = self._kept.password_hash(user.id)
        if not self._hasher.verify(password_hash, password) or not user.active:
            raise _wrong()
        if self._hasher.needs_rehash(password_hash):
            newer = self._hasher.hash(password)
            self._kept.rehash(user.id, password_hash, newer)
            password_hash = newer
        if browser is not None:
            self._browsers_tries.forget(browser)
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

    def _found(self, code: str, now: datetime) -> Code:
        self._codes_tried.count("code")
        wanted = self._tokens.code_hash(typed(code))
        for found in self._kept.codes():
            if hmac.compare_digest(found.hash, wanted) and self._holds(found, now):
                self._codes_tried.forget("code")
                return found
        raise WrongSignIn("this code is not right, or not good any more; type it again, or ask for a new one")

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
        return replace(self._given(user, session, token, now), browser_token=self._tokens.browser(user_id))

    def _given(self, user: User, session: Session, refresh_token: str, now: datetime) -> SignedIn:
        access_token, expires = self._tokens.access(session, now)
        return SignedIn(user, session.id, access_token, expires, refresh_token, session.life.ends)

    def _end(self, session_id: UUID) -> None:
        self._kept.end(session_id)
        self._remembered.forget(session_id=session_id)

    def _redate(self, how: Callable[[Life], Life]) -> None:
        self._kept.redate(how)
        self._remembered.forget_all()


def _wrong() -> WrongSignIn:
    return WrongSignIn("address or password is not right; type them again, or have the password set anew")
