"""A device asks to be forgotten: what the hub wants to see before it does so, what is gone then, and what becomes of it where something breaks on the way."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from gate_parts import GatedHub
from hub_parts import QUICK, Speaker, Unwell

from moodify.cloud import erasure
from moodify.cloud.erasure import ask_to_erase, proof
from moodify.cloud.identity import load_or_make
from moodify.cloud.keys import kid_of, pem_of
from moodify.cloud.mqtt import Connected, Connection, Received, Refused
from moodify.cloud.passwords import SignedToken
from moodify.cloud.port import Credentials, Delivery, Endpoint, Target
from moodify.cloud.topics import Topics
from moodify.errors import EnrolmentRefused, LinkDown, LinkRefused, StoreBusy
from moodify.hub.cache import open_states
from moodify.hub.collecting import CollectorThread
from moodify.hub.metrics import Metrics
from moodify.hub.offers import check_erasure
from moodify.hub.port import Device, DeviceKey
from moodify.hub.reading import Erasure
from summaries import summary
from waiting import wait_until

DEVICE = "m-abcdefghijklmnop"
KEY = ec.generate_private_key(ec.SECP256R1())


# -- the proof


def made(*, signed_with=KEY, header=None, algorithm="ES256", **changes):
    """Return a proof as a device makes it, but for what is named."""
    now = int(time.time())
    claims = {"sub": DEVICE, "aud": "moodify", "iat": now, "exp": now + 300, "scope": "erase"} | changes
    header = {"kid": kid_of(KEY.public_key())} if header is None else header
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, signed_with, algorithm=algorithm, headers=header)


def checked(said, *, leeway_s=60):
    then = datetime.now(UTC)
    device = Device(DEVICE, DEVICE, then, None, (DeviceKey(kid_of(KEY.public_key()), pem_of(KEY.public_key()), then),))
    check_erasure(device, Erasure("1", said), audience="moodify", leeway_s=leeway_s)


def test_a_fresh_proof_of_the_devices_own_key_is_enough():
    checked(made())
    checked(made(iat=int(time.time()) + 30))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: made(signed_with=ec.generate_private_key(ec.SECP256R1())), "not signed with that key"),
        (lambda: made(header={"kid": kid_of(ec.generate_private_key(ec.SECP256R1()).public_key())}), "no key that is known"),
        (lambda: made(header={}), "no key that is known"),
        (lambda: made(signed_with="", algorithm="none"), "not signed with that key"),
        (lambda: made(sub="m-" + "z" * 16), "another device's"),
        (lambda: made(aud="elsewhere"), "another audience"),
        (lambda: made(exp=None), "no token with"),
        (lambda: made(iat=None), "no token with"),
        (lambda: made(iat=int(time.time()) - 400, exp=int(time.time()) - 100), "has expired"),
        (lambda: made(iat=int(time.time()) + 90), "from the future"),
        (lambda: made(exp=int(time.time()) + 400), "good for too long"),
        (lambda: made(scope=None), "something else"),
        (lambda: made(scope=["erase"]), "something else"),
        # What a device says at other times: a token to sign in with, and its consent to another key.
        (lambda: made(scope=None, exp=int(time.time()) + 3600, jti="x"), "good for too long"),
        (lambda: made(scope=None, cnf={"jkt": "x"}), "something else"),
        (lambda: "", "no key that is known"),
        (lambda: "[" * 5_000, "no key that is known"),
    ],
)
def test_whatever_else_is_refused_with_the_reason(make, why):
    with pytest.raises(EnrolmentRefused, match=why) as refused:
        checked(make())
    assert "eyJ" not in str(refused.value)


# -- over a real mosquitto, through the gate


class House:
    """A hub's parts behind its gate, and devices with keys of their own."""

    def __init__(self, folder, registry=lambda registry: registry):
        self.folder = folder
        self.hub = GatedHub(folder / "hub", leeway_s=5)
        self.states = open_states(None, 3600)
        self.registry = registry(self.hub.database.registry)
        database = self.hub.database
        self.collector = CollectorThread(
            self.socket, database.intake, database.commands, self.states, self.registry, Metrics(), connected=self.hub.gate.connected, backoff=QUICK, leeway_s=5
        )

    def start(self):
        self.collector.start()
        wait_until(lambda: self.collector.trouble is None, what="a collector that is ready")

    def socket(self):
        return Endpoint("", 0, tls=False, socket=self.hub.mosquitto.socket)

    def device(self, name="device"):
        """Let a device in that has said something; return who it is."""
        own = load_or_make(self.folder / name / "device.key")
        self.hub.database.registry.enrol(own.device, own.public_pem, datetime.now(UTC))
        self.hub.database.intake.commit([summary(own.device, seq) for seq in (1, 2, 3)], datetime.now(UTC))
        return own

    def target(self, own):
        return Target(Endpoint("127.0.0.1", self.hub.port, tls=False), SignedToken(lambda: own, "moodify", lambda: (True, "")), Delivery.HUB)

    def erased(self, own, *, answer_s=30.0):
        return ask_to_erase(self.target(own), Topics(own.device), own, "moodify", answer_s=answer_s)

    def events(self, own):
        return len(self.hub.database.events.events(own.device))

    def speaker(self, own):
        """Return somebody who has the device's session, and not its key."""
        return closing(Speaker(self.socket(), own.device))

    def close(self):
        self.collector.close()
        self.hub.close()
        self.states.close()


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    house.start()
    yield house
    house.close()


