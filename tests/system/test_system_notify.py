import os
import socket
import sys

import pytest

from moodify.system.notify import Notifier


def test_a_process_without_systemd_says_nothing_and_has_no_watchdog():
    notifier = Notifier(environ={"WATCHDOG_USEC": "20000000"})
    notifier.ready()
    notifier.alive()
    notifier.stopping()
    assert not notifier.listening
    assert notifier.watchdog_s is None


def test_a_life_is_told_in_order():
    said = []
    notifier = Notifier(send=said.append, environ={"WATCHDOG_USEC": "20000000"})
    notifier.starting_takes(300)
    notifier.ready("Looking")
    notifier.alive()
    notifier.status("Playing\nX=1")
    notifier.status("Playing\nX=1")
    notifier.stopping()
    assert said == ["EXTEND_TIMEOUT_USEC=300000000", "READY=1\nSTATUS=Looking", "WATCHDOG=1", "STATUS=Playing X=1", "STOPPING=1"]


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "20000000"}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid())}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_the_one_that_is_meant_for_this_process(environ, seconds):
    assert Notifier(send=list, environ=environ).watchdog_s == seconds


def test_the_watchdog_is_not_fed_where_there_is_none():
    said = []
    Notifier(send=said.append, environ={}).alive()
    assert said == []


def test_a_service_manager_that_does_not_listen_ends_nothing(caplog):
    def deaf(_message):
        raise ConnectionRefusedError(111, "Connection refused")

    Notifier(send=deaf, environ={}).ready()
    assert "systemd was not told READY" in caplog.text


def test_systemd_hears_over_its_socket(tmp_path, monkeypatch):
    pytest.importorskip("systemd.daemon", reason="systemd-python is not installed (extra: systemd)")
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        notifier = Notifier()
        notifier.ready("Looking")
        assert notifier.listening
        assert manager.recv(1024) == b"READY=1\nSTATUS=Looking"


def test_a_missing_package_is_said_once_and_then_silent(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "systemd.daemon", None)
    notifier = Notifier(environ={"NOTIFY_SOCKET": str(tmp_path / "notify")})
    notifier.ready()
    notifier.stopping()
    assert caplog.text.count("-m pip install 'systemd-python>=235'") == 1
    assert not notifier.listening
