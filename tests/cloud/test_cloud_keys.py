"""Public keys: every form in which one may come, and what is none."""

import base64
import hashlib
import re
import shlex

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as some

from moodify.cloud.keys import device_of, fingerprint_of, is_device_id, kid_of, line_of, pem_of, read_public
from moodify.errors import EnrolmentRefused


@pytest.fixture(scope="module")
def key():
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def der_of(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def pem_of_any(key):
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "written",
    [
        line_of,
        pem_of,
        lambda key: pem_of(key).replace("\n", "\r\n"),
        lambda key: f"  {line_of(key)}\n",
        lambda key: base64.b64encode(der_of(key)).decode(),
        lambda key: base64.urlsafe_b64encode(der_of(key)).decode().rstrip("="),
        lambda key: base64.b64encode(key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)).decode(),
    ],
)
def test_a_key_is_read_in_every_form_that_it_may_be_copied_in(key, written):
    assert read_public(written(key)).public_numbers() == key.public_numbers()


def test_the_line_of_any_key_is_44_characters_that_no_shell_or_option_parser_takes_for_its_own():
    for _ in range(50):
        line = line_of(ec.generate_private_key(ec.SECP256R1()).public_key())
        assert re.fullmatch(r"A[\w-]{43}", line)
        assert shlex.quote(line) == line


def test_the_kid_is_the_thumbprint_as_pyjwt_computes_the_jwk(key):
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True)
    canonical = f'{{"crv":"{jwk["crv"]}","kty":"{jwk["kty"]}","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    digest = hashlib.sha256(canonical.encode()).digest()
    assert kid_of(key) == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert device_of(key) == "m-" + base64.b32encode(digest).decode().lower()[:16]
    assert is_device_id(device_of(key))


def test_coordinates_that_begin_with_zeros_keep_their_length():
    # RFC 7518, 6.2.1.2: 32 octets always. A public key with a small x: the point of x = 5 is on P-256.
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x02" + (5).to_bytes(32, "big"))
    x, y = (base64.urlsafe_b64encode(n.to_bytes(32, "big")).decode().rstrip("=") for n in (key.public_numbers().x, key.public_numbers().y))
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    assert kid_of(key) == base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")


def test_the_fingerprint_is_that_of_the_der_form(key):
    assert fingerprint_of(key) == f"sha256:{hashlib.sha256(der_of(key)).hexdigest()}"


@pytest.mark.parametrize(
    "other", [ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256K1()), rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()]
)
def test_a_key_of_another_kind_is_refused(other):
    public = other.public_key()
    for text in (pem_of_any(public), base64.b64encode(der_of(public)).decode()):
        with pytest.raises(EnrolmentRefused, match=r"not an ES256 \(P-256\) key|no public key"):
            read_public(text)


@pytest.mark.parametrize("text", ["", "A", "AAAA", "-----BEGIN PUBLIC KEY-----", "é", "A" + "/" * 43, "x" * 100_000, "m-abcdefghijklmnop"])
def test_what_is_no_key_is_refused_and_says_where_one_is_found(text):
    with pytest.raises(EnrolmentRefused, match="moodify device enroll"):
        read_public(text)


def test_a_private_key_is_not_taken_for_a_public_one():
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    with pytest.raises(EnrolmentRefused):
        read_public(pem)


@given(some.text(max_size=200) | some.binary(max_size=100).map(lambda content: base64.b64encode(content).decode()))
def test_no_text_brings_an_error_of_a_vendors(text):
    try:
        read_public(text)
    except EnrolmentRefused:
        return
    # Chance may hit a point of the curve, not anything else.
    assert len(base64.urlsafe_b64decode(text.strip() + "==")) in {33, 65}


@pytest.mark.parametrize("text", ["", "m-", "m-ABCDEFGHIJKLMNOP", "m-abcdefghijklmno1", "m-abcdefghijklmnopq", "x-abcdefghijklmnop", "m-abcdefghijklmnop\n", "m-abcdefg/ijklmnop"])
def test_what_is_no_id_is_none(text):
    assert not is_device_id(text)
