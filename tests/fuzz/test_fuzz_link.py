"""What a broker, a hub or a device may be sent over MQTT, on both sides."""

import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fuzzing import NOW, as_bytes, changed, fuzzed, odd_bytes, ours, payloads, texts
from hypothesis import given
from hypothesis import strategies as st

from moodify.cloud.commands import ARGUMENTS, CommandDesk, Reply
from moodify.cloud.delivery import read_ack
from moodify.cloud.executed import Executed
from moodify.cloud.identity import load_or_make
from moodify.cloud.keychange import KeyChange
from moodify.cloud.keys import device_of, enrolled_as, line_of, pem_of, read_enrolled, read_public
from moodify.cloud.mqtt import Received
from moodify.cloud.outgoing import as_json
from moodify.cloud.port import Command
from moodify.cloud.rotation import KeyRotation, begin
from moodify.cloud.topics import PREFIX, Topics
from moodify.errors import EnrolmentRefused, MoodifyError
from moodify.hub.absorbing import Absorber
from moodify.hub.database import open_database
from moodify.hub.gate.packets import Malformed, read_connect, read_header, read_subscribe
from moodify.hub.gate.refusals import Refused
from moodify.hub.gate.tokens import claim, verify
from moodify.hub.inbox import Inbox
from moodify.hub.metrics import Metrics
from moodify.hub.offers import check_erasure, proven_key
from moodify.hub.port import Summary
from moodify.hub.reading import read_summary

#: The same in every run, as all that is made up.
KEY = ec.derive_private_key(2026, ec.SECP256R1())
DEVICE = device_of(KEY.public_key())
COMMAND = {"id": "one", "expires": "2036-11-21T12:00:00+00:00", "mood": "calm", "minutes": 30, "percent": 40, "goal": "lift"}
EVENT = {"id": "e1", "kind": "mood", "at": "2026-11-21T12:00:00.000+00:00", "data": {"mood": "calm"}}
SUMMARY = {"v": 1, "epoch": "one", "seq": 7, "items": [EVENT, EVENT | {"id": "e2"}]}
ACK = {"v": 1, "epoch": "one", "ranges": [[1, 5], [7, 7]]}
OFFER = {"kid": "k", "public_key": pem_of(KEY.public_key()), "proof": "a.b.c", "consent": "a.b.c"}
SAID = [SUMMARY, {"status": "ok", "data": {"a": 1}}, {"status": "error", "error": "no"}, OFFER, {"id": "x", "proof": "a.b.c"}, {"state": "ok"}]


class InMemory(dict):
    """The store's settings, without the disk."""

    def put(self, key, value):
        self[key] = json.loads(json.dumps(value, allow_nan=False))


class QuietLine:
    """A collector's line to nobody: it knows what was acknowledged."""

    generation = 1

    def __init__(self):
        self.acked = 0

    def ack(self, message, generation):
        self.acked += 1


def message(topic, payload, *, retained=False, expiry_s=None):
    return Received(topic, payload, retained, 1, 1, expiry_s, time.monotonic())


@given(name=st.sampled_from([*ARGUMENTS, "none"]) | texts, payload=payloads(COMMAND), retained=st.booleans(), expiry_s=st.none() | st.integers(0, 2**32 - 1))
@fuzzed(250)
def test_a_command_is_carried_out_or_answered(name, payload, retained, expiry_s):
    desk = CommandDesk(ARGUMENTS, InMemory(), clock_trusted=lambda: True)
    taken = desk.take(name, message("t", payload, retained=retained, expiry_s=expiry_s), NOW)
    assert isinstance(taken, (Command, Reply))
    if isinstance(taken, Reply):
        as_json(taken.body)
        assert taken.refusal.isprintable()
    else:
        assert name in ARGUMENTS
        desk.answered(taken.id, {"status": "ok"})
        assert isinstance(desk.take(name, message("t", payload), NOW), Reply)


@given(kept=st.lists(changed({"n": 5, "id": "one", "answer": {"status": "ok"}}), max_size=4))
@fuzzed(60)
def test_whatever_is_kept_of_commands_the_next_is_remembered(kept):
    memory = InMemory({f"link.command.{place}": value for place, value in enumerate(kept)})
    Executed(memory).begin("next")
    assert Executed(memory).find("next") is not None


@given(payload=payloads(ACK))
@fuzzed(120)
def test_an_acknowledgement_is_one_or_is_not(payload):
    try:
        epoch, ranges = read_ack(payload)
    except ValueError:
        return
    assert isinstance(epoch, str)
    assert all(1 <= first <= last for first, last in ranges)


@given(payload=payloads({"kid": "k", "status": "ok"}, {"kid": "k", "status": "error", "error": "no"}))
@fuzzed(60)
def test_an_answer_to_a_key_that_was_not_offered_changes_nothing(tmp_path_factory, payload):
    path = tmp_path_factory.getbasetemp() / "keys" / "device.key"
    if not path.exists():
        path.parent.mkdir()
        load_or_make(path)
        begin(path)
    before = path.read_bytes()
    change = KeyChange(KeyRotation(path, "moodify"), Topics(DEVICE))
    assert not change.heard(payload)
    assert path.read_bytes() == before


