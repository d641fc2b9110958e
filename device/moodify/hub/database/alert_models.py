"""The tables of alerts."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - SQLAlchemy reads the annotations

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from moodify.hub.database.models import Base, Moment, Number


class AlertRuleRow(Base):
    """A rule that an owner has set; what is missing holds as :data:`moodify.hub.alerts.rules.USUAL` says."""

    __tablename__ = "alert_rules"

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    enabled: Mapped[bool]
    bound: Mapped[int]
    updated: Mapped[datetime] = mapped_column(Moment)


class AlertChannelRow(Base):
    """Where alerts go."""

    __tablename__ = "alert_channels"
    __table_args__ = (UniqueConstraint("kind", "target", name="alert_channels_target"), {"sqlite_autoincrement": True})

    n: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(Moment)


class AlertRow(Base):
    """Something that was wrong. Of one device and rule only one is open: whichever hub inserts it first tells it."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("alerts_open", "device", "rule", unique=True, sqlite_where=text("cleared IS NULL"), postgresql_where=text("cleared IS NULL")),
        Index("alerts_device", "device"),
        Index("alerts_cleared", "cleared"),
        {"sqlite_autoincrement": True},
    )

    n: Mapped[int] = mapped_column(Number, primary_key=True)
    device: Mapped[str] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    rule: Mapped[str] = mapped_column(String(32))
    raised: Mapped[datetime] = mapped_column(Moment)
    words: Mapped[str] = mapped_column(Text)
    cleared: Mapped[datetime | None] = mapped_column(Moment)
    cleared_words: Mapped[str | None] = mapped_column(Text)


class AlertMessageRow(Base):
    """One message to one channel."""

    __tablename__ = "alert_messages"
    __table_args__ = (
        Index("alert_messages_due", "due", sqlite_where=text("done IS NULL"), postgresql_where=text("done IS NULL")),
        Index("alert_messages_alert", "alert"),
        Index("alert_messages_channel_n", "channel", "n"),
        {"sqlite_autoincrement": True},
    )

    n: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    alert: Mapped[int | None] = mapped_column(ForeignKey("alerts.n", ondelete="CASCADE"))
    """None for a test."""
    channel: Mapped[int] = mapped_column(ForeignKey("alert_channels.n", ondelete="CASCADE"))
    what: Mapped[str] = mapped_column(String(16))
    written: Mapped[datetime] = mapped_column(Moment)
    due: Mapped[datetime] = mapped_column(Moment)
    tries: Mapped[int] = mapped_column(server_default="0")
    claimed: Mapped[datetime | None] = mapped_column(Moment)
    """Until when it belongs to who took it."""
    done: Mapped[datetime | None] = mapped_column(Moment)
    error: Mapped[str | None] = mapped_column(Text)
    """Of the last try that failed; where it is done and this is set, it was given up."""
