"""When a summary leaves the outbox, and what is offered again until then."""

from __future__ import annotations

import json
import os
import signal
import uuid

import pytest
from stub_broker import disconnect, publish

from moodify.cloud.delivery import RANGES_AT_MOST, merged, read_ack
from moodify.cloud.mqtt import Connection, Lost, Received, shared
from moodify.cloud.port import OFFERED_AT_MOST, Credentials, Delivery, Endpoint, LinkState
from moodify.errors import LinkDown, StoreBusy
from moodify.hub.absorbing import Absorber
from moodify.sqlite import transaction
from moodify.store.outbox import Outbox
from ports import free_port
from waiting import wait_until

ACKS = "moodify/v1/m-abcdefghijklmnop/down/ack"


def seqs(payloads):
    return [json.loads(payload)["seq"] for payload in payloads]


class CountingOutbox(Outbox):
    """Counts how often it is told what has arrived."""

    told = 0

    def delivered(self, epoch, ranges):
        self.told += 1
        super().delivered(epoch, ranges)


@pytest.fixture
def owed(stub, device_at):
    """A maker of devices that deliver to a hub behind the scripted broker."""

    def make(**options):
        return device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False), delivery=Delivery.HUB, **options)

    return make


def say_committed(stub, device, *ranges, epoch=None):
    body = {"v": 1, "epoch": epoch or epoch_of(device), "ranges": ranges}
    stub.say(publish(ACKS, json.dumps(body).encode(), mid=len(stub.pubacks) + 1))


def epoch_of(device):
    return device.store._db.execute("SELECT epoch FROM outbox_state").fetchone()[0]


def waiting(device):
    return seqs(message.payload for message in device.outbox.unsent(limit=10_000))


def test_a_summary_is_forgotten_when_the_hub_says_so_and_not_at_its_puback(stub, owed):
    device = owed()
    device.happen(3)
    device.pump_until(lambda: len(stub.events()) == 3 and device.link._conversation._sender.idle)
    assert waiting(device) == [1, 2, 3]
    say_committed(stub, device, [1, 1], [3, 3])
    device.pump_until(lambda: waiting(device) == [2])
    say_committed(stub, device, [2, 2])
    device.until_empty()
    assert seqs(stub.events()) == [1, 2, 3]
    device.pump_until(lambda: len(stub.pubacks) == 2)


def test_at_a_broker_it_is_forgotten_at_its_puback(stub, stubbed):
    stubbed.happen(3)
    stubbed.until_empty()
    assert seqs(stub.events()) == [1, 2, 3]


def test_no_more_is_offered_than_the_store_keeps_as_it_is(stub, owed):
    device = owed()
    device.happen(OFFERED_AT_MOST + 30)
    device.pump_until(lambda: len(stub.events()) == OFFERED_AT_MOST and device.link._conversation._sender.idle)
    for _ in range(5):
        device.link.pump(device.outbox, 0.02)
    assert seqs(stub.events()) == list(range(1, OFFERED_AT_MOST + 1))
    say_committed(stub, device, [1, 10])
    device.pump_until(lambda: len(stub.events()) == OFFERED_AT_MOST + 10)
    say_committed(stub, device, [1, OFFERED_AT_MOST + 10])
    device.pump_until(lambda: len(stub.events()) == OFFERED_AT_MOST + 30)
    say_committed(stub, device, [1, OFFERED_AT_MOST + 30])
    device.until_empty()
    assert seqs(stub.events()) == list(range(1, OFFERED_AT_MOST + 31))


def test_what_was_not_committed_is_offered_again_as_the_same_bytes_over_a_new_connection(stub, owed):
    device = owed()
    device.happen(4)
    device.pump_until(lambda: len(stub.events()) == 4)
    say_committed(stub, device, [2, 2])
    device.pump_until(lambda: waiting(device) == [1, 3, 4])
    stub.say(disconnect(0x8B))
    device.pump_until(lambda: len(stub.events()) == 7)
    first, again = stub.events()[:4], stub.events()[4:]
    assert again == [first[0], first[2], first[3]]
    # What was said of the first connection's messages holds on the second.
    say_committed(stub, device, [1, 4])
    device.until_empty()


def test_a_hub_that_says_nothing_is_asked_with_one_summary_in_turn_and_gets_the_rest_once_it_speaks(stub, owed):
    device = owed(silence_s=0.1)
    device.happen(3)
    device.pump_until(lambda: len(stub.events()) >= 8)
    assert seqs(stub.events())[:8] == [1, 2, 3, 1, 2, 3, 1, 2]
    device.link._conversation._deliverer._silence_s = 60
    before = len(stub.events())
    say_committed(stub, device, [1, 1])
    device.pump_until(lambda: len(stub.events()) == before + 2)
    assert seqs(stub.events())[-2:] == [2, 3]
    assert len(stub.connects) == 1
    assert device.link.state is LinkState.ONLINE


