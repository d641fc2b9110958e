"""Tokens that are not good, and devices that reach for what is not theirs, at the gate of a hub that runs: refused, told once, and nothing kept of a token."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hub_house import Api

from appliance import moodify
from hub_process import HubDevice, HubProcess, enrol, made_hub
from moodify.cloud.mqtt import Acked, Connected, Connection, Lost, Received, Refused, Subscribed
from moodify.cloud.port import Credentials, Endpoint
from waiting import wait_until

pytestmark = pytest.mark.slow

#: So many characters in a row of a token are no chance.
RUN = 20


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    home = tmp_path_factory.mktemp("hub")
    token = made_hub(home, home / "hub", log_level='"debug"', attempts_per_minute="100")
    with HubProcess(home, home / "hub") as hub:
        hub.token = token
        yield hub


@pytest.fixture
def enrolled(hub, tmp_path):
    """A maker of devices that are enrolled at the hub."""
    devices = []

    def make():
        devices.append(HubDevice(tmp_path / f"device {len(devices)}"))
        enrol(hub.folder, devices[-1])
        return devices[-1]

    yield make
    for device in devices:
        device.close()


def claims(device, *, at=None, lives_s=3600, without=(), **others):
    at = at or datetime.now(UTC)
    all_of_them = {"sub": device.id, "aud": "moodify", "iat": at, "exp": at + timedelta(seconds=lives_s), "jti": "1", **others}
    return {name: value for name, value in all_of_them.items() if name not in without}


def signed(device, *, key=None, **options):
    return jwt.encode(claims(device, **options), key or device.identity.key, algorithm="ES256", headers={"kid": device.identity.kid})


def hs256(device):
    """Return a token that is signed with the public key as though it were a secret: PyJWT would refuse to make it."""

    def encoded(value):
        return urlsafe_b64encode(value).rstrip(b"=").decode()

    body = {name: value.timestamp() if isinstance(value, datetime) else value for name, value in claims(device).items()}
    text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT", "kid": device.identity.kid}, body))
    return f"{text}.{encoded(hmac.new(device.identity.public_pem.encode(), text.encode(), hashlib.sha256).digest())}"


def at(hub, device, token, *, client_id=None):
    """Return a connection that says who it is, and what came of it."""
    mqtt = hub.address["mqtt"]
    endpoint = Endpoint(mqtt["host"], mqtt["port"], tls=True, ca_file=hub.folder / "certificate.pem")
    device.signals = []
    device.connection = Connection(endpoint, Credentials(client_id or device.id, token), client_id=client_id or device.id, session_s=0)
    return device.wait_for(Connected, Refused, Lost)


BAD = {
    "expired": (lambda device, _: signed(device, at=datetime.now(UTC) - timedelta(hours=2)), "its token has expired"),
    "for another audience": (lambda device, _: signed(device, aud="elsewhere"), "its token is for another audience"),
    "signed by another device's key": (lambda device, other: signed(device, key=other.identity.key), "its token is not signed with the key that it names"),
    "HS256 with the public key": (lambda device, _: hs256(device), "its token is signed in another way than ES256"),
    "without exp": (lambda device, _: signed(device, without=["exp"]), "its token has no end"),
    "valid for ten years": (lambda device, _: signed(device, lives_s=10 * 365 * 86_400), "its token is good for longer than the hub allows"),
    "of a revoked device": (lambda device, _: signed(device), "it was revoked"),
}


def runs_of(token):
    return {token[start : start + RUN].encode() for start in range(len(token) - RUN + 1)}


def test_each_bad_token_is_refused_told_once_and_kept_nowhere(hub, enrolled):
    other, good = enrolled(), enrolled()
    tokens = {"a good one": signed(good)}
    assert isinstance(at(hub, good, tokens["a good one"]), Connected)
    for case, (make, why) in BAD.items():
        device = enrolled()
        tokens[case] = make(device, other)
        if "revoked" in case:
            assert moodify(hub.home, "hub", "revoke", device.id, "--yes", "--folder", hub.folder).returncode == 0
            # The gate learns of it within a second or two; whoever came in before that is cut off.
            wait_until(lambda: isinstance(at(hub, device, tokens[case]), Refused), every_s=0.2, what="the revocation's effect")  # noqa: B023 - it is over within the round
        for _ in range(2):
            refused = at(hub, device, tokens[case])
            assert (isinstance(refused, Refused), refused.code) == (True, 0x87), case
            device.close()
        lines = [line for line in hub.log.splitlines() if f"the device {device.id} at 127.0.0.1 was refused" in line]
        assert [why in line for line in lines] == [True], (case, lines)
    status = moodify(hub.home, "hub", "status", "--folder", hub.folder)
    kept = {str(file): file.read_bytes() for file in hub.folder.rglob("*") if file.is_file()} | {"log": hub.log.encode(), "status": (status.stdout + status.stderr).encode()}
    assert {"hub.db", "mosquitto.log"} <= {path.rpartition("/")[2] for path in kept}
    assert [(case, file) for case, token in tokens.items() for file, content in kept.items() if any(run in content for run in runs_of(token))] == []
    assert any(run in f"a log with {tokens['expired']} in it".encode() for run in runs_of(tokens["expired"]))


def test_a_device_says_and_hears_nothing_outside_its_own_topics(hub, enrolled):
    device, other, api = enrolled(), enrolled(), Api(hub, hub.token)
    assert isinstance(at(hub, device, signed(device)), Connected)
    forged = json.dumps({"v": 1, "epoch": "e", "seq": 1, "items": [{"id": "forged", "kind": "mood", "at": datetime.now(UTC).isoformat(), "data": {}}]}).encode()
    for topic in (f"{other.id}/up/ev", f"{other.id}/up/now", f"{other.id}/down/cmd/privacy", f"{device.id}/down/ack", f"{device.id}/down/cmd/rescan"):
        mid = device.connection.publish(f"moodify/v1/{topic}", forged)
        assert device.wait_for(Acked, that=lambda one, mid=mid: one.mid == mid).code == 0x87, topic
    device.say("its-own")
    assert [event["id"] for event in api.history(device.id)] == ["its-own"]
    assert (api.history(other.id), api.states(other.id)) == ([], {})
    for topic in ("#", "moodify/v1/+/up/ev", f"moodify/v1/{other.id}/down/#", "$share/collectors/moodify/v1/+/up/ev"):
        assert isinstance(at(hub, device, signed(device)), Connected)
        device.connection.subscribe(topic)
        assert device.wait_for(Lost, Subscribed).code == 0x87, topic


def test_who_comes_with_a_stolen_name_gets_nothing_and_its_owner_stays(hub, enrolled):
    victim, thief, api = enrolled(), enrolled(), Api(hub, hub.token)
    assert isinstance(at(hub, victim, signed(victim)), Connected)
    victim.connection.subscribe(f"moodify/v1/{victim.id}/down/#")
    victim.wait_for(Subscribed)
    # It has no token but its own: that counts, whatever name it gives.
    assert isinstance(at(hub, thief, signed(thief), client_id=victim.id), Connected)
    mid = thief.connection.publish(f"moodify/v1/{victim.id}/up/status", b'{"state":"offline"}')
    assert thief.wait_for(Acked, that=lambda one: one.mid == mid).code == 0x87
    thief.connection.publish(f"moodify/v1/{victim.id}/up/status", b'{"state":"offline"}', retain=True)
    assert thief.wait_for(Lost).code == 0x87
    assert isinstance(at(hub, thief, signed(thief), client_id=victim.id), Connected)
    thief.connection.subscribe(f"moodify/v1/{thief.id}/down/#")
    thief.wait_for(Subscribed)
    command = api.give(victim.id, "rescan")
    heard = victim.wait_for(Received)
    assert (heard.topic, json.loads(heard.payload)["id"]) == (f"moodify/v1/{victim.id}/down/cmd/rescan", command)
    # The thief's answer in the victim's place is none.
    thief.connection.publish(f"moodify/v1/{thief.id}/up/res/{command}", b'{"status":"error","error":"stolen"}')
    victim.connection.publish(f"moodify/v1/{victim.id}/up/res/{command}", b'{"status":"ok"}')
    assert api.answer(command)["state"] == "ok"
    thief.connection.subscribe(f"moodify/v1/{victim.id}/down/#")
    assert thief.wait_for(Lost).code == 0x87
    assert not [one for one in thief.signals if isinstance(one, Received)]
    assert victim.is_in
    wait_until(lambda: api.is_online(victim.id), what="the victim's being online")
