from __future__ import annotations

import json
import socket
import threading
import uuid

import pytest

from brokers import OBSERVER, Broker, subscribed
from moodify.cloud.backoff import Backoff
from moodify.cloud.mqtt import Acked, Connected, Connection
from moodify.cloud.port import Credentials, Endpoint
from moodify.errors import LinkRefused
from moodify.hub.listen import Listener
from waiting import wait_until


def send(endpoint, device, payloads):
    connection = Connection(endpoint, Credentials(device, None), client_id=device)
    signals = []
    wait_until(lambda: signals.extend(connection.step(0.05)) or any(isinstance(one, Connected) for one in signals), what="the connection")
    for payload in payloads:
        connection.publish(f"moodify/v1/{device}/up/ev", payload)
    wait_until(lambda: signals.extend(connection.step(0.05)) or sum(isinstance(one, Acked) for one in signals) == len(payloads), what="every PUBACK")
    connection.close()


def message(seq, *ids):
    return json.dumps({"v": 1, "epoch": "e", "seq": seq, "items": [{"id": one} for one in ids]}).encode()


def hear(listener, count):
    heard = []
    wait_until(lambda: heard.extend(listener.poll(0.05)) or len(heard) >= count, what=lambda: f"hearing {count} events instead of {heard}")
    return heard


def test_it_hears_all_devices_and_passes_over_what_it_cannot_read(broker):
    with subscribed(Listener(broker.endpoint(), OBSERVER)) as listener:
        for device in ("m-a", "m-b"):
            send(broker.endpoint(), device, [message(1, f"{device} x"), b"nonsense", message(1, f"{device} x"), message(2, f"{device} y")])
        heard = hear(listener, 4) + listener.poll(0.1)
    assert [item.event["id"] for item in heard] == ["m-a x", "m-a y", "m-b x", "m-b y"]
    assert listener.absorber.repeats == 2


def test_what_comes_while_it_is_away_is_kept_for_a_listener_with_a_name(broker):
    name = f"hub-{uuid.uuid4()}"
    subscribed(Listener(broker.endpoint(), OBSERVER, client_id=name, session_s=60)).close()
    send(broker.endpoint(), "m-a", [message(1, "x")])
    with Listener(broker.endpoint(), OBSERVER, client_id=name, session_s=60) as listener:
        assert [item.event["id"] for item in hear(listener, 1)] == ["x"]


def test_it_waits_for_a_broker_that_is_not_there_yet(tmp_path):
    with Broker(tmp_path / "broker") as broker:
        endpoint = broker.endpoint()
        broker.close()
        with Listener(endpoint, OBSERVER, backoff=Backoff(0.05, 0.1)) as listener:
            assert listener.poll(0.05) == []
            assert not listener.subscribed
            broker.endpoint()
            subscribed(listener)


def test_a_broker_that_does_not_let_it_in_is_a_matter_for_a_person():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse():
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"\x20\x03\x00\x86\x00")

        thread = threading.Thread(target=refuse)
        thread.start()
        with Listener(Endpoint("127.0.0.1", server.getsockname()[1], tls=False), OBSERVER) as listener, pytest.raises(LinkRefused, match="check user name and password"):
            wait_until(lambda: listener.poll(0.1), what="the refusal")
        thread.join()
