"""Which tokens open the gate, and what is said where one does not."""

import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from gate_parts import GatedHub, Peer, connect, encoded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodify.hub.gate.refusals import Refused
from moodify.hub.gate.tokens import claim, verify
from waiting import wait_until


@pytest.fixture
def hub(tmp_path):
    hub = GatedHub(tmp_path)
    yield hub
    hub.close()


def told(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith("moodify.hub.gate") and "refused" in record.getMessage()]


def hs256(peer):
    head, body = encoded({"alg": "HS256", "kid": peer.kid}), encoded(stamped(peer.claims()))
    signature = hmac.new(peer.pem.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{encoded(signature)}"


def stamped(claims):
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in claims.items()}


def by_another(peer):
    return peer.token(key=Peer().key)


BAD = {
    "expired": (lambda peer: peer.token(at=datetime.now(UTC) - timedelta(hours=2)), "has expired"),
    "from the future": (lambda peer: peer.token(at=datetime.now(UTC) + timedelta(minutes=5)), "from the future"),
    "not good before": (lambda peer: peer.token(nbf=datetime.now(UTC) + timedelta(minutes=5)), "from the future"),
    "another audience": (lambda peer: peer.token(aud="elsewhere"), "another audience"),
    "another device's key": (by_another, "not signed with the key"),
    "HS256 with the public key": (hs256, "another way than ES256"),
    "ES384": (lambda peer: jwt.encode(peer.claims(), ec.generate_private_key(ec.SECP384R1()), algorithm="ES384", headers={"kid": peer.kid}), "another way than ES256"),
    "alg none": (lambda peer: jwt.encode(peer.claims(), None, algorithm="none", headers={"kid": peer.kid}), "not signed at all"),
    "without exp": (lambda peer: peer.token(without=["exp"]), "no end"),
    "without iat": (lambda peer: peer.token(without=["iat"]), "lacks a claim"),
    "without jti": (lambda peer: peer.token(without=["jti"]), "lacks a claim"),
    "without aud": (lambda peer: peer.token(without=["aud"]), "lacks a claim"),
    "good for ten years": (lambda peer: peer.token(lives_s=10 * 365 * 86_400), "longer than the hub allows"),
    "good for a day and a second": (lambda peer: peer.token(lives_s=86_401), "longer than the hub allows"),
    "endless": (lambda peer: raw_claims(peer, {"exp": float("inf")}), "lacks a claim"),
    "ends at no number": (lambda peer: raw_claims(peer, {"exp": float("nan")}), "lacks a claim"),
    "ends at a word": (lambda peer: raw_claims(peer, {"exp": "tomorrow"}), "lacks a claim"),
    "an end that no float holds": (lambda peer: raw_claims(peer, {"exp": 10**400}), "lacks a claim"),
    "an unknown key": (lambda peer: peer.token(kid="x" * 43), "was not enrolled"),
    "a critical header": (lambda peer: jwt.encode(peer.claims(), peer.key, algorithm="ES256", headers={"kid": peer.kid, "crit": ["moodify"], "moodify": 1}), "no token"),
    "too long": (lambda peer: peer.token(more="x" * 3000), "no token"),
    "no token": (lambda peer: "open sesame", "no token"),
}


def raw_claims(peer, others):
    head, body = encoded({"alg": "ES256", "kid": peer.kid}), encoded({**stamped(peer.claims()), **others})
    algorithm = jwt.get_algorithm_by_name("ES256")
    return f"{head}.{body}.{encoded(algorithm.sign(f'{head}.{body}'.encode(), peer.key))}"


@pytest.mark.parametrize("case", BAD)
def test_a_bad_token_is_refused_and_told_once_with_its_reason_and_not_one_part_of_it(hub, caplog, case):
    caplog.set_level(logging.DEBUG)
    peer = hub.enrol()
    make, reason = BAD[case]
    token = make(peer)
    for _ in range(2):
        client, code = hub.sign_in(peer, token=token)
        assert code in {0x86, 0x87}
        assert client.packet() is None
    (line,) = told(caplog)
    assert reason in line
    assert all(part not in caplog.text for part in token.split(".") if part)
    assert hub.gate.connected() == frozenset()
    assert hub.counted("accepted") == 0
    # The device itself comes in all the same.
    hub.signed_in(peer)


def test_a_good_token_is_let_in_and_known_as_who_it_is_for(hub):
    peer = hub.enrol()
    client = hub.signed_in(peer)
    assert wait_until(hub.gate.connected) == {peer.id}
    assert hub.counted("accepted") == 1
    client.close()
    wait_until(lambda: hub.gate.connected() == frozenset(), what="the end of the connection")


def test_a_device_that_was_never_enrolled_is_refused_with_what_to_do(hub, caplog):
    peer = Peer()
    assert hub.sign_in(peer)[1] == 0x87
    assert f"the device {peer.id} at 127.0.0.1 was refused" in told(caplog)[0]
    assert "moodify hub enroll" in told(caplog)[0]


def test_a_revoked_device_is_refused_and_one_that_is_taken_in_again_comes_in_at_once(hub, caplog):
    peer = hub.enrol()
    hub.signed_in(peer)
    hub.registry.revoke(peer.id, datetime.now(UTC))
    # One that signs in while the gate learns of it is cut off instead, which is told in other words.
    wait_until(lambda: hub.sign_in(peer)[1] == 0x87 and told(caplog), what="being refused")
    assert "it was revoked" in told(caplog)[0]
    hub.registry.enrol(peer.id, peer.pem, datetime.now(UTC))
    assert hub.sign_in(peer)[1] == 0


