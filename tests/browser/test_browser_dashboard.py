"""The hub's dashboard in a real browser."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from homes import sign_in
from playwright.sync_api import expect

from dashboard_parts import MEMBER, DashboardHub
from moodify.cloud.keys import device_of, line_of
from summaries import new_key
from waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def hub(tmp_path):
    hub = DashboardHub(tmp_path / "hub", webhook_networks=("127.0.0.2",))
    hub.owner()
    yield hub
    hub.close()


def enter(page, hub, view="devices", **who):
    page.goto(f"{hub.url}/#/{view}")
    sign_in(page, **who)
    return page


def test_a_device_that_comes_changes_and_goes_shows_so_without_a_reload(hub, page):
    kitchen = hub.enrol("Kitchen")
    enter(page, hub)
    card = page.get_by_role("article").filter(has_text="Kitchen")
    expect(card).to_contain_text("not heard of yet")
    hub.come(kitchen, mood="happy", title="Here Comes the Sun")
    expect(card).to_contain_text("online")
    expect(card).to_contain_text("happy")
    expect(card).to_contain_text("Plays Here Comes the Sun")
    hub.say(kitchen, "state", camera={"state": "broken", "message": "The camera was unplugged."}, speaker=None, privacy=False, version="0.1.0")
    expect(card).to_contain_text("Camera: The camera was unplugged.")
    hub.go(kitchen)
    expect(card).to_contain_text(re.compile(r"offline since \d\d:\d\d"))
    expect(page.locator("#said")).to_have_text("Kitchen is offline.")


def test_a_device_is_let_in_by_its_line_and_shut_out_again(hub, page):
    key = new_key()
    enter(page, hub)
    page.get_by_text("Let a device in").click()
    page.get_by_label("The line that the device shows").fill("nonsense")
    page.get_by_role("button", name="Let it in").click()
    expect(page.get_by_text("This is not the line.")).to_be_visible()
    page.get_by_label("The line that the device shows").fill(f"moodify hub enroll {device_of(key)} {line_of(key)}\n")
    page.get_by_label("Name", exact=True).fill("Hall")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Hall may come in.")).to_be_visible()
    page.get_by_role("link", name="Hall").click()
    expect(page.get_by_text("It has not said yet how it is.")).to_be_visible()
    expect(page.get_by_text("null")).to_have_count(0)
    page.get_by_label("Name", exact=True).fill("Attic")
    page.get_by_role("button", name="Call it so").click()
    expect(page.get_by_role("heading", name="Attic", level=1)).to_be_visible()
    page.get_by_role("button", name="Shut it out").click()
    page.get_by_role("dialog").get_by_role("button", name="Shut it out").click()
    expect(page.get_by_role("heading", name="No device yet")).to_be_visible()
    assert hub.database.registry.device(device_of(key)).revoked is not None


def test_an_order_is_given_and_its_answer_shown(hub, page):
    kitchen = hub.enrol("Kitchen")
    hub.come(kitchen)
    enter(page, hub, f"device/{kitchen}")
    page.get_by_role("button", name="Look again").click()
    (order,) = wait_until(lambda: hub.database.commands.of(kitchen))
    hub.answer(order, "error", "The camera is closed: privacy is on.")
    expect(page.get_by_role("status").filter(has_text="Look again: The camera is closed")).to_be_visible()
    page.get_by_label("Volume", exact=True).fill("30")
    page.get_by_role("button", name="Send: Volume").click()
    order = wait_until(lambda: next((one for one in hub.database.commands.of(kitchen) if one.name == "volume"), None))
    assert order.args == {"percent": 30}
    hub.answer(order, "ok")
    expect(page.get_by_text("Volume: done.")).to_be_visible()


def test_a_rule_is_set_and_a_webhook_added_with_its_secret_shown_once(hub, page):
    enter(page, hub, "alerts")
    page.get_by_label("A device is offline: for longer than, in minutes").fill("3")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Kept.")).to_be_visible()
    page.get_by_label("By").select_option("webhook")
    page.get_by_label("Address").fill("https://127.0.0.1/hook")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("webhook_networks in hub.toml if")).to_be_visible()
    expect(page.get_by_text("Nobody yet")).to_be_visible()
    page.get_by_label("Address").fill("https://127.0.0.2/hook")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Nobody yet")).to_be_hidden()
    expect(page.get_by_text("shown this once")).to_be_visible()
    page.get_by_role("button", name="Send a test to https://127.0.0.2/").click()
    expect(page.get_by_text("It did not get there")).to_be_visible()
    page.reload()
    expect(page.get_by_label("A device is offline: for longer than, in minutes")).to_have_value("3")
    expect(page.get_by_text("https://127.0.0.2/…")).to_be_visible()
    expect(page.get_by_text("shown this once")).to_have_count(0)


def test_a_member_looks_and_has_nothing_to_press(hub, page):
    kitchen = hub.enrol("Kitchen")
    hub.come(kitchen)
    hub.member()
    enter(page, hub, f"device/{kitchen}", email=MEMBER)
    expect(page.get_by_role("heading", name="Kitchen")).to_be_visible()
    expect(page.get_by_role("button", name="Look again")).to_have_count(0)
    expect(page.get_by_role("button", name="Shut it out")).to_have_count(0)
    page.goto(f"{hub.url}/#/alerts")
    expect(page.get_by_label("A device is offline", exact=True)).to_be_disabled()
    expect(page.get_by_text("Who is told")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_view_has_a_serious_fault_for_who_can_not_see_it_or_is_too_wide(hub, new_page, width, scheme):
    kitchen, attic = hub.enrol("Kitchen"), hub.enrol("A device with a name that is quite long and has no end")
    hub.come(kitchen, mood="happy")
    hub.come(attic)
    hub.go(attic)
    page = enter(new_page(viewport={"width": width, "height": 800}, color_scheme=scheme), hub)
    for view in ("devices", f"device/{kitchen}", f"device/{attic}", "alerts"):
        page.goto(f"{hub.url}/#/{view}")
        page.locator("main:not([aria-busy]) .card:visible").first.wait_for()
        faults = [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in Axe().run(page).response["violations"] if fault["impact"] in {"serious", "critical"}]
        assert faults == [], view
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view


def test_it_works_by_keyboard_alone(hub, page):
    kitchen = hub.enrol("Kitchen")
    hub.come(kitchen)
    enter(page, hub)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Kitchen":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Kitchen")
