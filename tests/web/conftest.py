import httpx
import pytest

from moodify.web.app import create_app
from moodify.web.fake import FakeHouse
from moodify.web.guard import Place
from moodify.web.limits import Allowance, Limits
from moodify.web.server import PageServer
from signed_in import cookies_of, memory_accounts


class _Plot:
    """Where each test's house stands, so that one server serves them all."""

    house = FakeHouse()

    def __getattr__(self, name):
        return getattr(self.house, name)


@pytest.fixture(scope="session")
def _plot():
    return _Plot()


def roomy():
    """Where a test may ask more than a person does."""
    return Place(limits=Limits(Allowance(10**9, 10**9), Allowance(10**9, 10**9)))


@pytest.fixture(scope="session")
def accounts():
    return memory_accounts()


@pytest.fixture(scope="session")
def _serving(_plot, accounts):
    with PageServer(create_app(_plot, accounts, place=roomy()), "127.0.0.1", 0) as server:
        yield server


@pytest.fixture
def house(_plot):
    _plot.house = FakeHouse()
    return _plot.house


@pytest.fixture
def server(_serving, house):
    return _serving


@pytest.fixture
def cookies(server, accounts):
    return cookies_of(server.url, accounts)


@pytest.fixture
def browser(server, cookies):
    """A client that sends what the page's own script makes a browser send, signed in as the owner."""
    with httpx.Client(base_url=server.url, headers={"Origin": server.url, "Sec-Fetch-Site": "same-origin"}, cookies=cookies, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def program(server, cookies):
    """A client that is no browser, signed in, and sends nothing of its own."""
    with httpx.Client(base_url=server.url, cookies=cookies, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def stranger(server):
    """A client that nobody has signed in with."""
    with httpx.Client(base_url=server.url, headers={"X-Moodify": "1"}, trust_env=False, timeout=30) as client:
        yield client
