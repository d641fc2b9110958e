"""Whom the link trusts, and what it says of whom it does not; at a real mosquitto with TLS."""

from __future__ import annotations

import json
import ssl
from datetime import timedelta

import pytest
from authorities import DAY, Authority, context_of
from stub_broker import StubBroker

from moodify.cloud.opening import open_socket
from moodify.cloud.port import Endpoint, LinkState
from moodify.errors import LinkDown, LinkRefused
from moodify.hub.certificate import make
from ports import free_port


@pytest.fixture
def home(tmp_path):
    return Authority(tmp_path, "home")


@pytest.fixture
def tls_broker(mosquitto):
    """A maker of mosquittos with TLS, given certificate and key; returns the port."""

    def make_one(certificate, key):
        port = free_port()
        mosquitto(f"listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {certificate}\nkeyfile {key}\n", port=port)
        return port

    return make_one


def refusal(endpoint, kind=LinkRefused):
    with pytest.raises(kind) as caught:
        open_socket(endpoint)
    return str(caught.value)


def test_over_tls_to_an_authority_of_the_home_all_is_delivered(tls_broker, home, device_at):
    port = tls_broker(*home.server("127.0.0.1"))
    device = device_at(lambda: Endpoint("127.0.0.1", port, tls=True, ca_file=home.file))
    device.happen(50, text="x" * 5_000)
    device.until_empty()
    assert device.changes == [("online", "connected")]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_certificate_of_a_hub_is_trusted_as_it_is_once_it_is_pinned(tls_broker, tmp_path, device_at, host):
    make(tmp_path / "hub.pem", tmp_path / "hub.key", ["127.0.0.1", "localhost"])
    port = tls_broker(tmp_path / "hub.pem", tmp_path / "hub.key")
    device = device_at(lambda: Endpoint(host, port, tls=True, ca_data=(tmp_path / "hub.pem").read_text()))
    device.happen(3)
    device.until_empty()
    assert device.link.state is LinkState.ONLINE


def test_a_brokers_own_certificate_may_be_named_without_its_authority(tls_broker, home):
    certificate, key = home.server("127.0.0.1")
    port = tls_broker(certificate, key)
    opened = open_socket(Endpoint("127.0.0.1", port, tls=True, ca_file=certificate))
    assert isinstance(opened, ssl.SSLSocket)
    assert opened.version() in {"TLSv1.2", "TLSv1.3"}
    opened.close()


