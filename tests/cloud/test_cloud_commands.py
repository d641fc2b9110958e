from __future__ import annotations

import json
import time
import typing
from datetime import UTC, datetime, timedelta

import pytest

from moodify.cloud.commands import ARGUMENTS, COMMANDS_AT_ONCE, GOALS, TOO_MANY, CommandDesk, Reply
from moodify.cloud.executed import REMEMBERED
from moodify.cloud.mqtt import Received
from moodify.cloud.port import Command
from moodify.cloud.restraint import Bucket
from moodify.config.model import CommandName, MusicGoal
from moodify.errors import StoreBusy
from moodify.sqlite import transaction
from moodify.store.prepare import prepare
from moodify.store.settings import Settings

ID = "6f1c1c0e-7d2b-4b0e-9a35-6b1d6a0f3c11"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path):
    prepare(tmp_path / "moodify.db")
    with Settings(tmp_path / "moodify.db") as settings:
        yield settings


@pytest.fixture
def desk(memory):
    return desk_of(memory)


def desk_of(memory, commands=tuple(ARGUMENTS), *, trusted=True):
    return CommandDesk(commands, memory, clock_trusted=lambda: trusted)


def message(body, *, retained=False, expiry_s=None, arrived_s=None):
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received("down/cmd/x", payload, retained, 1, 1, expiry_s, time.monotonic() if arrived_s is None else arrived_s)


def refused(reply):
    assert isinstance(reply, Reply)
    assert reply.body["status"] == "error"
    return reply.id, reply.refusal


@pytest.mark.parametrize(
    ("name", "args", "read"),
    [
        ("rescan", {}, {}),
        ("rescan", {"why": "test"}, {}),
        ("pause", {}, {}),
        ("resume", {}, {}),
        ("privacy", {"on": False}, {}),
        ("diagnostics", {}, {}),
        ("mood", {"mood": "sad"}, {"mood": "sad", "minutes": 60}),
        ("mood", {"mood": "happy", "minutes": 720}, {"mood": "happy", "minutes": 720}),
        ("mood", {"mood": None}, {"mood": None, "minutes": 60}),
        ("volume", {"percent": 0}, {"percent": 0}),
        ("volume", {"percent": 100}, {"percent": 100}),
        ("goal", {"goal": "lift"}, {"goal": "lift"}),
        ("goal", {"goal": None}, {"goal": None}),
    ],
)
def test_what_a_command_says_is_read(desk, name, args, read):
    assert desk.take(name, message({"id": ID, **args})) == Command(ID, name, read)


