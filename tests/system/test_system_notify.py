import os
import socket
import threading
import uuid

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


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_over_its_socket(tmp_path, monkeypatch, abstract):
    name = f"@moodify-{uuid.uuid4()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0"))
        manager.settimeout(15)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notifier = Notifier()
        notifier.ready("Looking")
        assert notifier.listening
        assert manager.recv(1024) == b"READY=1\nSTATUS=Looking"


def full_queue(manager):
    """Tell a service manager that does not read, until no more fits; return how often."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        told = 0
        while True:
            try:
                probe.sendto(b"READY=1", manager.getsockname())
            except BlockingIOError:
                return told
            told += 1


def test_a_service_manager_that_does_not_read_for_a_while_holds_up_no_other_thread(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(15)
        notifier = Notifier(environ={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        waiting = full_queue(manager)
        thread = threading.Thread(target=notifier.stopping)
        thread.start()
        # Who keeps the interpreter's lock while it waits lets nobody read.
        heard = [manager.recv(1024) for _ in range(waiting + 1)]
        thread.join()
    assert heard[-1] == b"STOPPING=1"


def test_a_service_manager_that_never_reads_is_given_up(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("moodify.system.notify._PATIENCE_S", 0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        notifier = Notifier(environ={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert full_queue(manager) > 0
        notifier.stopping()
    assert "systemd was not told STOPPING" in caplog.text
