from __future__ import annotations

import json
import uuid

import pytest

from moodify.cloud.commands import REMEMBERED_IDS, CommandDesk, Rejected
from moodify.cloud.port import Command
from moodify.store.prepare import prepare
from moodify.store.settings import Settings

ID = "6f1c1c0e-7d2b-4b0e-9a35-6b1d6a0f3c11"


@pytest.fixture
def memory(tmp_path):
    prepare(tmp_path / "moodify.db")
    with Settings(tmp_path / "moodify.db") as settings:
        yield settings


@pytest.mark.parametrize(
    ("name", "payload", "retained", "reason", "answered"),
    [
        ("rescan", b"", False, "not JSON", False),
        ("rescan", b"\xff", False, "not JSON", False),
        ("rescan", b"[" * 4000, False, "not JSON", False),
        ("rescan", b"[1]", False, "not a JSON object", False),
        ("rescan", b"{}", False, "no id that is a UUID", False),
        ("rescan", b'{"id": 7}', False, "no id that is a UUID", False),
        ("rescan", b'{"id": "../../other/up/status"}', False, "no id that is a UUID", False),
        ("rescan", b'{"id": "{%s}"}' % ID.encode(), False, "no id that is a UUID", False),
        ("rescan", b'{"id": "%s", "pad": "%s"}' % (ID.encode(), b"x" * 5000), False, "larger than 4096 bytes", False),
        ("rescan", b'{"id": "%s"}' % ID.encode(), True, "must not be retained", True),
        ("privacy", b'{"id": "%s"}' % ID.encode(), False, "does not allow 'privacy'", True),
        ("format-disk", b'{"id": "%s"}' % ID.encode(), False, "does not allow 'format-disk'", True),
        ("", b'{"id": "%s"}' % ID.encode(), False, "does not allow ''", True),
        ("rescan/now", b'{"id": "%s"}' % ID.encode(), False, "does not allow 'rescan/now'", True),
    ],
)
def test_what_is_not_carried_out(memory, name, payload, retained, reason, answered):
    taken = CommandDesk(["rescan", "pause"], memory).take(name, payload, retained=retained)
    assert isinstance(taken, Rejected)
    assert reason in taken.reason
    assert taken.id == (ID if answered else None)
    assert memory.get("link.executed") is None


def test_an_allowed_command_is_taken_and_what_else_it_holds_is_not_read(memory):
    desk = CommandDesk(["rescan"], memory)
    assert desk.take("rescan", json.dumps({"id": ID, "why": "test"}).encode(), retained=False) == Command(ID, "rescan")


def test_a_repeat_does_nothing_even_after_a_restart(memory):
    payload = json.dumps({"id": ID}).encode()
    assert isinstance(CommandDesk(["rescan"], memory).take("rescan", payload, retained=False), Command)
    assert CommandDesk(["rescan"], memory).take("rescan", payload, retained=False) == Rejected("this id was carried out before", ID)


def test_executed_ids_are_bounded(memory):
    desk = CommandDesk(["rescan"], memory)
    memory.put("link.executed", [str(uuid.uuid4()) for _ in range(REMEMBERED_IDS)])
    desk.take("rescan", json.dumps({"id": ID}).encode(), retained=False)
    executed = memory.get("link.executed")
    assert len(executed) == REMEMBERED_IDS
    assert executed[-1] == ID
