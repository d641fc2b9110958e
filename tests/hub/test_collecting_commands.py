"""Commands on their way from the API to a device and back, through a real mosquitto, a real SQLite and a real link."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
from hub_parts import Hub, Unwell

from moodify.errors import StoreBusy
from moodify.hub.api.admin import hash_of
from moodify.hub.api.app import create_api
from moodify.hub.port import CommandState
from moodify.web.server import HttpServer, Words
from signed_in import memory_accounts
from waiting import wait_until

TOKEN = "the-admin"


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path)
    yield hub
    hub.close()


@pytest.fixture
def working(hub):
    """A hub with a collector."""
    hub.collector()
    return hub


def told(hub, device, name="rescan", *, expires_s=60.0, **args):
    """Keep a command, as another hub process would."""
    return hub.database.commands.add(device, name, args, datetime.now(UTC), expires_s=expires_s).id


def state(hub, command):
    return hub.database.commands.get(command).state


def test_a_scan_that_the_api_asks_for_is_done_by_the_device_and_its_answer_is_seen(working):
    dispatcher = working.dispatcher()
    device = working.device(working.enrol())
    working.connected.add(device.id)
    app = create_api(
        working.database.registry,
        working.database.commands,
        working.database.events,
        working.states,
        gate_connected=lambda: frozenset(working.connected),
        admin_hashes=lambda: (hash_of(TOKEN),),
        metrics=working.metrics,
        ready=dict,
        accounts=memory_accounts("moodify-hub"),
        on_command=dispatcher.wake,
    )
    words = Words("API", "api_host", "api_port", "in hub.toml", "Start it again.")
    with (
        HttpServer(app, "127.0.0.1", 0, words=words, end_streams=app.state.close) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=40) as admin,
    ):
        given = admin.post(f"/v1/devices/{device.id}/commands", json={"name": "rescan"}).json()
        seen = admin.get(f"/v1/commands/{given['id']}?wait_s=20").json()
    assert (seen["state"], seen["data"]) == ("ok", {"did": "rescan"})
    assert [command.id for command in device.done] == [given["id"]]
    assert working.counted("moodify_hub_commands_total", state="waiting") == 1
    wait_until(lambda: working.counted("moodify_hub_commands_total", state="ok") == 1, what="its being counted")


def test_a_command_of_another_hub_is_offered_where_the_device_is(working):
    working.dispatcher()
    device = working.device(working.enrol())
    working.connected.add(device.id)
    command = told(working, device.id, "volume", percent=30)
    wait_until(lambda: state(working, command) is CommandState.OK, what="the answer")
    assert [(one.name, one.args) for one in device.done] == [("volume", {"percent": 30})]


def test_a_command_is_offered_with_what_is_left_of_its_time_and_is_not_retained(hub):
    hub.dispatcher()
    speaker = hub.speaker(hub.enrol())
    hub.connected.add(speaker.device)
    command = told(hub, speaker.device, "volume", percent=30, expires_s=100)
    speaker.until(lambda: speaker.told("cmd/volume"))
    (offer,) = speaker.told("cmd/volume")
    body = json.loads(offer.payload)
    assert (body.pop("id"), body.pop("percent")) == (command, 30)
    assert datetime.fromisoformat(body.pop("expires")) == hub.database.commands.get(command).expires
    assert body == {}
    assert 80 <= offer.expiry_s <= 100
    assert (offer.qos, offer.retained) == (1, False)


def test_a_device_gets_its_command_when_it_comes(working):
    working.dispatcher()
    device_id = working.enrol()
    command = told(working, device_id)
    wait_until(lambda: working.counted("moodify_hub_commands_waiting") == 1, what="the dispatcher's look")
    assert working.counted("moodify_hub_command_offers_total") == 0
    # The gate holds its connection before it listens.
    working.connected.add(device_id)
    wait_until(lambda: working.counted("moodify_hub_command_offers_total") >= 1, what="an offer to nobody")
    device = working.device(device_id)
    wait_until(lambda: state(working, command) is CommandState.OK, what="the answer")
    assert len(device.done) == 1


def test_a_command_that_nobody_answers_in_time_expires_and_is_not_done_later(working):
    working.dispatcher()
    device_id = working.enrol()
    command = told(working, device_id, expires_s=1)
    wait_until(lambda: state(working, command) is CommandState.EXPIRED, what="the end of its time")
    wait_until(lambda: working.counted("moodify_hub_commands_total", state="expired") == 1, what="its being counted")
    device = working.device(device_id)
    working.connected.add(device_id)
    last = told(working, device_id)
    wait_until(lambda: state(working, last) is CommandState.OK, what="the next command")
    assert [one.id for one in device.done] == [last]


def test_a_device_that_does_not_answer_is_asked_again_and_one_answer_ends_it(working):
    working.dispatcher(again_s=0.1)
    speaker = working.speaker(working.enrol())
    working.connected.add(speaker.device)
    command = told(working, speaker.device)
    speaker.until(lambda: len(speaker.told("cmd/rescan")) >= 2)
    speaker.say(f"res/{command}", b'{"status": "error", "error": "the camera is away"}')
    wait_until(lambda: state(working, command) is CommandState.ERROR, what="the answer")
    wait_until(lambda: working.counted("moodify_hub_commands_waiting") == 0, what="the dispatcher's look")
    record = working.database.commands.get(command)
    assert record.error == "the camera is away"
    offers = working.counted("moodify_hub_command_offers_total")
    speaker.say(f"res/{command}", b'{"status": "ok"}')
    other = told(working, speaker.device, "volume", percent=1)
    speaker.until(lambda: speaker.told("cmd/volume"))
    assert state(working, command) is CommandState.ERROR
    assert working.database.commands.get(other).state is CommandState.WAITING
    assert len(speaker.told("cmd/rescan")) <= offers


def test_a_command_outlives_mosquitto_and_is_done_once(working):
    dispatcher = working.dispatcher()
    device = working.device(working.enrol())
    working.mosquitto.close()
    wait_until(lambda: dispatcher.trouble is not None, what="the trouble")
    working.connected.add(device.id)
    command = told(working, device.id)
    dispatcher.wake()
    working.mosquitto.start()
    wait_until(lambda: state(working, command) is CommandState.OK, what="the answer")
    working.kill_mosquitto()
    second = told(working, device.id)
    wait_until(lambda: state(working, second) is CommandState.OK, what="the second answer")
    assert [one.id for one in device.done] == [command, second]


def test_another_devices_answer_is_none(working):
    first, second = (working.speaker(working.enrol()) for _ in range(2))
    command = told(working, first.device)
    second.say(f"res/{command}", b'{"status": "ok"}')
    wait_until(lambda: working.counted("moodify_hub_messages_total", topic="res", outcome="taken") == 1, what="its being taken")
    assert state(working, command) is CommandState.WAITING
    first.say(f"res/{command}", b'{"status": "ok", "data": {"faces": 2}}')
    wait_until(lambda: state(working, command) is CommandState.OK, what="the answer")
    assert working.database.commands.get(command).data == {"faces": 2}


def test_an_answer_waits_for_a_database_that_is_away(hub):
    commands = Unwell(hub.database.commands)
    collector = hub.collector(commands=commands)
    speaker = hub.speaker(hub.enrol())
    command = told(hub, speaker.device)
    commands.failure = StoreBusy("locked")
    speaker.say(f"res/{command}", b'{"status": "ok"}')
    wait_until(lambda: collector.trouble == "locked", what="the failure")
    commands.failure = None
    wait_until(lambda: state(hub, command) is CommandState.OK, what="the answer")


def test_a_dispatcher_goes_on_after_a_database_that_was_away(working, monkeypatch):
    dispatcher = working.dispatcher()
    device = working.device(working.enrol())
    working.connected.add(device.id)
    dispatcher._commands = commands = Unwell(working.database.commands)
    commands.failure = StoreBusy("locked")
    dispatcher.wake()
    wait_until(lambda: dispatcher.trouble == "locked", what="the failure")
    command = told(working, device.id)
    commands.failure = None
    wait_until(lambda: state(working, command) is CommandState.OK, what="the answer")
    assert dispatcher.trouble is None
