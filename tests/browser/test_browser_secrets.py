"""What must not stay where others may find it, in a real browser: codes in histories, and an account in a browser that was left open."""

import pytest
from homes import HeldClock, accounts_by, home_of, sign_in
from playwright.sync_api import expect

from moodify.web.fake import FakeHouse
from signed_in import EMAIL, PASSWORD

pytestmark = pytest.mark.browser


def test_a_claim_code_does_not_stay_in_the_address_or_the_history(home, new_page):
    # This home has no set-up, which the page asks for in the end: its console may say so.
    page = new_page(console=False)
    code = home.accounts.make_claim_code()
    page.goto(f"{home.url}/#/claim/{code}")
    expect(page.get_by_label("Claim code")).to_have_value(code)
    assert code not in page.url
    for label, words in (("First name", "Ada"), ("E-mail address", EMAIL), ("Password", PASSWORD)):
        page.get_by_label(label).fill(words)
    page.get_by_role("button", name="Make the account").click()
    page.wait_for_url("**/#/setup")
    page.go_back()
    assert code not in page.url


def test_a_code_that_is_opened_by_who_is_signed_in_does_not_stay_either(home, page):
    home.enter(page)
    page.goto(f"{home.url}/#/claim/K7QM-2WXT")
    page.wait_for_url("**/#/now")
    page.go_back()
    assert "K7QM" not in page.url


@pytest.fixture
def home_by_a_held_clock():
    with home_of(FakeHouse(), accounts_by(HeldClock())) as home:
        yield home


def test_the_address_that_one_signs_in_with_is_changed_with_the_password_alone(home_by_a_held_clock, page):
    home = home_by_a_held_clock
    home.enter(page, "people")
    proof = page.get_by_label("Password, to change the address")
    expect(proof).to_be_hidden()
    you = page.get_by_role("region", name="You", exact=True)
    you.get_by_label("E-mail address").fill("lovelace@example.org")
    proof.fill("not the password")
    you.get_by_role("button", name="Save").click()
    expect(you.locator(".answer")).to_contain_text("not right")
    # One slip is one wrong try, so that two more are free.
    for wrong in ("nor this one", "nor that one"):
        proof.fill(wrong)
        you.get_by_role("button", name="Save").click()
        expect(you.locator(".answer")).to_contain_text("not right")
    proof.fill(PASSWORD)
    you.get_by_role("button", name="Save").click()
    expect(you.locator(".answer")).to_contain_text("wait 2 seconds")
    assert home.accounts.sign_in(EMAIL, PASSWORD, "x").user.email == EMAIL


def test_a_changed_address_signs_in(home, page):
    home.enter(page, "people")
    you = page.get_by_role("region", name="You", exact=True)
    you.get_by_label("E-mail address").fill("Lovelace@example.org")
    page.get_by_label("Password, to change the address").fill(PASSWORD)
    you.get_by_role("button", name="Save").click()
    expect(you.locator(".answer")).to_have_text("Saved.")
    expect(page.get_by_label("Password, to change the address")).to_be_hidden()
    page.get_by_role("button", name="Sign out here").click()
    sign_in(page, "lovelace@example.org")
