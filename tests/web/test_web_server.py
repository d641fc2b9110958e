import logging
import ssl
import threading

import httpx
import pytest

from moodify.errors import PersonMustAct
from moodify.web.app import create_app
from moodify.web.server import PageServer
from waiting import wait_until


def test_port_0_is_a_port_that_answers(server):
    assert server.port > 0
    assert server.alive
    assert httpx.get(f"{server.url}/healthz", trust_env=False).text == "ok"


def test_a_busy_port_names_itself_and_the_fix(server, house, accounts):
    with pytest.raises(PersonMustAct, match=rf"Port {server.port} .* set another port under \[web\]"):
        PageServer(create_app(house, accounts), "127.0.0.1", server.port)


def test_an_address_of_another_machine_names_the_fix(house, accounts):
    with pytest.raises(PersonMustAct, match=r"192\.0\.2\.1.*127\.0\.0\.1"):
        PageServer(create_app(house, accounts), "192.0.2.1", 0, tls=ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))


def test_plain_http_is_spoken_on_loopback_alone(house, accounts):
    with pytest.raises(ValueError, match="would show passwords"):
        PageServer(create_app(house, accounts), "0.0.0.0", 0)


def test_the_port_is_free_again_after_a_stop(house, accounts):
    first = PageServer(create_app(house, accounts), "127.0.0.1", 0)
    first.start()
    assert httpx.get(f"{first.url}/healthz", trust_env=False).status_code == 200
    first.stop()
    with PageServer(create_app(house, accounts), "127.0.0.1", first.port) as second:
        assert httpx.get(f"{second.url}/healthz", trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{second.url}/healthz", trust_env=False)


def test_a_server_that_ends_by_an_error_is_not_dead_in_silence(house, accounts, monkeypatch):
    died = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    server = PageServer(create_app(house, accounts), "127.0.0.1", 0)
    try:
        server.start()
        # Not before: a start that fails is told to who started it.
        monkeypatch.setattr(server._server, "on_tick", lambda _counter: 1 / 0)
        wait_until(lambda: died, what="the end of its thread")
        wait_until(lambda: not server.alive, what="being told as dead")
    finally:
        server.stop()
    assert (died[0].thread.name, died[0].exc_type) == ("web", ZeroDivisionError)


def test_an_idle_connection_does_not_hold_up_the_stop(house, accounts):
    with httpx.Client(trust_env=False) as client:
        with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server:
            assert client.get(f"{server.url}/healthz").status_code == 200
        assert not server.alive


def test_all_calls_to_the_house_come_from_one_thread(browser, house, monkeypatch):
    threads = set()
    asked = house.history
    monkeypatch.setattr(house, "history", lambda limit: (threads.add(threading.current_thread().name), asked(limit))[1])
    monkeypatch.setattr(house, "press_scan", lambda: threads.add(threading.current_thread().name))
    for _ in range(3):
        browser.get("/api/events")
        browser.post("/api/scan", json={})
    assert threads == {"web"}


def test_requests_are_not_logged_and_refusals_are(house, accounts, caplog):
    caplog.set_level(logging.INFO)
    with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        client.get("/healthz")
        client.get("/api/now")
        client.get("/api/now", headers={"Host": "rebound.example"})
    ours = [(record.name, record.levelname) for record in caplog.records if record.name.startswith("moodify")]
    assert ours == [("moodify.web.server", "INFO"), ("moodify.web.guard", "WARNING")]


def test_forwarded_addresses_are_not_believed(program):
    answer = program.post("/api/scan", json={}, headers={"X-Forwarded-Proto": "https", "Origin": str(program.base_url).rstrip("/").replace("http:", "https:")})
    assert answer.status_code == 403
