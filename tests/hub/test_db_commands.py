"""Commands and their answers, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from moodify.errors import CannotWork, NoSuchDevice
from moodify.hub.port import CommandState
from summaries import NOW, enrolled


@pytest.fixture
def commands(database):
    return database.commands


@pytest.fixture
def device(database):
    return enrolled(database)


def answer(commands, command, *, device=None, status="ok", error=None, data=None):
    return commands.answered(device or command.device, command.id, status=status, error=error, data=data or {}, now=NOW)


def test_a_command_waits_as_it_was_given(commands, device):
    command = commands.add(device, "mood", {"mood": "calm", "minutes": 5}, NOW, expires_s=60)
    assert (command.state, command.expires - command.created, command.answered) == (CommandState.WAITING, timedelta(seconds=60), None)
    assert commands.waiting(NOW) == [command]
    assert commands.get(command.id) == command


def test_what_waits_comes_oldest_first_and_a_devices_list_newest_first(commands, device, database):
    made = [commands.add(device, "rescan", {}, NOW, expires_s=60) for _ in range(3)]
    other = commands.add(enrolled(database), "pause", {}, NOW, expires_s=60)
    assert commands.waiting(NOW) == [*made, other]
    assert commands.of(device, limit=2) == [made[2], made[1]]


def test_the_answer_is_kept_and_only_the_first(commands, device):
    command = commands.add(device, "diagnostics", {}, NOW, expires_s=60)
    assert answer(commands, command, data={"disk": {"free": 5}})
    assert not answer(commands, command, status="error", error="too late")
    found = commands.get(command.id)
    assert (found.state, found.error, found.data, found.answered) == (CommandState.OK, None, {"disk": {"free": 5}}, NOW)
    assert commands.waiting(NOW) == []


def test_an_error_is_an_answer_with_its_reason(commands, device):
    command = commands.add(device, "volume", {"percent": 20}, NOW, expires_s=60)
    assert answer(commands, command, status="error", error="not allowed\0\ud800 here")
    found = commands.get(command.id)
    assert (found.state, found.error) == (CommandState.ERROR, "not allowed   here")


@pytest.mark.parametrize("data", [{"free": float("nan")}, {"log": "x" * 300_000}])
def test_data_that_can_not_be_kept_do_not_hold_up_the_answer(commands, device, data):
    command = commands.add(device, "diagnostics", {}, NOW, expires_s=60)
    assert answer(commands, command, data=data)
    found = commands.get(command.id)
    assert (found.state, found.data) == (CommandState.OK, {})
    assert "update Moodify on the device" in found.error


def test_another_device_can_not_answer(commands, device, database):
    command = commands.add(device, "rescan", {}, NOW, expires_s=60)
    assert not answer(commands, command, device=enrolled(database))
    assert commands.get(command.id).state == CommandState.WAITING


def test_what_is_not_answered_in_time_expires_and_stays_so(commands, device):
    command = commands.add(device, "rescan", {}, NOW, expires_s=60)
    assert commands.waiting(NOW + timedelta(seconds=59)) == [command]
    assert commands.waiting(NOW + timedelta(seconds=60)) == []
    assert commands.get(command.id).state == CommandState.EXPIRED
    assert not answer(commands, command)


def test_a_device_that_is_unknown_or_revoked_gets_no_command(commands, device, database):
    database.registry.revoke(device, NOW)
    for nobody in (device, "m-aaaaaaaaaaaaaaaa", "\0"):
        with pytest.raises(NoSuchDevice):
            commands.add(nobody, "rescan", {}, NOW, expires_s=60)
    assert commands.waiting(NOW) == []


@pytest.mark.parametrize(("name", "args"), [("", {}), ("res\0can", {}), ("x" * 65, {}), ("volume", {"percent": float("inf")}), ("goal", {"goal": {1, 2}})])
def test_what_no_device_could_read_is_refused(commands, device, name, args):
    with pytest.raises(CannotWork):
        commands.add(device, name, args, NOW, expires_s=60)


@pytest.mark.parametrize("nonsense", ["", "\0", "\ud800", "x" * 10_000])
def test_what_is_no_id_names_no_command(commands, device, nonsense):
    assert commands.get(nonsense) is None
    assert commands.of(nonsense) == []
    assert not commands.answered(device, nonsense, status="ok", error=None, data={}, now=NOW)


def test_of_two_hubs_that_bring_the_answer_at_once_one_is_told_that_it_was_awaited(commands, device):
    made = [commands.add(device, "rescan", {}, NOW, expires_s=60) for _ in range(20)]
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda command: answer(commands, command), [*made, *made]))
    assert sum(told) == len(made)
