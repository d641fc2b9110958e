"""An owner erases everything from the page while the appliance runs."""

import json
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from appliance import Appliance, data_folder
from moodify.cloud.identity import load
from signed_in import PASSWORD, Page
from waiting import wait_until

DEMO = ("--camera", "sample", "--speaker", "simulated")


@pytest.fixture
def appliance(tmp_path):
    with Appliance(tmp_path, *DEMO) as appliance:
        yield appliance


def moods_of(page):
    now = datetime.now(UTC)
    return page.ask(f"/api/history?from={quote((now - timedelta(hours=1)).isoformat())}&to={quote(now.isoformat())}")["moods"]


def test_everything_is_erased_and_it_starts_as_a_new_device(appliance, tmp_path):
    folder = data_folder(tmp_path)
    page = Page(appliance.page, lambda: appliance.log)
    appliance.wait_for("mood")
    wait_until(lambda: moods_of(page), what="a mood that is looked back at")
    before, url = load(folder / "device.key").device, appliance.page
    events = {event["id"] for event in appliance.events}

    with pytest.raises(HTTPError, match="403"):
        page.ask("/api/erase", "POST", {"password": "not the one that it is"})
    assert page.ask("/api/erase", "POST", {"password": PASSWORD})["message"].startswith("Everything is erased")

    wait_until(lambda: "holds nothing of Moodify's any more" in appliance.log, within_s=60, what=lambda: appliance.log[-2000:])
    wait_until(lambda: appliance.log.count("Nobody owns this Moodify yet") == 2, within_s=60, what=lambda: appliance.log[-2000:])
    assert appliance.process.poll() is None
    assert load(folder / "device.key").device != before
    assert not (folder / "erase.wanted").exists()
    again = Page(wait_until(lambda: appliance.page != url and appliance.page, what="the page"), lambda: appliance.log)
    assert not events & {event["id"] for event in again.ask("/api/events?limit=200")}
    # What is on standard output is events alone: the reader takes nothing else.
    assert json.dumps(appliance.events)
