from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from moodify.store.prepare import prepare
from moodify.types import Event, EventKind


@pytest.fixture
def path(tmp_path):
    """A prepared database."""
    path = tmp_path / "state" / "moodify.db"
    assert prepare(path) is None
    return path


@pytest.fixture
def event():
    """A maker of events."""

    def make(kind=EventKind.MOOD, at=None, **data):
        return Event(str(uuid.uuid4()), kind, at if at is not None else datetime.now(UTC), data)

    return make
