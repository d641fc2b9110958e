"""Taking a hub for this device's: over real TLS, by its fingerprint, and never another."""

import json
import os
import socket
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import pytest

from moodify.cloud import enrolment
from moodify.cloud.certificates import Certificate, fetch, read_fingerprint, same_fingerprint
from moodify.cloud.identity import load_or_make
from moodify.cloud.keys import read_public
from moodify.cloud.port import Delivery
from moodify.config.model import LinkConfig
from moodify.errors import CannotWork, EnrolmentRefused, LinkDown, LinkRefused, MoodifyError, PersonMustAct
from tls import make_certificate, tls_server

HOST = "127.0.0.1"
OTHER = "sha256:" + "ab" * 32


def now():
    return datetime.now(UTC)


@pytest.fixture
def files(tmp_path):
    return make_certificate(tmp_path / "hub")


@pytest.fixture
def certificate(files):
    return Certificate.from_pem(files[0].read_text())


@pytest.fixture
def hub(files):
    with tls_server(files) as port:
        yield port


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


def test_a_hub_with_the_fingerprint_that_a_person_vouches_for_is_kept(hub, folder, certificate):
    moment = now().replace(microsecond=0)
    made = enrolment.enrol(folder, HOST, hub, certificate.fingerprint, name="Attic", now=moment)
    assert enrolment.load(folder) == made
    assert (made.host, made.port, made.certificate, made.name, made.enrolled) == (HOST, hub, certificate, "Attic", moment)
    assert (folder / "hub.json").stat().st_mode & 0o777 == 0o600
    assert set(json.loads((folder / "hub.json").read_text())) == {"host", "port", "fingerprint", "certificate", "name", "enrolled"}


def test_a_hub_without_a_name_is_called_by_its_address(hub, folder, certificate):
    assert enrolment.enrol(folder, HOST, hub, certificate.fingerprint, now=now()).name == HOST


def test_a_hub_with_another_fingerprint_is_refused_with_both_shown_and_nothing_kept(hub, folder, certificate):
    with pytest.raises(EnrolmentRefused) as raised:
        enrolment.enrol(folder, HOST, hub, OTHER, now=now())
    assert certificate.fingerprint in str(raised.value)
    assert OTHER in str(raised.value)
    assert not folder.exists()


def test_one_that_is_enrolled_stays_when_another_is_refused(hub, folder, certificate):
    made = enrolment.enrol(folder, HOST, hub, certificate.fingerprint, now=now())
    with pytest.raises(EnrolmentRefused):
        enrolment.enrol(folder, HOST, hub, OTHER, now=now())
    assert enrolment.load(folder).certificate == made.certificate


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"now": now() - timedelta(days=4000)}, "has expired"),
        ({"names": ["hub.elsewhere"]}, f"another name than {HOST}"),
    ],
)
def test_a_certificate_that_the_link_would_refuse_is_refused_at_once(tmp_path, folder, made, said):
    files = make_certificate(tmp_path / "other", **made)
    certificate = Certificate.from_pem(files[0].read_text())
    with tls_server(files) as port, pytest.raises(LinkRefused, match=said):
        enrolment.enrol(folder, HOST, port, certificate.fingerprint, now=now())
    assert enrolment.load(folder) is None


def test_fetching_a_certificate_tells_the_server_nothing(files, certificate):
    said = []
    with tls_server(files, said=said) as port:
        assert fetch(HOST, port) == certificate
    assert said == []


def test_nobody_there_is_for_later():
    # Held, and not listened at: a port that was given back could be another's by now.
    with socket.socket() as held:
        held.bind((HOST, 0))
        port = held.getsockname()[1]
        with pytest.raises(LinkDown, match=f"no hub answers at {HOST}:{port}"):
            fetch(HOST, port)


def test_one_that_takes_the_connection_and_says_nothing_is_given_up():
    with socket.create_server((HOST, 0)) as mute, pytest.raises(LinkDown, match="timed out"):
        fetch(HOST, mute.getsockname()[1], timeout_s=0.2)


