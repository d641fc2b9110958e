"""Who comes in and who does not: over every route of the page, as its schema tells them."""

import uuid
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest

from moodify.web.app import create_app
from moodify.web.guard import Place
from moodify.web.limits import Allowance, Limits
from moodify.web.server import PageServer
from moodify.web.session import is_public
from signed_in import ADA, EMAIL, PASSWORD, claim, memory_accounts, sign_in

_PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/api/claim"),
    ("POST", "/api/claim"),
    ("POST", "/api/session"),
    ("POST", "/api/session/refresh"),
    ("GET", "/api/reset"),
    ("POST", "/api/reset"),
}


def _routes(client):
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            yield method.upper(), path


def _filled(path):
    for name in ("session_id", "user_id", "code_id", "id"):
        path = path.replace(f"{{{name}}}", str(uuid.uuid4()))
    return path.partition("{")[0]


def test_no_route_answers_without_a_session_but_those_that_are_public(stranger, house, accounts):
    asked = []
    for method, path in _routes(stranger):
        if is_public(method, path):
            asked.append((method, path))
            continue
        answer = stranger.request(method, _filled(path), json=None if method == "GET" else {"on": True})
        assert (method, path, answer.status_code) == (method, path, 401)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].endswith(".")
    assert set(asked) == _PUBLIC
    assert house.presses == []
    assert house.watchers == 0


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "BREW"])
def test_another_method_is_no_way_around(stranger, house, method):
    for path in ("/api/now", "/api/scan", "/api/stream", "/api/users"):
        assert stranger.request(method, path, headers={"Content-Type": "application/json"}).status_code in {401, 403}
    assert house.presses == []


@pytest.mark.parametrize(
    "path", ["/api/now/", "//api/now", "/static/../api/now", "/static/%2e%2e/api/now", "/api/claim/../now", "/API/now", "/nowhere", "/docs", "/redoc", "/metrics", "/api"]
)
def test_another_spelling_is_no_way_around(server, path):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status in {401, 404}
    assert b"people" not in body


def test_what_is_public_tells_nothing_of_people_or_the_room(stranger, cookies, house):
    house.feel("happy")
    said = "".join(stranger.get(path).text for path in ("/", "/api/claim", "/api/reset", "/healthz", "/openapi.json"))
    assert EMAIL not in said.replace(stranger.get("/openapi.json").text, "")
    assert stranger.get("/api/claim").json() == {"claimable": False, "button": False, "service": "page"}
    assert stranger.get("/api/reset").json() == {"open": False, "left_s": 0}


def _token(**changes):
    now = datetime.now(UTC)
    claims = {"aud": "moodify-page:m-test", "sub": str(uuid.uuid4()), "sid": str(uuid.uuid4()), "iat": now, "exp": now + timedelta(minutes=5)}
    return claims | changes


@pytest.mark.parametrize(
    "token",
    [
        *("", "x", "a.b.c", "null", "\u00fc" * 40, "x" * 3000),
        jwt.encode(_token(), None, algorithm="none"),
        jwt.encode(_token(), "x" * 32, algorithm="HS256"),
        jwt.encode(_token(), bytes(32), algorithm="HS256"),
    ],
)
def test_a_token_of_somebody_s_own_making_opens_nothing(server, stranger, token):
    cookie = f"moodify_access_{server.port}={token}".encode("latin-1")
    assert stranger.get("/api/now", headers={"Cookie": cookie}).status_code == 401


def test_a_token_of_another_service_or_another_port_opens_nothing(house, server, cookies):
    with PageServer(create_app(house, memory_accounts("moodify-page:m-other")), "127.0.0.1", 0) as other, httpx.Client(base_url=other.url, trust_env=False) as client:
        access = cookies[f"moodify_access_{server.port}"]
        for name in (f"moodify_access_{server.port}", f"moodify_access_{other.port}"):
            assert client.get("/api/now", headers={"Cookie": f"{name}={access}"}).status_code == 401


def _set(answer):
    """Return the cookies that an answer sets: name to value and attributes."""
    found = {}
    for header in answer.headers.get_list("set-cookie"):
        head, *attributes = header.split("; ")
        found[head.partition("=")[0]] = {attribute.partition("=")[0].lower(): attribute.partition("=")[2] for attribute in attributes}
    return found


