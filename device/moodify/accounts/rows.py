"""Users, sessions and codes as rows of tables, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from pydantic import ValidationError

from moodify.accounts.codes import Code, Purpose
from moodify.accounts.preferences import Preferences
from moodify.accounts.session import Life, Session
from moodify.accounts.user import Role, SkinType, User
from moodify.errors import AccountError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping


#: What reading a row raises that no Moodify has written.
_DAMAGE: Final = (ValidationError, ValueError, TypeError, AttributeError, ArithmeticError, AccountError)


def stamp(at: datetime) -> str:
    """Return a date as it is kept: all have one length, so that they sort as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Return the date of :func:`stamp`."""
    return datetime.fromisoformat(text).astimezone(UTC)


def row_of_user(user: User) -> dict[str, Any]:
    """Return a user's columns, without password and failures."""
    return {
        "id": str(user.id),
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "role": user.role.value,
        "active": int(user.active),
        "created": stamp(user.created_at),
        "updated": stamp(user.updated_at),
        "preferences": user.preferences.model_dump_json(exclude_unset=True),
        "age": user.age,
        "skin_type": None if user.skin_type is None else int(user.skin_type),
        "last_sign_in": None if user.last_sign_in_at is None else stamp(user.last_sign_in_at),
    }


def user_of(row: Mapping[str, Any]) -> User:
    """Return a row's user.

    Raises:
        StoreError: it is damaged.
    """
    try:
        return User(
            id=UUID(row["id"]),
            email=row["email"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            role=Role(row["role"]),
            active=bool(row["active"]),
            created_at=moment(row["created"]),
            updated_at=moment(row["updated"]),
            preferences=Preferences.model_validate_json(row["preferences"]),
            age=row["age"],
            skin_type=None if row["skin_type"] is None else SkinType(row["skin_type"]),
            last_sign_in_at=None if row["last_sign_in"] is None else moment(row["last_sign_in"]),
        )
    except _DAMAGE as error:
        raise _damaged(row) from error


def row_of_life(life: Life) -> dict[str, str]:
    """Return the columns of dates."""
    return {"began": stamp(life.began), "used": stamp(life.used), "ends": stamp(life.ends)}


def row_of_session(session: Session) -> dict[str, Any]:
    """Return a session's columns."""
    return {
        "id": str(session.id),
        "user_id": str(session.user_id),
        "label": session.label,
        **row_of_life(session.life),
        "token_hash": session.token_hash.hex(),
    }


def session_of(row: Mapping[str, Any]) -> Session:
    """Return a row's session.

    Raises:
        StoreError: it is damaged.
    """
    try:
        return Session(UUID(row["id"]), UUID(row["user_id"]), row["label"], _life(row), bytes.fromhex(row["token_hash"]))
    except _DAMAGE as error:
        raise _damaged(row) from error


def row_of_code(code: Code) -> dict[str, Any]:
    """Return a code's columns."""
    return {
        "id": str(code.id),
        "purpose": code.purpose.value,
        "role": code.role.value,
        "first_name": code.first_name,
        "made_by": None if code.made_by is None else str(code.made_by),
        **row_of_life(code.life),
        "hash": code.hash.hex(),
    }


def code_of(row: Mapping[str, Any]) -> Code:
    """Return a row's code.

    Raises:
        StoreError: it is damaged.
    """
    try:
        made_by = None if row["made_by"] is None else UUID(row["made_by"])
        return Code(UUID(row["id"]), Purpose(row["purpose"]), Role(row["role"]), row["first_name"], made_by, _life(row), bytes.fromhex(row["hash"]))
    except _DAMAGE as error:
        raise _damaged(row) from error


def _life(row: Mapping[str, Any]) -> Life:
    return Life(moment(row["began"]), moment(row["used"]), moment(row["ends"]))


def _damaged(row: Mapping[str, Any]) -> StoreError:
    return StoreError(f"what is kept of an account ({row['id']}) can't be read; restore a backup, or a newer Moodify if one wrote it")
