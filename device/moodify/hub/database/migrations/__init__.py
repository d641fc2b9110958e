"""How the database came to its shape, for Alembic: one module for each step in ``versions``, run by :func:`moodify.hub.database.schema.bring_up_to_date`.

A step that has been released is never changed: hubs out there have taken it.
"""
