"""Homes that a browser opens, and how one signs in there."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from moodify.accounts.accounts import Accounts
from moodify.accounts.memory import MemoryAccounts
from moodify.web.app import create_app
from moodify.web.server import PageServer
from signed_in import EMAIL, PASSWORD, QUICK


class HeldClock:
    """A clock that goes on when it is told to."""

    def __init__(self):
        # The browser has a clock of its own, by which a session must not be over.
        self._began, self._went = datetime.now(UTC), timedelta()

    def now_s(self):
        return self._went.total_seconds()

    def utc(self):
        return self._began + self._went

    def go(self, seconds):
        self._went += timedelta(seconds=seconds)


def accounts_by(clock):
    """Return accounts that are gone with the test, whose waits are by a clock of the test's own: a browser may take seconds for a word."""
    return Accounts(MemoryAccounts(), QUICK, bytes(32), audience="moodify-page:m-test", clock=clock)


class Home:
    """A page on the device over a house with levers, and the accounts that may come in."""

    def __init__(self, house, accounts, server):
        self.house, self.accounts, self.url = house, accounts, server.url

    def claimed(self):
        """Have an owner, Ada."""
        from moodify.accounts.accounts import NewUser

        if self.accounts.claimable:
            self.accounts.claim(self.accounts.make_claim_code(), NewUser(EMAIL, "Ada", PASSWORD, "Lovelace"), "a test")
        return self

    def enter(self, page, view=""):
        """Sign in as Ada by the form, at a view of the page, as ``history``."""
        self.claimed()
        page.goto(f"{self.url}/#/{view}")
        sign_in(page)
        return page


def sign_in(page, email=EMAIL, password=PASSWORD):
    """Fill in the form and wait until the page has let somebody in."""
    # Who has just signed out still sees what has fields of the same names.
    page.get_by_role("button", name="Sign in", exact=True).wait_for()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.locator("body:not(.signed-out) main:not([aria-busy]) h1").first.wait_for(state="attached")


@contextmanager
def home_of(house, accounts, *, heartbeat_s=0.5, host="127.0.0.1", **more):
    """Serve a page; give the home."""
    tls = more.pop("tls", None)
    with PageServer(create_app(house, accounts, heartbeat_s=heartbeat_s, **more), host, 0, tls=tls) as server:
        yield Home(house, accounts, server)