@pytest.mark.parametrize(
    ("name", "args", "reason"),
    [
        ("mood", {}, '"mood" is missing: one of happy, surprised, calm, sad, angry, tense, or null'),
        ("mood", {"mood": "unsure"}, "\"mood\" must be one of happy, surprised, calm, sad, angry, tense, or null, not 'unsure'"),
        ("mood", {"mood": ["sad"]}, "or null, not ['sad']"),
        ("mood", {"mood": "\ud800"}, r"or null, not '\ud800'"),
        ("mood", {"mood": "x" * 500}, f"or null, not '{'x' * 39}…"),
        ("mood", {"mood": "sad", "minutes": 0}, '"minutes" must be a whole number from 1 to 720, not 0'),
        ("mood", {"mood": "sad", "minutes": 721}, "from 1 to 720, not 721"),
        ("mood", {"mood": "sad", "minutes": None}, "from 1 to 720, not None"),
        ("volume", {}, '"percent" is missing: a whole number from 0 to 100'),
        ("volume", {"percent": 101}, '"percent" must be a whole number from 0 to 100, not 101'),
        ("volume", {"percent": -1}, "not -1"),
        ("volume", {"percent": "50"}, "not '50'"),
        ("volume", {"percent": 50.0}, "not 50.0"),
        ("volume", {"percent": True}, "not True"),
        ("goal", {}, '"goal" is missing: one of match, lift, calm, or null'),
        ("goal", {"goal": "sleep"}, "not 'sleep'"),
        ("rescan", {"expires": "tomorrow"}, '"expires" must be a time as'),
        ("rescan", {"expires": 1_800_000_000}, '"expires" must be a time as'),
        ("rescan", {"expires": "2026-11-21T13:00:00"}, '"expires" must say its zone'),
        ("rescan", {"expires": "2026-11-21T12:00:00+00:00"}, "expired at 2026-11-21T12:00:00+00:00"),
        ("format-disk", {}, "there is no command 'format-disk'; there are rescan, pause, resume, privacy, mood, volume, goal, diagnostics"),
        ("", {}, "there is no command ''"),
        ("rescan/now", {}, "there is no command 'rescan/now'"),
        ("rescan", {"pad": "x" * 5000}, "larger than 4096 bytes"),
    ],
)
def test_what_reads_badly_is_answered_with_its_reason_and_not_remembered(desk, memory, name, args, reason):
    for _ in range(2):
        command_id, why = refused(desk.take(name, message({"id": ID, **args}), NOW))
        assert command_id == ID
        assert reason in why
    assert memory.get("link.command.0") is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 4000, "not JSON"),
        (b'{"id": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"{}", "no id of 1 to 64"),
        (b'{"id": 7}', "no id of 1 to 64"),
        (b'{"id": ""}', "no id of 1 to 64"),
        (b'{"id": "../../other/up/status"}', "no id of 1 to 64"),
        (b'{"id": "a+b"}', "no id of 1 to 64"),
        (b'{"id": "a\\n"}', "no id of 1 to 64"),
        (b'{"id": "%s"}' % (b"x" * 65), "no id of 1 to 64"),
        (b'{"id": "a", "pad": "%s"}' % (b"x" * 70_000), "larger than 65536 bytes"),
    ],
)
def test_what_has_no_readable_id_has_nobody_to_answer(desk, payload, reason):
    assert refused(desk.take("rescan", message(payload)))[0] is None
    assert reason in refused(desk.take("rescan", message(payload)))[1]


@pytest.mark.parametrize("command_id", ["a", "x" * 64, "ha-1763726400000-3.7_b", ID])
def test_ids_are_what_a_template_can_make(desk, command_id):
    assert desk.take("rescan", message({"id": command_id})) == Command(command_id, "rescan")


def test_what_the_owner_does_not_allow_is_not_done(memory):
    assert refused(desk_of(memory, ["pause"]).take("rescan", message({"id": ID}))) == (ID, "the owner does not allow 'rescan'; [link] commands lists what is allowed")


def test_a_retained_command_is_not_done_whatever_its_time(desk):
    assert refused(desk.take("rescan", message({"id": ID}, retained=True, expiry_s=60))) == (ID, "a command must not be retained")


def test_a_command_that_has_waited_here_for_longer_than_its_time_is_not_done(desk):
    assert refused(desk.take("rescan", message({"id": ID}, expiry_s=5, arrived_s=time.monotonic() - 6))) == (ID, "expired before it could be carried out")
    assert isinstance(desk.take("rescan", message({"id": ID}, expiry_s=5)), Command)


def test_a_date_counts_once_the_clock_can_be_trusted(memory):
    past, future = ((NOW + timedelta(hours=hours)).isoformat() for hours in (-1, 1))
    assert isinstance(desk_of(memory).take("rescan", message({"id": "1", "expires": future}), NOW), Command)
    assert isinstance(desk_of(memory, trusted=False).take("rescan", message({"id": "2", "expires": past}), NOW), Command)
    assert isinstance(desk_of(memory).take("rescan", message({"id": "3", "expires": past}), NOW), Reply)


