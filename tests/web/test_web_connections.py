"""Connections that somebody opens to take the page's places from others."""

import asyncio
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from moodify.web.app import create_app
from moodify.web.certificate import make, server_context
from moodify.web.connections import AT_MOST, OF_ONE, Connection, Crowd, Listening
from moodify.web.guard import Place
from moodify.web.limits import Allowance, Limits
from moodify.web.server import PageServer
from signed_in import cookies_of
from waiting import wait_until


def roomy():
    return Place(limits=Limits(Allowance(10**9, 10**9), Allowance(10**9, 10**9)))


@pytest.fixture
def sockets():
    opened = []

    def one():
        opened.append(socket.socket())
        return opened[-1]

    yield one
    for each in opened:
        each.close()


def test_one_address_never_has_all_the_places(sockets):
    crowd = Crowd()
    assert [crowd.takes(sockets(), "192.0.2.7") for _ in range(OF_ONE + 1)] == [True] * OF_ONE + [False]
    assert crowd.takes(sockets(), "192.0.2.8")


def test_there_are_no_more_than_there_are_places_for(sockets):
    crowd = Crowd()
    assert [crowd.takes(sockets(), f"192.0.2.{n % 8}") for n in range(AT_MOST + 1)] == [True] * AT_MOST + [False]


def test_a_place_is_free_again_once_it_is_given_up(sockets):
    crowd = Crowd(at_most=2, of_one=1)
    first = sockets()
    assert crowd.takes(first, "2001:db8::1")
    assert not crowd.takes(sockets(), "2001:db8::1")
    first.close()
    assert crowd.takes(sockets(), "2001:db8::1")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_tunnel_or_a_proxy_speaks_for_many(sockets, address):
    crowd = Crowd(at_most=3, of_one=1)
    assert [crowd.takes(sockets(), address) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_end_of_an_answer_does_not_wait_for_the_acknowledgement_of_its_beginning(family, host):
    async def of_a_connection():
        listening = Listening(family)
        listening.bind((host, 0))
        made = asyncio.get_running_loop().create_future()

        class Connected(asyncio.Protocol):
            def connection_made(self, transport):
                made.set_result(transport)

        server = await asyncio.get_running_loop().create_server(Connected, sock=listening)
        async with server:
            _, writer = await asyncio.open_connection(host, listening.getsockname()[1])
            transport = await asyncio.wait_for(made, 15)
            immediately = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.abort()
            writer.close()
        return immediately

    assert asyncio.run(of_a_connection()) != 0


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(Connection, "request_s", 0.3)
    monkeypatch.setattr(Connection, "unread_s", 0.3)


def _hung_up(connection):
    connection.settimeout(10)
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: 127",
        b"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Moodify: 1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_a_request_that_does_not_end_is_hung_up_on(hurried, house, accounts, said):
    with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(said)
        assert _hung_up(connection)


def _answers(server):
    try:
        # Only whether it answers matters here.
        return httpx.get(f"{server.url}/healthz", trust_env=False, timeout=5, verify=False).status_code == 200
    except httpx.TransportError:
        return False


def test_whoever_opens_every_connection_and_says_nothing_does_not_keep_others_out(hurried, house, accounts):
    with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server:
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(AT_MOST + 8)]
        try:
            wait_until(lambda: _answers(server), what="an answer")
        finally:
            for each in idle:
                each.close()


def test_a_stream_that_goes_on_is_not_hung_up_on(house, accounts, request):
    with PageServer(create_app(house, accounts, heartbeat_s=0.2), "127.0.0.1", 0) as server:
        cookies = cookies_of(server.url, accounts)
        request.getfixturevalue("hurried")
        with httpx.stream("GET", f"{server.url}/api/stream", cookies=cookies, trust_env=False, timeout=30) as stream:
            began_s = time.monotonic()
            # What comes after three times as long as a request may take.
            assert any(line for line in stream.iter_lines() if line and time.monotonic() - began_s > 3 * Connection.request_s)


def test_an_answer_that_nobody_reads_is_hung_up_on(hurried, house, accounts):
    with PageServer(create_app(house, accounts, place=roomy()), "127.0.0.1", 0) as server, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        # More than the system takes in for who does not read.
        connection.sendall(b"GET /static/page.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 2000)
        connections = server._server.server_state.connections
        wait_until(lambda: connections, what="the connection")
        wait_until(lambda: not connections, what="its end")


def test_half_a_request_behind_a_whole_one_is_hung_up_on(hurried, house, accounts):
    with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHo")
        assert _hung_up(connection)


def test_a_handshake_that_never_begins_takes_a_place_and_no_more(house, accounts, tmp_path):
    make(tmp_path / "c.pem", tmp_path / "k.pem", ["127.0.0.1"])
    with PageServer(create_app(house, accounts), "127.0.0.1", 0, tls=server_context(tmp_path / "c.pem", tmp_path / "k.pem")) as server:
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(AT_MOST)]
        try:
            with socket.create_connection(("127.0.0.1", server.port)) as late:
                assert _hung_up(late)
        finally:
            for each in idle:
                each.close()
        wait_until(lambda: _answers(server), what="an answer, once they are gone")


def test_the_description_is_made_once_however_many_ask_at_once(house, accounts, monkeypatch):
    app = create_app(house, accounts, place=roomy())
    made, make_it = [], app.openapi
    monkeypatch.setattr(app, "openapi", lambda: (made.append(1), time.sleep(0.2), make_it())[2])
    with PageServer(app, "127.0.0.1", 0) as server, ThreadPoolExecutor(4) as asking:
        answers = list(asking.map(lambda _: httpx.get(f"{server.url}/openapi.json", trust_env=False, timeout=30).status_code, range(4)))
    assert answers == [200] * 4
    assert len(made) == 1


def test_what_is_no_request_is_not_logged_each_time(house, accounts, caplog):
    caplog.set_level(logging.INFO)
    with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
                assert _hung_up(connection)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
