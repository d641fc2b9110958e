import re

import httpx
import pytest

from moodify.web.app import create_app
from moodify.web.guard import Place
from moodify.web.limits import Allowance, Limits
from moodify.web.server import PageServer

_CHANGES = [("POST", "/api/scan", {}), ("POST", "/api/next", {}), ("POST", "/api/pause", {}), ("PUT", "/api/privacy", {"on": True})]


_STRICT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def _refused(answer, status=403):
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["detail"].endswith(".")
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:9", "LOCALHOST", "[::1]", "[::1]:8080"])
def test_the_page_answers_under_the_names_of_this_machine(program, host):
    assert program.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:8080", "127.0.0.1.example", "127.0.0.1:8080@evil", "192.168.1.9", "[::2]", "localhost:", ""])
@pytest.mark.parametrize("path", ["/", "/api/now", "/static/page.js", "/healthz", "/openapi.json"])
def test_a_rebound_name_reads_nothing(program, host, path):
    assert _refused(program.get(path, headers={"Host": host}))


@pytest.mark.parametrize(("method", "path", "body"), _CHANGES)
def test_the_page_s_own_buttons_work(browser, house, method, path, body):
    answer = browser.request(method, path, json=body)
    assert answer.status_code == 202
    assert answer.json()["message"]
    assert len(house.presses) == 1


@pytest.mark.parametrize(("method", "path", "body"), _CHANGES)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "https://127.0.0.1"])
def test_a_foreign_page_changes_nothing(program, house, method, path, body, origin):
    assert _refused(program.request(method, path, json=body, headers={"Origin": origin, "X-Moodify": "1"}))
    assert house.presses == []


@pytest.mark.parametrize(("method", "path", "body"), _CHANGES)
def test_a_program_says_that_it_is_one(program, house, method, path, body):
    assert _refused(program.request(method, path, json=body))
    assert house.presses == []
    assert program.request(method, path, json=body, headers={"X-Moodify": "1"}).status_code == 202
    assert len(house.presses) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
def test_a_form_is_not_taken(browser, house, kind):
    assert _refused(browser.post("/api/scan", content=b"{}", headers={"Content-Type": kind}), 415)
    assert house.presses == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_can_not_hold_a_stream_open_with_an_image(program, house, site):
    assert _refused(program.get("/api/stream", headers={"Sec-Fetch-Site": site}))
    assert house.watchers == 0


def test_a_link_on_another_site_may_open_the_page(program):
    assert program.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_no_foreign_page_is_granted_a_preflight(program):
    answer = program.options("/api/scan", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-moodify"})
    assert _refused(answer)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_long_request_is_refused(browser):
    assert _refused(browser.put("/api/privacy", json={"on": True, "more": "x" * 20_000}), 413)


def test_a_request_of_unknown_length_is_refused(browser):
    assert _refused(browser.put("/api/privacy", content=iter([b'{"on":', b"true}"]), headers={"Content-Type": "application/json"}), 411)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/static/page.js", 200),
        ("GET", "/api/now", 200),
        ("GET", "/nowhere", 404),
        ("POST", "/api/scan", 415),
        ("GET", "/openapi.json", 200),
        ("POST", "/api/session/refresh", 415),
    ],
)
def test_every_answer_is_strict(browser, method, path, status):
    answer = browser.request(method, path)
    assert answer.status_code == status
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "trusted-types 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"https?:|\*|data:|blob:", answer.headers["content-security-policy"])
    assert _STRICT.items() <= dict(answer.headers).items()
    assert "strict-transport-security" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
    assert "server" not in answer.headers


def test_refusals_do_not_fill_the_journal(house, accounts, caplog):
    with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        for _ in range(60):
            client.get("/api/now", headers={"Host": "rebound.example"})
    assert 1 <= len([record for record in caplog.records if record.name == "moodify.web.guard"]) <= 20


def test_a_program_with_a_token_of_its_own_needs_to_say_no_more(program, house):
    assert program.post("/api/scan", content=b"", headers={"Authorization": "Bearer made-up"}).status_code == 202
    assert house.presses == ["scan"]


def test_what_is_refused_is_logged_in_one_line_that_a_terminal_may_show(house, accounts, caplog):
    with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server:
        httpx.get(f"{server.url}/x%0aJan 01 moodify: all is well%1b[2J", headers={"Host": "rebound.example"}, trust_env=False)
    told = [record.getMessage() for record in caplog.records if record.name == "moodify.web.guard"]
    assert len(told) == 1
    assert "/x%0aJan%2001" in told[0]
    assert told[0].isprintable()


def test_erasing_counts_as_a_try_of_a_password(house, accounts):
    place = Place(limits=Limits(Allowance(100, 1), Allowance(2, 0.001)))
    with PageServer(create_app(house, accounts, place=place), "127.0.0.1", 0) as server:
        asked = [httpx.post(f"{server.url}/api/erase", json={"password": "x"}, headers={"X-Moodify": "1"}, trust_env=False).status_code for _ in range(3)]
    assert asked == [401, 401, 429]
