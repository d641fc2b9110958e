"""Signing in to a page or a hub, as a test does that is about something else."""

import json
import re
import ssl
import urllib.request

import httpx

from moodify.accounts.accounts import Accounts
from moodify.accounts.memory import MemoryAccounts
from moodify.accounts.passwords import Hasher
from waiting import wait_until

EMAIL, PASSWORD = "ada@example.org", "lantern over the slow river"
ADA = {"email": EMAIL, "first_name": "Ada", "last_name": "Lovelace", "password": PASSWORD}
#: Hashes within a millisecond.
QUICK = Hasher(memory_kib=8, passes=1)
#: As the terminal and the log say it, behind the page's address.
_CLAIM = re.compile(r"/#/claim/([2-9A-Z]{4}-[2-9A-Z]{4})")


def memory_accounts(audience="moodify-page:m-test"):
    """Return accounts that are gone with the test."""
    return Accounts(MemoryAccounts(), QUICK, bytes(32), audience=audience)


def claim(client, code):
    """Make an httpx client's user the owner; return what was answered."""
    answer = client.post("/api/claim", json=ADA | {"code": code}, headers={"X-Moodify": "1"})
    assert answer.status_code == 201, answer.text
    return answer


def sign_in(client, email=EMAIL, password=PASSWORD):
    """Sign an httpx client in."""
    answer = client.post("/api/session", json={"email": email, "password": password}, headers={"X-Moodify": "1"})
    assert answer.status_code == 200, answer.text
    return answer


def cookies_of(url, accounts):
    """Sign in as the owner, whom this makes where there is none; return the cookies, by name."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        if accounts.claimable:
            claim(client, accounts.make_claim_code())
        else:
            sign_in(client)
        return dict(client.cookies)


class Page:
    """The page of an appliance that runs in a process of its own, signed in to as its owner."""

    def __init__(self, url, log):
        """Claim with the code that ``log``, which gives the text, tells of this run; sign in where it was claimed before."""
        self.url = url
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor())
        if self.ask("/api/claim")["claimable"]:
            codes = wait_until(lambda: _CLAIM.findall(log().rpartition("The page is on")[2]), what="the claim code")
            self.ask("/api/claim", "POST", ADA | {"code": codes[-1]})
        else:
            self.ask("/api/session", "POST", {"email": EMAIL, "password": PASSWORD})

    def open(self, path, method="GET", body=None, *, timeout=30):
        """Send a request as a program does; return the answer to read from."""
        data = None if method == "GET" else json.dumps({} if body is None else body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Content-Type": "application/json", "X-Moodify": "1"}, method=method)
        return self._opener.open(request, timeout=timeout)

    def ask(self, path, method="GET", body=None):
        """Return an answer's JSON."""
        with self.open(path, method, body) as answer:
            return json.load(answer)
