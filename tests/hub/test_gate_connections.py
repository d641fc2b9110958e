"""How connections end: with their token, with the device's enrolment, with mosquitto, with the gate; and what each may cost."""

import asyncio
import contextlib
import socket
import ssl
from datetime import UTC, datetime

import pytest
from gate_parts import CONNACK, DISCONNECT, PUBACK, PUBLISH, SUBACK, Ears, GatedHub, Raw, connect, packet, running_gate, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodify.cloud.mqtt import Connected, Connection, Lost, Refused
from moodify.cloud.port import Credentials, Endpoint
from moodify.errors import PersonMustAct, StoreBusy
from moodify.hub.gate.passage import WRITE_AT_MOST
from moodify.hub.gate.server import Gate
from tls import make_certificate
from waiting import wait_until


@pytest.fixture
def hub_with(tmp_path):
    """A maker of hubs."""
    made = []

    def make(**options):
        made.append(GatedHub(tmp_path / str(len(made)), **options))
        return made[-1]

    yield make
    for hub in made:
        hub.close()


@pytest.fixture
def hub(hub_with):
    return hub_with()


def will_of(peer, words=b"offline"):
    return {"will": (f"moodify/v1/{peer.id}/up/status", words), "will_delay_s": 4}


def test_a_connection_is_cut_when_its_token_ends_and_one_that_comes_back_was_never_offline(hub):
    ears = hub.observer()
    returns, stays_away = hub.enrol(), hub.enrol()
    clients = [hub.signed_in(peer, token=peer.token(lives_s=3), **will_of(peer)) for peer in (returns, stays_away)]
    assert hub.gate.connected() == {returns.id, stays_away.id}
    for client in clients:
        assert client.until_end() == [(DISCONNECT, b"\xa0\0")]
    assert hub.counted("cut_expired") == 2
    hub.signed_in(returns, **will_of(returns))
    # Both wills were due at the same time; the one that was not taken back is the sign that the time is over.
    ears.hears(f"moodify/v1/{stays_away.id}/up/status", b"offline")
    assert [topic for topic, _ in ears.heard()] == [f"moodify/v1/{stays_away.id}/up/status"]


def test_a_device_that_vanishes_is_offline_after_its_will_s_delay_and_one_that_says_goodbye_is_not(hub):
    ears = hub.observer()
    vanishes, leaves = hub.enrol(), hub.enrol()
    hub.signed_in(leaves, **will_of(leaves)).send(b"\xe0\0")
    hub.signed_in(vanishes, **will_of(vanishes)).close()
    ears.hears(f"moodify/v1/{vanishes.id}/up/status", b"offline")
    assert [topic for topic, _ in ears.heard()] == [f"moodify/v1/{vanishes.id}/up/status"]


def test_a_revoked_device_is_cut_off_and_the_others_stay(hub, caplog):
    caplog.set_level("INFO")
    revoked, stays = hub.enrol(), hub.enrol()
    client, other = hub.signed_in(revoked), hub.signed_in(stays)
    hub.database.registry.revoke(revoked.id, datetime.now(UTC))
    assert client.until_end() == [(DISCONNECT, b"\x87\0")]
    assert hub.counted("cut_revoked") == 1
    assert f"the device {revoked.id} was revoked or erased; its connection is ended" in caplog.text
    assert other.publish(f"moodify/v1/{stays.id}/up/ev") == 0x10


def test_a_connection_with_a_key_that_is_gone_is_cut_so_that_the_device_comes_with_its_new_one(hub):
    peer = hub.enrol()
    client = hub.signed_in(peer)
    following = type(peer)()
    hub.registry.add_key(peer.id, following.pem, datetime.now(UTC))
    hub.registry.used(peer.id, following.kid, datetime.now(UTC))
    assert client.until_end() == [(DISCONNECT, b"\x98\0")]


class Moody:
    """A registry that can be away."""

    def __init__(self, registry):
        self._registry = registry
        self.away = False

    def __getattr__(self, name):
        if self.away:
            raise StoreBusy("the database is locked")
        return getattr(self._registry, name)


