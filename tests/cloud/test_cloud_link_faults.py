"""Exact faults of a broker, by script."""

from __future__ import annotations

import json
import re

import jwt
import pytest
from stub_broker import StubBroker, connack, disconnect, publish

from moodify.cloud.backoff import Backoff
from moodify.cloud.identity import load_or_make
from moodify.cloud.passwords import SignedToken
from moodify.cloud.port import Endpoint, LinkState
from moodify.errors import LinkDown, StoreBusy
from moodify.sqlite import transaction


def seqs(payloads):
    return [json.loads(payload)["seq"] for payload in payloads]


def test_a_broker_that_never_answers_connect_is_left_and_tried_again(stub, stubbed):
    stub.connack = None
    stubbed.link._lasting.timeout_s = 0.2
    stubbed.pump_until(lambda: len(stub.connects) >= 2)
    assert stubbed.changes == [("offline", "the broker gave no answer in 0.2 s")]


def test_a_refused_sign_in_says_what_to_do_and_heals_when_it_is_put_right(stub, stubbed):
    stub.connack = connack(0x87)
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.REFUSED)
    assert (
        stubbed.link.reason
        == "the broker refuses this device: not authorized; check link.sign_in_file, or where that is not set, that this device is known there and its clock is right"
    )
    stub.connack = connack(0)
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    assert [state for state, _ in stubbed.changes] == ["refused", "online"]


def test_who_is_shut_out_in_the_middle_is_told_what_to_do_at_once(stub, stubbed):
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    stub.say(disconnect(0x87))
    stubbed.pump_until(lambda: len(stubbed.changes) > 1)
    state, reason = stubbed.changes[1]
    assert state == "refused"
    assert (
        reason == "the broker has ended the connection: not authorized; check link.sign_in_file, or where that is not set, that this device is known there and its clock is right"
    )
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)


@pytest.mark.parametrize("later", [0x88, 0x89, 0x9F])
def test_who_is_shut_out_stays_so_when_it_is_told_to_knock_less_until_it_is_let_in(stub, stubbed, later):
    stub.connack = connack(0x87)
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.REFUSED)
    stub.connack = connack(later)
    asked = len(stub.connects)
    stubbed.pump_until(lambda: len(stub.connects) > asked + 2)
    assert [state for state, _ in stubbed.changes] == ["refused"]
    stub.connack = connack(0)
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    stub.connack = connack(later)
    stub.say(disconnect(0x8B))
    asked = len(stub.connects)
    stubbed.pump_until(lambda: len(stub.connects) > asked + 1)
    assert stubbed.link.state is LinkState.OFFLINE


def test_another_broker_has_not_shut_out_who_was_elsewhere(stub, device_at):
    with StubBroker() as other:
        place = [stub.port]
        device = device_at(lambda: Endpoint("127.0.0.1", place[0], tls=False))
        stub.connack, other.connack = connack(0x87), connack(0x9F)
        device.pump_until(lambda: device.link.state is LinkState.REFUSED)
        place[0] = other.port
        device.pump_until(lambda: device.link.state is LinkState.OFFLINE)
        assert device.link.reason == "the broker refuses this device: connection rate exceeded"


@pytest.mark.parametrize("packet", [connack(0x87), disconnect(0x87)])
def test_a_hub_that_lets_a_device_in_no_more_is_told_in_its_own_words(stub, device_at, packet):
    device = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False), shut_out="the hub does not let this device in")
    if packet[0] == connack(0)[0]:
        stub.connack = packet
    else:
        device.pump_until(lambda: device.link.state is LinkState.ONLINE)
        stub.say(packet)
    device.pump_until(lambda: ("refused", "the hub does not let this device in") in device.changes)


def test_a_busy_broker_is_no_reason_to_call_a_person(stub, stubbed):
    stub.connack = connack(0x89)
    stubbed.pump_until(lambda: stubbed.changes != [])
    assert stubbed.changes[0] == ("offline", "the broker refuses this device: server busy")


