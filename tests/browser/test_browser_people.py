"""Who comes in, in a real browser: lock-out, sessions ended elsewhere, the keyboard alone, HTTPS."""

import pytest
from browser_parts import tab, tab_to
from homes import HeldClock, accounts_by, home_of
from playwright.sync_api import expect

from moodify.web import certificate
from moodify.web.fake import FakeHouse
from signed_in import EMAIL, PASSWORD, memory_accounts
from waiting import wait_until

pytestmark = pytest.mark.browser

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"


def try_in(page, password):
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_wrong_passwords_make_one_wait_and_say_for_how_long(page):
    clock = HeldClock()
    with home_of(FakeHouse(), accounts_by(clock)) as home:
        home.claimed()
        page.goto(home.url)
        page.get_by_label("E-mail address").fill(EMAIL)
        answer = page.locator(".answer")
        for n in range(3):
            try_in(page, f"not the password {n}")
            expect(answer).to_contain_text("not right")
        try_in(page, PASSWORD)
        expect(answer).to_have_text("Too many wrong tries; wait 2 seconds and try again.")
        clock.go(2)
        try_in(page, "not the password either")
        expect(answer).to_contain_text("not right")
        try_in(page, PASSWORD)
        expect(answer).to_contain_text("wait 4 seconds")
        clock.go(4)
        try_in(page, PASSWORD)
        expect(page.get_by_role("link", name="Now")).to_have_attribute("aria-current", "page")
        page.close()


def test_a_session_that_is_ended_elsewhere_loses_its_page_and_its_stream(home, new_page):
    phone = home.enter(new_page(user_agent=IPHONE))
    desk = home.enter(new_page(), "people")
    wait_until(lambda: home.house.watchers == 2, what="two streams")
    home.house.feel("happy")
    expect(phone.locator("#mood")).to_have_text("happy")
    desk.get_by_role("button", name="Sign out Safari on iPhone").click()
    expect(phone.get_by_role("alert").filter(has_text="Your session has ended. Sign in again.")).to_be_visible()
    expect(phone.locator("#mood")).to_have_count(0)
    expect(phone.locator("#nav")).to_be_hidden()
    wait_until(lambda: home.house.watchers == 1, what="the end of the phone's stream")
    expect(desk.get_by_text("This browser")).to_have_count(1)
    phone.reload()
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()


def test_signing_out_everywhere_ends_this_page_too(home, new_page):
    pages = [home.enter(new_page()), home.enter(new_page(), "people")]
    pages[1].get_by_role("button", name="Sign out everywhere").click()
    pages[1].get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    for page in pages:
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    wait_until(lambda: home.house.watchers == 0, what="the end of both streams")


def test_everything_that_matters_is_done_by_keyboard_and_seen_to_be(home, page):
    home.claimed()
    page.goto(home.url)
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(EMAIL)
    assert tab(page)["words"] == "Password"
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The room")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="The room")).to_be_visible()
    passed = tab_to(page, "Look again")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).not_to_be_empty()
    passed += tab_to(page, "Privacyoff")
    page.keyboard.press("Space")
    expect(page.locator("#mood")).to_have_text("not looking")
    assert home.house.presses == ["scan", "privacy on"]
    assert [stop["words"] for stop in passed[:3]] == ["Skip to the content", "Moodify", "Now"]
    assert [stop["place"] for stop in passed] == sorted(stop["place"] for stop in passed)
    assert [stop["words"] for stop in passed if not (stop["shown"] and stop["inside"])] == []
    page.keyboard.press("Shift+Tab")
    while page.evaluate("document.activeElement.textContent") != "People":
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="People", level=1)).to_be_visible()
    # What is read and tabbed on from is the new view.
    expect(page.locator("#main")).to_be_focused()
    assert tab(page)["words"] == "First name"


def test_the_page_works_over_https_with_its_own_certificate_and_its_cookies_never_leave_it(tmp_path, page):
    files = tmp_path / "web.pem", tmp_path / "web.key"
    certificate.ensure(*files, ["127.0.0.1"])
    with home_of(FakeHouse(), memory_accounts(), tls=certificate.server_context(*files)) as home:
        home.enter(page)
        assert page.url.startswith("https://")
        home.house.feel("happy")
        expect(page.locator("#mood")).to_have_text("happy")
        cookies = page.context.cookies(f"{home.url}/api/session")
        assert {(cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies} == {(True, True, "Strict")}
        assert {cookie["name"].partition("moodify")[0] for cookie in cookies} == {"__Host-", "__Secure-"}
        page.reload()
        expect(page.locator("#mood")).to_have_text("happy")
        page.close()


def test_who_does_not_trust_the_certificate_is_warned_first(tmp_path, new_page):
    files = tmp_path / "web.pem", tmp_path / "web.key"
    certificate.ensure(*files, ["127.0.0.1"])
    with home_of(FakeHouse(), memory_accounts(), tls=certificate.server_context(*files)) as home:
        page = new_page(ignore_https_errors=False, console=False)
        with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(home.url)