@pytest.fixture
def houses(tmp_path):
    """A maker of houses whose registry is another."""
    made = []

    def make(registry):
        made.append(House(tmp_path, registry))
        return made[-1]

    yield make
    for one in made:
        one.close()


def knocks(house, own, password):
    """Return what the gate answers to a password."""
    connection = Connection(house.target(own).endpoint, Credentials(own.device, password), client_id=own.device)
    with closing(connection):
        signals = []
        return wait_until(lambda: signals.extend(connection.step(0.05)) or next((one for one in signals if isinstance(one, Connected | Refused)), None), what="CONNACK")


def test_a_device_that_asks_is_gone_with_all_that_it_said_and_nobody_else_is(house):
    own, other = house.device(), house.device("other")
    for one in (own, other):
        with house.speaker(one) as speaker:
            speaker.say("status", b'{"state":"online"}', retain=True)
            speaker.say("now", b'{"mood":"calm"}', retain=True)
            wait_until(lambda one=one: set(house.states.get(one.device)) == {"status", "now"}, what="the states")
    assert house.erased(own) == 3
    registry = house.hub.database.registry
    assert registry.device(own.device) is None
    assert (house.events(own), house.events(other)) == (0, 3)
    # The device is told first, and then the hub tidies up.
    wait_until(lambda: house.states.get(own.device) == {}, what="the states gone")
    assert set(house.states.get(other.device)) == {"status", "now"}
    wait_until(lambda: not house.collector._retained._topics.get(own.device), what="mosquitto's states gone")
    observer = house.hub.observer()
    with house.speaker(other) as speaker:
        speaker.say("now", b'{"mood":"sad"}', retain=True)
    # What is retained comes before what is new.
    observer.until(Received, lambda one: one.payload == b'{"mood":"sad"}')
    assert {Topics.device_of(one.topic) for one in observer.signals if isinstance(one, Received)} == {other.device}
    # What the gate had kept of its keys it believes for a second or two.
    wait_until(lambda: isinstance(knocks(house, own, own.token("moodify", datetime.now(UTC))), Refused), what="a gate that is closed")


def test_who_has_only_a_session_of_the_device_erases_nothing(house):
    own, other = house.device(), house.device("other")
    now = datetime.now(UTC)
    stolen = [own.token("moodify", now), "", proof(other, "moodify", now), proof(own, "moodify", now - timedelta(minutes=10))]
    with house.speaker(own) as thief:
        for number, said in enumerate(stolen):
            thief.say("erase", json.dumps({"id": str(number), "proof": said}).encode())
        thief.until(lambda: len(thief.told("erase")) == len(stolen))
        answers = [json.loads(one.payload) for one in thief.told("erase")]
    assert [(one["id"], one["status"]) for one in answers] == [(str(number), "error") for number in range(len(stolen))]
    assert (house.events(own), house.events(other)) == (3, 3)


