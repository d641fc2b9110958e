"""What turns a board into the appliance: each file is read by the program that it is for, and each line says why."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ports import free_port

#: The most settings that one comment may speak of.
RUN = 4


def lines(file):
    return file.read_text("utf-8").splitlines()


@pytest.fixture
def folder(project_root):
    return project_root / "firmware_config"


def files(folder):
    return [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".md"]


def says_nothing(text):
    """The settings that no comment stands above: not right above, and not above the few that they stand among."""
    silent, run = [], RUN
    for line in map(str.strip, text.splitlines()):
        # Words of apt's begin as a comment does.
        if line.startswith(("#", "//")) and not line.startswith("#clear"):
            run = 0
        elif not line or re.fullmatch(r"\[.*\]", line):
            # What was said before is about something else; what is in a section is spoken of there.
            run = RUN
        elif line not in {"};", "}"}:
            run += 1
            if run > RUN:
                silent.append(line)
    return silent


def test_every_line_says_why(folder):
    assert len(files(folder)) > 12
    for file in files(folder):
        assert says_nothing(file.read_text("utf-8")) == [], file


@pytest.mark.parametrize("text", ["a=1", "# why\n\na=1", "# why\n[s]\na=1", "# why" + "\na=1" * (RUN + 1)])
def test_a_line_without_a_reason_would_be_found(text):
    assert says_nothing(text) == ["a=1"]


@pytest.mark.parametrize("service", ["journald", "system"])
def test_systemd_reads_the_settings_and_knows_each(folder, tmp_path, service):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze, which scripts/test --all installs (package systemd)")
    name = f"systemd/{service}.conf"
    shipped = subprocess.run(["systemd-analyze", "cat-config", name], capture_output=True, text=True, check=True, timeout=60).stdout
    known = set(re.findall(r"(?m)^#?([A-Z]\w+)=", shipped))
    assert known, "Debian's own file lists every key"
    (tmp_path / f"etc/{name}.d").mkdir(parents=True)
    shutil.copy(folder / f"{service}.conf.d/moodify.conf", tmp_path / f"etc/{name}.d")
    (tmp_path / f"etc/{name}").write_text("")
    read = subprocess.run(["systemd-analyze", "cat-config", f"--root={tmp_path}", name], capture_output=True, text=True, check=True, timeout=60).stdout
    settings = dict(re.findall(r"(?m)^([A-Z]\w+)=(.+)$", read))
    assert settings
    assert set(settings) <= known


def test_the_log_stays_off_the_card(folder):
    assert "Storage=volatile" in lines(folder / "journald.conf.d/moodify.conf")


def test_the_watchdog_is_within_what_a_pi_can_count(folder):
    seconds = re.search(r"(?m)^RuntimeWatchdogSec=(\d+)s$", (folder / "system.conf.d/moodify.conf").read_text())[1]
    assert 10 <= int(seconds) <= 15
    assert "dtparam=watchdog=on" in lines(folder / "boot/config.txt")


def test_the_boot_settings_are_such_that_the_firmware_reads_them(folder):
    settings = [line for line in lines(folder / "boot/config.txt") if line and not line.startswith("#")]
    assert settings[0] == "[all]"
    for line in settings[1:]:
        assert re.fullmatch(r"[a-z_0-9]+=[a-z0-9,=-]+", line), line
    # The firmware reads no more of a line than this.
    assert all(len(line) <= 98 for line in lines(folder / "boot/config.txt"))


def test_the_boot_settings_leave_the_camera_to_libcamera(folder):
    text = (folder / "boot/config.txt").read_text()
    assert "\ncamera_auto_detect=1\n" in text
    # Of the old camera stack, which takes the camera away from libcamera.
    assert not re.search(r"(?m)^(start_x|gpu_mem)", text)


@pytest.fixture
def certificates(tmp_path):
    """A certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(minutes=1), now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder = tmp_path / "certs"
    folder.mkdir()
    public = certificate.public_bytes(serialization.Encoding.PEM)
    for file, content in (("ca.crt", public), ("broker.crt", public), ("broker.key", private)):
        (folder / file).write_bytes(content)
        (folder / file).chmod(0o600)
    return folder