def test_a_key_that_a_device_moves_to_is_taken_at_once_and_the_old_one_no_more_afterwards(hub):
    peer, following = hub.enrol(), Peer()
    hub.signed_in(peer)
    hub.registry.add_key(peer.id, following.pem, datetime.now(UTC))
    hub.signed_in(peer)
    hub.signed_in(peer, token=peer.token(key=following.key, kid=following.kid))
    wait_until(lambda: [key.kid for key in hub.registry.device(peer.id).keys] == [following.kid], what="the end of the old key")
    wait_until(lambda: hub.sign_in(peer)[1] == 0x87, what="being refused with the old key")


def test_one_device_s_key_does_not_sign_for_another_whatever_key_the_token_names(hub):
    peer, other = hub.enrol(), hub.enrol()
    for kid in (peer.kid, other.kid):
        assert hub.sign_in(peer, token=jwt.encode(peer.claims(sub=other.id), peer.key, algorithm="ES256", headers={"kid": kid}))[1] == 0x87


@pytest.mark.parametrize(("ahead_s", "code"), [(3600 + 59, 0), (3600 + 61, 0x87), (-59, 0), (-61, 0x87)])
def test_clocks_may_differ_by_the_leeway_and_no_more(hub, ahead_s, code):
    peer = hub.enrol()
    at = datetime.fromtimestamp(int(datetime.now(UTC).timestamp()), UTC)
    hub.now = lambda: at + timedelta(seconds=ahead_s)
    assert hub.sign_in(peer, token=peer.token(at=at))[1] == code


@pytest.mark.parametrize(("options", "code"), [({"password": None}, 0x86), ({"password": b"\xff\xfe"}, 0x86), ({"password": "x", "properties": b"\x15\x00\x05OAUTH"}, 0x8C)])
def test_what_signs_in_in_another_way_is_told_so(hub, options, code):
    client = hub.raw()
    client.send(connect("x", username="x", **options))
    assert client.packet()[1][1] == code


def test_a_device_that_is_refused_again_and_again_is_told_no_reason_any_more_and_with_a_good_token_it_comes_in(hub, caplog):
    peer, neighbour = hub.enrol(), hub.enrol()
    codes = [hub.sign_in(peer, token=by_another(peer))[1] for _ in range(8)]
    assert codes == [0x87] * 5 + [0x9F] * 3
    hub.signed_in(peer)
    hub.signed_in(neighbour)
    assert len(told(caplog)) == 2


def test_a_good_token_comes_in_from_an_address_from_which_many_are_refused(hub):
    peer = hub.enrol()
    codes = [hub.sign_in(Peer())[1] for _ in range(22)]
    assert codes == [0x87] * 20 + [0x9F] * 2
    assert hub.counted("refused_too_many_attempts") == 2
    hub.signed_in(peer)


def test_what_is_no_mqtt_counts_against_nobody_s_token(hub):
    peer = hub.enrol()
    for _ in range(25):
        stranger = hub.raw()
        stranger.send(b"GET / HTTP/1.0\r\n\r\n")
        assert stranger.packet() is None
    assert hub.counted("refused_malformed") == 25
    # It is told why, as the first that is refused.
    assert hub.sign_in(peer, token=by_another(peer))[1] == 0x87
    hub.signed_in(peer)


@given(st.binary(max_size=3000))
def test_any_password_is_a_claim_or_refused(password):
    try:
        claim(password)
    except Refused:
        return


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk"]), st.sampled_from(["ES256", "none", "x", "", None, 1, [], {}, True, ["b64"]])),
    payload=st.dictionaries(
        st.sampled_from(["sub", "aud", "iat", "exp", "jti", "nbf"]),
        st.one_of(st.sampled_from(["m-aaaaaaaaaaaaaaaa", "moodify"]), st.integers(), st.floats(), st.text(), st.none(), st.booleans(), st.lists(st.text())),
    ),
)
def test_any_signed_claims_are_good_or_refused(header, payload):
    peer = Peer()
    head, body = encoded({"alg": "ES256", "kid": peer.kid, **header}), encoded(json.dumps({"sub": peer.id, **payload}).encode())
    token = f"{head}.{body}.{encoded(jwt.get_algorithm_by_name('ES256').sign(f'{head}.{body}'.encode(), peer.key))}"
    try:
        ends_s = verify(claim(token.encode()), peer.key.public_key(), audience="moodify", leeway_s=60, token_max_s=86_400, now_s=1_000_000)
    except Refused:
        return
    assert 1_000_000 - 60 < ends_s <= 1_000_000 + 60 + 86_400


@pytest.mark.parametrize("nest", ["[", '{"a":'])
def test_a_token_that_is_nested_without_end_is_no_token(nest):
    deep = encoded((nest * 1200).encode())
    for token in (f"{deep}.{encoded({})}.x", f"{encoded({'alg': 'ES256'})}.{deep}.{encoded(b'x')}"):
        with pytest.raises(Refused, match="no token"):
            claim(token.encode())