def test_a_message_that_the_broker_refuses_is_set_aside_and_the_rest_goes_on(stub, stubbed):
    stub.puback = lambda payload: 0x99 if b'"seq":2,' in payload else 0
    stubbed.happen(4)
    stubbed.until_empty()
    assert seqs(stub.events()) == [1, 2, 3, 4]
    assert list(stubbed.store._db.query("SELECT seq, refused FROM outbox")) == [{"seq": 2, "refused": "Payload format invalid"}]


def test_a_device_that_may_not_write_keeps_its_summaries_until_it_may(stub, stubbed):
    stub.puback = lambda payload: 0x87 if payload.startswith(b'{"v"') else 0
    stubbed.happen(3)
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.REFUSED and len(stub.events()) > 5)
    assert stubbed.link.reason == "the broker takes no summaries of this device: not authorized; let it write to moodify/v1/m-abcdefghijklmnop/up/ev"
    assert stubbed.outbox.backlog() == 3
    stub.puback = lambda payload: 0
    stubbed.until_empty()
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    assert [state for state, _ in stubbed.changes] == ["online", "refused", "online"]
    assert len(stub.connects) == 1


def test_a_message_that_nobody_listens_to_is_delivered(stub, stubbed):
    stub.puback = lambda payload: 0x10
    stubbed.happen(2)
    stubbed.until_empty()
    assert seqs(stub.events()) == [1, 2]


def test_a_message_for_which_the_broker_has_no_room_is_offered_again(stub, stubbed):
    refusals = iter([0x97, 0x97])
    stub.puback = lambda payload: next(refusals, 0) if b'"seq":1,' in payload else 0
    stubbed.happen(3)
    stubbed.until_empty()
    assert sorted(seqs(stub.events())) == [1, 1, 1, 2, 3]
    assert list(stubbed.store._db.query("SELECT * FROM outbox")) == []


def test_what_is_never_acknowledged_is_sent_again_as_the_same_bytes_over_a_new_connection(stub, stubbed):
    stub.puback = lambda payload: None if payload.startswith(b'{"v"') and len(stub.connects) == 1 else 0
    stubbed.link._lasting.timeout_s = 0.3
    stubbed.happen(2)
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.OFFLINE)
    stubbed.link._lasting.timeout_s = 20.0
    stubbed.until_empty()
    assert len(stub.connects) == 2
    first, second = stub.events()[:2], stub.events()[2:]
    assert first == second
    assert ("offline", "the broker acknowledged nothing in 0.3 s") in stubbed.changes


def test_never_more_is_under_way_than_the_broker_takes(stub, stubbed):
    stub.connack = connack(0, b"\x21\x00\x03")
    stub.puback = lambda payload: 0 if b"state" in payload else None
    stubbed.happen(10)
    stubbed.pump_until(lambda: len(stub.events()) == 3)
    for _ in range(5):
        stubbed.link.pump(stubbed.outbox, 0.02)
    assert seqs(stub.events()) == [1, 2, 3]


def test_what_is_larger_than_the_broker_takes_is_set_aside_unsent(stub, stubbed):
    stub.connack = connack(0, b"\x27" + (1_000).to_bytes(4, "big"))
    stubbed.happen(1, text="x" * 2_000)
    stubbed.happen(1)
    stubbed.until_empty()
    assert seqs(stub.events()) == [2]
    ((reason,),) = stubbed.store._db.execute("SELECT refused FROM outbox")
    assert "bytes are more than the" in reason


def test_a_session_that_is_taken_over_is_reported_and_taken_back(stub, stubbed):
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    stub.say(disconnect(0x8E))
    stubbed.pump_until(lambda: len(stubbed.changes) == 3)
    assert stubbed.changes[1] == ("offline", "the connection to the broker was lost: session taken over")
    assert stubbed.changes[2][0] == "online"


