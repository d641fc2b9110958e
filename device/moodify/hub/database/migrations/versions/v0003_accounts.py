"""Who may sign in to the dashboard, and who is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_id = sa.String(36)
_date = sa.String(32)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "users",
        sa.Column("id", _id, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("created", _date, nullable=False),
        sa.Column("updated", _date, nullable=False),
        sa.Column("preferences", sa.Text(), nullable=False),
        sa.Column("age", sa.Integer()),
        sa.Column("skin_type", sa.Integer()),
        sa.Column("last_sign_in", _date),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure", _date),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", _id, nullable=False),
        sa.Column("user_id", _id, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("began", _date, nullable=False),
        sa.Column("used", _date, nullable=False),
        sa.Column("ends", _date, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sessions_user", "sessions", ["user_id"])
    op.create_table(
        "codes",
        sa.Column("id", _id, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("made_by", _id),
        sa.Column("began", _date, nullable=False),
        sa.Column("used", _date, nullable=False),
        sa.Column("ends", _date, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