def test_without_a_registry_a_device_is_told_to_come_again_and_who_is_in_stays(hub_with, caplog):
    hub = hub_with(registry=Moody)
    inside, outside = hub.enrol(), hub.enrol()
    client = hub.signed_in(inside)
    hub.registry.away = True
    for _ in range(3):
        assert hub.sign_in(outside)[1] == 0x88
    assert client.publish(f"moodify/v1/{inside.id}/up/ev") == 0x10
    # Whose key is known still comes in.
    assert hub.sign_in(inside)[1] == 0
    assert caplog.text.count("the hub's database is away") == 1
    hub.registry.away = False
    assert hub.sign_in(outside)[1] == 0


def test_keys_are_believed_without_a_registry_for_a_while_only(hub_with, monkeypatch):
    hub = hub_with(registry=Moody)
    peer = hub.enrol()
    hub.signed_in(peer)
    hub.registry.away = True
    monkeypatch.setattr("moodify.hub.gate.keyring.BELIEVED_S", -1)
    assert hub.sign_in(peer)[1] == 0x88


def test_a_key_that_is_damaged_in_the_database_keeps_its_device_out_and_nobody_else(hub, caplog):
    peer = hub.enrol()
    with hub.database._transactions.writing() as connection:
        connection.exec_driver_sql("UPDATE keys SET public_key = 'x' WHERE device = ?", (peer.id,))
    # The gate may have learnt the key before it was damaged; with the next change of the registry it looks again.
    other = hub.enrol()
    wait_until(lambda: hub.sign_in(peer)[1] == 0x88, what="the refusal")
    assert f"a key of the device {peer.id} in the hub's database is damaged" in caplog.text
    assert hub.sign_in(other)[1] == 0


def test_with_mosquitto_connections_end_and_come_back(hub, caplog):
    peer = hub.enrol()
    client = hub.signed_in(peer)
    hub.mosquitto._process.kill()
    assert hub.mosquitto.wait(30)
    assert client.until_end() == []
    assert hub.sign_in(peer)[1] == 0x88
    assert "the hub's broker is away" in caplog.text
    hub.mosquitto.start()
    assert hub.sign_in(peer)[1] == 0


def test_a_refused_sign_in_and_one_that_may_come_again_read_so_on_the_device(hub):
    peer = hub.enrol()

    def answer(password):
        ears = Ears(Connection(Endpoint("127.0.0.1", hub.port, tls=False), Credentials(peer.id, password), client_id=peer.id))
        signal = ears.until(Connected | Refused)
        ears.close()
        return signal

    assert isinstance(answer(peer.token()), Connected)
    assert answer("nonsense").needs_person
    hub.mosquitto.close()
    assert not answer(peer.token()).needs_person


def test_at_its_end_the_gate_says_that_it_closes(tmp_path, hub):
    peer = hub.enrol()
    with running_gate(hub.registry, lambda: hub.mosquitto.socket) as gate:
        client = Raw(gate.port)
        client.send(connect(peer.id, password=peer.token()))
        assert client.packet()[0] == CONNACK
    assert client.until_end() == [(DISCONNECT, b"\x8b\0")]
    client.close()


def test_the_gate_closes_though_somebody_does_not_and_somebody_else_was_not_signed_in_yet(hub):
    with running_gate(hub.registry, lambda: hub.mosquitto.socket) as gate:
        inside, waiting = Raw(gate.port), Raw(gate.port)
        peer = hub.enrol()
        inside.send(connect(peer.id, password=peer.token()))
        assert inside.packet()[0] == CONNACK
    assert gate.counters["open"] == 0
    assert waiting.until_end() == []
    for client in (inside, waiting):
        client.close()


def test_a_port_that_is_taken_is_named(hub):
    with pytest.raises(PersonMustAct, match=f"port {hub.port}"), running_gate(hub.registry, lambda: hub.mosquitto.socket, port=hub.port):
        pass


@pytest.mark.parametrize("said", [b"", b"\x10", b"\x10\x20\0\4MQ"])
def test_who_does_not_sign_in_in_time_is_dropped(hub_with, said):
    hub = hub_with(sign_in_s=0.3)
    slow = hub.raw()
    slow.send(said)
    assert slow.until_end() == []
    assert hub.counted("refused_late") == 1
    hub.gate.sign_in_s = 30
    hub.signed_in(hub.enrol())


def test_when_many_wait_the_oldest_goes_and_a_device_comes_in(hub, monkeypatch):
    monkeypatch.setattr("moodify.hub.gate.server.WAITING_AT_MOST", 3)
    waiting = [hub.raw() for _ in range(5)]
    for oldest in waiting[:2]:
        assert oldest.until_end() == []
    hub.signed_in(hub.enrol())
    assert hub.counted("refused_late") == 3


