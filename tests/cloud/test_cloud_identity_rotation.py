"""Changing the key: at every moment the device is who it was and has a key that the hub knows."""

import contextlib
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import jwt
import pytest

from moodify.cloud import rotation
from moodify.cloud.identity import load, load_or_make
from moodify.cloud.keys import device_of, kid_of, read_public
from moodify.cloud.passwords import SignedToken
from moodify.cloud.rotation import KeyRotation
from moodify.errors import EnrolmentRefused, PersonMustAct
from moodify.hub.offers import proven_key
from moodify.hub.port import Device, DeviceKey
from moodify.hub.reading import KeyOffer

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "state" / "device.key"
    load_or_make(path)
    return path


@pytest.fixture
def port(key):
    return KeyRotation(key, "moodify")


def names(key):
    return sorted(file.name for file in key.parent.iterdir())


def test_an_installation_from_before_gets_its_id_from_its_key(key):
    before = load_or_make(key)
    key.with_name("device.id").unlink()
    assert load(key).device == before.device
    assert not key.with_name("device.id").exists()
    assert load_or_make(key).device == before.device == device_of(before.key.public_key())
    assert key.with_name("device.id").read_text() == f"{before.device}\n"


@pytest.mark.parametrize("content", [b"", b"m-", b"\xff", b"../../etc/passwd"])
def test_a_damaged_id_is_named_and_never_taken(key, content):
    key.with_name("device.id").write_bytes(content)
    with pytest.raises(PersonMustAct, match=r"device\.id"):
        load_or_make(key)


def test_looking_at_a_device_that_never_started_makes_nothing(tmp_path):
    with pytest.raises(PersonMustAct, match="the first start makes it"):
        load(tmp_path / "state" / "device.key")
    assert list(tmp_path.iterdir()) == []


def test_where_no_key_waits_nothing_is_offered(port):
    assert port.offer(NOW) is None


def test_the_new_key_is_offered_with_a_proof_that_the_device_has_it(key, port):
    made, new = rotation.begin(key)
    assert new
    assert key.with_name("device.key.next").stat().st_mode & 0o777 == 0o600
    offered = port.offer(NOW)
    assert offered["kid"] == made.kid == kid_of(read_public(offered["public_key"]))
    claims = jwt.decode(offered["proof"], offered["public_key"], algorithms=["ES256"], audience="moodify", options={"verify_iat": False, "verify_exp": False})
    assert claims["sub"] == load(key).device
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(offered["proof"], load(key).public_pem, algorithms=["ES256"], audience="moodify")


def test_what_is_offered_is_what_a_hub_takes(key, port):
    made, _ = rotation.begin(key)
    offered = KeyOffer(**port.offer(datetime.now(UTC)))
    current = load(key)
    keys = (DeviceKey(current.kid, current.public_pem, NOW),)
    assert proven_key(Device(made.device, "", NOW, None, keys), offered, audience="moodify", leeway_s=60) == made.public_pem
    for other in (Device("m-abcdefghijklmnop", "", NOW, None, keys), Device(made.device, "", NOW, None, (DeviceKey(made.kid, made.public_pem, NOW),))):
        with pytest.raises(EnrolmentRefused):
            proven_key(other, offered, audience="moodify", leeway_s=60)


def test_the_consent_of_the_key_in_use_is_no_token_to_sign_in_with(key, port):
    rotation.begin(key)
    claims = jwt.decode(port.offer(NOW)["consent"], load(key).public_pem, algorithms=["ES256"], audience="moodify", options={"verify_iat": False, "verify_exp": False})
    assert claims["exp"] - claims["iat"] == 300
    assert "jti" not in claims


def test_a_second_rotation_while_one_waits_does_nothing(key):
    first, _ = rotation.begin(key)
    again, new = rotation.begin(key)
    assert (again.kid, new) == (first.kid, False)


def test_once_the_hub_knows_it_the_next_sign_in_is_with_the_new_key_and_the_old_id(key, port):
    passwords = SignedToken(lambda: load(key), "moodify", lambda: (True, ""))
    old = load(key)
    new, _ = rotation.begin(key)
    assert jwt.get_unverified_header(passwords.credentials(NOW).password)["kid"] == old.kid
    port.accepted(new.kid)
    credentials = passwords.credentials(NOW)
    assert credentials.username == old.device != device_of(new.key.public_key())
    assert jwt.get_unverified_header(credentials.password)["kid"] == new.kid
    assert port.offer(NOW) is None
    assert names(key) == ["device.id", "device.key"]


