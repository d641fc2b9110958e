"""Now, history and health in a real browser."""

import json
import re
import zipfile
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from homes import home_of, sign_in
from playwright.sync_api import expect

from lived_home import LivedHome
from moodify.accounts.accounts import NewUser
from moodify.accounts.managing import TERMINAL
from moodify.daemon.erasing import wanted
from moodify.daemon.places import DATABASE
from moodify.types import FELT_MOODS
from moodify.web.fake import FakeHouse
from signed_in import EMAIL, PASSWORD, memory_accounts

pytestmark = pytest.mark.browser

BERLIN = ZoneInfo("Europe/Berlin")
MEMBER = "bo@example.org"
PHONE = {"width": 360, "height": 740}
VIEWS = ("now", "history", "history/week", "health")


@pytest.fixture
def lived(tmp_path):
    return LivedHome(tmp_path)


@pytest.fixture
def last_day(lived):
    return lived.live(BERLIN)


@pytest.fixture
def home(lived, last_day):
    house, accounts = FakeHouse(), memory_accounts()
    house.feel("calm", 0.86, 0.4, -0.3)
    house.play(house.now()["music"] | {"playing": True, "title": "Lanterns", "artist": "The Slow River", "next": "Eleven Stairs by Mira Okafor", "reason": "You both seem calm"})
    with home_of(house, accounts, routers=lived.routes(house, accounts)) as home:
        yield home


def test_a_day_is_drawn_and_told_in_words(home, page, last_day):
    home.enter(page, f"history/day/{last_day}")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{last_day:%A %-d %B}")
    expect(page.locator("#history-sum")).to_have_text("Mostly calm: 2 h 40 min of 4 h 30 min felt. Moodify chose 16 songs.")
    expect(page.get_by_role("img", name="How the room felt over the day")).to_be_visible()
    expect(page.locator(".honest")).to_contain_text("For 10% of the time that somebody was there it could not tell")
    page.get_by_text("as a table").click()
    rows = page.locator(".figures tbody tr").all_inner_texts()
    assert [re.split(r"\s+", row)[:3] for row in rows][-6:-4] == [["17:30", "18:40", "calm"], ["18:40", "19:50", "happy"]]
    songs = page.locator(".song-list li")
    expect(songs).to_have_count(12)
    expect(songs.first).to_contain_text("You both seem calm")
    page.get_by_role("button", name="Show all 16").click()
    expect(songs).to_have_count(16)


def test_a_moment_of_the_day_is_found_with_the_keyboard(home, page, last_day):
    home.enter(page, f"history/day/{last_day}")
    slider = page.get_by_role("slider", name="Moment of the day")
    slider.focus()
    slider.press("Home")
    assert slider.get_attribute("aria-valuetext") == "17:00, nobody here"
    for _ in range(35):
        slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "17:35, calm, 84% sure, 2 people, Lanterns by The Slow River")
    expect(page.locator(".moment")).to_contain_text("You both seem calm")
    slider.press("End")
    assert slider.get_attribute("aria-valuetext").startswith(("22:59", "23:00"))


def test_a_day_of_a_week_leads_to_that_day_and_back(home, page, last_day):
    home.enter(page, f"history/week/{last_day}")
    days = page.locator(".week a")
    expect(days).to_have_count(7)
    expect(days.last).to_have_attribute("aria-label", re.compile(rf"^{last_day:%A %-d %B}: Mostly calm.* 16 songs"))
    days.last.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{last_day:%A %-d %B}")
    page.get_by_role("link", name="The day before").click()
    expect(page.locator("#history-sum")).to_contain_text("16 songs")
    page.get_by_role("link", name="Week", exact=True).click()
    expect(page.get_by_role("heading", level=2, name="Day by day")).to_be_visible()


def test_a_day_of_which_nothing_is_kept_says_so(home, page):
    home.enter(page, "history/day/2020-02-29")
    expect(page.locator("#history-sum")).to_have_text("No mood was felt. Moodify chose no music.")
    expect(page.locator(".history-rest")).to_contain_text("Moodify began on")


