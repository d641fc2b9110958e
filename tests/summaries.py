"""Devices to enrol, and what they say, for the tests of the hub's rooms."""

import uuid
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from moodify.cloud.keys import device_of, pem_of
from moodify.hub.port import Summary

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)


def new_key():
    """Return a public key."""
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def enrolled(database, *, now=NOW, name=None):
    """Enrol a new device; return its id."""
    key = new_key()
    return database.registry.enrol(device_of(key), pem_of(key), now, name=name).id


def item(event_id=None, *, kind="mood", at="2026-03-01T12:00:00.000+00:00", **data):
    """Return an event as a device sends it."""
    return {"id": event_id or str(uuid.uuid4()), "kind": kind, "at": at, "data": data}


def summary(device, seq, *items, epoch="epoch-1"):
    """Return a message; of one new event where none is given."""
    return Summary(device, epoch, seq, items or (item(),))
