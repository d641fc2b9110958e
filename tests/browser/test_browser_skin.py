"""The face record in a real browser: allowed by its person, guided by words, told number by number, and erased."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from browser_parts import Wire, faults, tab_to, too_small, too_wide
from homes import home_of, sign_in
from playwright.sync_api import expect

from looks import a_look
from moodify.accounts.managing import TERMINAL
from moodify.errors import PersonMustAct
from moodify.skin.capture import Step
from moodify.skin.card_pdf import card_pdf
from moodify.skin.record import Trait
from moodify.web.fake import FakeHouse
from moodify.web.skin_fake import FakeSkin
from moodify.web.skin_routes import skin_routes
from signed_in import memory_accounts
from waiting import wait_until

pytestmark = pytest.mark.browser

LEVELS = {Trait.OILINESS: 24.0, Trait.TEXTURE: 40.0}
WITH_CARD = LEVELS | {Trait.REDNESS: 47.0, Trait.TONE: 66.0}
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def lasting(chromium):
    """A home with a desk for looks, and what a browser keeps in which its owner is signed in."""
    skin = FakeSkin()
    with home_of(FakeHouse(), memory_accounts(), routers=[skin_routes(skin, skin)]) as home:
        home.claimed()
        with chromium.new_context() as context:
            page = context.new_page()
            page.goto(home.url)
            sign_in(page)
            yield home, skin, context.storage_state()


@pytest.fixture
def home(lasting):
    return lasting[0]


@pytest.fixture
def ada(home):
    return home.accounts.users(TERMINAL)[0].id


@pytest.fixture
def skin(lasting, ada):
    skin = lasting[1]
    skin.end(ada)
    skin.opt_out(ada)
    skin.told.clear()
    return skin


@pytest.fixture
def opened(lasting, new_page):
    """Open a view in a browser of its own, signed in."""

    def make(view="skin", **options):
        home, _, state = lasting
        page = new_page(storage_state=state, **options)
        page.wire = Wire(page)
        page.goto(f"{home.url}/#/{view}")
        page.locator("body:not(.signed-out) main:not([aria-busy]) h1").first.wait_for(state="attached")
        return page

    return make


def usual(skin, ada, looks=5):
    """Let Ada have had looks a week apart that hardly differ, the last of them shinier."""
    for n in range(looks):
        levels = WITH_CARD | {Trait.OILINESS: 24.0 + n % 2 + (20.0 if n == looks - 1 else 0.0)}
        skin.have_seen(ada, NOW - timedelta(days=7 * (looks - n)), levels, card=3)


def trait(page, words):
    return page.get_by_role("region", name=words, exact=True)


def test_nothing_is_looked_at_before_its_person_has_allowed_it_by_keyboard(skin, ada, opened):
    page = opened("people")
    # What few open is not fetched before.
    assert [url for url in page.wire.answers.values() if "skin" in url] == []
    page.get_by_role("link", name="See what it is").click()
    expect(page.get_by_role("region", name="What it is not")).to_contain_text("No diagnosis")
    expect(page.get_by_role("link", name="People")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("button", name="Take a look")).to_have_count(0)
    assert skin.standing(ada).opted_in_at is None
    passed = tab_to(page, "Allow looks at my skin")
    assert [stop["words"] for stop in passed if not (stop["shown"] and stop["inside"])] == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How a look goes")).to_be_visible()
    expect(page.locator("#skin-title")).to_be_focused()
    assert skin.standing(ada).opted_in_at is not None
    assert not skin.standing(ada).shared


def test_a_look_is_guided_in_words_and_ends_with_its_numbers(skin, ada, opened):
    skin.opt_in(ada)
    page = opened()
    page.get_by_role("button", name="Take a look").click()
    expect(page.get_by_role("status").filter(has_text="Look into the camera.")).to_be_focused()
    skin.guide(ada, Step.COME_CLOSER)
    expect(page.locator("#look-say")).to_have_text("Come closer.")
    skin.guide(ada, Step.HOLD_STILL, taken=2)
    expect(page.locator("#look-say")).to_have_text("Hold still.")
    expect(page.get_by_text("2 of 3 shots")).to_be_visible()
    expect(page.locator(".look-shot.taken")).to_have_count(2)
    assert page.locator("main img, main video, main canvas").count() == 0
    # Who reloads goes on.
    page.reload()
    expect(page.get_by_text("2 of 3 shots")).to_be_visible()
    skin.see(ada, LEVELS)
    expect(page.get_by_role("heading", name="Getting to know your usual")).to_be_focused()
    expect(trait(page, "Shine").locator(".skin-number")).to_have_text("24 ± 1")
    expect(trait(page, "Redness")).to_contain_text("No reference card is in view; hold it beside your chin.")
    expect(trait(page, "What no camera can tell")).to_contain_text("Hydration")
    expect(page.get_by_role("img", name="0 of 3 earlier looks")).to_be_visible()


def test_a_look_at_a_portrait_says_that_it_was_one(skin, ada, opened):
    skin.opt_in(ada)
    skin.show_portraits()
    page = opened()
    page.get_by_role("button", name="Take a look").click()
    expect(page.get_by_role("status").filter(has_text="Look into the camera.")).to_be_focused()
    skin.see(ada, LEVELS)
    expect(page.locator("#result-title")).to_be_focused()
    expect(page.locator(".skin-result")).to_contain_text("portraits, and not you: nothing of it is kept")
    expect(trait(page, "Shine").locator(".skin-number")).to_have_text("24 ± 1")
    assert skin.looks(ada) == []


def test_a_look_that_fails_says_why_is_begun_again_and_ends_with_its_view(skin, ada, opened):
    skin.opt_in(ada)
    page = opened()
    skin.refuse(PersonMustAct("privacy is on and the camera is closed; turn privacy off"))
    page.get_by_role("button", name="Take a look").click()
    expect(page.locator(".answer.failed")).to_have_text("Privacy is on and the camera is closed; turn privacy off.")
    skin.refuse(None)
    page.get_by_role("button", name="Take a look").click()
    expect(page.locator("#look-say")).to_have_text("Look into the camera.")
    skin.give_up(ada, "the camera was lost; look at its cable")
    expect(page.locator("#look-say")).to_have_text("The camera was lost; look at its cable.")
    expect(page.get_by_text("Nothing of it was kept.")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#look-say")).to_have_text("Look into the camera.")
    assert skin.looking(ada)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", name="How a look goes")).to_be_visible()
    assert skin.told == ["Ada begins", "over"] * 2
    page.get_by_role("button", name="Take a look").click()
    expect(page.locator("#look-say")).to_be_visible()
    assert skin.looking(ada)
    page.get_by_role("link", name="Now").click()
    wait_until(lambda: not skin.looking(ada), what="the end of the look")


def test_a_look_goes_on_after_a_gap_in_the_network_and_nothing_is_said_of_an_end_that_is_not_known(skin, ada, opened):
    skin.opt_in(ada)
    page = opened(console=False)
    page.get_by_role("button", name="Take a look").click()
    expect(page.locator("#look-say")).to_be_focused()
    page.context.set_offline(True)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".answer.failed")).to_be_visible()
    assert skin.looking(ada)
    page.context.set_offline(False)
    skin.guide(ada, Step.COME_CLOSER)
    expect(page.locator("#look-say")).to_have_text("Come closer.")
    page.context.set_offline(True)
    expect(page.get_by_text("If it was done, it is among your looks.")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Nothing of it was kept.")).to_have_count(0)
    page.context.set_offline(False)
    page.get_by_role("button", name="Back").click()
    # Not over where it is: nobody has ended it yet.
    expect(page.locator("#look-say")).to_have_text("Come closer.")


def test_numbers_are_told_against_ones_own_usual_with_what_chance_makes(skin, ada, opened):
    usual(skin, ada)
    page = opened()
    expect(page.get_by_role("heading", name="Shinier than your usual")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Score [0-9]+ of 100, where 50 is your usual"))).to_be_visible()
    expect(trait(page, "Shine")).to_contain_text("20 above your usual: more than chance, which makes up to 3.")
    expect(trait(page, "Texture")).to_contain_text("As your usual.")
    expect(trait(page, "Shine").get_by_role("img", name="Shine over time")).to_be_visible()
    expect(trait(page, "Shine")).to_contain_text(re.compile("Over 5 looks .*95 % interval"))
    care = page.get_by_role("region", name="Caring for it")
    expect(care).to_contain_text("blotting paper")
    expect(care).to_contain_text("See a pharmacist, doctor or dermatologist")
    source = care.get_by_role("link", name=re.compile("oily skin"))
    assert (source.get_attribute("target"), source.get_attribute("rel")) == ("_blank", "noreferrer noopener")
    page.get_by_text("All looks as a table").click()
    expect(page.locator(".figures tbody tr")).to_have_count(5)
    expect(page.locator(".figures tbody tr").first).to_contain_text("44.0 ± 1.0")
    page.get_by_role("button", name=re.compile("^Show the look of")).last.click()
    expect(page.locator("#result-title")).to_be_focused()
    expect(trait(page, "Shine").locator(".skin-number")).to_have_text("24 ± 1")
    expect(page.get_by_text("Advice stands beside the newest look.")).to_be_visible()


def test_a_look_by_a_clock_known_to_be_wrong_says_so_and_is_in_no_drawing(skin, ada, opened):
    usual(skin, ada)
    skin.keep(ada, a_look(day=-20_000, date_doubted=True))
    page = opened()
    expect(page.get_by_role("button", name=re.compile("^Show the look of .* 1971, .*, by a clock known to be wrong$"))).to_be_visible()
    expect(page.get_by_text("Those taken by a clock known to be wrong are in no drawing and no trend.")).to_be_visible()
    expect(trait(page, "Shine").locator(".skin-dot")).to_have_count(5)


def test_one_look_is_erased_after_a_question_and_all_of_them_with_the_permission(skin, ada, opened):
    usual(skin, ada, 3)
    page = opened()
    erase = page.get_by_role("button", name=re.compile("^Erase the look of"))
    expect(erase).to_have_count(3)
    erase.first.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(skin.looks(ada)) == 3
    erase.first.click()
    page.get_by_role("dialog").get_by_role("button", name="Erase", exact=True).click()
    expect(erase).to_have_count(2)
    expect(page.locator("#looks-title")).to_be_focused()
    page.get_by_role("button", name="Allow it no longer").click()
    expect(page.get_by_role("dialog")).to_contain_text("erase all 2")
    page.get_by_role("dialog").get_by_role("button", name="Erase and stop").click()
    expect(page.get_by_role("button", name="Allow looks at my skin")).to_be_visible()
    assert (skin.standing(ada).opted_in_at, skin.looks(ada)) == (None, [])


def test_what_is_shared_and_said_of_oneself_is_chosen_and_the_card_is_fetched(home, skin, ada, opened, tmp_path):
    skin.opt_in(ada)
    page = opened()
    share = page.get_by_label(re.compile("^Share my newest look"))
    expect(share).not_to_be_checked()
    share.check()
    expect(page.get_by_text("go out from now on")).to_be_visible()
    assert skin.standing(ada).shared
    share.uncheck()
    expect(page.get_by_text("Nothing of it goes out any more")).to_be_visible()
    assert not skin.standing(ada).shared
    page.get_by_label("Your skin type, as you would say").select_option("6")
    expect(page.get_by_text("It counts from the next look on.")).to_be_visible()
    assert home.accounts.users(TERMINAL)[0].skin_type == 6
    page.get_by_text("How well it measures").click()
    expect(page.get_by_text("For dark skin as you say yours is, texture is less sure")).to_be_visible()
    page.get_by_label("Number of the print").select_option("4")
    with page.expect_download() as card:
        page.get_by_role("button", name="Get the card as PDF").click()
    card.value.save_as(tmp_path / "card.pdf")
    assert (tmp_path / "card.pdf").read_bytes() == card_pdf(4)


@pytest.mark.parametrize(("scheme", "viewport"), [("light", {"width": 360, "height": 740}), ("dark", {"width": 1280, "height": 900})])
def test_each_state_of_it_keeps_nobody_out_and_fits(skin, ada, opened, scheme, viewport):
    page = opened(color_scheme=scheme, viewport=viewport, reduced_motion="reduce", has_touch=True)

    def check(state):
        # On a desktop the navigation is pressed with a mouse.
        small = [] if viewport["width"] > 1000 else too_small(page)
        assert (faults(page), too_wide(page), small) == ([], 0, []), state

    page.get_by_text("How well it measures").click()
    check("nothing is allowed")
    page.get_by_role("button", name="Allow looks at my skin").click()
    page.get_by_role("button", name="Take a look").click()
    expect(page.locator("#look-say")).to_be_visible()
    skin.give_up(ada, "the camera was lost; look at its cable")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    check("a look failed")
    usual(skin, ada, 7)
    page.get_by_role("button", name="Back").click()
    page.get_by_text("All looks as a table").click()
    page.get_by_role("button", name="Show all 7").click()
    check("looks are kept")
