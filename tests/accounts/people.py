"""People for tests."""

from datetime import UTC, datetime
from uuid import uuid4

from moodify.accounts.user import Role, User

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_user(email="ada@example.org", first_name="Ada", last_name="Lovelace", *, at=NOON, **fields):
    return User(
        **{"id": uuid4(), "email": email, "first_name": first_name, "last_name": last_name, "role": Role.MEMBER, "active": True, "created_at": at, "updated_at": at} | fields
    )