def test_a_proof_is_no_token_to_sign_in_with(house):
    own = house.device()
    assert isinstance(knocks(house, own, proof(own, "moodify", datetime.now(UTC))), Refused)
    assert isinstance(knocks(house, own, own.token("moodify", datetime.now(UTC))), Connected)


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"id":"1"}', b'{"id":"","proof":"x"}', b'{"id":1,"proof":"x"}', b"[" * 5_000, b'{"id":"a b","proof":"x"}'])
def test_what_is_no_request_is_passed_over(house, payload):
    own = house.device()
    with house.speaker(own) as speaker:
        speaker.say("erase", payload)
        speaker.say("erase", json.dumps({"id": "2", "proof": "x"}).encode())
        speaker.until(lambda: speaker.told("erase"))
        assert [json.loads(one.payload)["id"] for one in speaker.told("erase")] == ["2"]
    assert house.events(own) == 3


def test_asked_twice_at_once_it_is_done_once_and_the_hub_goes_on(house):
    own, other = house.device(), house.device("other")
    body = json.dumps({"id": "once", "proof": proof(own, "moodify", datetime.now(UTC))}).encode()
    with house.speaker(own) as speaker:
        for _ in range(3):
            speaker._connection.publish(f"moodify/v1/{own.device}/up/erase", body)
        speaker.until(lambda: speaker.told("erase"))
    assert [json.loads(one.payload) for one in speaker.told("erase")] == [{"id": "once", "status": "ok", "events": 3}]
    assert house.erased(other) == 3


def test_a_database_that_is_busy_is_waited_for(houses):
    house = houses(Unwell)
    house.start()
    own = house.device()
    house.registry.failure = StoreBusy("locked")
    asked = house.registry.asked

    def heal():
        wait_until(lambda: house.registry.asked > asked + 5, what="questions in vain")
        house.registry.failure = None

    thread = threading.Thread(target=heal)
    thread.start()
    try:
        assert house.erased(own) == 3
    finally:
        thread.join()


class DiesAfterTheCommit:
    """A registry whose hub loses its broker once the erasure is on the disk and before anybody hears of it."""

    def __init__(self, registry):
        self._registry = registry
        self.hub = None

    def __getattr__(self, name):
        return getattr(self._registry, name)

    def erase(self, device):
        events = self._registry.erase(device)
        self.hub.mosquitto._process.kill()
        self.hub.mosquitto.wait(30)
        self.hub.mosquitto.start()
        return events


def test_where_the_hub_dies_between_commit_and_answer_the_device_finds_out(houses):
    house = houses(DiesAfterTheCommit)
    house.registry.hub = house.hub
    house.start()
    own = house.device()
    assert house.erased(own) is None
    assert house.hub.database.registry.device(own.device) is None
    assert house.events(own) == 0


def test_a_hub_that_says_nothing_is_said_not_to_be_known_to_have_erased(houses, monkeypatch):
    monkeypatch.setattr(erasure, "_SIGN_IN_S", 1.0)
    house = houses(lambda registry: registry)
    own = house.device()
    with pytest.raises(LinkDown, match="whether it has erased is not known"):
        house.erased(own, answer_s=1.0)
    assert house.events(own) == 3


def test_a_hub_that_is_away_is_said_to_be_at_once(house, tmp_path):
    own = house.device()
    house.hub.close()
    with pytest.raises(LinkDown, match="cannot be reached"):
        house.erased(own)


def test_a_hub_that_does_not_know_the_device_is_said_to(house, tmp_path):
    own = load_or_make(tmp_path / "stranger" / "device.key")
    with pytest.raises(LinkRefused, match="is erased already"):
        house.erased(own)


def test_a_hub_of_an_older_moodify_is_to_be_updated(tmp_path, monkeypatch):
    from moodify.hub import mosquitto

    rules = mosquitto._ACCESS_RULES
    older = rules.replace("pattern write moodify/v1/%u/up/erase\n", "")
    assert older != rules
    monkeypatch.setattr(mosquitto, "_ACCESS_RULES", older)
    house = House(tmp_path)
    try:
        own = house.device()
        with pytest.raises(LinkRefused, match="update Moodify there"):
            house.erased(own)
    finally:
        house.close()


def test_a_device_that_begins_anew_is_another_to_the_hub(house):
    before = house.device()
    house.erased(before)
    after = house.device("anew")
    assert after.device != before.device
    assert (house.events(before), house.events(after)) == (0, 3)
