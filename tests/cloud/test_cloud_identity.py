from __future__ import annotations

import base64
import hashlib
import os
import re
import threading
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from moodify.cloud.identity import load_or_make
from moodify.cloud.passwords import SignedToken, SignInFile
from moodify.errors import LinkDown, PersonMustAct

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def verify(token, public_pem, **options):
    """Decode as a gate does."""
    return jwt.decode(token, public_pem, algorithms=["ES256"], audience="moodify", leeway=60, options={"require": ["exp", "iat", "sub", "aud"], **options})


@pytest.fixture
def key(tmp_path):
    return tmp_path / "state" / "device.key"


def test_the_first_start_makes_a_key_that_only_its_owner_may_read_and_later_starts_keep_it(key):
    made = load_or_make(key)
    content = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in key.parent.iterdir()) == ["device.id", "device.key"]
    assert key.with_name("device.id").stat().st_mode & 0o777 == 0o600
    again = load_or_make(key)
    assert (again.device, again.kid, again.public_pem) == (made.device, made.kid, made.public_pem)
    assert key.read_bytes() == content


def test_the_device_id_is_the_beginning_of_the_public_keys_thumbprint(key):
    made = load_or_make(key)
    numbers = serialization.load_pem_public_key(made.public_pem.encode()).public_numbers()
    x, y = (base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=") for number in (numbers.x, numbers.y))
    digest = hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest()
    assert re.fullmatch(r"m-[a-z2-7]{16}", made.device)
    assert made.device == "m-" + base64.b32encode(digest).decode().lower()[:16]
    assert made.kid == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_first_starts_at_the_same_moment_agree_on_one_key(key):
    key.parent.mkdir()
    barrier = threading.Barrier(4)
    found = []

    def start():
        barrier.wait()
        found.append(load_or_make(key).device)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert sorted(file.name for file in key.parent.iterdir()) == ["device.id", "device.key"]


def test_a_key_that_others_may_read_is_not_used(key):
    load_or_make(key)
    key.chmod(0o640)
    with pytest.raises(PersonMustAct, match=rf"mode 0640.*chmod 600 {re.escape(str(key))}"):
        load_or_make(key)


def pem_of(private):
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is damaged"),
        (b"-----BEGIN PRIVATE KEY-----\nMIGH", "is damaged"),
        (pem_of(ec.generate_private_key(ec.SECP384R1())), "not an ES256"),
        (pem_of(rsa.generate_private_key(65537, 2048)), "not an ES256"),
    ],
)
def test_a_key_that_is_no_key_is_named_and_left_alone(key, content, complaint):
    key.parent.mkdir()
    key.write_bytes(content)
    key.chmod(0o600)
    with pytest.raises(PersonMustAct, match=complaint) as caught:
        load_or_make(key)
    assert str(key) in str(caught.value)
    assert key.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    tmp_path.joinpath("file").touch()
    with pytest.raises(PersonMustAct, match="give it and its folder"):
        load_or_make(tmp_path / "file" / "device.key")


def test_a_token_says_who_to_whom_and_for_an_hour(key):
    identity = load_or_make(key)
    token = identity.token("moodify", NOW)
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": identity.kid, "typ": "JWT"}
    claims = verify(token, identity.public_pem, verify_exp=False, verify_iat=False)
    assert claims == {"sub": identity.device, "aud": "moodify", "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 3600, "jti": claims["jti"]}
    assert identity.token("moodify", NOW) != token


def test_another_devices_key_or_another_audience_does_not_pass(key, tmp_path):
    identity, stranger = load_or_make(key), load_or_make(tmp_path / "other" / "device.key")
    with pytest.raises(jwt.InvalidSignatureError):
        verify(stranger.token("moodify", datetime.now(UTC)), identity.public_pem)
    with pytest.raises(jwt.InvalidAudienceError):
        verify(identity.token("elsewhere", datetime.now(UTC)), identity.public_pem)
    with pytest.raises(jwt.ExpiredSignatureError):
        verify(identity.token("moodify", datetime.now(UTC) - timedelta(hours=2)), identity.public_pem)


def test_no_token_is_made_before_the_clock_can_be_trusted(key):
    trusted = [False]
    passwords = SignedToken(lambda: load_or_make(key), "moodify", lambda: (trusted[0], "the system's time is not synchronised"))
    with pytest.raises(LinkDown, match="the system's time is not synchronised"):
        passwords.credentials(NOW)
    trusted[0] = True
    assert passwords.credentials(NOW).username == load_or_make(key).device


def test_neither_key_nor_password_shows_in_a_log(key):
    identity = load_or_make(key)
    file = key.with_name("sign-in")
    file.touch(0o600)
    file.write_text("home\nhunter2\n")
    credentials = SignedToken(lambda: identity, "moodify", lambda: (True, "")).credentials(NOW)
    secret = SignInFile(file).credentials(NOW)
    assert (secret.username, secret.password) == ("home", "hunter2")
    for shown in (repr(identity), repr(credentials), repr(secret)):
        assert credentials.password not in shown
        assert "hunter2" not in shown
        assert "key=" not in shown


@pytest.mark.skipif(os.geteuid() == 0, reason="root: reads everything")
def test_a_key_of_another_user_is_named(key):
    load_or_make(key)
    key.chmod(0)
    with pytest.raises(PersonMustAct, match="Permission denied"):
        load_or_make(key)
