import httpx
import pytest

from moodify.web.app import create_app
from moodify.web.fake import FakeHouse
from moodify.web.server import PageServer


class _Plot:
    """Where each test's house stands, so that one server serves them all."""

    house = FakeHouse()

    def __getattr__(self, name):
        return getattr(self.house, name)


@pytest.fixture(scope="session")
def _plot():
    return _Plot()


@pytest.fixture(scope="session")
def _serving(_plot):
    with PageServer(create_app(_plot), "127.0.0.1", 0) as server:
        yield server


@pytest.fixture
def house(_plot):
    _plot.house = FakeHouse()
    return _plot.house


@pytest.fixture
def server(_serving, house):
    return _serving


@pytest.fixture
def browser(server):
    """A client that sends what the page's own script makes a browser send."""
    with httpx.Client(base_url=server.url, headers={"Origin": server.url, "Sec-Fetch-Site": "same-origin"}, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def program(server):
    """A client that is no browser and sends nothing of its own."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=10) as client:
        yield client
