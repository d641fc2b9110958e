"""Encryption beyond loopback, with a certificate of the page's own and with an owner's; names; other origins."""

import ipaddress
import socket
import ssl
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from moodify.errors import CannotWork, PersonMustAct
from moodify.web import certificate
from moodify.web.app import create_app
from moodify.web.connections import Connection
from moodify.web.guard import Place
from moodify.web.server import PageServer
from signed_in import claim, memory_accounts, sign_in

NAME = "music.home"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "web.pem", folder / "web.key"
    certificate.ensure(*files, [NAME])
    return files


@contextmanager
def _page(house, files, *, origins=(), host="127.0.0.1"):
    accounts = memory_accounts()
    place = Place.reached_as([NAME], origins)
    with PageServer(create_app(house, accounts, place=place), host, 0, tls=certificate.server_context(*files)) as server:
        yield server, accounts


@contextmanager
def _browser(server, files, **headers):
    trusting = ssl.create_default_context(cafile=files[0])
    with httpx.Client(base_url=f"https://127.0.0.1:{server.port}", verify=trusting, headers={"X-Moodify": "1"} | headers, trust_env=False, timeout=30) as client:
        yield client


def test_who_trusts_the_page_s_own_certificate_signs_in_over_https(house, files):
    with _page(house, files) as (server, accounts), _browser(server, files) as client:
        assert server.url.startswith("https://")
        answer = claim(client, accounts.make_claim_code())
        headers = answer.headers.get_list("set-cookie")
        assert {header.partition("=")[0] for header in headers} == {
            f"__{name}_{server.port}" for name in ("Host-moodify_access", "Secure-moodify_refresh", "Secure-moodify_browser")
        }
        assert all("Secure" in header and "HttpOnly" in header and "SameSite=strict" in header for header in headers)
        assert client.get("/api/now").status_code == 200
        assert "strict-transport-security" not in answer.headers
        assert client.delete("/api/session").status_code == 200
        assert client.get("/api/now").status_code == 401


def test_an_owner_s_certificate_is_shown_instead(house, tmp_path):
    theirs = tmp_path / "fullchain.pem", tmp_path / "key.pem"
    certificate.make(*theirs, [NAME, "127.0.0.1"], title="Somebody's")
    with _page(house, theirs) as (server, _), socket.create_connection(("127.0.0.1", server.port)) as plain:
        context = ssl.create_default_context(cafile=theirs[0])
        with context.wrap_socket(plain, server_hostname=NAME) as encrypted:
            shown = encrypted.getpeercert(binary_form=True)
            assert encrypted.version() in {"TLSv1.2", "TLSv1.3"}
    assert certificate.fingerprint(ssl.DER_cert_to_PEM_cert(shown)) == certificate.fingerprint(theirs[0].read_text())


@pytest.mark.parametrize(("path", "leads_to"), [("/", "/"), ("/static/page.css?a=1", "/static/page.css?a=1"), ("//evil.example/", "//evil.example/")])
def test_who_does_not_encrypt_is_told_where_that_is_done_and_nothing_else(house, files, path, leads_to):
    with _page(house, files) as (server, _):
        for host in (f"{NAME}:{server.port}", f"127.0.0.1:{server.port}", NAME):
            answer = httpx.get(f"http://127.0.0.1:{server.port}{path}", headers={"Host": host, "Cookie": "a=b"}, trust_env=False)
            authority = host if ":" in host else f"{host}:{server.port}"
            assert (answer.status_code, answer.headers["location"], answer.content) == (308, f"https://{authority}{leads_to}", b"")
            assert set(answer.headers) == {"location", "content-length", "connection", "cache-control"}


@pytest.mark.parametrize("host", ["evil.example", "music.home.evil.example", f"{NAME}@evil.example", f"{NAME}/x"])
def test_a_foreign_name_is_led_nowhere(house, files, host):
    with _page(house, files) as (server, _):
        answer = httpx.get(f"http://127.0.0.1:{server.port}/", headers={"Host": host}, trust_env=False)
        assert (answer.status_code, answer.content) == (403, b"")
        assert "location" not in answer.headers


