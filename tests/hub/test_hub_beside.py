"""What a hub beside an appliance does differently."""

import os
import threading
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from moodify.cloud.keys import device_of, kid_of, line_of, pem_of
from moodify.errors import EnrolmentRefused
from moodify.hub.beside import CONNECTIONS, call_at_end_of_input, enrol_from, loopback_only
from moodify.hub.config import HubConfig
from moodify.hub.database import open_database


@pytest.fixture
def registry(tmp_path):
    with open_database(tmp_path / "hub.db") as database:
        yield database.registry


def new_key():
    return ec.generate_private_key(ec.SECP256R1()).public_key()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "device.pub"


@pytest.mark.parametrize("written", [pem_of, line_of, lambda key: f"{device_of(key)} {line_of(key)}\n", lambda key: f"{device_of(key)}\n{pem_of(key)}"])
def test_the_device_of_the_key_is_let_in_and_again_nothing_changes(registry, file, written):
    key = new_key()
    file.write_text(written(key))
    enrol_from(file, registry)
    revision = registry.revision()
    enrol_from(file, registry)
    (device,) = registry.devices()
    assert (device.id, [one.kid for one in device.keys]) == (device_of(key), [kid_of(key)])
    assert registry.revision() == revision


def test_a_device_that_has_changed_its_key_keeps_its_id(registry, file):
    first, second = new_key(), new_key()
    file.write_text(f"{device_of(first)} {line_of(second)}")
    enrol_from(file, registry)
    assert [device.id for device in registry.devices()] == [device_of(first)]


def test_a_key_that_the_hub_missed_is_added(registry, file):
    first, second = new_key(), new_key()
    registry.enrol(device_of(first), pem_of(first), datetime.now(UTC))
    file.write_text(f"{device_of(first)} {line_of(second)}")
    enrol_from(file, registry)
    (device,) = registry.devices()
    assert [key.kid for key in device.keys] == [kid_of(first), kid_of(second)]


@pytest.mark.parametrize(("content", "said"), [(b"nonsense", "no public key"), (b"", "no public key"), (b"\xff\xfe", "can't be read"), (None, "can't be read")])
def test_a_file_without_a_key_is_refused(registry, file, content, said):
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EnrolmentRefused, match=said):
        enrol_from(file, registry)
    assert registry.devices() == []


def test_it_listens_on_loopback_whatever_is_configured():
    config = loopback_only(HubConfig(retention_days=7))
    assert (config.host, config.port, config.tls, config.api_host, config.api_port, config.announce, config.retention_days) == ("127.0.0.1", 0, False, "127.0.0.1", 0, False, 7)


def test_it_holds_few_connections_so_that_the_usual_limit_on_open_files_is_enough():
    assert loopback_only(HubConfig()).connections_max == CONNECTIONS
    assert 2 * CONNECTIONS + 256 < 1024


def test_the_end_of_input_is_seen_and_what_is_written_there_is_not_heeded():
    reading, writing = os.pipe()
    ended = threading.Event()
    call_at_end_of_input(ended.set, descriptor=reading)
    os.write(writing, b"hello\n")
    assert not ended.wait(0.2)
    os.close(writing)
    assert ended.wait(20)
    os.close(reading)


def test_input_that_cannot_be_read_is_an_end(caplog):
    reading, writing = os.pipe()
    os.close(reading)
    ended = threading.Event()
    call_at_end_of_input(ended.set, descriptor=writing)
    assert ended.wait(20)
    os.close(writing)
    assert "standard input can't be read" in caplog.text