def test_an_installation_from_before_keeps_its_id_through_its_first_rotation(key, port):
    old = load(key)
    new, _ = rotation.begin(key)
    key.with_name("device.id").unlink()
    port.accepted(new.kid)
    assert (load(key).device, load(key).kid) == (old.device, new.kid)


def test_an_answer_for_another_key_changes_nothing(key, port):
    old = load(key)
    new, _ = rotation.begin(key)
    port.accepted("another")
    port.refused("another", "no")
    assert load(key).kid == old.kid
    assert port.offer(NOW)["kid"] == new.kid


def test_an_answer_that_comes_twice_does_nothing_the_second_time(key, port):
    new, _ = rotation.begin(key)
    port.accepted(new.kid)
    port.accepted(new.kid)
    port.refused(new.kid, "too late")
    assert load(key).kid == new.kid
    assert rotation.setback(key) is None


def test_a_refused_key_is_dropped_the_old_one_stays_and_the_reason_is_kept_until_the_next_try(key, port):
    old = load(key)
    new, _ = rotation.begin(key)
    port.refused(new.kid, "this device was revoked")
    assert load(key).kid == old.kid
    assert port.offer(NOW) is None
    noted = rotation.setback(key)
    assert (noted.kid, noted.reason) == (new.kid, "this device was revoked")
    _, again = rotation.begin(key)
    assert again
    assert rotation.setback(key) is None


def test_a_crash_between_the_note_and_the_end_of_a_refused_key_leaves_it_to_be_offered_again(key, port):
    new, _ = rotation.begin(key)
    port.refused(new.kid, "no")
    note = key.with_name("device.key.refused").read_bytes()
    again, _ = rotation.begin(key)
    key.with_name("device.key.refused").write_bytes(note)
    assert port.offer(NOW)["kid"] == again.kid


def test_a_new_key_that_others_may_read_is_not_offered_and_rotate_says_what_to_do(key, port, caplog):
    rotation.begin(key)
    key.with_name("device.key.next").chmod(0o644)
    assert [port.offer(NOW), port.offer(NOW)] == [None, None]
    assert caplog.text.count("delete it, and run moodify device rotate again") == 1
    with pytest.raises(PersonMustAct, match=r"device\.key\.next"):
        rotation.begin(key)


@pytest.mark.skipif(os.geteuid() == 0, reason="root: writes everywhere")
def test_a_folder_that_cannot_be_written_keeps_the_old_key_and_the_offer(key, port, caplog):
    old = load(key)
    new, _ = rotation.begin(key)
    key.parent.chmod(0o500)
    port.accepted(new.kid)
    key.parent.chmod(0o700)
    assert "offered again at the next connect" in caplog.text
    assert load(key).kid == old.kid
    port.accepted(new.kid)
    assert load(key).kid == new.kid


ROTATE_FOR_EVER = """
import sys
from pathlib import Path
from moodify.cloud import rotation
path = Path(sys.argv[1])
port = rotation.KeyRotation(path, "moodify")
while True:
    new, _ = rotation.begin(path)
    print(new.kid, flush=True)  # from here on the hub knows it
    port.accepted(new.kid)
"""


def test_killed_at_any_moment_the_device_keeps_its_id_and_a_key_that_the_hub_knows(key):
    first = load(key)
    known = {first.kid}
    for attempt in range(12):
        with subprocess.Popen([sys.executable, "-c", ROTATE_FOR_EVER, str(key)], stdout=subprocess.PIPE, text=True) as child:
            # Where it is killed is left to chance, within the few milliseconds that a rotation takes.
            known |= {child.stdout.readline().strip() for _ in range(1 + attempt % 3)}
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.0007 * (attempt + 1))
            os.kill(child.pid, signal.SIGKILL)
            known |= set(child.stdout.read().split())
        found = load_or_make(key)
        assert found.device == first.device
        assert found.kid in known
    assert len(known) > 12
    waiting, _ = rotation.begin(key)
    KeyRotation(key, "moodify").accepted(waiting.kid)
    assert load(key).kid == waiting.kid