def test_one_that_a_hub_cannot_store_does_not_hold_up_the_rest(stub, owed):
    device = owed(silence_s=0.1)
    device.happen(3)
    told = set()

    def commit():
        for seq in {1, *seqs(stub.events())} - {1} - told:
            told.add(seq)
            say_committed(stub, device, [seq, seq])

    device.pump_until(lambda: waiting(device) == [1], also=commit)
    device.happen(2)
    device.pump_until(lambda: waiting(device) == [1] and 5 in told, also=commit)
    asked = seqs(stub.events()).count(1)
    device.pump_until(lambda: seqs(stub.events()).count(1) > asked, also=commit)


def test_a_probe_for_what_has_gone_meanwhile_is_none(stub, owed):
    device = owed()
    device.happen(2)
    device.pump_until(lambda: len(stub.events()) == 2 and device.link._conversation._sender.idle)
    device.outbox.delivered(epoch_of(device), [(1, 2)])
    device.link._conversation._deliverer._silence_s = 0.1
    device.pump_until(lambda: device.link._conversation.idle)
    assert seqs(stub.events()) == [1, 2]


def test_acknowledgements_for_another_outbox_are_ignored(stub, owed):
    device = owed()
    device.happen(2)
    device.pump_until(lambda: len(stub.events()) == 2)
    say_committed(stub, device, [1, 2], epoch=str(uuid.uuid4()))
    device.pump_until(lambda: stub.pubacks == [1])
    assert not device.link._conversation.idle, "both are still owed"
    say_committed(stub, device, [2, 2])
    device.pump_until(lambda: waiting(device) == [1])


def test_what_was_never_offered_cannot_have_arrived(stub, owed):
    device = owed()
    device.happen(OFFERED_AT_MOST + 5)
    device.pump_until(lambda: len(stub.events()) == OFFERED_AT_MOST and device.link._conversation._sender.idle)
    say_committed(stub, device, [1, 2**200])
    device.pump_until(lambda: len(stub.events()) == OFFERED_AT_MOST + 5)
    assert waiting(device) == list(range(OFFERED_AT_MOST + 1, OFFERED_AT_MOST + 6))
    say_committed(stub, device, [OFFERED_AT_MOST + 6, 2**200])
    say_committed(stub, device)
    say_committed(stub, device, [1, OFFERED_AT_MOST + 5])
    device.until_empty()


MALFORMED = [
    b"",
    b"\xff",
    b"[" * 9000,
    b"[]",
    b"{}",
    b'{"v":2,"epoch":"e","ranges":[]}',
    b'{"v":1,"epoch":7,"ranges":[]}',
    b'{"v":1,"epoch":"e","ranges":{}}',
    b'{"v":1,"epoch":"e","ranges":[1]}',
    b'{"v":1,"epoch":"e","ranges":[[1]]}',
    b'{"v":1,"epoch":"e","ranges":[[0,1]]}',
    b'{"v":1,"epoch":"e","ranges":[[2,1]]}',
    b'{"v":1,"epoch":"e","ranges":[[true,1]]}',
    b'{"v":1,"epoch":"e","ranges":[[1.0,1]]}',
    b'{"v":1,"epoch":"e","ranges":[["1",1]]}',
    json.dumps({"v": 1, "epoch": "e", "ranges": [[1, 1]] * (RANGES_AT_MOST + 1)}).encode(),
]


@pytest.mark.parametrize("payload", MALFORMED)
def test_what_is_no_acknowledgement(payload):
    with pytest.raises(ValueError, match=r"JSON|version 1|two whole numbers"):
        read_ack(payload)


def test_acknowledgements_that_cannot_be_read_are_ignored_and_logged_once(stub, owed, caplog):
    device = owed()
    device.happen(2)
    device.pump_until(lambda: len(stub.events()) == 2)
    for payload in MALFORMED[:-1]:
        stub.say(publish(ACKS, payload))
    say_committed(stub, device, [1, 2])
    device.until_empty()
    assert len(stub.connects) == 1
    assert caplog.text.count("an acknowledgement of the hub is passed over") == 1


def test_a_burst_of_acknowledgements_is_written_together(stub, owed):
    device = owed()
    outbox = CountingOutbox(device.store._path)
    with outbox:
        device.happen(OFFERED_AT_MOST)
        wait_until(lambda: device.link.pump(outbox, 0.02) or len(stub.events()) == OFFERED_AT_MOST, every_s=0)
        acks = [publish(ACKS, json.dumps({"v": 1, "epoch": epoch_of(device), "ranges": [[seq, seq]]}).encode()) for seq in range(1, OFFERED_AT_MOST + 1)]
        stub.say(b"".join(acks))
        wait_until(lambda: device.link.pump(outbox, 0.02) or outbox.backlog() == 0, every_s=0)
        assert outbox.told <= 5


