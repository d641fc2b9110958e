"""Devices and their keys, what came of each, and commands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    hub = op.create_table(
        "hub",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="hub_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(hub, [{"id": 1, "revision": 1}])
    op.create_table(
        "devices",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enrolled", _moment, nullable=False),
        sa.Column("revoked", _moment),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "keys",
        sa.Column("n", _number, nullable=False),
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("added", _moment, nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"]),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("kid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_keys_device", "keys", ["device"])
    op.create_table(
        "streams",
        sa.Column("n", _number, nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("epoch", sa.String(64), nullable=False),
        sa.Column("floor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("forgotten", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"]),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("device", "epoch", name="streams_device_epoch"),
    )
    op.create_table(
        "messages",
        sa.Column("stream", _number, autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received", _moment, nullable=False),
        sa.ForeignKeyConstraint(["stream"], ["streams.n"]),
        sa.PrimaryKeyConstraint("stream", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index("messages_received", "messages", ["received"])
    op.create_table(
        "events",
        sa.Column("n", _number, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("stream", _number, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("at", _moment, nullable=False),
        sa.Column("received", _moment, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["stream"], ["streams.n"]),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("device", "id", name="events_device_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_device_n", "events", ["device", "n"])
    op.create_index("events_device_kind_n", "events", ["device", "kind", "n"])
    op.create_index("events_kind_n", "events", ["kind", "n"])
    op.create_index("events_received", "events", ["received"])
    op.create_table(
        "quarantine",
        sa.Column("n", _number, nullable=False),
        sa.Column("stream", _number, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("received", _moment, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["stream"], ["streams.n"]),
        sa.PrimaryKeyConstraint("n"),
        sqlite_autoincrement=True,
    )
    op.create_index("quarantine_received", "quarantine", ["received"])
    op.create_table(
        "commands",
        sa.Column("n", _number, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("created", _moment, nullable=False),
        sa.Column("expires", _moment, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("answered", _moment),
        sa.ForeignKeyConstraint(["device"], ["devices.id"]),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index("commands_waiting", "commands", ["n"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("commands_device_n", "commands", ["device", "n"])
    op.create_index("commands_created", "commands", ["created"])
