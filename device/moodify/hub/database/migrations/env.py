"""Where Alembic begins: the steps run on the connection and in the transaction of the caller."""

from __future__ import annotations

from alembic import context

from moodify.hub.database.models import Base
from moodify.hub.database.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, version_table=VERSION_TABLE, transactional_ddl=True, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
