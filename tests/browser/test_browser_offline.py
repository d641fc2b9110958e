"""A device is enrolled from page and dashboard alone, and shown as gone when its power fails: real hub, real mosquitto, real appliance."""

import re
import time

import pytest
from browser_parts import faults, too_small, too_wide
from homes import sign_in
from playwright.sync_api import expect

from appliance import Appliance
from hub_process import HubProcess, made_hub
from moodify.cloud.mqtt import WILL_DELAY_S
from signed_in import EMAIL, PASSWORD
from waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: What there is to see of a card beyond the delay: the broker's look around, the stream, a machine with much to do.
_SLACK_S = 20


@pytest.fixture
def hub(tmp_path):
    made_hub(tmp_path, tmp_path / "hub")
    with HubProcess(tmp_path, tmp_path / "hub") as hub:
        yield hub


@pytest.fixture
def appliance(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with Appliance(home, "--camera", "sample", "--speaker", "simulated") as appliance:
        yield appliance


def claimed(page, hub):
    """Make Ada the hub's owner, at the address that it tells of."""
    page.goto(wait_until(lambda: re.search(r"http://\S+/#/claim/\S+", hub.log), what="the hub's claim code")[0])
    for label, value in (("E-mail address", EMAIL), ("First name", "Ada"), ("Password", PASSWORD)):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name="No device yet")).to_be_visible()
    return page


def test_a_device_belongs_to_a_hub_by_two_pages_is_told_there_what_to_do_and_is_gone_within_its_last_wills_delay(hub, appliance, new_page):
    dashboard, page = claimed(new_page(), hub), new_page(console=False)
    assert appliance.ask("/api/setup")["hub"]["enrolled"] is None
    page.goto(f"{appliance.page}/#/setup/hub")
    sign_in(page)
    line = page.locator("#step-hub-body code.block").inner_text()
    page.get_by_label("Its address").fill(f"127.0.0.1:{hub.address['mqtt']['port']}")
    page.get_by_role("button", name="Find the hub").click()
    expect(page.get_by_text(re.compile(r"sha256:[0-9A-Za-z:]+"))).to_be_visible(timeout=60_000)

    dashboard.get_by_text("Let a device in").click()
    dashboard.get_by_label("The line that the device shows").fill(line)
    dashboard.get_by_label("Name", exact=True).fill("Kitchen")
    dashboard.get_by_role("button", name="Let it in").click()
    card = dashboard.get_by_role("article")
    expect(card).to_contain_text("not heard of yet")
    page.get_by_role("button", name="The hub shows the same").click()
    expect(card).to_contain_text("online", timeout=60_000)
    expect(card).to_contain_text(re.compile("happy|calm|sad|tense|angry|surprised|nobody here"), timeout=60_000)

    dashboard.get_by_role("link", name="Kitchen").click()
    before = len(appliance.events)
    dashboard.get_by_role("button", name="Look again").click()
    appliance.wait_for("mood", after=before, asked=True)
    expect(dashboard.get_by_text("Look again: done.")).to_be_visible()
    for view, words in ((f"device/{line.split()[3]}", "Kitchen"), ("people", "People"), ("alerts", "Alerts"), ("devices", "Devices")):
        dashboard.goto(f"{dashboard.url.partition('#')[0]}#/{view}")
        dashboard.get_by_role("heading", name=words, level=1).wait_for()
        dashboard.set_viewport_size({"width": 360, "height": 740})
        assert (too_wide(dashboard), too_small(dashboard), faults(dashboard)) == (0, [], []), view

    appliance.process.kill()
    gone_s = time.monotonic()
    expect(card).to_contain_text(re.compile(r"offline since \d\d:\d\d"), timeout=(WILL_DELAY_S + _SLACK_S) * 1000)
    assert time.monotonic() - gone_s > 1, "it is given time to come back"
    expect(dashboard.locator("#said")).to_have_text("Kitchen is offline.")
    expect(page.get_by_text("Moodify does not answer.")).to_be_visible()
