"""The tables. What changes here needs a step in :mod:`moodify.hub.database.migrations`; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect


class Moment(TypeDecorator[datetime]):
    """A time, UTC to the microsecond; SQLite keeps it as text that sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's interface
        """Return the time in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's interface
        """Return the time with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


#: SQLite numbers rows by itself only where the type is INTEGER, which has 64 bits there too.
Number = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """What all tables share."""


class HubRow(Base):
    """The one row that says how often the registry has changed."""

    __tablename__ = "hub"
    __table_args__ = (CheckConstraint("id = 1", name="hub_one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)
    seen: Mapped[datetime | None] = mapped_column(Moment)
    """When a hub last looked at a clock that could be right."""


class DeviceRow(Base):
    """A device that was enrolled."""

    __tablename__ = "devices"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    enrolled: Mapped[datetime] = mapped_column(Moment)
    revoked: Mapped[datetime | None] = mapped_column(Moment)


class KeyRow(Base):
    """A device's public key; a lower number is an older key."""

    __tablename__ = "keys"
    __table_args__ = ({"sqlite_autoincrement": True},)

    n: Mapped[int] = mapped_column(Number, primary_key=True)
    kid: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str] = mapped_column(ForeignKey("devices.id"), index=True)
    public_key: Mapped[str] = mapped_column(Text)
    added: Mapped[datetime] = mapped_column(Moment)


class StreamRow(Base):
    """One outbox of a device."""

    __tablename__ = "streams"
    __table_args__ = (UniqueConstraint("device", "epoch", name="streams_device_epoch"),)

    n: Mapped[int] = mapped_column(Number, primary_key=True)
    device: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    epoch: Mapped[str] = mapped_column(String(64))
    floor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Numbers up to this one came so long ago that they are not kept any more: each counts as stored."""
    forgotten: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """How many were."""


class MessageRow(Base):
    """A number of a stream that has come. Its key is what makes each message count once."""

    __tablename__ = "messages"
    __table_args__ = (Index("messages_received", "received"), {"sqlite_with_rowid": False})

    stream: Mapped[int] = mapped_column(ForeignKey("streams.n"), primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    received: Mapped[datetime] = mapped_column(Moment)


class EventRow(Base):
    """An event. Its number is never given again, so that a reader can go on from it."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("device", "id", name="events_device_id"),
        Index("events_device_n", "device", "n"),
        Index("events_device_kind_n", "device", "kind", "n"),
        Index("events_kind_n", "kind", "n"),
        Index("events_received", "received"),
        {"sqlite_autoincrement": True},
    )

    n: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(64))
    stream: Mapped[int] = mapped_column(ForeignKey("streams.n"))
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment)
    received: Mapped[datetime] = mapped_column(Moment)
    data: Mapped[str] = mapped_column(Text)
    """JSON, as text: PostgreSQL's JSON types refuse some of what a device may say."""


class QuarantineRow(Base):
    """Events of a message that could not be kept as such, and why."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("quarantine_received", "received"), Index("quarantine_stream", "stream"), {"sqlite_autoincrement": True})

    n: Mapped[int] = mapped_column(Number, primary_key=True)
    stream: Mapped[int] = mapped_column(ForeignKey("streams.n"))
    seq: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int]
    """Of the first in the message, from 0."""
    received: Mapped[datetime] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(Text)
    item: Mapped[str] = mapped_column(Text)
    """How it begins, or the list of them."""


class CommandRow(Base):
    """A command to a device, and its answer."""

    __tablename__ = "commands"
    __table_args__ = (
        Index("commands_waiting", "n", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
        Index("commands_device_n", "device", "n"),
        Index("commands_created", "created"),
        {"sqlite_autoincrement": True},
    )

    n: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    name: Mapped[str] = mapped_column(String(64))
    args: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(Text)
    data: Mapped[str] = mapped_column(Text)
    answered: Mapped[datetime | None] = mapped_column(Moment)