def test_no_more_connections_are_held_than_may_be(hub_with):
    hub = hub_with(connections_max=2)
    first, second = (hub.signed_in(hub.enrol()) for _ in range(2))
    assert hub.raw().until_end() == []
    assert hub.counted("refused_full") == 1
    second.close()
    wait_until(lambda: hub.counted("open") == 1, what="the end of a connection")
    hub.signed_in(hub.enrol())
    first.close()


@pytest.mark.parametrize(("few", "at_start"), [(1, 0), (100, 1)])
def test_that_the_system_allows_fewer_connections_is_said_once_it_matters(hub_with, monkeypatch, caplog, few, at_start):
    monkeypatch.setattr("moodify.hub.gate.server.FEW", few)
    monkeypatch.setattr("moodify.hub.gate.server.allow_open_files", lambda _wanted: 256 + 2 * 2)
    hub = hub_with(connections_max=10_000)
    assert caplog.text.count("LimitNOFILE") == at_start
    devices = [hub.signed_in(hub.enrol()) for _ in range(2)]
    for _ in range(2):
        assert hub.raw().until_end() == []
    assert hub.counted("refused_full") == 2
    assert caplog.text.count("LimitNOFILE") == 1
    for device in devices:
        device.close()


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\x30\x03\0\1a",
        b"\x10\xff\xff\xff\xff\x01",
        b"\x10\x00",
        connect("x", username="x")[:-1] + b"\xff",
        b"\xff" * 20_000,
    ],
)
def test_what_is_no_mqtt_is_closed_without_an_answer(hub, said):
    stranger = hub.raw()
    stranger.send(said)
    assert stranger.until_end() == []
    assert hub.counted("refused_malformed") == 1


def test_a_connect_that_is_too_large_is_refused_before_it_has_come(hub):
    stranger = hub.raw()
    stranger.send(b"\x10\xff\xff\xff\x7f")
    assert stranger.until_end() == [(CONNACK, b"\0\x95\0")]


@pytest.mark.parametrize(("version", "answer"), [(4, b"\0\1"), (3, b"\0\1"), (6, b"\0\x84\0")])
def test_another_version_of_mqtt_is_told_so_in_its_own_words(hub, version, answer):
    stranger = hub.raw()
    stranger.send(connect("x", username="x", password="y", version=version))
    assert stranger.until_end() == [(CONNACK, answer)]
    assert hub.counted("refused_version") == 1


def test_a_connect_that_comes_byte_by_byte_is_read(hub):
    peer = hub.enrol()
    client = hub.raw()
    for byte in connect(peer.id, password=peer.token()):
        client.send(bytes((byte,)))
    assert client.packet()[1][1] == 0


def test_what_is_sent_before_the_answer_reaches_mosquitto_in_order(hub):
    peer, ears = hub.enrol(), hub.hub()
    topic = f"moodify/v1/{peer.id}/up/ev"
    client = hub.raw()
    said = [b"%d" % n + b" " * 40_000 for n in range(5)]
    client.send(connect(peer.id, password=peer.token()) + b"".join(packet(PUBLISH | 2, text(topic) + bytes((0, n + 1)) + b"\0" + one) for n, one in enumerate(said)))
    for one in said:
        ears.hears(topic, one)
    assert [payload for _, payload in ears.heard()] == said
    assert [client.packet()[0] for _ in range(6)] == [CONNACK] + [PUBACK] * 5


several = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@several
@given(said=st.binary(max_size=300), after=st.sampled_from(["nothing", "a header", "sign-in"]))
def test_whatever_somebody_sends_the_gate_goes_on(hub, said, after):
    peer = hub.enrol() if after == "sign-in" else None
    with Raw(hub.port) as somebody:
        if after == "a header":
            somebody.send(b"\x10\x80\x02\0\4MQTT\5\xc6")
        if after == "sign-in":
            somebody.send(connect(peer.id, password=peer.token()))
        with contextlib.suppress(ConnectionError):
            somebody.send(said)
            somebody.socket.shutdown(socket.SHUT_WR)
        while somebody.recv():
            pass
    wait_until(lambda: hub.counted("open") == 0, what="the end of the connection")