def test_one_that_does_not_speak_tls_is_no_hub():
    with socket.create_server((HOST, 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(LinkRefused, match="not as a hub does"):
            fetch(HOST, server.getsockname()[1])
        thread.join()


@pytest.mark.parametrize("host", ["", "a" * 300, "a..b", "hub\0home", "é" * 70])
def test_no_host_brings_an_error_of_a_vendors(host):
    with pytest.raises((LinkDown, LinkRefused)):
        fetch(host, 1, timeout_s=2)


def test_the_fingerprint_is_the_one_that_openssl_shows(files, certificate):
    shown = subprocess.run(["openssl", "x509", "-in", str(files[0]), "-noout", "-fingerprint", "-sha256"], check=True, capture_output=True, text=True).stdout
    assert read_fingerprint(shown) == certificate.fingerprint


DIGITS = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "typed",
    [
        f"sha256:{DIGITS}",
        f"SHA256:{DIGITS.upper()}",
        DIGITS,
        ":".join(DIGITS[at : at + 2] for at in range(0, 64, 2)),
        f"sha256 Fingerprint={DIGITS}",
        f" sha-256: {DIGITS}\n",
        f"sha256:{DIGITS[:32]} {DIGITS[32:]}",
    ],
)
def test_a_fingerprint_may_be_typed_in_any_of_its_usual_forms(typed):
    assert read_fingerprint(typed) == f"sha256:{DIGITS}"


@pytest.mark.parametrize("typed", ["", "sha256:", DIGITS[:-1], DIGITS + "0", "g" * 64, f"md5:{DIGITS}", "sha256:é" + DIGITS[1:]])
def test_what_is_no_fingerprint_is_refused_and_says_where_one_is_found(typed):
    with pytest.raises(CannotWork, match="moodify hub status"):
        read_fingerprint(typed)


def test_fingerprints_are_compared_whole():
    assert same_fingerprint(f"sha256:{DIGITS}", f"sha256:{DIGITS}")
    assert not same_fingerprint(f"sha256:{DIGITS}", f"sha256:{DIGITS[:-1]}0")
    assert not same_fingerprint(f"sha256:{DIGITS}", "é")


def test_a_folder_without_the_file_belongs_to_no_hub(folder):
    assert enrolment.load(folder) is None
    assert enrolment.load(folder / "hub.json" / "deeper") is None
    assert not enrolment.forget(folder)


@pytest.fixture
def enrolled(folder, certificate):
    enrolment.save(folder, enrolment.Enrolment("hub.home", 8883, certificate, "Attic", now()))
    return folder / "hub.json"


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: kept.update(fingerprint=OTHER),
        lambda kept: kept.update(certificate="-----BEGIN CERTIFICATE-----"),
        lambda kept: kept.update(certificate="é"),
        lambda kept: kept.update(port=0),
        lambda kept: kept.update(port="8883"),
        lambda kept: kept.update(host=""),
        lambda kept: kept.update(host=None),
        lambda kept: kept.update(enrolled="yesterday"),
        lambda kept: kept.pop("name"),
    ],
)
def test_a_damaged_file_is_named_and_says_what_to_do(enrolled, change):
    kept = json.loads(enrolled.read_text())
    change(kept)
    enrolled.write_text(json.dumps(kept))
    with pytest.raises(PersonMustAct, match="moodify device enroll") as raised:
        enrolment.load(enrolled.parent)
    assert str(enrolled) in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_json_object_is_damaged_and_can_still_be_forgotten(enrolled, content):
    enrolled.write_bytes(content)
    with pytest.raises(PersonMustAct, match="is damaged"):
        enrolment.load(enrolled.parent)
    assert enrolment.forget(enrolled.parent)
    assert enrolment.load(enrolled.parent) is None


def test_what_is_enrolled_meanwhile_counts_from_the_next_look_on(enrolled, certificate):
    enrolment.save(enrolled.parent, enrolment.Enrolment("other.home", 1883, certificate, "Cellar", now()))
    assert enrolment.load(enrolled.parent).host == "other.home"


def test_a_folder_in_the_files_place_is_an_error_of_ours(folder):
    (folder / "hub.json" / "x").mkdir(parents=True)
    for act in (lambda: enrolment.load(folder), lambda: enrolment.forget(folder)):
        with pytest.raises(MoodifyError, match=r"hub\.json"):
            act()


@pytest.mark.skipif(os.geteuid() == 0, reason="root: writes everywhere")
def test_a_folder_that_cannot_be_written_is_named(enrolled, certificate):
    enrolled.parent.chmod(0o500)
    for act in (lambda: enrolment.save(enrolled.parent, enrolment.Enrolment("h", 1, certificate, "h", now())), lambda: enrolment.forget(enrolled.parent)):
        with pytest.raises(PersonMustAct, match="give the folder to the user"):
            act()
    enrolled.parent.chmod(0o700)


def test_the_line_for_the_hub_holds_the_devices_id_and_its_key_and_fits_a_terminal(tmp_path):
    identity = load_or_make(tmp_path / "device.key")
    *words, device, key = enrolment.hub_command(identity).split(" ")
    assert (words, device) == (["moodify", "hub", "enroll"], identity.device)
    assert read_public(key).public_numbers() == identity.key.public_key().public_numbers()
    assert len(enrolment.hub_command(identity)) == 82


@pytest.mark.parametrize(
    ("link", "delivery"),
    [
        ({}, Delivery.HUB),
        ({"host": "broker.home"}, Delivery.BROKER),
        ({"host": "hub.home", "delivery": "hub"}, Delivery.HUB),
        ({"delivery": "broker"}, Delivery.BROKER),
    ],
)
def test_a_summary_has_arrived_when_the_hub_says_so_unless_a_broker_is_named(link, delivery):
    assert enrolment.delivery_of(LinkConfig(**link)) is delivery
