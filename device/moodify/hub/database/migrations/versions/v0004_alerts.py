"""Alerts: rules, whom to tell, what was wrong, and what is to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "alert_rules",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("bound", sa.Integer(), nullable=False),
        sa.Column("updated", _moment, nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.create_table(
        "alert_channels",
        sa.Column("n", _number, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text()),
        sa.Column("created", _moment, nullable=False),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("kind", "target", name="alert_channels_target"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alerts",
        sa.Column("n", _number, nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("raised", _moment, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("cleared", _moment),
        sa.Column("cleared_words", sa.Text()),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("n"),
        sqlite_autoincrement=True,
    )
    is_open = sa.text("cleared IS NULL")
    op.create_index("alerts_open", "alerts", ["device", "rule"], unique=True, sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("alerts_device", "alerts", ["device"])
    op.create_index("alerts_cleared", "alerts", ["cleared"])
    op.create_table(
        "alert_messages",
        sa.Column("n", _number, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("alert", _number),
        sa.Column("channel", _number, nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("written", _moment, nullable=False),
        sa.Column("due", _moment, nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed", _moment),
        sa.Column("done", _moment),
        sa.Column("error", sa.Text()),
        sa.ForeignKeyConstraint(["alert"], ["alerts.n"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["channel"], ["alert_channels.n"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    undone = sa.text("done IS NULL")
    op.create_index("alert_messages_due", "alert_messages", ["due"], sqlite_where=undone, postgresql_where=undone)
    op.create_index("alert_messages_alert", "alert_messages", ["alert"])
    op.create_index("alert_messages_channel_n", "alert_messages", ["channel", "n"])
