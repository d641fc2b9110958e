"""Alerts by webhook, at a real HTTP server; and where the hub does not go, whoever asks it to."""

import hashlib
import hmac
import ipaddress
import json
import time

import pytest
from alert_parts import ALERT, OVER, Receiver, delivery

from moodify.errors import CannotWork, MoodifyError, PersonMustAct, RetryLater
from moodify.hub.alerts import destination
from moodify.hub.alerts.port import ChannelKind, What
from moodify.hub.alerts.webhook import Webhook, new_secret
from tls import make_certificate

LOOPBACK = (ipaddress.ip_network("127.0.0.1"),)
PUBLIC = "93.184.216.34"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"), names=("hooks.example",))


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def hook(url, **changes):
    return delivery(url, kind=ChannelKind.WEBHOOK, **changes)


def known(**addresses):
    """Return what looks names up."""
    return lambda host, _port: [addresses[host.replace(".", "_")]] if host.replace(".", "_") in addresses else [host]


def test_a_message_gets_there_and_says_what_and_about_whom(receiver):
    message = hook(f"http://127.0.0.1:{receiver.port}/hook?key=1")
    Webhook(LOOPBACK).carry(message)
    ((path, headers, body),) = receiver.posts
    assert path == "/hook?key=1"
    assert headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert headers["X-Moodify-Delivery"] == message.id
    assert json.loads(body) == {
        "id": message.id,
        "event": "raised",
        "title": "Moodify: Kitchen is offline",
        "message": ALERT.words,
        "written": "2026-03-01T12:00:00+00:00",
        "rule": "offline",
        "device": {"id": "m-abc", "name": "Kitchen"},
        "raised": "2026-03-01T12:00:00+00:00",
        "cleared": None,
    }


def test_the_all_clear_and_a_test_say_that_they_are_one(receiver):
    for what in (What.CLEARED, What.TEST):
        Webhook(LOOPBACK).carry(hook(f"http://127.0.0.1:{receiver.port}/", what=what, alert=OVER))
    over, test = receiver.said()
    assert (over["event"], over["message"], over["cleared"]) == ("cleared", "Kitchen is online again.", "2026-03-01T13:00:00+00:00")
    assert test["event"] == "test"
    assert "device" not in test


