"""What may come over HTTP beside what the description allows: the page answers each with something that is no defect, and goes on."""

import json
import logging
import socket
from urllib.parse import quote_from_bytes

import httpx
import pytest
from fuzzing import as_bytes, changed, dates, fuzzed, odd_bytes, texts, values
from hypothesis import given
from hypothesis import strategies as st

from lived_home import LivedHome
from moodify.web.app import create_app
from moodify.web.fake import FakeHouse
from moodify.web.guard import Place
from moodify.web.limits import Allowance, Limits
from moodify.web.server import PageServer
from signed_in import cookies_of, memory_accounts

#: What ends the session that asks, never ends by itself, waits for what comes next, or looks for hubs on the network.
LEFT_OUT = {
    ("delete", "/api/session"),
    ("delete", "/api/sessions"),
    ("get", "/api/stream"),
    ("get", "/api/me/skin/look"),
    ("post", "/api/hub/look"),
    ("post", "/api/hub"),
}
PLENTY = Allowance(10**9, 10**9)


class Page:
    """A page with all its routes, over a folder of its own, and somebody who is signed in."""

    def __init__(self, folder):
        home = LivedHome(folder)
        house, accounts = FakeHouse(), memory_accounts()
        app = create_app(house, accounts, place=Place(limits=Limits(PLENTY, PLENTY)), routers=home.routes(house, accounts))
        self.accounts = accounts
        self.server = PageServer(app, "127.0.0.1", 0)

    def begin(self):
        self.cookies = cookies_of(self.server.url, self.accounts)
        description = httpx.get(f"{self.server.url}/openapi.json", trust_env=False, timeout=60).json()
        every = {(method, path): operation for path, methods in description["paths"].items() for method, operation in methods.items()}
        assert every.keys() >= LEFT_OUT
        self.operations = [(method, path, *_body(operation, description)) for (method, path), operation in every.items() if (method, path) not in LEFT_OUT]

    def ask(self, method, target, *, headers=(), body=b"", end=False):
        """Send a request as it is given, and nothing behind it where it may promise more; return the status, None where the connection was closed without one."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given_ = {b"Host": f"127.0.0.1:{self.server.port}".encode(), b"Cookie": cookies.encode(), b"X-Moodify": b"1", b"Content-Type": b"application/json", b"Connection": b"close"}
        given_ |= {b"Content-Length": str(len(body)).encode()} | dict(headers)
        lines = [method + b" " + target + b" HTTP/1.1", *(name + b": " + value for name, value in given_.items())]
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as connection:
            try:
                connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
                if end:
                    connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(64)
            except ConnectionError:
                return None
        return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else None

    def check(self, status):
        """Hold an answer for what it may be; whoever was signed out is signed in again."""
        assert status is None or 200 <= status < 500 or status == 503
        assert self.ask(b"GET", b"/healthz") == 200
        if self.ask(b"GET", b"/api/session") != 200:
            self.cookies = cookies_of(self.server.url, self.accounts)


def _body(operation, description):
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    properties = schema.get("properties", {})
    names = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
    return {name: (found.get("examples") or [None])[0] for name, found in properties.items()}, names


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    page = Page(tmp_path_factory.mktemp("home"))
    with page.server:
        page.begin()
        yield page


@pytest.fixture(autouse=True)
def _no_traceback(caplog):
    with caplog.at_level(logging.INFO):
        yield
    assert [record for record in caplog.records if record.exc_info] == []


written = st.one_of(texts, dates, st.integers().map(str), odd_bytes.map(lambda some: some[:200].decode("latin-1")))
asked = st.dictionaries(st.sampled_from(["from", "to", "limit", "print", "before", "x"]) | texts, written, max_size=3)


def target_of(path, parts, query):
    pieces = [quote_from_bytes(parts.encode(errors="replace")[:300], safe="") if piece.startswith("{") else piece for piece in path.split("/")]
    said = "&".join(f"{quote_from_bytes(key.encode(errors='surrogatepass')[:300])}={quote_from_bytes(value.encode(errors='surrogatepass')[:300])}" for key, value in query.items())
    return ("/".join(pieces) + (f"?{said}" if said else "")).encode()


@given(data=st.data())
@fuzzed(80)
def test_a_route_answers_whatever_it_is_asked(page, data):
    method, path, example, names = data.draw(st.sampled_from(page.operations))
    query = data.draw(asked) | {name: data.draw(written) for name in names}
    body = data.draw(changed(example).map(as_bytes) | values(*example).map(as_bytes) | odd_bytes) if example else data.draw(st.just(b"") | odd_bytes)
    page.check(page.ask(method.upper().encode(), target_of(path, data.draw(texts), query), body=body))


names_of = st.sampled_from(
    [b"Cookie", b"Host", b"Content-Length", b"Content-Type", b"Origin", b"Sec-Fetch-Site", b"Authorization", b"Range", b"If-None-Match", b"Transfer-Encoding", b"Accept-Encoding"]
)
values_of = st.binary(max_size=60) | st.sampled_from(
    [
        b"",
        b"a" * 20_000,
        b"-1",
        b"99999999999999999999",
        b"chunked",
        b"bytes=9-1,,",
        b"Bearer [[",
        b'moodify="',
        b"\xff\xfe",
        b"http://[",
        b"127.0.0.1:99999",
        b"[::1",
        b"application/json; charset=\xff",
    ]
)
targets = st.sampled_from(
    [b"/", b"/api/now", b"/static/..%2f..%2fetc/passwd", b"//", b"/%", b"/%00", b"/%ff", b"http://[", b"*", b"/api/history?from=%ff", b"/" + b"a" * 9000]
) | st.binary(min_size=1, max_size=60)
methods = st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"X\xff", b""])


@given(method=methods, target=targets, headers=st.dictionaries(names_of, values_of, max_size=3), body=odd_bytes)
@fuzzed(100)
def test_bytes_that_are_hardly_a_request_end_in_no_defect(page, method, target, headers, body):
    page.check(page.ask(method, target, headers=headers.items(), body=body, end=True))


@given(cookie=texts | st.binary(max_size=50).map(lambda some: some.decode("latin-1")))
@fuzzed(40)
def test_a_cookie_that_nobody_gave_signs_nobody_in(page, cookie):
    said = "; ".join(f"{name}={cookie}" for name in page.cookies).encode(errors="replace").replace(b"\r", b"").replace(b"\n", b"")
    assert page.ask(b"GET", b"/api/session", headers={b"Cookie": said}.items(), end=True) in {401, 400, None}
    assert page.ask(b"GET", b"/api/session") == 200


def test_the_routes_are_there(page):
    assert len(page.operations) > 40
    assert json.dumps([example for _, _, example, _ in page.operations])
