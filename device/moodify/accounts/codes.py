"""Codes that a person types once: to become the owner, or to come in as somebody who was invited."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID

    from moodify.accounts.session import Life
    from moodify.accounts.user import Role

#: An invitation that nobody takes ends after so many days.
INVITATION_DAYS: Final = 7
#: A claim code holds until it is used or a new one is made; its end is only so that it has one.
CLAIM_DAYS: Final = 3650
#: Digits and capitals without 0 O, 1 I L, which are taken for one another, and U, which is taken for V: 30 to the 8th are 6.5e11.
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 8
_GROUP: Final = 4


class Purpose(StrEnum):
    """What a code is good for."""

    CLAIM = "claim"
    """To become the first owner."""
    INVITATION = "invitation"
    """To become a user whom an owner has invited."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was made and not yet used."""

    id: UUID
    purpose: Purpose
    role: Role
    """Of whoever uses it."""
    first_name: str
    """Whom it is for, as the one who invites calls them; empty for a claim."""
    made_by: UUID | None
    """The owner who invited; None for the terminal. It ends with them."""
    life: Life
    hash: bytes = field(repr=False)
    """Keyed, by :meth:`moodify.accounts.tokens.Tokens.code_hash`: eight characters alone could be guessed from a plain hash."""


def new_code() -> str:
    """Return 8 random characters in two groups, as ``K7QM-2WXT``."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
    return f"{letters[:_GROUP]}-{letters[_GROUP:]}"


def typed(code: str) -> str:
    """Return a code as it was made, however it was typed: capitals, without what stands between."""
    return "".join(letter for letter in code.upper() if letter.isalnum())[:64]


def days(purpose: Purpose) -> timedelta:
    """Return how long a code holds."""
    return timedelta(days=CLAIM_DAYS if purpose is Purpose.CLAIM else INVITATION_DAYS)