def test_cookies_are_out_of_reach_of_scripts_and_other_sites_and_end(server, stranger, accounts):
    if accounts.claimable:
        claim(stranger, accounts.make_claim_code())
    given = _set(sign_in(stranger))
    access, refresh = given[f"moodify_access_{server.port}"], given[f"moodify_refresh_{server.port}"]
    for cookie in (access, refresh):
        assert {"httponly", "samesite"} <= cookie.keys()
        assert cookie["samesite"].lower() == "strict"
        assert "domain" not in cookie
        # Plain HTTP on loopback: Safari would drop them.
        assert "secure" not in cookie
    assert (access["path"], refresh["path"]) == ("/", "/api/session")
    assert 500 < int(access["max-age"]) <= 600
    assert 29 * 86_400 < int(refresh["max-age"]) <= 30 * 86_400
    assert "token" not in stranger.get("/api/session").text
    gone = _set(stranger.delete("/api/session"))
    assert {cookie["max-age"] for cookie in gone.values()} == {"0"}
    assert stranger.get("/api/now").status_code == 401


def test_a_session_is_renewed_by_its_cookie_and_by_nothing_else(stranger, program):
    assert stranger.post("/api/session/refresh", json={}).status_code == 401
    sign_in(stranger)
    first = dict(stranger.cookies)
    answer = stranger.post("/api/session/refresh", json={})
    assert answer.status_code == 200
    assert answer.json()["user"]["email"] == EMAIL
    assert {name: value for name, value in stranger.cookies.items() if "refresh" in name} != {name: value for name, value in first.items() if "refresh" in name}
    stranger.cookies.clear()
    assert stranger.post("/api/session/refresh", json={}, headers={"Cookie": f"{next(name for name in first if 'refresh' in name)}=made-up"}).status_code == 401


def test_an_ended_session_has_ended_with_its_next_request(server, stranger, program):
    sign_in(stranger)
    session = stranger.get("/api/session").json()["session_id"]
    assert program.request("DELETE", f"/api/sessions/{session}", headers={"X-Moodify": "1"}).status_code == 200
    assert stranger.get("/api/now").status_code == 401
    assert stranger.post("/api/session/refresh", json={}).status_code == 401
    assert program.get("/api/now").status_code == 200


def test_a_member_may_not_what_owners_may(server, browser, stranger):
    code = browser.post("/api/invitations", json={"first_name": "Bob"}).json()["code"]
    with httpx.Client(base_url=server.url, trust_env=False, headers={"X-Moodify": "1"}) as bob:
        made = bob.post("/api/claim", json=ADA | {"email": "bob@example.org", "first_name": "Bob", "code": code})
        assert (made.status_code, made.json()["user"]["role"]) == (201, "member")
        me = made.json()["user"]["id"]
        ada = browser.get("/api/me").json()["id"]
        for method, path, body in (
            ("GET", "/api/users", None),
            ("PATCH", f"/api/users/{me}", {"role": "owner"}),
            ("DELETE", f"/api/users/{ada}", None),
            ("POST", "/api/invitations", {"first_name": "Eve", "role": "owner"}),
            ("GET", "/api/invitations", None),
        ):
            assert bob.request(method, path, json=body).status_code == 403
        assert bob.get("/api/now").status_code == 200
        shut = browser.patch(f"/api/users/{me}", json={"active": False})
        assert shut.json()["active"] is False
        assert bob.get("/api/now").status_code == 401
    assert browser.delete(f"/api/users/{me}").status_code == 200
    assert browser.delete(f"/api/users/{ada}").status_code == 409


def test_what_people_say_of_themselves_is_kept_and_shown_to_them_alone(browser):
    likes = {"goal": "calm", "volume_cap": 55, "quiet_hours": {"start": "22:00", "end": "07:00"}, "moods": {"happy": "spotify:playlist:37i9dQZF1DXdPec7aLTmlC"}}
    me = browser.patch("/api/me", json={"first_name": "Ada", "age": 36, "skin_type": 2, "preferences": likes}).json()
    assert (me["age"], me["skin_type"], me["preferences"]["volume_cap"], me["preferences"]["moods"]) == (36, 2, 55, likes["moods"])
    assert browser.get("/api/me").json()["preferences"]["quiet_hours"]["start"].startswith("22:00")
    assert not {"age", "skin_type", "preferences"} & browser.get("/api/users").json()["users"][0].keys()
    assert browser.patch("/api/me", json={"age": None}).json()["age"] is None
    assert browser.patch("/api/me", json={"role": "owner"}).status_code == 422


def test_everybody_can_take_along_what_is_kept_of_them_and_of_nobody_else(browser, stranger):
    told = browser.get("/api/me/data")
    assert (told.headers["content-type"], told.headers["content-disposition"].startswith('attachment; filename="moodify-my-data-')) == ("application/json", True)
    me = browser.get("/api/me").json()
    assert (told.json()["id"], told.json()["email"], len(told.json()["sessions"])) == (me["id"], EMAIL, len(browser.get("/api/sessions").json()["sessions"]))
    assert "argon2" not in told.text
    assert stranger.get("/api/me/data").status_code == 401


