"""Where passwords come from: the device's token, the household's file, and a source that was not thought of yet."""

import json
import os
import re
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest

from moodify.cloud.identity import load_or_make
from moodify.cloud.passwords import SignedToken, SignInFile
from moodify.cloud.port import Credentials, LinkState
from moodify.errors import LinkDown, PersonMustAct

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "broker-sign-in"
    path.write_bytes(b"household\ncorrect horse\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("content", [b"me\nopen sesame", b"me\nopen sesame\n", b"me\r\nopen sesame\r\n", b"\xef\xbb\xbfme\nopen sesame\n"])
def test_the_file_has_the_user_name_and_then_the_password_whatever_editor_wrote_it(file, content):
    file.write_bytes(content)
    credentials = SignInFile(file).credentials(NOW)
    assert (credentials.username, credentials.password) == ("me", "open sesame")


def test_a_password_is_taken_as_it_stands(file):
    file.write_bytes("zoë\n  a\x0bb\x1cc\u2028d  \n".encode())
    assert SignInFile(file).credentials(NOW).password == "  a\x0bb\x1cc\u2028d  "


def test_a_changed_password_counts_from_the_next_connect_on(file):
    passwords = SignInFile(file)
    assert passwords.credentials(NOW).password == "correct horse"
    file.write_bytes(b"household\nanother\n")
    assert passwords.credentials(NOW).password == "another"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_may_read_is_refused_with_the_fix(file, mode):
    file.chmod(mode)
    with pytest.raises(PersonMustAct, match=rf"mode {mode:04o}.*chmod 600 {re.escape(str(file))}"):
        SignInFile(file).credentials(NOW)


def test_a_file_that_is_missing_is_named_with_the_key_that_names_it(file):
    file.unlink()
    with pytest.raises(PersonMustAct, match=rf"{re.escape(str(file))} \(link.sign_in_file\) is not there"):
        SignInFile(file).credentials(NOW)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"secret", b"secret\n", b"\nsecret\n", b"me\n\n", b"me\nsecret\nmore\n", b"me\nsecret\n\n", b"me\n\xffsecret", b"m\n" + b"x" * 200_000]
)
def test_a_file_without_two_lines_is_refused_and_nothing_of_it_is_shown(file, content):
    file.write_bytes(content)
    with pytest.raises(PersonMustAct, match="has not two lines") as raised:
        SignInFile(file).credentials(NOW)
    assert "secret" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_a_folder_in_the_files_place_is_refused(tmp_path):
    with pytest.raises(PersonMustAct, match="Is a directory"):
        SignInFile(tmp_path).credentials(NOW)


@pytest.mark.skipif(os.geteuid() == 0, reason="root: reads everything")
def test_a_file_of_another_user_is_named(file):
    file.chmod(0)
    with pytest.raises(PersonMustAct, match="Permission denied"):
        SignInFile(file).credentials(NOW)


class IssuedToken:
    """A third source: an issuer's token for the broker, in exchange for an assertion that the device signs (RFC 7523).

    What the issuer gave is used until shortly before it ends.
    """

    def __init__(self, url, identity, clock_trusted):
        self._url = url
        self._assertion = SignedToken(identity, url, clock_trusted)
        self._held = None

    def credentials(self, now):
        if self._held is None or now >= self._held[1] - timedelta(minutes=5):
            self._held = self._ask(self._assertion.credentials(now), now)
        return self._held[0]

    def _ask(self, assertion, now):
        body = json.dumps({"assertion": assertion.password}).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self._url, body), timeout=30) as answer:
                given = json.load(answer)
            return Credentials(assertion.username, str(given["access_token"])), now + timedelta(seconds=int(given["expires_in"]))
        except urllib.error.HTTPError as error:
            error.close()
            raise PersonMustAct(f"the issuer {self._url} refuses this device ({error.code}); enrol it there") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LinkDown(f"the issuer {self._url} gives no token: {error}") from error


class Issuer:
    """Exchanges assertions of one device for tokens of its own, over HTTP on loopback."""

    def __init__(self, public_pem):
        self.given = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                assertion = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["assertion"]
                try:
                    claims = jwt.decode(assertion, public_pem, algorithms=["ES256"], audience=outer.url, options={"verify_iat": False, "verify_exp": False})
                except jwt.InvalidTokenError:
                    self.send_response(403)
                    self.end_headers()
                    return
                outer.given.append(f"token {len(outer.given)} for {claims['sub']}")
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"access_token": outer.given[-1], "expires_in": 3600}).encode())

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def identity(tmp_path):
    return load_or_make(tmp_path / "device.key")


@pytest.fixture
def issuer(identity):
    issuer = Issuer(identity.public_pem)
    yield issuer
    issuer.close()


def test_an_issuers_token_fits_in_as_a_third_source_and_is_used_until_shortly_before_it_ends(issuer, identity):
    passwords = IssuedToken(issuer.url, lambda: identity, lambda: (True, ""))
    first = passwords.credentials(NOW)
    assert (first.username, first.password) == (identity.device, f"token 0 for {identity.device}")
    assert passwords.credentials(NOW + timedelta(minutes=54)) == first
    assert passwords.credentials(NOW + timedelta(minutes=56)).password == f"token 1 for {identity.device}"


def test_an_issuer_that_refuses_or_is_away_is_an_error_that_the_link_understands(issuer, identity, tmp_path):
    stranger = load_or_make(tmp_path / "other" / "device.key")
    with pytest.raises(PersonMustAct, match="refuses this device"):
        IssuedToken(issuer.url, lambda: stranger, lambda: (True, "")).credentials(NOW)
    with pytest.raises(LinkDown, match="gives no token"):
        IssuedToken("http://127.0.0.1:9/token", lambda: identity, lambda: (True, "")).credentials(NOW)


def test_a_link_signs_in_with_an_issuers_token_and_says_what_an_issuer_says(stub, device_at, issuer, identity, tmp_path):
    from moodify.cloud.port import Endpoint

    device = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False), passwords=IssuedToken(issuer.url, lambda: identity, lambda: (True, "")))
    device.pump_until(lambda: device.link.state is LinkState.ONLINE)
    assert issuer.given[0].encode() in stub.connects[0]
    stranger = load_or_make(tmp_path / "other" / "device.key")
    refused = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False), passwords=IssuedToken(issuer.url, lambda: stranger, lambda: (True, "")))
    refused.pump_until(lambda: refused.link.state is LinkState.REFUSED)
    assert "enrol it there" in refused.link.reason
