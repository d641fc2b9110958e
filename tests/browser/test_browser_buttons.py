"""Buttons and banners as a finger and a scrolled page find them."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

_BACKGROUND = "element => getComputedStyle(element).backgroundColor"


def test_a_pressed_button_is_as_legible_under_the_pointer_as_beside_it(home, page):
    button = home.enter(page).locator("#privacy")
    button.click()
    page.locator("#privacy[aria-pressed=true]").wait_for()
    hovered = button.evaluate(_BACKGROUND)
    page.mouse.move(0, 0)
    assert hovered == button.evaluate(_BACKGROUND)


def test_a_finger_leaves_no_hover_behind(home, new_page):
    page = home.enter(new_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True))
    button = page.locator("#like")
    before = button.evaluate(_BACKGROUND)
    button.hover()
    assert button.evaluate(_BACKGROUND) == before


def test_an_answer_does_not_stand_for_ever(home, page):
    page.clock.install()
    home.enter(page).get_by_role("button", name="Look again").click()
    expect(page.locator("#answer")).to_have_text("Looking again.")
    page.clock.fast_forward(20_000)
    expect(page.locator("#answer")).to_have_text("")


def test_that_it_does_not_answer_is_in_sight_on_a_scrolled_page(home, new_page):
    page = home.enter(new_page(viewport={"width": 360, "height": 640}))
    page.evaluate("document.getElementById('lost').hidden = false; scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("scrollY") > 100
    box = page.locator("#lost").bounding_box()
    assert 0 <= box["y"] < 640