@pytest.mark.parametrize("garbage", [b"\xff" * 64, b"\x40\x04\x00\x01\x7b\x00", b"\x32\x05\x00\x03a\xff\xfe", b"\x20\x00", b"\x30\x03\x00\x01\xff"])
def test_what_cannot_be_read_costs_the_connection_and_nothing_else(stub, stubbed, garbage):
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    stub.say(garbage)
    stubbed.pump_until(lambda: len(stub.connects) == 2)
    (_, lost, *_) = stubbed.changes
    assert lost[0] == "offline"
    stubbed.happen(1)
    stubbed.until_empty()


def test_a_message_of_garbage_as_a_command_does_nothing(stub, stubbed):
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    stub.say(publish("moodify/v1/m-abcdefghijklmnop/down/cmd/rescan", b"\xff\xfe"))
    stubbed.happen(1)
    stubbed.until_empty()
    assert stubbed.commands == []
    assert stubbed.link.state is LinkState.ONLINE


def test_nobody_there_is_offline_with_the_address(device_at):
    device = device_at(lambda: Endpoint("127.0.0.1", 9, tls=False))
    device.pump_until(lambda: device.changes != [])
    assert device.changes == [("offline", "the broker 127.0.0.1:9 cannot be reached: Connection refused")]


def test_no_password_goes_in_the_clear_to_another_machine(device_at):
    device = device_at(lambda: Endpoint("192.0.2.1", 1883, tls=False))
    device.pump_until(lambda: device.changes != [])
    assert device.link.state is LinkState.REFUSED
    assert "set [link] tls = true" in device.link.reason


def test_without_a_password_nothing_is_tried_and_the_reason_shows(stub, device_at):
    class Waiting:
        def credentials(self, now):
            raise LinkDown("waiting for the right time before signing in: not synchronised")

    device = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False), passwords=Waiting())
    device.pump_until(lambda: device.changes != [])
    assert device.changes == [("offline", "waiting for the right time before signing in: not synchronised")]
    assert stub.connects == []


def test_each_connect_brings_a_fresh_token(stub, device_at, tmp_path):
    identity = load_or_make(tmp_path / "device.key")
    device = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False), passwords=SignedToken(lambda: identity, "moodify", lambda: (True, "")))
    device.pump_until(lambda: device.link.state is LinkState.ONLINE)
    stub.say(disconnect(0xA0))
    device.pump_until(lambda: len(stub.connects) == 2)
    tokens = [re.search(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+$", connect)[0] for connect in stub.connects]
    claims = [jwt.decode(token, identity.public_pem, algorithms=["ES256"], audience="moodify") for token in tokens]
    assert [one["sub"] for one in claims] == [identity.device] * 2
    assert claims[0]["jti"] != claims[1]["jti"]


def test_the_session_outlives_the_wills_delay_so_that_a_reconnect_is_no_offline(stub, stubbed):
    stubbed.pump_until(lambda: stub.connects != [])
    connect = stub.connects[0]
    protocol, version, flags = connect[2:6], connect[6], connect[7]
    assert (protocol, version) == (b"MQTT", 5)
    assert flags & 0x02 == 0, "Clean Start would end the session and send the will"
    assert b"\x11" + (300).to_bytes(4, "big") in connect, "Session Expiry Interval"
    assert b"\x18" + (10).to_bytes(4, "big") in connect, "Will Delay Interval"


def test_a_receipt_that_cannot_be_written_now_is_written_later_and_nothing_is_sent_twice(stub, stubbed):
    stubbed.outbox._db.execute("PRAGMA busy_timeout = 20")
    stubbed.happen(3)
    with transaction(stubbed.store._db), pytest.raises(StoreBusy):
        stubbed.pump_until(lambda: False)
    stubbed.until_empty()
    assert seqs(stub.events()) == [1, 2, 3]


def test_waits_double_up_to_the_cap_and_half_of_each_is_chance():
    backoff = Backoff(base_s=1, cap_s=120)
    assert [backoff.delay_s(attempt, 1.0) for attempt in (1, 2, 3, 8, 500)] == [1, 2, 4, 120, 120]
    assert [backoff.delay_s(attempt, 0.0) for attempt in (1, 2, 8)] == [0.5, 1, 60]
    assert len({backoff.delay_s(8) for _ in range(10)}) > 1