@pytest.mark.parametrize("said", [b"\0" * 100, b"SSH-2.0-x\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000, b"GET / HTTP/1.1\r\n"])
def test_what_is_neither_tls_nor_a_request_that_ends_is_hung_up_on(house, files, monkeypatch, said):
    monkeypatch.setattr(Connection, "request_s", 0.3)
    with _page(house, files) as (server, _), socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain:
        plain.sendall(said)
        with suppress(ConnectionResetError):
            assert plain.recv(100) == b""


def test_a_request_in_pieces_is_led_there_too_and_one_answer_is_all(house, files):
    with _page(house, files) as (server, _), socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain:
        for piece in (b"G", b"ET /a HTTP/1.1\r\nHo", b"st: " + NAME.encode() + b"\r\n\r\n"):
            plain.sendall(piece)
        assert b"".join(iter(lambda: plain.recv(1000), b"")).count(b"HTTP/1.1 308 ") == 1


def test_old_tls_is_not_answered(house, files):
    with _page(house, files) as (server, _):
        old = ssl.create_default_context(cafile=files[0])
        old.minimum_version = ssl.TLSVersion.TLSv1_2
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", server.port)) as plain, pytest.raises(OSError, match=r"(?i)protocol|alert|reset|eof"):
            old.wrap_socket(plain, server_hostname=NAME)


def test_an_open_encrypted_stream_does_not_hold_up_the_stop(house, files):
    with _page(house, files) as (server, accounts), _browser(server, files) as client:
        claim(client, accounts.make_claim_code())
        with client.stream("GET", "/api/stream") as stream:
            next(stream.iter_lines())
            server.stop()
            assert not server.alive


@pytest.mark.parametrize(
    ("host", "status"),
    [(NAME, 200), ("MUSIC.home:443", 200), ("127.0.0.1", 200), ("127.0.0.2", 403), ("evil.example", 403), ("music.home.evil.example", 403), ("192.168.1.9", 403)],
)
def test_the_page_answers_to_its_own_names_and_the_address_that_was_asked(house, files, host, status):
    with _page(house, files) as (server, _), _browser(server, files) as client:
        assert client.get("/healthz", headers={"Host": host}).status_code == status


def test_the_address_that_a_request_came_to_is_a_name_whatever_it_is(house, files):
    # It is in no certificate.
    with _page(house, files, host="127.0.0.7") as (server, _), httpx.Client(verify=False, trust_env=False) as client:
        assert client.get(f"https://127.0.0.7:{server.port}/healthz").status_code == 200
        assert client.get(f"https://127.0.0.7:{server.port}/healthz", headers={"Host": "127.0.0.8"}).status_code == 403


_WALL = "https://wall.home"


def _granted(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control")}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://wall.home", "https://wall.home:8443", "https://wall.home.evil.example"])
def test_no_origin_is_granted_anything_unless_it_is_listed(house, files, origin):
    for origins in ((), (_WALL,)):
        with _page(house, files, origins=origins) as (server, accounts), _browser(server, files) as client:
            claim(client, accounts.make_claim_code())
            preflight = client.options("/api/scan", headers={"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-moodify"})
            assert preflight.status_code in {401, 403}
            for answer in (preflight, client.get("/api/now", headers={"Origin": origin}), client.post("/api/scan", json={}, headers={"Origin": origin})):
                assert answer.status_code in {401, 403}
                assert _granted(answer) == {}
    assert house.presses == []


def test_a_listed_origin_may_ask_for_who_is_signed_in(house, files):
    with _page(house, files, origins=(_WALL,)) as (server, accounts), _browser(server, files) as client:
        claim(client, accounts.make_claim_code())
        elsewhere = {"Origin": _WALL, "Sec-Fetch-Site": "same-site"}
        preflight = client.options("/api/scan", headers=elsewhere | {"Access-Control-Request-Method": "POST"})
        assert preflight.status_code == 204
        assert _granted(preflight)["access-control-allow-origin"] == _WALL
        assert "x-moodify" in _granted(preflight)["access-control-allow-headers"]
        now = client.get("/api/now", headers=elsewhere)
        assert (now.status_code, _granted(now)) == (200, {"access-control-allow-origin": _WALL, "access-control-allow-credentials": "true"})
        assert now.headers["vary"] == "Origin"
        assert client.post("/api/scan", json={}, headers=elsewhere).status_code == 202
        client.cookies.clear()
        assert client.get("/api/now", headers=elsewhere).status_code == 401
    assert house.presses == ["scan"]


def test_a_certificate_is_made_once_and_again_for_another_name_or_before_its_end(tmp_path):
    files = tmp_path / "web.pem", tmp_path / "web.key"
    now = datetime.now(UTC)
    certificate.ensure(*files, [NAME], now=now)
    first = files[0].read_text()
    assert {NAME, "localhost", "127.0.0.1"} <= set(certificate.names_of(first))
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    certificate.ensure(*files, [NAME.upper()], now=now + timedelta(days=450))
    assert files[0].read_text() == first
    certificate.ensure(*files, [NAME, "192.168.1.20"], now=now)
    second = files[0].read_text()
    assert second != first
    # Whoever starts now may run for a year.
    certificate.ensure(*files, [NAME], now=now + timedelta(days=460))
    assert files[0].read_text() != second


def test_no_certificate_of_the_page_lasts_longer_than_browsers_take(tmp_path):
    from cryptography import x509

    files = tmp_path / "web.pem", tmp_path / "web.key"
    certificate.ensure(*files, [])
    made = x509.load_pem_x509_certificate(files[0].read_bytes())
    assert made.not_valid_after_utc - made.not_valid_before_utc <= timedelta(days=825)


def test_what_is_wrong_with_a_certificate_says_what_to_do(tmp_path):
    files = tmp_path / "web.pem", tmp_path / "web.key"
    with pytest.raises(CannotWork, match="neither a host name nor an address"):
        certificate.ensure(*files, ["not a name"])
    files[0].write_text("nonsense")
    files[1].write_text("nonsense")
    with pytest.raises(PersonMustAct, match="no certificate"):
        certificate.ensure(*files, [NAME])
    with pytest.raises(PersonMustAct, match="so that others are made"):
        certificate.server_context(*files)
    with pytest.raises(PersonMustAct, match=r"give .* to the user"):
        certificate.ensure(tmp_path / "web.pem" / "deeper.pem", tmp_path / "web.pem" / "deeper.key", [NAME])


def test_a_fingerprint_is_shown_as_browsers_show_it(files):
    shown = certificate.shown_to_people(certificate.fingerprint(files[0].read_text()))
    assert shown.startswith("SHA-256 ")
    assert len(shown.split(":")) == 32


def test_an_address_that_listens_on_all_is_told_by_one_that_others_reach(house, files):
    with _page(house, files, host="0.0.0.0") as (server, _):
        host = server.url.removeprefix("https://").rpartition(":")[0].strip("[]")
        assert not host or host == socket.gethostname() or not ipaddress.ip_address(host).is_unspecified


def test_signing_in_again_over_https_is_as_good(house, files):
    with _page(house, files) as (server, accounts), _browser(server, files) as client:
        claim(client, accounts.make_claim_code())
        client.cookies.clear()
        sign_in(client)
        assert client.post("/api/session/refresh", json={}).status_code == 200
