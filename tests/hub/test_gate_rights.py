"""What somebody who was let in may say and hear, and that nobody speaks in another's name."""

import pytest
from gate_parts import CONNACK, DISCONNECT, PUBLISH, SUBACK, GatedHub, connect, packet, text

from waiting import wait_until


@pytest.fixture
def hub(tmp_path):
    hub = GatedHub(tmp_path)
    yield hub
    hub.close()


@pytest.mark.parametrize(
    "topic",
    [
        "moodify/v1/{other}/up/ev",
        "moodify/v1/{own}/down/ack",
        "moodify/v1/hub/up/ev",
        "elsewhere",
        "$SYS/broker/version",
        "$share/x/moodify/v1/{own}/up/ev",
        "moodify/v1/{own}/up/more",
        "moodify/v1/{own}/up/res/a/b",
    ],
)
def test_a_device_publishes_nowhere_but_to_its_own_topics(hub, topic):
    peer, other, ears = hub.enrol(), hub.enrol(), hub.hub()
    client = hub.signed_in(peer)
    assert client.publish(topic.format(own=peer.id, other=other.id), b"forged") == 0x87
    assert client.publish(f"moodify/v1/{peer.id}/up/ev", b"own") == 0
    ears.hears(f"moodify/v1/{peer.id}/up/ev", b"own")
    assert [payload for _, payload in ears.heard()] == [b"own"]


@pytest.mark.parametrize(
    "topic",
    [
        "#",
        "+/#",
        "moodify/v1/+/down/#",
        "moodify/v1/{other}/down/#",
        "moodify/v1/{own}/up/#",
        "moodify/v1/{own}/#",
        "moodify/v1/+/up/ev",
        "$SYS/#",
        "$share/collectors/moodify/v1/+/up/ev",
        "$share/x/moodify/v1/{own}/down/#",
        "moodify/v1/{own}/downwards/#",
    ],
)
def test_a_device_that_asks_to_read_elsewhere_is_cut_off_and_that_is_told(hub, caplog, topic):
    peer, other = hub.enrol(), hub.enrol()
    client = hub.signed_in(peer)
    client.subscribe(f"moodify/v1/{peer.id}/down/#", topic.format(own=peer.id, other=other.id))
    assert client.until_end() == [(DISCONNECT, b"\x87\0")]
    assert f"the device {peer.id} at 127.0.0.1 was refused: it asked to read a topic that is not its own" in caplog.text
    # No part of the subscription came into being.
    again = hub.signed_in(peer)
    hub.hub().says(f"moodify/v1/{peer.id}/down/ack", b"ack")
    again.subscribe(f"moodify/v1/{peer.id}/down/cmd/#")
    assert again.packet()[0] == SUBACK


@pytest.mark.parametrize("state", ["status", "now", "state", "health", "skin"])
def test_a_device_has_its_states_retained(hub, state):
    peer = hub.enrol()
    topic = f"moodify/v1/{peer.id}/up/{state}"
    assert hub.signed_in(peer).publish(topic, b"x" * 16 * 1024, retain=True) in {0, 0x10}
    hub.hub().hears(topic, b"x" * 16 * 1024)


@pytest.mark.parametrize("topic", ["moodify/v1/{own}/up/x1", "moodify/v1/{own}/up/ev", "moodify/v1/{own}/up/res/1", "moodify/v1/{other}/up/now", "elsewhere", "x" * 5000])
def test_a_device_that_has_anything_else_retained_is_cut_off_and_that_is_told(hub, caplog, topic):
    peer, other = hub.enrol(), hub.enrol()
    client = hub.signed_in(peer)
    client.send(packet(PUBLISH | 2 | 1, text(topic.format(own=peer.id, other=other.id)) + b"\0\1\0" + b"z" * 200_000))
    assert client.until_end()[-1] == (DISCONNECT, b"\x87\0")
    assert "it asked to have something retained that is none of its states" in caplog.text
    assert hub.hub().heard() == []


def test_quality_of_service_2_which_mosquitto_would_keep_until_it_is_finished_is_refused(hub):
    peer = hub.enrol()
    client = hub.signed_in(peer)
    client.send(packet(PUBLISH | 4, text(f"moodify/v1/{peer.id}/up/ev") + b"\0\1\0" + b"{}"))
    assert client.until_end()[-1][0] == DISCONNECT


@pytest.mark.parametrize("retain", [0, 1])
def test_a_state_that_is_too_large_ends_the_connection(hub, retain):
    peer = hub.enrol()
    client = hub.signed_in(peer)
    client.send(packet(PUBLISH | 2 | retain, text(f"moodify/v1/{peer.id}/up/now") + b"\0\1\0" + b"z" * 20_000))
    assert client.until_end()[-1] == (DISCONNECT, b"\x95\0")


