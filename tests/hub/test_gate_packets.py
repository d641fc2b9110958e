"""The gate's reading of MQTT 5: what paho writes, what is forbidden, and any bytes at all."""

import pytest
from gate_parts import connect, packet
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from moodify.hub.gate.packets import Malformed, read_connect, read_header, read_subscribe, read_varint, text, varint
from moodify.hub.gate.refusals import Refusal, Refused
from moodify.hub.gate.stream import DeviceStream, Stream

DEVICE = "m-abcdefghijklmnop"
OWN = f"moodify/v1/{DEVICE}/down/#"


def props(kind, **values):
    made = Properties(kind)
    for name, value in values.items():
        setattr(made, name, value)
    return made.pack()


def body(*, flags=0xC2, properties=b"\0", client_id="x", rest=b"", keepalive=b"\0\x1e", name="MQTT", version=5):
    return packet(0x10, text(name) + bytes((version, flags)) + keepalive + properties + text(client_id) + rest)


def test_every_field_of_a_connect_is_read():
    wills = props(PacketTypes.WILLMESSAGE, WillDelayInterval=10, MessageExpiryInterval=5, ContentType="json", UserProperty=[("a", "b"), ("a", "c")])
    connects = props(PacketTypes.CONNECT, SessionExpiryInterval=300, ReceiveMaximum=20, MaximumPacketSize=1000, UserProperty=[("k", "v")], RequestProblemInformation=1)
    read = read_connect(body(flags=0xEE, properties=connects, client_id="c", rest=wills + text("will/topic") + b"\0\2hi" + text("user") + b"\0\3key"))
    assert (read.client_id, read.keepalive_s, read.username, read.password) == ("c", 30, "user", b"key")
    assert (read.will.topic, read.will.payload) == ("will/topic", b"hi")
    assert varint(len(read.properties)) + read.properties == connects
    assert varint(len(read.will.properties)) + read.will.properties == wills


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(
    client_id=texts,
    username=st.none() | texts,
    password=st.none() | st.binary(max_size=300),
    will=st.none() | st.tuples(texts.filter(lambda name: name and "+" not in name and "#" not in name), st.binary(max_size=300)),
    session_s=st.integers(0, 2**32 - 1),
    clean=st.booleans(),
    keepalive_s=st.integers(0, 65_535),
)
def test_what_mosquitto_is_told_is_what_the_device_said_but_who_it_is_and_its_password(client_id, username, password, will, session_s, clean, keepalive_s):
    given_ = connect(client_id, username=username, password=password, will=will, session_s=session_s, clean=clean, keepalive_s=keepalive_s)
    assert read_connect(given_).signed_in_as(DEVICE) == connect(DEVICE, username=DEVICE, will=will, session_s=session_s, clean=clean, keepalive_s=keepalive_s)


FORBIDDEN = {
    "the reserved flag": body(flags=0x03),
    "a will's quality without a will": body(flags=0x08),
    "a will's retain without a will": body(flags=0x20),
    "a quality of 3": body(flags=0x1C, rest=b"\0" + text("t") + text("m")),
    "another protocol": body(name="MQTX"),
    "a property twice": body(flags=0, properties=b"\x0a" + b"\x11\0\0\0\1" * 2),
    "a property that has no place": body(flags=0, properties=b"\x02\x24\1"),
    "a flag of 2": body(flags=0, properties=b"\x02\x17\2"),
    "a receive maximum of 0": body(flags=0, properties=b"\x03\x21\0\0"),
    "authentication data without a method": body(flags=0, properties=b"\x03\x16\0\0"),
    "properties that are longer than they say": body(flags=0, properties=b"\x04\x11\0\0\0\1"),
    "U+0000": body(flags=0, client_id="a\0b"),
    "a will's topic with a wildcard": body(flags=0x04, rest=b"\0" + text("a/#") + text("m")),
    "an empty will topic": body(flags=0x04, rest=b"\0" + text("") + text("m")),
    "more than it says": body(flags=0, rest=b"x"),
    "no password though it says so": body(flags=0x40),
    "flags of the header": b"\x11" + body(flags=0)[1:],
}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_what_the_standard_forbids_is_malformed(case):
    with pytest.raises(Malformed):
        read_connect(FORBIDDEN[case])


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\0"])
def test_a_text_is_well_formed_utf_8_without_a_zero(bad):
    with pytest.raises(Malformed):
        read_connect(packet(0x10, text("MQTT") + b"\5\0\0\0\0" + len(bad).to_bytes(2) + bad))