topics = st.sampled_from(["ev", "res/one", "key", "erase", "status", "now", "state", "health", "res/", "ev/x", ""]).map(lambda rest: f"{PREFIX}/{DEVICE}/up/{rest}") | texts


@given(said=st.lists(st.tuples(topics, payloads(*SAID), st.booleans()), max_size=5))
@fuzzed(80)
def test_a_hub_holds_or_acknowledges_whatever_a_device_says(said):
    line = QuietLine()
    inbox = Inbox(line, Metrics())
    for topic, payload, retained in said:
        inbox.take(message(topic, payload, retained=retained))
    assert len(inbox) + line.acked == len(said)
    while inbox.offers:
        held = inbox.offers[0].said
        inbox.done(inbox.offers)
        assert isinstance(ours(proven_key, _Enrolled, held, audience="moodify", leeway_s=60), EnrolmentRefused)
    while inbox.erasures:
        held = inbox.erasures[0].said
        inbox.done(inbox.erasures)
        assert isinstance(ours(check_erasure, _Enrolled, held, audience="moodify", leeway_s=60), EnrolmentRefused)
    # Whatever is held can be told on: to a database, and to who asks.
    for one in (*inbox.answers, *inbox.states):
        assert "\0" not in repr(one.said) or "\\x00" in repr(one.said)
    json.dumps([dict(one.said) for one in inbox.states], allow_nan=False)
    json.dumps([[one.said.error, one.said.data] for one in inbox.answers], allow_nan=False)


class _Enrolled:
    id = DEVICE
    keys = ()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with open_database(tmp_path_factory.mktemp("hub") / "hub.db") as database:
        database.registry.enrol(DEVICE, pem_of(KEY.public_key()), NOW)
        yield database


@given(bodies=st.lists(payloads(SUMMARY), max_size=4), good=st.integers(1, 2**62))
@fuzzed(60)
def test_a_hub_commits_what_is_good_beside_whatever_is_not(hub, bodies, good):
    odd = [read for body in bodies if isinstance(read := ours(read_summary, DEVICE, body), Summary) and (read.epoch, read.seq) != ("good", good)]
    committed = hub.intake.commit([*odd, Summary(DEVICE, "good", good, (EVENT | {"id": f"good-{good}"},))], NOW)
    assert any(ack.epoch == "good" and any(first <= good <= last for first, last in ack.ranges) for ack in committed.acks)
    hub.events.events(limit=20)


@given(payload=payloads(SUMMARY))
@fuzzed(60)
def test_a_listener_without_a_database_takes_it_or_says_what_is_wrong(payload):
    assert isinstance(ours(Absorber().absorb, DEVICE, payload), (list, MoodifyError))


@given(
    content=st.binary(max_size=60) | st.tuples(st.sampled_from([b"\x10", b"\x82", b"\x30"]), st.binary(max_size=80)).map(lambda two: two[0] + bytes([len(two[1]) % 128]) + two[1])
)
@fuzzed(150)
def test_bytes_at_the_gate_are_a_packet_or_malformed(content):
    for read in (read_header, read_connect, read_subscribe):
        try:
            read(content)
        except Malformed:
            continue


tokens = (
    st.none()
    | odd_bytes
    | st.tuples(*[changed(part).map(as_bytes) for part in ({"alg": "ES256", "kid": "k", "typ": "JWT"}, {"sub": DEVICE, "aud": "moodify", "iat": 1, "exp": 2, "jti": "j"})])
)


@given(token=tokens)
@fuzzed(120)
def test_a_password_at_the_gate_is_a_token_or_is_refused(token):
    if isinstance(token, tuple):
        import jwt.utils

        token = b".".join([*map(jwt.utils.base64url_encode, token), jwt.utils.base64url_encode(b"x" * 64)])
    try:
        found = claim(token)
        verify(found, KEY.public_key(), audience="moodify", leeway_s=60, token_max_s=86_400, now_s=1.0)
    except Refused:
        return
    pytest.fail("nobody has signed it")


LINE = line_of(KEY.public_key())
lines = (
    texts
    | st.integers(0, len(LINE)).map(lambda at: LINE[:at])
    | st.tuples(st.integers(0, len(LINE) - 1), st.characters()).map(lambda slip: LINE[: slip[0]] + slip[1] + LINE[slip[0] + 1 :])
)
pems = st.integers(0, len(OFFER["public_key"]) - 1).flatmap(lambda at: st.characters().map(lambda letter: OFFER["public_key"][:at] + letter + OFFER["public_key"][at + 1 :]))


@given(text=lines | pems, device=st.just(DEVICE) | texts)
@fuzzed(150)
def test_a_line_to_enrol_with_is_a_key_or_is_refused(text, device):
    read = ours(read_public, text)
    assert isinstance(read, EnrolmentRefused) or pem_of(read)
    enrolled = ours(read_enrolled, device, text)
    assert isinstance(enrolled, EnrolmentRefused) or enrolled_as(device, enrolled)
