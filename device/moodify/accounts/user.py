"""A person with an account."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from moodify.accounts.address import normalise
from moodify.errors import AccountError

if TYPE_CHECKING:
    from uuid import UUID

_NAME_MAX: Final = 80


class Role(StrEnum):
    """What somebody may do."""

    OWNER = "owner"
    """Everything, accounts and erasing included."""
    MEMBER = "member"
    """What concerns the music and their own account."""


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account; address and names are brought into their kept form, also by ``dataclasses.replace``.

    The password's hash is not in here, so that no page, export or log that shows a user can show it.

    Raises:
        AccountError: the address or a name can't be, or a date is not in UTC.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", normalise(self.email))
        object.__setattr__(self, "first_name", _name(self.first_name))
        object.__setattr__(self, "last_name", _name(self.last_name, may_be_empty=True))
        for at in (self.created_at, self.updated_at):
            if at.utcoffset() != UTC.utcoffset(None):
                raise AccountError(f"{at.isoformat()} is not in UTC; convert it with astimezone(UTC)")

    @property
    def name(self) -> str:
        """First and last name, as people write them."""
        return f"{self.first_name} {self.last_name}".rstrip()

    @property
    def initials(self) -> str:
        """One or two capital letters for the badge."""
        return "".join(_initial(name) for name in (self.first_name, self.last_name) if name)


def _name(text: str, *, may_be_empty: bool = False) -> str:
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
