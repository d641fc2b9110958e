"""What is said on the page: in words for who lives there, with the way to what mends it."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_sign_in_that_is_missing_leads_an_owner_to_the_set_up_and_names_no_command(home, page):
    home.house.break_part("speaker", "not signed in to Spotify; sign in with: moodify spotify login")
    home.enter(page)
    expect(page.locator("#troubles")).to_have_text("Speaker: Not signed in to Spotify; sign in under Set-up.")
    expect(page.locator("#troubles").get_by_role("link", name="Set-up")).to_have_attribute("href", "#/setup/spotify")


def test_an_invitation_from_loopback_says_that_it_opens_here_only_and_can_be_copied(home, page):
    home.enter(page, "people")
    people = page.get_by_role("region", name="Who may come in")
    people.get_by_label("First name").fill("Bob")
    people.get_by_role("button", name="Invite").click()
    expect(people.locator(".notice")).to_contain_text("it opens on this machine only")
    expect(people.get_by_role("button", name="Copy")).to_be_visible()


def test_what_nothing_needs_is_not_asked_of_people(home, page):
    home.enter(page, "people")
    expect(page.get_by_role("region", name="You", exact=True)).to_be_visible()
    expect(page.get_by_label("Skin type")).to_have_count(0)