def test_what_somebody_says_reaches_the_house_and_shows(home, page):
    home.enter(page, "now")
    page.get_by_role("button", name="Like").click()
    expect(page.locator("#answer")).to_have_text("Noting that you like it.")
    page.get_by_role("slider", name="Volume").fill("25")
    expect(page.locator("#steer-answer")).to_have_text("As it was asked, the volume becomes 25 %.")
    expect(page.locator("#volume-now")).to_have_text("25 %")
    page.get_by_role("button", name="lift").click()
    expect(page.get_by_role("button", name="lift")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("for", exact=True).select_option("30")
    page.get_by_role("button", name="sad").click()
    expect(page.get_by_role("button", name="sad")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#named-until")).to_contain_text("Sad counts until")
    page.get_by_role("button", name="Follow the room again").click()
    expect(page.locator("#named-until")).to_be_empty()
    assert home.house.presses == ["like", "volume 25", "goal lift", "mood sad", "mood of its own"]


def test_a_wish_that_is_refused_says_why(home, page):
    home.house.refuse("Nothing plays, so the volume is left as it is")
    home.enter(page, "now")
    page.get_by_role("slider", name="Volume").fill("25")
    expect(page.locator("#steer-answer")).to_have_text("Nothing plays, so the volume is left as it is.")


def test_health_is_shown_in_full_and_what_is_wrong_first(home, page):
    home.house.be(reasons=["Only 3 MB are free on the disk: delete what is not needed."])
    home.enter(page, "health")
    expect(page.locator("main .troubles li")).to_have_text("Only 3 MB are free on the disk: delete what is not needed.")
    for words in ("22.5 GB", "48 °C", "detector 3, emotion 2", "not signed in", "118 MB"):
        expect(page.locator("main")).to_contain_text(words)


def test_an_owner_takes_data_along(home, page, tmp_path):
    home.enter(page, "health")
    with page.expect_download() as backup:
        page.get_by_role("button", name="Backup").click()
    backup.value.save_as(tmp_path / "backup.zip")
    with zipfile.ZipFile(tmp_path / "backup.zip") as file:
        assert set(file.namelist()) == {DATABASE, "moodify.json"}
    with page.expect_download() as diagnostics:
        page.get_by_role("button", name="Diagnostics").click()
    diagnostics.value.save_as(tmp_path / "diagnostics.json")
    assert "appliance" in json.loads((tmp_path / "diagnostics.json").read_text("utf-8"))


def test_a_person_takes_along_what_is_kept_of_them(home, page):
    home.enter(page, "people")
    with page.expect_download() as mine:
        page.get_by_role("button", name="Download").click()
    assert json.loads(mine.value.path().read_text("utf-8"))["email"] == EMAIL


def test_a_member_sees_health_and_no_data_to_take(home, page):
    home.claimed()
    code, _ = home.accounts.invite(home.accounts.users(TERMINAL)[0].id, "Bo")
    home.accounts.claim(code, NewUser(MEMBER, "Bo", PASSWORD), "a test")
    page.goto(f"{home.url}/#/health")
    sign_in(page, MEMBER)
    expect(page.get_by_role("heading", name="Machine")).to_be_visible()
    expect(page.get_by_role("heading", name="Your data")).to_have_count(0)


def test_erasing_asks_for_the_password_and_once_more(home, lived, page):
    home.enter(page, "health")
    page.get_by_text("Erase everything").first.click()
    form = page.locator("form")
    form.get_by_label("Your password").fill("not the one that it is")
    form.get_by_role("button", name="Erase everything").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(form.get_by_role("status")).to_have_text("Nothing was erased.")
    form.get_by_role("button", name="Erase everything").click()
    page.get_by_role("dialog").get_by_role("button", name="Erase everything").click()
    expect(form.locator(".failed")).to_contain_text("password")
    assert not wanted(lived.folder)
    form.get_by_label("Your password").fill(PASSWORD)
    form.get_by_role("button", name="Erase everything").click()
    page.get_by_role("dialog").get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", name="Everything is being erased")).to_be_visible()
    assert wanted(lived.folder)
    assert lived.queue.get_nowait().again


def test_nothing_is_wider_than_a_phone(home, new_page):
    page = home.enter(new_page(viewport=PHONE, has_touch=True, is_mobile=True), "now")
    for view in VIEWS:
        page.goto(f"{home.url}/#/{view}")
        page.locator("main:not([aria-busy])").wait_for()
        page.locator("main h1").first.wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_keeps_anybody_out(home, new_page, scheme):
    page = home.enter(new_page(color_scheme=scheme, reduced_motion="reduce"), "now")
    for view in VIEWS:
        page.goto(f"{home.url}/#/{view}")
        page.locator("main:not([aria-busy]) .card").first.wait_for()
        assert faults(page) == [], view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_mood_can_be_read(home, new_page, scheme):
    page = home.enter(new_page(color_scheme=scheme, reduced_motion="reduce"), "now")
    for mood in FELT_MOODS:
        home.house.feel(mood.value, 0.8, 0.1, 0.1)
        expect(page.locator("#mood")).to_have_text(mood.value)
        assert faults(page) == [], mood


def faults(page):
    """Return what axe finds that keeps somebody out."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"]][:4]) for each in found if each["impact"] in {"serious", "critical"}]
