"""What people do with accounts once somebody is signed in: their own, and, as owners, those of others."""

from __future__ import annotations

import logging
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from moodify.accounts.codes import Code, Purpose, days, new_code, typed
from moodify.accounts.export import person
from moodify.accounts.session import Life
from moodify.accounts.user import Role, tidy_name
from moodify.errors import NotPermitted

if TYPE_CHECKING:
    from datetime import datetime

    from moodify.accounts.clock import WatchedClock
    from moodify.accounts.export import Also
    from moodify.accounts.port import Kept
    from moodify.accounts.remembered import Remembered
    from moodify.accounts.tokens import Tokens
    from moodify.accounts.user import User

logger = logging.getLogger(__name__)

_MINE: Final = frozenset({"first_name", "last_name", "email", "preferences", "age", "skin_type"})
#: More open invitations than a household has people.
INVITATIONS_AT_MOST: Final = 50


class Terminal(Enum):
    """Whoever may read the appliance's files needs nobody's leave."""

    TERMINAL = "terminal"


TERMINAL: Final = Terminal.TERMINAL

#: Who asks: a user, or somebody at the machine itself.
By = UUID | Terminal


class Managing:
    """The part of :class:`moodify.accounts.accounts.Accounts` that needs no password."""

    def __init__(self, kept: Kept, tokens: Tokens, clock: WatchedClock, remembered: Remembered, also: Also) -> None:
        self._kept = kept
        self._also = also
        self._tokens = tokens
        self._clock = clock
        self._remembered = remembered

    @property
    def claimable(self) -> bool:
        """Whether there is no owner who may sign in."""
        return not any(user.is_active_owner for user in self._kept.everybody())

    def users(self, by: By) -> tuple[User, ...]:
        """Return everybody, the first made first.

        Raises:
            NotPermitted: not an owner asks.
        """
        self._owner(by)
        return self._kept.everybody()

    def update_me(self, user_id: UUID, **changes: Any) -> User:
        """Change what people may change of themselves: first_name, last_name, email, preferences, age, skin_type; return the user.

        Raises:
            NotPermitted: it is something else.
            AccountError: it can't be so; another has the address; or the account is gone.
        """
        if other := changes.keys() - _MINE:
            raise NotPermitted(f"{', '.join(sorted(other))} can't be changed here; ask an owner")
        return self._change(user_id, **changes)

    def export(self, user_id: UUID) -> dict[str, Any]:
        """Return all that is kept of somebody, for themselves; JSON.

        Raises:
            AccountError: the account is gone.
        """
        return person(self._kept, user_id, self._also)

    def change_user(self, by: By, user_id: UUID, *, role: Role | None = None, active: bool | None = None) -> User:
        """Change what an owner may change of others and of themselves; return the user. Who may not sign in any more is signed out.

        Raises:
            NotPermitted: not an owner asks.
            AccountError: no owner would be left, or the account is gone.
        """
        self._owner(by)
        changes = {name: value for name, value in (("role", role), ("active", active)) if value is not None}
        user = self._change(user_id, **changes)
        logger.info("account %s is now %s, %s", user_id, user.role, "active" if user.active else "not active")
        return user

    def remove_user(self, by: By, user_id: UUID) -> None:
        """Erase a user and all that is kept of them here. Everybody may erase themselves; owners anybody.

        Raises:
            NotPermitted: neither an owner nor they themselves ask.
            AccountError: no owner would be left, or the account is gone.
        """
        if by != user_id:
            self._owner(by)
        self._kept.remove(user_id)
        self._remembered.forget(user_id=user_id)
        logger.info("account %s is erased", user_id)

    def invite(self, by: By, first_name: str, role: Role = Role.MEMBER) -> tuple[str, Code]:
        """Make an invitation; return the code to pass on, which is shown this once, and what is kept of it.

        Raises:
            NotPermitted: not an owner asks.
            AccountError: the name can't be.
        """
        self._owner(by)
        now = self._clock.now()
        self._kept.end_old(now)
        if len(self.invitations(by)) >= INVITATIONS_AT_MOST:
            raise NotPermitted(f"there are {INVITATIONS_AT_MOST} open invitations; withdraw some first")
        return self._make(Purpose.INVITATION, role, tidy_name(first_name), by, now)

    def invitations(self, by: By) -> tuple[Code, ...]:
        """Return the invitations that still hold, the first made first.

        Raises:
            NotPermitted: not an owner asks.
        """
        self._owner(by)
        now = self._clock.now()
        return tuple(code for code in self._kept.codes() if code.purpose is Purpose.INVITATION and self._holds(code, now))

    def withdraw(self, by: By, code_id: UUID) -> bool:
        """Take an invitation back; return whether it was there.

        Raises:
            NotPermitted: not an owner asks.
        """
        self._owner(by)
        return self._kept.withdraw(code_id)

    def make_claim_code(self) -> str:
        """Return a new code for the first owner, for the terminal and the journal alone; those before hold no longer.

        Raises:
            NotPermitted: there is an owner.
        """
        if not self.claimable:
            raise NotPermitted("there is an owner already, so that nothing can be claimed; who forgot their password runs: moodify users reset EMAIL")
        code, _ = self._make(Purpose.CLAIM, Role.OWNER, "", TERMINAL, self._clock.now())
        return code

    def _make(self, purpose: Purpose, role: Role, first_name: str, by: By, now: datetime) -> tuple[str, Code]:
        text = new_code()
        life = Life(now, now, now + days(purpose))
        code = Code(uuid4(), purpose, role, first_name, None if by is TERMINAL else by, life, self._tokens.code_hash(typed(text)))
        self._kept.add_code(code)
        return text, code

    def _holds(self, code: Code, now: datetime) -> bool:
        if code.made_by is None:
            return code.life.ends >= now
        inviter = self._kept.by_id(code.made_by)
        return code.life.ends >= now and inviter is not None and inviter.is_active_owner

    def _change(self, user_id: UUID, **changes: Any) -> User:
        now = self._clock.now()
        user = self._kept.change(user_id, lambda user: replace(user, **changes, updated_at=max(now, user.created_at)))
        self._remembered.forget(user_id=user_id)
        return user

    def _owner(self, by: By) -> None:
        if isinstance(by, UUID):
            user = self._kept.by_id(by)
            if user is None or not user.is_active_owner:
                raise NotPermitted("only an owner may do this; ask one")