@pytest.mark.parametrize("as_python_does", [True, False])
def test_the_same_is_trusted_whatever_a_python_asks_for_by_itself(tls_broker, home, monkeypatch, as_python_does):
    # Python 3.13's defaults (What's New in Python 3.13, ssl), under which a home's authority would not do.
    usual = ssl.create_default_context

    def strict(**options):
        context = usual(**options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    port = tls_broker(*home.server("127.0.0.1"))
    if as_python_does:
        monkeypatch.setattr(ssl, "create_default_context", strict)
    open_socket(Endpoint("127.0.0.1", port, tls=True, ca_file=home.file)).close()


def test_a_wrong_authority_is_refused_by_its_name(tls_broker, home, tmp_path):
    port = tls_broker(*home.server("127.0.0.1"))
    stranger = Authority(tmp_path, "stranger")
    assert refusal(Endpoint("127.0.0.1", port, tls=True, ca_file=stranger.file)) == (
        f"the certificate of the broker 127.0.0.1:{port} is signed by none that {stranger.file} knows; set [link] ca_file to the certificate of its authority"
    )
    assert refusal(Endpoint("127.0.0.1", port, tls=True)) == (
        f"the certificate of the broker 127.0.0.1:{port} is signed by none that the system's authorities know; set [link] ca_file to the certificate of its authority"
    )


def test_another_hub_than_the_enrolled_one_is_refused(tls_broker, tmp_path):
    for name in ("hub", "other"):
        make(tmp_path / f"{name}.pem", tmp_path / f"{name}.key", ["127.0.0.1"])
    port = tls_broker(tmp_path / "other.pem", tmp_path / "other.key")
    assert refusal(Endpoint("127.0.0.1", port, tls=True, ca_data=(tmp_path / "hub.pem").read_text())) == (
        f"the certificate of the broker 127.0.0.1:{port} is not the one that this device was enrolled with; if the hub has a new one, enrol again: moodify device enroll"
    )


@pytest.mark.parametrize(("host", "names"), [("127.0.0.1", ["broker.home", "192.0.2.7"]), ("localhost", ["broker.home", "127.0.0.1"])])
def test_a_wrong_name_is_refused(tls_broker, home, host, names):
    port = tls_broker(*home.server(*names))
    assert refusal(Endpoint(host, port, tls=True, ca_file=home.file)) == (
        f"the certificate of the broker {host}:{port} is for another name than {host}; set [link] host to a name that is in it"
    )
    assert refusal(Endpoint(host, port, tls=True, ca_data=home.pem)).endswith(f"another name than {host}; enrol this device again with a name that is in it: moodify device enroll")


def test_an_expired_certificate_is_refused_with_the_clock_that_it_was_held_against(tls_broker, home):
    port = tls_broker(*home.server("127.0.0.1", ends=-timedelta(minutes=1)))
    said = refusal(Endpoint("127.0.0.1", port, tls=True, ca_file=home.file))
    assert said.startswith(f"the certificate of the broker 127.0.0.1:{port} has expired; renew it on the broker (this device's clock says 20")
    assert "make the hub a new one and enrol this device again: moodify device enroll" in refusal(Endpoint("127.0.0.1", port, tls=True, ca_data=home.pem))


def test_a_pinned_certificate_that_has_expired_is_refused_too(tls_broker, home):
    certificate, key = home.server("127.0.0.1", ends=-timedelta(minutes=1))
    port = tls_broker(certificate, key)
    assert "has expired" in refusal(Endpoint("127.0.0.1", port, tls=True, ca_data=certificate.read_text()))


def test_a_certificate_that_is_not_good_yet_is_tried_again_soon_for_the_clock_may_be_behind(tls_broker, home):
    port = tls_broker(*home.server("127.0.0.1", begins=DAY, ends=3 * DAY))
    with pytest.raises(LinkDown, match=r"not good yet; this device's clock says 20.* connect the network so that it is set") as caught:
        open_socket(Endpoint("127.0.0.1", port, tls=True, ca_file=home.file))
    assert caught.value.retry_after_s == 5


def test_a_port_without_tls_is_told_apart_from_a_bad_certificate(open_broker, home):
    port = open_broker.endpoint.port
    said = refusal(Endpoint("127.0.0.1", port, tls=True, ca_file=home.file), LinkDown)
    assert said.startswith(f"the broker 127.0.0.1:{port} does not answer in TLS (")
    assert said.endswith("); check [link] port: 8883 is the usual one with TLS")


def test_a_missing_or_wrong_file_of_an_authority_is_named(tmp_path):
    (tmp_path / "text").write_text("no certificate")
    missing, text = (refusal(Endpoint("127.0.0.1", 1, tls=True, ca_file=tmp_path / name)) for name in ("missing", "text"))
    assert missing == f"the file {tmp_path}/missing, which says whom to trust, cannot be read: No such file or directory; correct [link] ca_file"
    assert text == f"the file {tmp_path}/text, which says whom to trust, cannot be read: it holds no certificate; correct [link] ca_file"
    assert refusal(Endpoint("127.0.0.1", 1, tls=True, ca_data="no certificate")).endswith("cannot be read: it holds no certificate; enrol this device again: moodify device enroll")


def test_a_refused_certificate_shows_and_heals_when_it_is_replaced(home, tmp_path, device_at):
    stranger = Authority(tmp_path, "stranger")
    with StubBroker(context_of(*stranger.server("127.0.0.1"))) as stub:
        device = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=True, ca_file=home.file))
        device.happen(30)
        device.pump_until(lambda: device.link.state is LinkState.REFUSED)
        assert stub.connects == [], "no password goes to a stranger"
        stub.tls = context_of(*home.server("127.0.0.1"))
        device.until_empty()
        assert [json.loads(payload)["seq"] for payload in stub.events()] == list(range(1, 31))
