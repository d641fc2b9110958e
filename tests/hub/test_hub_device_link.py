"""A device's link through the gate: a token ends, and nobody who watches the device is told that it was away."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from gate_parts import GatedHub

from moodify.cloud.backoff import Backoff
from moodify.cloud.link import Link
from moodify.cloud.mqtt import Received
from moodify.cloud.port import Credentials, Delivery, Endpoint, LinkState, Target
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind
from waiting import wait_until

LIFE_S = 2
#: Longer than any machine takes to connect anew, and not much longer.
WILL_DELAY_S = 3


class Tokens:
    """Tokens that end soon, of which the link knows it or not."""

    def __init__(self, peer, *, told):
        self.given = 0
        self._peer = peer
        self._told = told

    def credentials(self, now):
        self.given += 1
        return Credentials(self._peer.id, self._peer.token(lives_s=LIFE_S, at=now), now + timedelta(seconds=LIFE_S) if self._told else None)


@pytest.fixture
def hub(tmp_path):
    hub = GatedHub(tmp_path / "hub", leeway_s=0)
    yield hub
    hub.close()


@pytest.fixture
def linked(hub, tmp_path):
    """A maker of a device's link, its store and what it reported, given its passwords."""
    path = tmp_path / "moodify.db"
    prepare(path)
    with Store(path) as store, Outbox(path) as outbox, Settings(path) as memory:
        links = []

        def make(peer, passwords):
            changes = []
            links.append(
                Link(
                    peer.id,
                    target=lambda: Target(Endpoint("127.0.0.1", hub.port, tls=False), passwords, Delivery.HUB),
                    memory=memory,
                    on_command=lambda command: None,
                    on_change=lambda state, reason: changes.append((state, reason)),
                    clock_trusted=lambda: True,
                    backoff=Backoff(base_s=0.05, cap_s=0.2),
                )
            )
            return links[-1], store, outbox, changes

        yield make
        for link in links:
            link.close()


@pytest.mark.parametrize("told", [True, False], ids=["before it ends", "when the gate says so"])
def test_a_device_whose_tokens_end_again_and_again_stays_online_and_says_each_thing_once(hub, linked, monkeypatch, told):
    monkeypatch.setattr("moodify.cloud.mqtt.WILL_DELAY_S", WILL_DELAY_S)
    peer = hub.enrol()
    tokens = Tokens(peer, told=told)
    link, store, outbox, changes = linked(peer, tokens)
    # A gate that cuts young connections twice in a row is a fault; these are as old as their token, of which a second may be missing: its times are whole ones.
    monkeypatch.setattr("moodify.cloud.link._GOOD_S", 0.01)
    ears = hub.hub()
    statuses, seqs = [], []

    def listen():
        for signal in ears.connection.step(0):
            if isinstance(signal, Received) and signal.topic.endswith("/up/status"):
                statuses.append(json.loads(signal.payload)["state"])
            elif isinstance(signal, Received) and signal.topic.endswith("/up/ev"):
                body = json.loads(signal.payload)
                seqs.append(body["seq"])
                ears.connection.publish(f"moodify/v1/{peer.id}/down/ack", json.dumps({"v": 1, "epoch": body["epoch"], "ranges": [[body["seq"]] * 2]}).encode())

    recorded = 0

    def go_on():
        nonlocal recorded
        if tokens.given < 4:
            store.record([Event(str(uuid.uuid4()), EventKind.MOOD, datetime.now(UTC), {"mood": "happy"})])
            recorded += 1
        link.pump(outbox, 0.02)
        listen()
        return tokens.given >= 4 and len(statuses) >= 4 and outbox.backlog() == 0

    wait_until(go_on, within_s=60, every_s=0)
    # A will that was only put off would come by now.
    until_s = time.monotonic() + WILL_DELAY_S + 0.5
    wait_until(lambda: link.pump(outbox, 0.02) or listen() or time.monotonic() > until_s, every_s=0)
    assert changes == [(LinkState.ONLINE, "connected")]
    assert set(statuses) == {"online"}
    assert sorted(set(seqs)) == list(range(1, recorded + 1))
    if told:
        assert len(seqs) == recorded, "nothing is under way when it connects anew"


def test_a_device_that_is_revoked_is_refused_and_told_what_to_look_at(hub, linked):
    peer = hub.enrol()
    link, _, outbox, changes = linked(peer, Tokens(peer, told=True))
    wait_until(lambda: link.pump(outbox, 0.02) or link.state is LinkState.ONLINE, every_s=0)
    hub.database.registry.revoke(peer.id, datetime.now(UTC))
    wait_until(lambda: link.pump(outbox, 0.02) or link.state is LinkState.REFUSED, every_s=0)
    assert changes[-1][1].endswith("; check link.sign_in_file, or where that is not set, that this device is known there and its clock is right")