def test_a_device_that_never_wants_to_be_asked_whether_it_lives_is_asked_all_the_same(hub):
    peer = hub.enrol()
    client = hub.raw()
    client.send(connect(peer.id, password=peer.token(), keepalive_s=0))
    first, body = client.packet()
    assert (first, body[1]) == (CONNACK, 0)
    # Server Keep Alive (3.2.2.3.14).
    assert b"\x13" + (300).to_bytes(2) in body[3:]


def test_for_a_device_that_does_not_read_little_is_kept_and_nothing_is_lost(hub):
    peer, ours = hub.enrol(), hub.hub()
    client = hub.signed_in(peer)
    client.subscribe(f"moodify/v1/{peer.id}/down/#")
    assert client.packet()[0] == SUBACK
    count, size = 80, 200_000
    for n in range(count):
        ours.says(f"moodify/v1/{peer.id}/down/ack", n.to_bytes(2) + bytes(size))
    (visitor,) = hub.gate._visitors
    # More than the system's buffers hold has been said, so the gate stands still.
    wait_until(lambda: hub.counted("bytes_down") < count * size and not visitor._passage._transport.is_reading(), what="reading no further from mosquitto")
    assert visitor._transport.get_write_buffer_size() <= WRITE_AT_MOST + len(hub.gate.buffer)
    got = []
    while len(got) < count:
        first, body = client.packet()
        assert first & 0xF0 == PUBLISH
        at = 2 + int.from_bytes(body[:2])
        client.send(packet(PUBACK, body[at : at + 2]))
        got.append(int.from_bytes(body[at + 3 : at + 5]))
    assert got == list(range(count))


def encrypted(hub, peer, certificate):
    return Ears(Connection(Endpoint("127.0.0.1", hub.port, tls=True, ca_file=certificate), Credentials(peer.id, peer.token()), client_id=peer.id))


@pytest.fixture
def tls_hub(hub_with, tmp_path):
    files = make_certificate(tmp_path / "certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    hub = hub_with(ssl_context=context)
    hub.certificate = files[0]
    return hub


def test_over_tls_a_device_speaks_and_is_spoken_to(tls_hub):
    hub, peer = tls_hub, tls_hub.enrol()
    device, ours = encrypted(hub, peer, hub.certificate), hub.hub()
    device.until(Connected)
    device.connection.subscribe(f"moodify/v1/{peer.id}/down/#")
    large = bytes(range(256)) * 900
    assert device.says(f"moodify/v1/{peer.id}/up/ev", large) == 0
    ours.hears(f"moodify/v1/{peer.id}/up/ev", large)
    ours.says(f"moodify/v1/{peer.id}/down/ack", large)
    device.hears(f"moodify/v1/{peer.id}/down/ack", large)
    device.close()
    wait_until(lambda: hub.gate.connected() == frozenset(), what="the end of the connection")


def test_over_tls_a_revoked_device_hears_why_it_is_cut_off(tls_hub):
    peer = tls_hub.enrol()
    device = encrypted(tls_hub, peer, tls_hub.certificate)
    device.until(Connected)
    tls_hub.registry.revoke(peer.id, datetime.now(UTC))
    assert device.until(Lost).reason == "not authorized"
    device.close()


def test_without_tls_where_it_is_asked_for_nobody_comes_in_and_nobody_waits_for_ever(tls_hub):
    tls_hub.gate.sign_in_s = 1
    plain, silent = tls_hub.raw(), tls_hub.raw()
    plain.send(connect("x", password=tls_hub.enrol().token()))
    # It may be told in TLS's own words.
    assert CONNACK not in plain.socket.recv(1000)[:1]
    assert silent.socket.recv(1000) == b""
    wait_until(lambda: tls_hub.counted("open") == 0, what="the end of both")


def test_what_is_open_is_closed_with_the_gate_also_over_tls(hub, tmp_path):
    files = make_certificate(tmp_path / "certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    peer = hub.enrol()
    with running_gate(hub.registry, lambda: hub.mosquitto.socket, ssl_context=context) as gate:
        device = Ears(Connection(Endpoint("127.0.0.1", gate.port, tls=True, ca_file=files[0]), Credentials(peer.id, peer.token()), client_id=peer.id))
        device.until(Connected)
    assert device.until(Lost).reason == "server shutting down"
    device.close()


def test_a_gate_that_was_never_started_can_be_closed(hub):
    async def close():
        gate = Gate(hub.registry, lambda: hub.mosquitto.socket)
        await gate.close()
        await gate.close()

    asyncio.run(close())
