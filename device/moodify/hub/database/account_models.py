"""The tables of accounts; :mod:`moodify.accounts.tables` reads and writes them. Ids, dates and hashes are text, as on a device."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from moodify.hub.database.models import Base

#: As :func:`moodify.accounts.rows.stamp` writes a date.
_Date = String(32)
_Id = String(36)


class UserRow(Base):
    """A person with an account."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    first_name: Mapped[str] = mapped_column(Text)
    last_name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[int]
    created: Mapped[str] = mapped_column(_Date)
    updated: Mapped[str] = mapped_column(_Date)
    preferences: Mapped[str] = mapped_column(Text)
    """JSON."""
    age: Mapped[int | None]
    skin_type: Mapped[int | None]
    last_sign_in: Mapped[str | None] = mapped_column(_Date)
    password_hash: Mapped[str] = mapped_column(Text)
    failures: Mapped[int]
    last_failure: Mapped[str | None] = mapped_column(_Date)


class SessionRow(Base):
    """A browser that is signed in."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_user", "user_id"),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    label: Mapped[str] = mapped_column(Text)
    began: Mapped[str] = mapped_column(_Date)
    used: Mapped[str] = mapped_column(_Date)
    ends: Mapped[str] = mapped_column(_Date)
    token_hash: Mapped[str] = mapped_column(String(64))


class CodeRow(Base):
    """A code that was made and not yet used."""

    __tablename__ = "codes"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    role: Mapped[str] = mapped_column(String(16))
    first_name: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    began: Mapped[str] = mapped_column(_Date)
    used: Mapped[str] = mapped_column(_Date)
    ends: Mapped[str] = mapped_column(_Date)
    hash: Mapped[str] = mapped_column(String(64))