def test_the_receiver_can_tell_who_wrote_and_when(receiver):
    secret = new_secret()
    Webhook(LOOPBACK).carry(hook(f"http://127.0.0.1:{receiver.port}/", secret=secret))
    ((_, headers, body),) = receiver.posts
    expected = hmac.new(secret.encode(), headers["X-Moodify-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Moodify-Signature"] == f"sha256={expected}"
    assert abs(time.time() - int(headers["X-Moodify-Timestamp"])) < 60


@pytest.mark.parametrize(
    ("status", "error"), [(301, PersonMustAct), (404, PersonMustAct), (410, PersonMustAct), (408, RetryLater), (429, RetryLater), (500, RetryLater), (503, RetryLater)]
)
def test_what_the_receiver_answers_says_whether_it_is_worth_another_try(receiver, status, error):
    receiver.status = status
    with pytest.raises(error, match=str(status)):
        Webhook(LOOPBACK).carry(hook(f"http://127.0.0.1:{receiver.port}/secret"))


def test_a_redirect_is_not_followed(receiver):
    with Receiver() as inside:
        receiver.status, receiver.headers = 307, {"Location": f"http://127.0.0.1:{inside.port}/"}
        with pytest.raises(PersonMustAct):
            Webhook(LOOPBACK).carry(hook(f"http://127.0.0.1:{receiver.port}/"))
        assert not inside.posts


def test_a_receiver_that_is_away_is_tried_again_and_its_url_is_not_told():
    with Receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/the-secret-part"
    with pytest.raises(RetryLater) as away:
        Webhook(LOOPBACK).carry(hook(url))
    assert "the-secret-part" not in f"{away.value} {away.value.__cause__!r}"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "0.0.0.0", "[::]", "10.0.0.8", "172.16.3.4", "192.168.1.5", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1"),
        *("[fe80::1]", "[fd00::1]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_it_does_not_go_to_addresses_that_are_not_public(scheme, host):
    with pytest.raises(PersonMustAct, match="webhook_networks"):
        Webhook().carry(hook(f"{scheme}://{host}/"))


@pytest.mark.parametrize("written", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost"])
def test_however_loopback_is_written_it_does_not_go_there(written, receiver):
    with pytest.raises(MoodifyError):
        Webhook().carry(hook(f"https://{written}:{receiver.port}/"))
    assert not receiver.posts


def test_a_name_is_judged_by_every_address_that_it_has():
    with pytest.raises(PersonMustAct, match="no public address"):
        destination.resolve(destination.read("https://hooks.example/"), (), look_up=lambda *_: [PUBLIC, "10.0.0.8"])


def test_a_name_that_answers_otherwise_the_second_time_gains_nothing(receiver):
    answers = iter([["127.0.0.1"], ["10.0.0.8"]])
    Webhook(LOOPBACK, look_up=lambda *_: next(answers)).carry(hook(f"http://hooks.example:{receiver.port}/"))
    assert [headers["Host"] for _, headers, _ in receiver.posts] == [f"hooks.example:{receiver.port}"]


def test_plain_http_to_a_public_address_is_refused():
    with pytest.raises(PersonMustAct, match="https"):
        destination.resolve(destination.read("http://hooks.example/"), (), look_up=lambda *_: [PUBLIC])
    assert str(destination.resolve(destination.read("https://hooks.example/"), (), look_up=lambda *_: [PUBLIC])) == PUBLIC


@pytest.mark.parametrize("listed", ["192.168.1.5", "192.168.1.0/24"])
def test_a_home_network_that_is_listed_may_be_written_to(listed):
    allowed = (ipaddress.ip_network(listed),)
    assert str(destination.resolve(destination.read("http://192.168.1.5:8123/api/webhook/x"), allowed)) == "192.168.1.5"
    with pytest.raises(PersonMustAct):
        destination.resolve(destination.read("http://192.168.2.5/"), allowed)


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://hooks.example/", "file:///etc/passwd", "//hooks.example/", "hooks.example", "https://", "https://user:password@hooks.example/", "https://hooks.example/#part"),
        *(
            "https://hooks.example:99999/",
            "https://hooks.example:0/",
            "https://hooks.example/\r\nX: 1",
            "https://hooks.example\\@evil.example/",
            "https://höoks.example/",
            "https://[::1/",
        ),
        f"https://hooks.example/{'x' * 2000}",
    ],
)
def test_what_is_no_url_for_a_webhook_is_refused(url):
    with pytest.raises(CannotWork):
        destination.read(url)


def test_over_tls_the_certificate_has_to_be_the_names(files):
    with Receiver(files) as receiver:
        message = hook(f"https://hooks.example:{receiver.port}/")
        look_up = known(hooks_example="127.0.0.1", other_example="127.0.0.1")
        Webhook(LOOPBACK, ca_file=files[0], look_up=look_up).carry(message)
        assert len(receiver.posts) == 1
        with pytest.raises(PersonMustAct, match="certificate"):
            Webhook(LOOPBACK, ca_file=files[0], look_up=look_up).carry(hook(f"https://other.example:{receiver.port}/"))
        with pytest.raises(PersonMustAct, match="certificate"):
            Webhook(LOOPBACK, look_up=look_up).carry(message)
        assert len(receiver.posts) == 1


def test_neither_a_proxy_nor_a_netrc_of_the_environment_is_used(receiver, monkeypatch, tmp_path):
    with Receiver() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        Webhook(LOOPBACK).carry(hook(f"http://127.0.0.1:{receiver.port}/"))
        assert not proxy.posts
    assert "Authorization" not in receiver.posts[0][1]
