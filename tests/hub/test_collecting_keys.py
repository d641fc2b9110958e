"""A device changes its key: what the hub asks for before it takes the new one."""

from __future__ import annotations

import base64
import hmac
import json
import time
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hub_parts import Hub

from moodify.cloud import rotation
from moodify.cloud.identity import load, load_or_make
from moodify.cloud.keys import device_of, kid_of, pem_of
from moodify.errors import EnrolmentRefused
from moodify.hub.offers import proven_key
from moodify.hub.port import Device, DeviceKey
from moodify.hub.reading import KeyOffer
from waiting import wait_until

DEVICE = "m-abcdefghijklmnop"


CURRENT = ec.generate_private_key(ec.SECP256R1())
"""The key that the device has been signing with."""


def consent(to, *, signed_with=None, header=None, device=DEVICE, **changes):
    """Return the consent of a key to another, as a device makes it, but for what is named."""
    key, now = signed_with if signed_with is not None else CURRENT, int(time.time())
    claims = {"sub": device, "aud": "moodify", "iat": now, "exp": now + 300, "cnf": {"jkt": to}} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": kid_of(CURRENT.public_key())} if header is None else header)


def offer(key=None, *, signed_with=None, algorithm="ES256", kid=None, header=None, agreed=None, **changes):
    """Return an offer as a device makes it, but for what is named."""
    key = key if key is not None else ec.generate_private_key(ec.SECP256R1())
    now = int(time.time())
    claims = {"sub": DEVICE, "aud": "moodify", "iat": now, "exp": now + 3600, "jti": "x"} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    own = kid_of(key.public_key())
    proof = jwt.encode(claims, signed_with if signed_with is not None else key, algorithm=algorithm, headers={"kid": own} if header is None else header)
    return KeyOffer(own if kid is None else kid, pem_of(key.public_key()), proof, consent(own) if agreed is None else agreed(own))


def proven(one, leeway_s=60):
    then = datetime.now(UTC)
    device = Device(DEVICE, DEVICE, then, None, (DeviceKey(kid_of(CURRENT.public_key()), pem_of(CURRENT.public_key()), then),))
    return proven_key(device, one, audience="moodify", leeway_s=leeway_s)


def test_a_key_with_a_fresh_proof_is_taken():
    key = ec.generate_private_key(ec.SECP256R1())
    assert proven(offer(key)) == pem_of(key.public_key())
    assert proven(offer(key, iat=int(time.time()) + 30)) == pem_of(key.public_key())


def hs256_with_the_public_key():
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    head, body = ({"alg": "HS256", "kid": kid_of(key)}, {"sub": DEVICE, "aud": "moodify", "iat": time.time(), "exp": time.time() + 60})
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, body))
    signature = base64.urlsafe_b64encode(hmac.digest(pem_of(key).encode(), signed, "sha256")).rstrip(b"=")
    return KeyOffer(kid_of(key), pem_of(key), b".".join([signed, signature]).decode(), consent(kid_of(key)))


def p384():
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    return KeyOffer("kid", pem_of(key), offer().proof, "x")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: offer(sub="m-" + "z" * 16), "another device's"),
        (lambda: offer(sub=None), "no token with"),
        (lambda: offer(exp=None), "no token with"),
        (lambda: offer(iat=None), "no token with"),
        (lambda: offer(aud="elsewhere"), "another audience"),
        (lambda: offer(aud=None), "no token with"),
        (lambda: offer(exp=int(time.time()) - 61, iat=int(time.time()) - 3000), "has expired"),
        (lambda: offer(iat=int(time.time()) + 90), "from the future"),
        (lambda: offer(exp=int(time.time()) + 3700), "good for too long"),
        (lambda: offer(exp="soon"), "no token with"),
        (lambda: offer(signed_with=ec.generate_private_key(ec.SECP256R1())), "not signed with that key"),
        (lambda: offer(header={}), "names another key"),
        (lambda: offer(header={"kid": "other"}), "names another key"),
        (lambda: offer(kid="other"), "thumbprint"),
        (hs256_with_the_public_key, "not signed with that key"),
        (lambda: offer(signed_with="", algorithm="none"), "not signed with that key"),
        (lambda: KeyOffer("kid", "no key", "x", "x"), "no public key"),
        (p384, "P-256"),
        (lambda: offer(agreed=lambda kid: ""), "no key that is known of the device agrees"),
        (lambda: offer(agreed=lambda kid: consent(kid, header={})), "no key that is known of the device agrees"),
        (lambda: offer(agreed=lambda kid: consent(kid, header={"kid": kid})), "no key that is known of the device agrees"),
        (lambda: offer(agreed=lambda kid: consent(kid, signed_with=ec.generate_private_key(ec.SECP256R1()))), "the consent does not hold"),
        (lambda: offer(agreed=lambda kid: consent("another")), "to another key"),
        (lambda: offer(agreed=lambda kid: consent(kid, cnf=None)), "to another key"),
        (lambda: offer(agreed=lambda kid: consent(kid, cnf=[kid])), "to another key"),
        (lambda: offer(agreed=lambda kid: consent(kid, sub="m-" + "z" * 16)), "another device's"),
        (lambda: offer(agreed=lambda kid: consent(kid, aud="elsewhere")), "another audience"),
        (lambda: offer(agreed=lambda kid: consent(kid, exp=int(time.time()) + 3600)), "the consent is good for too long"),
        (lambda: offer(agreed=lambda kid: consent(kid, iat=int(time.time()) - 400, exp=int(time.time()) - 100)), "has expired"),
    ],
)
def test_a_key_without_a_good_proof_is_refused_with_the_reason(make, why):
    with pytest.raises(EnrolmentRefused, match=why) as refused:
        proven(make())
    assert "eyJ" not in str(refused.value)


