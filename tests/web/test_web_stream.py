import json
import socket
import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from moodify.errors import RetryLater
from moodify.web.app import create_app
from moodify.web.server import PageServer
from signed_in import cookies_of, sign_in
from waiting import wait_until


@pytest.fixture
def server(house, accounts):
    with PageServer(create_app(house, accounts, heartbeat_s=0.2, max_streams=3), "127.0.0.1", 0) as server:
        yield server


@contextmanager
def _stream(client):
    with client.stream("GET", "/api/stream") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


def _events(answer):
    kind = None
    for line in answer.iter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


def _watched_by(house, count):
    wait_until(lambda: house.watchers == count, what=lambda: f"{count} watchers instead of {house.watchers}")


def _next(events, wanted="now"):
    return next(data for kind, data in events if kind == wanted)


def test_a_stream_begins_with_now_and_tells_each_change(browser, house):
    with _stream(browser) as events:
        assert _next(events)["mood"] is None
        house.feel("happy", 0.9)
        assert _next(events)["mood"]["mood"] == "happy"
        house.set_privacy(on=True)
        assert _next(events)["privacy"] is True


def test_a_stream_says_that_it_lives_and_does_not_repeat_itself(browser, house):
    since = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    with _stream(browser) as events:
        assert next(events)[0] == "now"
        house.feel("happy", 0.9, since=since)
        assert next(kind for kind, _ in events if kind != "beat") == "now"
        house.feel("happy", 0.9, since=since)
        assert [next(events)[0] for _ in range(3)] == ["beat"] * 3


def test_a_browser_that_leaves_is_forgotten(browser, house):
    with _stream(browser) as events:
        _next(events)
        assert house.watchers == 1
    _watched_by(house, 0)


def test_one_stream_too_many_is_told_so_and_a_freed_place_is_given_again(server, cookies, house):
    clients = [httpx.Client(base_url=server.url, cookies=cookies, trust_env=False) for _ in range(4)]
    try:
        opened = [client.send(client.build_request("GET", "/api/stream"), stream=True) for client in clients[:3]]
        _watched_by(house, 3)
        assert clients[3].get("/api/stream").status_code == 503
        opened[0].close()
        _watched_by(house, 2)
        with _stream(clients[3]) as events:
            _next(events)
    finally:
        for client in clients:
            client.close()


def test_a_house_that_fails_ends_the_stream_so_that_the_browser_asks_again(browser, house):
    with _stream(browser) as events:
        _next(events)
        house.fail_with(RetryLater("Busy. Try again."))
        house.leave_demo()
        assert [kind for kind, _ in events if kind != "beat"] == []
    _watched_by(house, 0)


def test_stop_ends_an_open_stream(house, accounts):
    server = PageServer(create_app(house, accounts), "127.0.0.1", 0)
    server.start()
    ended = threading.Event()
    told = threading.Event()

    def watch():
        with httpx.Client(base_url=server.url, cookies=cookies_of(server.url, accounts), trust_env=False, timeout=30) as client, _stream(client) as events:
            for _ in events:
                told.set()
        ended.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert told.wait(20)
    server.stop()
    assert not server.alive
    assert ended.wait(20)
    watcher.join(20)
    assert house.watchers == 0


def test_stop_ends_a_stream_that_nobody_reads(house, accounts):
    server = PageServer(create_app(house, accounts), "127.0.0.1", 0)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as deaf:
        cookies = "; ".join(f"{name}={value}" for name, value in cookies_of(server.url, accounts).items())
        deaf.sendall(f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n".encode())
        _watched_by(house, 1)
        # More than the sockets' buffers hold, so that the server waits for a reader.
        house.break_part("link", "x" * 20_000_000)
        server.stop()
    assert not server.alive
    _watched_by(house, 0)


def test_a_house_that_changes_after_the_end_is_no_error(house, accounts):
    with (
        PageServer(create_app(house, accounts), "127.0.0.1", 0) as server,
        httpx.Client(base_url=server.url, cookies=cookies_of(server.url, accounts)) as client,
        _stream(client) as events,
    ):
        _next(events)
        changed = house._watchers[0]
    changed()
    assert house.watchers == 0


def test_stop_before_start_and_twice_is_no_error(house, accounts):
    server = PageServer(create_app(house, accounts), "127.0.0.1", 0)
    server.stop()
    server.stop()
    assert not server.alive


def test_the_stream_of_a_session_that_is_ended_elsewhere_ends_within_a_heartbeat(server, browser, accounts, house):
    with httpx.Client(base_url=server.url, trust_env=False, headers={"X-Moodify": "1"}) as elsewhere, _stream(browser) as events:
        mine = browser.get("/api/session").json()["session_id"]
        sign_in(elsewhere)
        _next(events)
        assert elsewhere.request("DELETE", f"/api/sessions/{mine}").status_code == 200
        assert [kind for kind, _ in events if kind != "beat"] == ["over"]
    assert browser.get("/api/now").status_code == 401
    _watched_by(house, 0)


def test_a_room_that_never_rests_does_not_keep_an_ended_session_open(browser, accounts, house):
    with _stream(browser) as events:
        session = browser.get("/api/session").json()
        ended = threading.Event()

        def fidget():
            number = 0
            while not ended.wait(0.02):
                number += 1
                house.break_part("link", f"try {number}")

        fidgeting = threading.Thread(target=fidget)
        fidgeting.start()
        try:
            accounts.end_session(uuid.UUID(session["user"]["id"]), uuid.UUID(session["session_id"]))
            assert [kind for kind, _ in events][-1] == "over"
        finally:
            ended.set()
            fidgeting.join()