def test_a_topic_that_comes_in_pieces_is_looked_at_when_it_is_whole(hub):
    peer, ears = hub.enrol(), hub.hub()
    good = packet(PUBLISH | 2 | 1, text(f"moodify/v1/{peer.id}/up/now") + b"\0\1\0" + b"{}")
    client = hub.signed_in(peer)
    for byte in good:
        client.send(bytes((byte,)))
    ears.hears(f"moodify/v1/{peer.id}/up/now", b"{}")
    for byte in packet(PUBLISH | 2 | 1, text(f"moodify/v1/{peer.id}/up/nov") + b"\0\1\0" + b"{}")[:-4]:
        client.send(bytes((byte,)))
    assert client.until_end()[-1] == (DISCONNECT, b"\x87\0")


def test_a_device_hears_what_is_for_it_and_nothing_that_is_for_others(hub):
    peer, other = hub.enrol(), hub.enrol()
    client, ours = hub.signed_in(peer), hub.hub()
    client.subscribe(f"moodify/v1/{peer.id}/down/#")
    assert client.packet()[0] == SUBACK
    ours.says(f"moodify/v1/{other.id}/down/cmd/rescan", b"not for you")
    ours.says(f"moodify/v1/{peer.id}/down/cmd/rescan", b"for you")
    first, body = client.packet()
    assert first & 0xF0 == PUBLISH
    assert body.endswith(b"for you")


@pytest.mark.parametrize("topic", ["moodify/v1/{other}/up/status", "moodify/v1/{own}/down/ack", "elsewhere", "moodify/v1/{own}/up/ev", "moodify/v1/{own}/up/status/x"])
def test_a_last_will_for_what_is_no_state_of_its_own_is_refused(hub, topic):
    peer, other = hub.enrol(), hub.enrol()
    _, code = hub.sign_in(peer, will=(topic.format(own=peer.id, other=other.id), b"offline"))
    assert code == 0x87
    assert hub.counted("refused_foreign_will") == 1


def test_a_stolen_client_id_and_user_name_get_nothing(hub):
    victim, thief = hub.enrol(), hub.enrol()
    client, ours = hub.signed_in(victim), hub.hub()
    client.subscribe(f"moodify/v1/{victim.id}/down/#")
    assert client.packet()[0] == SUBACK
    stranger = hub.raw()
    stranger.send(connect(victim.id, username=victim.id, password=thief.token()))
    assert stranger.packet()[1][1] == 0
    # The thief is who it proved to be: it neither takes the victim's session over nor speaks for it.
    assert stranger.publish(f"moodify/v1/{victim.id}/up/ev") == 0x87
    assert stranger.publish(f"moodify/v1/{thief.id}/up/ev", b"thief") == 0
    ours.hears(f"moodify/v1/{thief.id}/up/ev", b"thief")
    assert hub.gate.connected() == {victim.id, thief.id}
    ours.says(f"moodify/v1/{victim.id}/down/ack", b"still here")
    assert client.packet()[1].endswith(b"still here")


@pytest.mark.parametrize("name", ["hub", "observer"])
def test_nobody_comes_in_as_the_hub_itself(hub, name):
    peer = hub.enrol()
    client = hub.raw()
    client.send(connect(name, username=name, password=peer.token(sub=name)))
    assert client.packet()[1][1] == 0x87
    client = hub.raw()
    client.send(connect(name, username=name, password=peer.token()))
    assert client.packet()[1][1] == 0
    client.subscribe("moodify/v1/+/up/#")
    assert client.until_end() == [(DISCONNECT, b"\x87\0")]


def test_the_same_device_s_second_connection_takes_the_place_of_its_first(hub):
    peer = hub.enrol()
    first = hub.signed_in(peer)
    second = hub.signed_in(peer)
    # mosquitto 2.0.11 says nothing then, later ones say why.
    assert first.until_end() in ([], [(DISCONNECT, b"\x8e")])
    assert second.publish(f"moodify/v1/{peer.id}/up/ev") in {0, 0x10}
    assert hub.gate.connected() == {peer.id}
    second.close()
    wait_until(lambda: hub.gate.connected() == frozenset(), what="the end of the connection")


def test_what_is_sent_together_with_connect_is_looked_at_too(hub):
    peer = hub.enrol()
    client = hub.raw()
    client.send(connect(peer.id, password=peer.token()) + b"\x82\x07\0\1\0\0\1#\0")
    packets = client.until_end()
    assert [first for first, _ in packets] in ([CONNACK], [CONNACK, DISCONNECT])
    assert packets[-1][1][:2] in (b"\0\x87", b"\x87\0")


@pytest.mark.parametrize(
    ("data", "code"), [(b"\x10\x02\0\0", 0x82), (b"\x30\xff\xff\xff\x7f", 0x95), (b"\x30\xff\xff\xff\xff\xff", 0x81), (b"\x82\xff\xff\x03", 0x95), (b"\x82\x03\0\1\0", 0x81)]
)
def test_a_packet_that_has_no_place_ends_the_connection_with_the_reason(hub, data, code):
    client = hub.signed_in(hub.enrol())
    client.send(data)
    assert client.until_end()[-1] == (DISCONNECT, bytes((code, 0)))