@pytest.fixture
def household(folder, tmp_path, certificates):
    """Debian's mosquitto with our listener, its files and port replaced and nothing else; the port it listens on."""
    programs = os.environ["PATH"] + ":/usr/sbin"
    passwords = tmp_path / "moodify.passwd"
    passwords.write_text("moodify:appliance\nhousehold:everybody\n")
    subprocess.run([shutil.which("mosquitto_passwd", path=programs), "-U", str(passwords)], check=True, timeout=30)
    access = tmp_path / "moodify.acl"
    shutil.copy(folder / "mosquitto/moodify.acl", access)
    access.chmod(0o600)
    port = free_port()
    configuration = (folder / "mosquitto/moodify.conf").read_text()
    for theirs, ours in (
        ("listener 8883", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/certs", str(certificates)),
        ("password_file /etc/mosquitto/moodify.passwd", f"password_file {passwords}"),
        ("acl_file /etc/mosquitto/moodify.acl", f"acl_file {access}"),
    ):
        assert theirs in configuration
        configuration = configuration.replace(theirs, ours)
    file = tmp_path / "household.conf"
    # Root's mosquitto would become another user, who can't read this test's folder.
    file.write_text(configuration + ("user root\n" if os.geteuid() == 0 else ""))
    with subprocess.Popen(
        [shutil.which("mosquitto", path=programs), "-c", str(file)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as broker:
        try:
            until_s = time.monotonic() + 15
            while True:
                assert broker.poll() is None, broker.stderr.read()
                assert time.monotonic() < until_s
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    time.sleep(0.02)
                else:
                    break
            yield port
        finally:
            broker.terminate()
            broker.wait(10)


@pytest.fixture
def member(household, certificates):
    """Sign in at the household's broker; the client keeps what came in ``said`` and what was granted in ``granted``."""
    clients = []

    def sign_in(user, password, *topics, will=None):
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.said, client.granted, client.answer = [], [], None

        def connected(_client, _data, _flags, reason, _properties):
            client.answer = reason
            for topic in topics:
                client.subscribe(topic, qos=1)

        client.on_connect = connected
        client.on_subscribe = lambda _client, _data, _mid, reasons, _properties: client.granted.extend(reasons)
        client.on_message = lambda _client, _data, message: client.said.append((message.topic, message.payload))
        client.tls_set(ca_certs=str(certificates / "ca.crt"), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        client.username_pw_set(user, password)
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 60
        if will is not None:
            delay = Properties(PacketTypes.WILLMESSAGE)
            delay.WillDelayInterval = 1
            client.will_set(will, b"gone", qos=1, properties=delay)
        client.connect("127.0.0.1", household, properties=session)
        clients.append(client)
        pump(clients, lambda: client.answer is not None and (client.answer.is_failure or len(client.granted) == len(topics)))
        return client

    yield sign_in
    for client in clients:
        client.disconnect()


def pump(clients, condition):
    until_s = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < until_s
        for client in clients:
            client.loop(0.02)


def test_the_household_hears_the_appliance_and_commands_it(member):
    appliance = member("moodify", "appliance", "moodify/v1/m-abc/down/cmd/#")
    home = member("household", "everybody", "moodify/v1/+/up/#")
    appliance.publish("moodify/v1/m-abc/up/ev", b"happy", qos=1)
    home.publish("moodify/v1/m-abc/down/cmd/rescan", b"{}", qos=1)
    pump([appliance, home], lambda: home.said and appliance.said)
    assert home.said == [("moodify/v1/m-abc/up/ev", b"happy")]
    assert appliance.said == [("moodify/v1/m-abc/down/cmd/rescan", b"{}")]


def test_nobody_speaks_in_anothers_place(member):
    appliance = member("moodify", "appliance", "moodify/v1/+/down/#")
    home = member("household", "everybody", "moodify/v1/+/up/#")
    home.publish("moodify/v1/m-abc/up/ev", b"forged", qos=1)
    appliance.publish("moodify/v1/m-abc/down/cmd/rescan", b"forged", qos=1)
    # What is allowed and comes after shows that what was refused would have come by now.
    appliance.publish("moodify/v1/m-abc/up/ev", b"true", qos=1)
    home.publish("moodify/v1/m-abc/down/cmd/rescan", b"true", qos=1)
    pump([appliance, home], lambda: home.said and appliance.said)
    assert [payload for _, payload in home.said + appliance.said] == [b"true", b"true"]


def test_the_household_hears_when_the_appliance_is_gone(member):
    appliance = member("moodify", "appliance", will="moodify/v1/m-abc/up/status")
    home = member("household", "everybody", "moodify/v1/+/up/#")
    # Without a goodbye, as by a power cut.
    appliance.socket().shutdown(socket.SHUT_RDWR)
    pump([home], lambda: home.said)
    assert home.said == [("moodify/v1/m-abc/up/status", b"gone")]


@pytest.mark.parametrize(("user", "password"), [("moodify", "guessed"), ("stranger", "appliance")])
def test_a_stranger_is_refused(member, user, password):
    assert member(user, password).answer.is_failure