def test_an_acknowledgement_that_cannot_be_written_now_is_written_later(stub, owed):
    device = owed()
    device.outbox._db.execute("PRAGMA busy_timeout = 20")
    device.happen(3)
    device.pump_until(lambda: len(stub.events()) == 3)
    say_committed(stub, device, [1, 3])
    with transaction(device.store._db), pytest.raises(StoreBusy):
        device.pump_until(lambda: False)
    device.until_empty()
    assert seqs(stub.events()) == [1, 2, 3]


def test_that_nobody_listens_is_no_delivery_to_a_hub(stub, owed):
    stub.puback = lambda payload: 0x10
    device = owed()
    device.happen(1)
    device.pump_until(lambda: len(stub.events()) == 1 and device.link._conversation._sender.idle)
    assert waiting(device) == [1]


def test_a_summary_for_whose_size_the_broker_cuts_is_set_aside(stub, stubbed):
    def cut_at_the_large_one(payload):
        if len(payload) > 5_000:
            stub.say(disconnect(0x95))
            return None
        return 0

    stub.puback = cut_at_the_large_one
    stubbed.happen(1)
    stubbed.happen(1, text="x" * 10_000)
    stubbed.happen(2)
    stubbed.until_empty()
    assert [row["seq"] for row in stubbed.store._db.query("SELECT seq FROM outbox WHERE refused LIKE '% are too large for the broker'")] == [2]
    assert set(seqs(stub.events())) == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("ranges", "out"),
    [([], []), ([(3, 4), (1, 2)], [(1, 4)]), ([(1, 9), (2, 3)], [(1, 9)]), ([(1, 1), (3, 3)], [(1, 1), (3, 3)]), ([(5, 6), (1, 5)], [(1, 6)])],
)
def test_ranges_are_merged(ranges, out):
    assert merged(ranges) == out


class Hub:
    """Commits what comes to a set of its own, and says so; from a process's point of view: it forgets nothing, and is away when it is told."""

    def __init__(self, endpoint):
        self.committed = {}
        self.collector = Absorber()
        self._endpoint = endpoint
        self._connection = None

    def poll(self):
        if self._connection is None:
            try:
                self._connection = Connection(self._endpoint, Credentials("hub", None), client_id=str(uuid.uuid4()), session_s=0, manual_ack=True)
            except LinkDown:
                return
            self._connection.subscribe(shared("collectors", "moodify/v1/+/up/ev"))
        for one in self._connection.step(0):
            if isinstance(one, Received):
                for heard in self.collector.absorb("m-abcdefghijklmnop", one.payload):
                    assert heard.event["id"] not in self.committed
                    self.committed[heard.event["id"]] = heard.event
                body = json.loads(one.payload)
                self._connection.publish(ACKS, json.dumps({"v": 1, "epoch": body["epoch"], "ranges": [[body["seq"], body["seq"]]]}).encode())
                self._connection.ack(one)
            elif isinstance(one, Lost):
                self.leave()
                return

    def leave(self):
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()


def test_a_hub_and_a_broker_that_are_killed_again_and_again_cost_nothing(mosquitto, device_at):
    port = free_port()
    configuration = f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
    broker = mosquitto(configuration, port=port)
    device = device_at(lambda: broker.endpoint, delivery=Delivery.HUB, silence_s=0.2)
    hub = Hub(broker.endpoint)
    ids = []
    for rounds in range(4):
        ids += device.happen(150)
        wanted = len(ids) - 75
        device.pump_until(lambda wanted=wanted: len(hub.committed) >= wanted, also=hub.poll)
        if rounds % 2:
            hub.leave()
        else:
            os.kill(broker.process.pid, signal.SIGKILL)
            broker.process.wait()
            broker = mosquitto(configuration, port=port)
    device.pump_until(lambda: device.outbox.backlog() == 0, also=hub.poll)
    hub.leave()
    assert set(hub.committed) == set(ids)
    assert len(ids) == 600


def test_mosquitto_gives_the_device_its_acknowledgements_by_its_own_rights(mosquitto, device_at, tmp_path):
    (tmp_path / "access").write_text("pattern write moodify/v1/%u/up/#\npattern read moodify/v1/%u/down/#\nuser hub\ntopic readwrite moodify/#\n")
    (tmp_path / "access").chmod(0o644)
    port = free_port()
    broker = mosquitto(f"listener {port} 127.0.0.1\nallow_anonymous true\nacl_file {tmp_path}/access\n", port=port)
    device = device_at(lambda: broker.endpoint, delivery=Delivery.HUB)
    hub = Hub(broker.endpoint)
    ids = device.happen(20)
    device.pump_until(lambda: device.outbox.backlog() == 0, also=hub.poll)
    hub.leave()
    assert list(hub.committed) == ids
    assert hub.collector.repeats == 0