def test_what_one_signs_in_with_is_changed_with_the_password(browser):
    other = {"email": "lovelace@example.org"}
    assert browser.patch("/api/me", json=other).status_code == 403
    # Not 401, by which the page would renew its session and try once more.
    assert browser.patch("/api/me", json=other | {"password": "not the one"}).status_code == 403
    assert browser.get("/api/me").json()["email"] == EMAIL
    assert browser.patch("/api/me", json={"email": f" {EMAIL.upper()} ", "last_name": "Byron"}).json()["last_name"] == "Byron"
    assert browser.patch("/api/me", json=other | {"password": PASSWORD}).json()["email"] == other["email"]
    assert browser.patch("/api/me", json={"email": EMAIL, "last_name": "Lovelace", "password": PASSWORD}).json()["email"] == EMAIL


def test_a_browser_that_has_signed_in_is_not_locked_out_by_guesses_from_elsewhere(house):
    accounts = memory_accounts()
    with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server:
        ada, eve = (httpx.Client(base_url=server.url, trust_env=False, headers={"X-Moodify": "1"}) for _ in range(2))
        with ada, eve:
            given = _set(claim(ada, accounts.make_claim_code()))
            known = given[f"moodify_browser_{server.port}"]
            assert (known["path"], known["samesite"].lower(), "httponly" in known) == ("/api/session", "strict", True)
            assert ada.delete("/api/session").status_code == 200
            assert [eve.post("/api/session", json={"email": EMAIL, "password": f"a guess {n}"}).status_code for n in range(4)] == [401, 401, 401, 429]
            sign_in(ada)


def test_a_changed_password_ends_what_is_signed_in_elsewhere(browser, stranger):
    sign_in(stranger)
    assert browser.put("/api/me/password", json={"old": "wrong one indeed", "password": "nine little paper boats"}).status_code == 403
    assert browser.put("/api/me/password", json={"old": PASSWORD, "password": "short"}).status_code == 422
    assert browser.put("/api/me/password", json={"old": PASSWORD, "password": "nine little paper boats"}).status_code == 200
    assert stranger.get("/api/now").status_code == 401
    assert browser.get("/api/now").status_code == 200
    assert browser.put("/api/me/password", json={"old": "nine little paper boats", "password": PASSWORD}).status_code == 200


def test_the_button_opens_a_reset_for_an_owner_once(stranger, accounts):
    if accounts.claimable:
        claim(stranger, accounts.make_claim_code())
    wanted = {"email": EMAIL, "password": PASSWORD}
    assert stranger.post("/api/reset", json=wanted).status_code == 403
    accounts.open_window()
    assert stranger.get("/api/reset").json()["open"] is True
    assert stranger.post("/api/reset", json=wanted).status_code == 200
    assert stranger.post("/api/reset", json=wanted).status_code == 403


def test_wrong_passwords_have_to_wait_longer_and_longer(house):
    accounts = memory_accounts()
    with PageServer(create_app(house, accounts), "127.0.0.1", 0) as server, httpx.Client(base_url=server.url, trust_env=False, headers={"X-Moodify": "1"}) as client:
        claim(client, accounts.make_claim_code())
        wrong = [client.post("/api/session", json={"email": EMAIL, "password": "nothing like it"}) for _ in range(4)]
        assert [answer.status_code for answer in wrong] == [401, 401, 401, 429]
        assert int(wrong[-1].headers["retry-after"]) >= 1
        assert client.post("/api/session", json={"email": "nobody@example.org", "password": "nothing like it"}).json()["detail"] == wrong[0].json()["detail"]


def test_tries_and_requests_of_one_address_are_measured(house):
    place = Place(limits=Limits(Allowance(40, 0.001), Allowance(3, 0.001)))
    with (
        PageServer(create_app(house, memory_accounts(), place=place), "127.0.0.1", 0) as server,
        httpx.Client(base_url=server.url, trust_env=False, headers={"X-Moodify": "1"}) as client,
    ):
        codes = [client.post("/api/claim", json=ADA | {"code": "K7QM-2WXT"}).status_code for _ in range(4)]
        assert codes == [401, 401, 401, 429]
        assert client.get("/healthz").status_code == 200
        answers = [client.get("/healthz") for _ in range(40)]
        assert answers[-1].status_code == 429
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert int(answers[-1].headers["retry-after"]) > 1
