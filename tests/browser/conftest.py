"""A real browser: one for the tests of a file, a page of its own for each, whose console must stay without errors."""

import re

import pytest
from homes import home_of

from moodify.web.fake import FakeHouse
from signed_in import memory_accounts

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra: browser)")

CHROMIUM = "/usr/bin/chromium"
#: What a page is given to show what is expected, in milliseconds: a machine that does much else beside is slow.
_PATIENCE_MS = 15_000
sync_api.expect.set_options(timeout=_PATIENCE_MS)
#: Chromium asks nobody but the page.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: What a refused sign-in or a session that is over looks like to the console, though the page has said it in its own words.
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (401|403|409|422|429|503)|net::ERR_CERT")


@pytest.fixture(scope="module")
def chromium():
    """One browser for the tests of a file, and not for longer: while it is there an event loop counts as running, which other tests' parts mind."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium):
    """Give pages in browsers that share nothing: ``new_page(viewport=…, color_scheme=…)``; an error in the console of any fails the test."""
    contexts, errors = [], []

    def make(*, console=True, **options):
        options = {"viewport": {"width": 1280, "height": 900}, "ignore_https_errors": True, "locale": "en-GB", "timezone_id": "Europe/Berlin"} | options
        context = chromium.new_context(**options)
        context.set_default_timeout(_PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        if console:
            page.on(
                "console", lambda message: errors.append(f"{message.text} ({message.location['url']})") if message.type == "error" and not _REFUSED.search(message.text) else None
            )
            page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(new_page):
    """A page at the size of a desktop's window."""
    return new_page()


@pytest.fixture
def home():
    """A home whose page is served on loopback."""
    with home_of(FakeHouse(), memory_accounts()) as home:
        yield home