@given(st.binary(max_size=400))
def test_any_bytes_are_a_connect_or_malformed(data):
    for attempt in (data, packet(0x10, data), packet(0x10, text("MQTT") + b"\5" + data)):
        try:
            again = read_connect(attempt).signed_in_as(DEVICE)
        except Malformed:
            continue
        assert read_connect(again).client_id == DEVICE


@given(st.data())
def test_a_connect_with_any_one_byte_changed_or_cut_off_is_a_connect_or_malformed(data):
    whole = connect("x", username="x", password="token", will=("a/b", b"offline"))
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + bytes((data.draw(st.integers(0, 255)),)) + whole[at + 1 :]
    for attempt in (changed, whole[:at], changed + whole):
        try:
            assert len(read_connect(attempt).signed_in_as(DEVICE)) <= len(attempt) + 2 * len(DEVICE) + 4
        except Malformed:
            continue


@given(st.integers(0, 2**28 - 1))
def test_a_number_is_read_as_it_was_written(value):
    encoded = varint(value)
    assert read_varint(encoded, 0, len(encoded)) == (value, len(encoded))
    assert read_varint(encoded, 0, len(encoded) - 1) is None


def test_a_number_of_five_bytes_is_malformed():
    with pytest.raises(Malformed):
        read_header(b"\x30\xff\xff\xff\xff\x01")


def subscribe(*filters):
    return packet(0x82, b"\0\1\0" + b"".join(text(one) + b"\1" for one in filters))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_subscribe_or_malformed(data):
    for attempt in (data, packet(0x82, data)):
        try:
            assert read_subscribe(attempt)
        except Malformed:
            continue


packets = st.one_of(
    st.tuples(st.sampled_from([0x30, 0x32, 0x40, 0xC0, 0xE0]), st.binary(max_size=300)).map(lambda one: packet(*one)),
    st.just(subscribe(OWN)),
    st.just(subscribe(OWN, f"moodify/v1/{DEVICE}/down/cmd/+")),
)


@given(st.lists(packets, max_size=10), st.data())
def test_however_bytes_are_split_the_same_ones_pass(said, data):
    whole = b"".join(said)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=20)))
    for stream in (Stream(10_000), DeviceStream(DEVICE, 10_000)):
        passed = b""
        for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            passed += stream.feed(whole[begin:end])
            assert whole.startswith(passed)
        assert passed == whole
        assert stream.between


@given(st.lists(packets, max_size=4), st.sampled_from(["#", f"moodify/v1/{DEVICE}/up/#", f"$share/x/{OWN}", f"moodify/v1/{DEVICE}x/down/#"]), st.integers(1, 50))
def test_however_a_foreign_subscription_is_split_no_byte_of_it_passes(before, topic, size):
    stream = DeviceStream(DEVICE, 10_000)
    allowed = b"".join(before)
    said = allowed + subscribe(OWN, topic)
    passed = bytearray()

    def say_all():
        for at in range(0, len(said), size):
            passed.extend(stream.feed(said[at : at + size]))

    with pytest.raises(Refused) as refused:
        say_all()
    assert refused.value.refusal is Refusal.FOREIGN_TOPIC
    assert allowed.startswith(passed)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_of_any_bytes_little_is_held_back(parts):
    stream = DeviceStream(DEVICE, 10_000)
    came = passed = 0
    for part in parts:
        try:
            passed += len(stream.feed(part))
        except Refused:
            return
        came += len(part)
        assert 0 <= came - passed <= 4096


def test_what_is_in_the_midst_of_a_packet_is_known():
    stream = Stream(1000)
    stream.feed(packet(0x30, b"0123456789")[:7])
    assert not stream.between
    stream.feed(packet(0x30, b"0123456789")[7:])
    assert stream.between


@pytest.mark.parametrize(
    ("data", "refusal"), [(b"\x30\xff\x7f", Refusal.TOO_LARGE), (b"\x82\xa0\x20", Refusal.TOO_LARGE), (b"\x10\0", Refusal.PROTOCOL), (b"\x80\0", Refusal.MALFORMED)]
)
def test_what_may_not_pass_is_refused_with_the_reason(data, refusal):
    with pytest.raises(Refused) as refused:
        DeviceStream(DEVICE, 10_000).feed(data)
    assert refused.value.refusal is refusal