def test_a_repeat_gets_the_same_answer_and_does_nothing_even_after_a_restart(desk, memory):
    answer = {"status": "ok", "data": {"disk": 7}}
    assert isinstance(desk.take("diagnostics", message({"id": ID})), Command)
    desk.answered(ID, answer)
    assert desk.take("diagnostics", message({"id": ID})) == Reply(ID, answer)
    assert desk_of(memory).take("diagnostics", message({"id": ID})) == Reply(ID, answer)
    assert desk_of(memory, ["pause"]).take("rescan", message({"id": ID})) == Reply(ID, answer)


def test_a_repeat_of_what_is_under_way_says_nothing_for_its_answer_will_come(desk):
    desk.take("rescan", message({"id": ID}))
    assert desk.take("rescan", message({"id": ID})) is None


def test_a_command_whose_answer_a_crash_has_lost_is_not_done_twice(desk, memory):
    desk.take("rescan", message({"id": ID}))
    assert refused(desk_of(memory).take("rescan", message({"id": ID}))) == (ID, "was begun before a restart; it is not done twice")


def test_the_first_answer_stands(desk):
    desk.take("rescan", message({"id": ID}))
    desk.answered(ID, {"status": "ok"})
    desk.answered(ID, {"status": "error", "error": "late"})
    assert desk.take("rescan", message({"id": ID})) == Reply(ID, {"status": "ok"})


def test_an_answer_to_what_nobody_asked_is_not_kept(desk, memory):
    desk.answered(ID, {"status": "ok"})
    assert memory.get("link.command.0") is None


def test_so_many_are_remembered_in_so_many_places(memory):
    desk = CommandDesk(tuple(ARGUMENTS), memory, clock_trusted=lambda: True, bucket=Bucket(60, 2 * REMEMBERED))
    for number in range(REMEMBERED + 5):
        desk.take("rescan", message({"id": f"c{number}"}))
        desk.answered(f"c{number}", {"status": "ok"})
    for known in (desk, desk_of(memory)):
        assert isinstance(known.take("rescan", message({"id": "c5"})), Reply)
        assert isinstance(known.take("rescan", message({"id": f"c{REMEMBERED + 4}"})), Reply)
    assert memory._db.execute("SELECT count(*) FROM settings WHERE key LIKE 'link.command.%'").fetchone() == (REMEMBERED,)
    assert isinstance(desk_of(memory).take("rescan", message({"id": "c4"})), Command)
    assert isinstance(desk_of(memory).take("rescan", message({"id": "c5"})), Command), "its place was taken by the one before"


def test_while_the_memory_is_busy_nothing_is_taken(desk, memory, tmp_path):
    memory._db.execute("PRAGMA busy_timeout = 20")
    with Settings(tmp_path / "moodify.db") as other, transaction(other._db), pytest.raises(StoreBusy):
        desk.take("rescan", message({"id": ID}))
    assert desk.take("rescan", message({"id": ID})) == Command(ID, "rescan")


def test_the_words_are_those_of_the_configuration():
    assert set(ARGUMENTS) == set(typing.get_args(CommandName))
    assert set(typing.get_args(MusicGoal)) == set(GOALS)


class Counting:
    """A memory that counts what is written."""

    def __init__(self, memory):
        self._memory = memory
        self.writes = 0

    def get(self, key, default=None):
        return self._memory.get(key, default)

    def put(self, key, value):
        self.writes += 1
        self._memory.put(key, value)


def test_a_flood_of_good_commands_is_answered_with_an_error_and_costs_no_writes(memory):
    counting = Counting(memory)
    desk = desk_of(counting)
    taken = [desk.take("rescan", message({"id": f"id-{number}"})) for number in range(200)]
    done = [one for one in taken if isinstance(one, Command)]
    # The bucket may have filled a little meanwhile.
    assert COMMANDS_AT_ONCE <= len(done) <= COMMANDS_AT_ONCE + 5
    assert counting.writes == len(done)
    assert {refused(one)[1] for one in taken if isinstance(one, Reply)} == {TOO_MANY}
