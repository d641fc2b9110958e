from __future__ import annotations

import os
import subprocess
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


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own with room for 2 MB."""
    if os.geteuid() != 0:
        pytest.skip("root: only root can mount a small disk")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", folder], check=False, capture_output=True).returncode:
        pytest.skip("root: a small disk can't be mounted in this container")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
