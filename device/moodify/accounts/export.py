"""All that is kept of people with accounts, for themselves: JSON without hashes, tokens and codes.

``moodify export`` and a person's own download write it; :meth:`moodify.accounts.managing.Managing.remove_user` erases a person, and ``moodify erase``
the database with everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moodify.accounts.codes import Purpose
from moodify.errors import NoSuchUser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from moodify.accounts.port import Kept
    from moodify.accounts.user import User

    #: Returns what else is kept of a user, in other tables than those of accounts, by its name; JSON. It raises as everybody() does.
    Also = Callable[[UUID], Mapping[str, Any]]


def nothing_else(_user_id: UUID) -> Mapping[str, Any]:
    """Return what is kept of a user beside their account where that is nothing."""
    return {}


def everybody(kept: Kept, also: Also = nothing_else) -> list[dict[str, Any]]:
    """Return what is kept of each user, the first made first.

    Raises:
        StoreBusy: it can't be read now.
        StoreError: it can't be used.
    """
    return [_person(kept, user, also) for user in kept.everybody()]


def person(kept: Kept, user_id: UUID, also: Also = nothing_else) -> dict[str, Any]:
    """Return what is kept of one user.

    Raises:
        NoSuchUser: nobody has the id.
        StoreBusy: it can't be read now.
        StoreError: it can't be used.
    """
    user = kept.by_id(user_id)
    if user is None:
        raise NoSuchUser("this account is not there any more; there is nothing to export")
    return _person(kept, user, also)


def _person(kept: Kept, user: User, also: Also) -> dict[str, Any]:
    sessions, codes = kept.sessions_of(user.id), kept.codes()
    return {
        "id": str(user.id),
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "role": user.role.value,
        "active": user.active,
        "created": user.created_at.isoformat(),
        "updated": user.updated_at.isoformat(),
        "last_sign_in": None if user.last_sign_in_at is None else user.last_sign_in_at.isoformat(),
        "age": user.age,
        "skin_type": None if user.skin_type is None else user.skin_type.name,
        "preferences": user.preferences.model_dump(mode="json", exclude_unset=True),
        "sessions": [
            {"browser": session.label, "began": session.life.began.isoformat(), "last_used": session.life.used.isoformat(), "ends": session.life.ends.isoformat()}
            for session in sessions
        ],
        "invited": [
            {"first_name": code.first_name, "role": code.role.value, "created": code.life.began.isoformat(), "ends": code.life.ends.isoformat()}
            for code in codes
            if code.purpose is Purpose.INVITATION and code.made_by == user.id
        ],
        **also(user.id),
    }
