"""When the hub last knew what time it was, and the streams of what was set aside."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Take the step."""
    op.add_column("hub", sa.Column("seen", sa.DateTime(timezone=True)))
    op.create_index("quarantine_stream", "quarantine", ["stream"])