@pytest.mark.parametrize("proof", ["", "x", "a.b.c", "e30.e30.", "....", "[" * 5000, "eyJhbGciOiJFUzI1NiIsImtpZCI6NX0.e30.x"])
def test_what_is_no_proof_is_refused(proof):
    whole = offer()
    with pytest.raises(EnrolmentRefused):
        proven(KeyOffer(whole.kid, whole.public_key, proof, whole.consent))
    with pytest.raises(EnrolmentRefused):
        proven(KeyOffer(whole.kid, whole.public_key, whole.proof, proof))


def test_who_holds_only_a_token_of_the_device_does_not_become_the_device(hub, caplog):
    hub.collector()
    speaker = hub.speaker(enrolled_with(hub, CURRENT))
    now = int(time.time())
    stolen = jwt.encode(
        {"sub": speaker.device, "aud": "moodify", "iat": now, "exp": now + 3600, "jti": "x"}, CURRENT, algorithm="ES256", headers={"kid": kid_of(CURRENT.public_key())}
    )
    mine = ec.generate_private_key(ec.SECP256R1())
    for agreed in ("", stolen, consent(kid_of(mine.public_key()), signed_with=mine, device=speaker.device)):
        one = offer(mine, sub=speaker.device, agreed=lambda _, agreed=agreed: agreed)
        speaker.say("key", as_bytes(one))
    speaker.until(lambda: len(speaker.told("key")) == 3)
    assert {json.loads(told.payload)["status"] for told in speaker.told("key")} == {"error"}
    assert [key.kid for key in hub.database.registry.device(speaker.device).keys] == [kid_of(CURRENT.public_key())]


def enrolled_with(hub, key):
    device = device_of(key.public_key())
    hub.database.registry.enrol(device, pem_of(key.public_key()), datetime.now(UTC))
    return device


def as_bytes(one):
    return json.dumps({"kid": one.kid, "public_key": one.public_key, "proof": one.proof, "consent": one.consent}).encode()


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path)
    yield hub
    hub.close()


def test_a_device_changes_its_key_and_keeps_its_id_and_what_it_has_to_say(hub, tmp_path, caplog):
    hub.collector()
    path = tmp_path / "device.key"
    old = load_or_make(path)
    hub.database.registry.enrol(old.device, old.public_pem, datetime.now(UTC))
    new, _ = rotation.begin(path)
    device = hub.device(old.device, rotation=rotation.KeyRotation(path, "moodify"))
    ids = device.happen(5)
    wait_until(lambda: load(path).kid == new.kid, what="the new key in the old one's place")
    assert [key.kid for key in hub.database.registry.device(old.device).keys] == [old.kid, new.kid]
    device.until_empty()
    assert hub.stored(old.device) == ids
    # The gate notes the first sign-in with it.
    hub.database.registry.used(old.device, new.kid, datetime.now(UTC))
    assert [key.kid for key in hub.database.registry.device(old.device).keys] == [new.kid]
    assert f"{old.device} signs in with its new key {new.kid}" in caplog.text


def test_an_offer_is_answered_whatever_comes_of_it(hub):
    hub.collector()
    speaker = hub.speaker(enrolled_with(hub, CURRENT))
    good, bad = offer(sub=speaker.device, agreed=lambda kid: consent(kid, device=speaker.device)), offer()
    for one in (bad, good, good):
        speaker.say("key", as_bytes(one))
    speaker.until(lambda: len(speaker.told("key")) == 3)
    refused, *taken = [json.loads(one.payload) for one in speaker.told("key")]
    assert (refused["kid"], refused["status"]) == (bad.kid, "error")
    assert "another device's" in refused["error"]
    assert taken == [{"kid": good.kid, "status": "ok"}] * 2
    assert good.kid in {key.kid for key in hub.database.registry.device(speaker.device).keys}
