"""A person with an account."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

from moodify.accounts.address import normalise
from moodify.accounts.preferences import Preferences
from moodify.errors import AccountError

if TYPE_CHECKING:
    from uuid import UUID

_NAME_MAX: Final = 80
OLDEST: Final = 120
"""Years."""


class Role(StrEnum):
    """What somebody may do."""

    OWNER = "owner"
    """Everything, accounts and erasing included."""
    MEMBER = "member"
    """What concerns the music and their own account."""


class SkinType(IntEnum):
    """The types of Fitzpatrick (1988), from I, which always burns, to VI, which never does; what a person says of themselves."""

    I = 1  # noqa: E741 - the type's name
    II = 2
    III = 3
    IV = 4
    V = 5
    VI = 6


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account; address and names are brought into their kept form, also by ``dataclasses.replace``.

    The password's hash is not in here, so that no page, export or log that shows a user can show it.

    Raises:
        AccountError: the address, a name or the age can't be, or a date is not in UTC.
    """

    id: UUID
    email: str
    """As :func:`moodify.accounts.address.normalise` returns it; no two users share one."""
    first_name: str
    last_name: str
    """May be empty: not everybody has two names."""
    role: Role
    active: bool
    """Whether they may sign in."""
    created_at: datetime
    updated_at: datetime
    preferences: Preferences = field(default_factory=Preferences)
    age: int | None = None
    """In years, where they have said it."""
    skin_type: SkinType | None = None
    """Where they have said it."""
    last_sign_in_at: datetime | None = None
    """None where they never have."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", normalise(self.email))
        object.__setattr__(self, "first_name", tidy_name(self.first_name))
        object.__setattr__(self, "last_name", tidy_name(self.last_name, may_be_empty=True))
        if self.age is not None and not 0 < self.age <= OLDEST:
            raise AccountError(f"an age is a number of years from 1 to {OLDEST}; correct it, or leave it out")
        for at in (self.created_at, self.updated_at, self.last_sign_in_at):
            if at is not None and at.utcoffset() != UTC.utcoffset(None):
                raise AccountError(f"{at.isoformat()} is not in UTC; convert it with astimezone(UTC)")

    @property
    def is_active_owner(self) -> bool:
        """Whether they may do everything now; one such user must always stay."""
        return self.active and self.role is Role.OWNER

    @property
    def name(self) -> str:
        """First and last name, as people write them."""
        return f"{self.first_name} {self.last_name}".rstrip()

    @property
    def initials(self) -> str:
        """One or two capital letters for the badge."""
        return "".join(_initial(name) for name in (self.first_name, self.last_name) if name)


def tidy_name(text: str, *, may_be_empty: bool = False) -> str:
    """Return a name as it is kept.

    Raises:
        AccountError: it can't be read, or is too long.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name and may_be_empty:
        return name
    if not any(letter.isalpha() for letter in name) or any(unicodedata.category(letter) in {"Cc", "Cf", "Cs"} for letter in name):
        raise AccountError("a name has at least one letter and no invisible characters; write it as people do")
    if len(name) > _NAME_MAX:
        raise AccountError(f"a name has at most {_NAME_MAX} characters; give a shorter one")
    return name


def _initial(name: str) -> str:
    letter = next(letter for letter in name if letter.isalpha())
    return letter.upper()[:1]  # some letters have no capital of one character
