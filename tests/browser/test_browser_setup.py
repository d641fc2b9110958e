"""The set-up in a real browser: from claim to music, and each step by itself."""

import re

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from homes import sign_in
from playwright.sync_api import expect

from appliance import Appliance
from moodify.music.spotify.services import VARIABLE
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from signed_in import ADA, EMAIL, PASSWORD, Page
from waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CLIENT_ID = "0123456789abcdef0123456789abcdef"
#: A camera of samples that is named, so that it stays; and a household that need not wait for minutes.
RULES = (
    '[camera]\nsource = "sample"\n[mood]\nsmoothing_s = 1\nsteady_s = 1\n'
    "[music]\ndwell_s = 2\nmax_changes = 9\nchange_window_s = 60\nstart_when_silent = true\n[music.spotify]\npoll_s = 5\n[link]\nenabled = false\n"
)
STEPS = ("camera", "spotify", "speaker", "music", "hub", "notice")


@pytest.fixture
def spotify():
    with SimulatedSpeaker(name="Kitchen") as speaker:
        yield speaker


@pytest.fixture
def appliance(tmp_path, spotify):
    with Appliance(tmp_path, toml=RULES, environment={VARIABLE: spotify.accounts_url}) as appliance:
        yield appliance


def enter(page, appliance, step=""):
    """Sign in as the owner, at a step of the set-up."""
    assert isinstance(appliance.signed_in, Page)
    page.goto(f"{appliance.page}/#/setup/{step}".rstrip("/"))
    sign_in(page, EMAIL, PASSWORD)
    if step:
        expect(page.locator(f"#step-{step}")).to_have_attribute("aria-expanded", "true")
    return page


def begin_sign_in(page):
    page.get_by_label("Client ID").fill(CLIENT_ID)
    page.get_by_role("button", name="Sign in to Spotify", exact=True).last.click()
    link = page.get_by_role("link", name="Open Spotify and agree")
    expect(link).to_be_focused()
    return link.get_attribute("href")


def test_from_claim_to_music(appliance, spotify, page):
    code = wait_until(lambda: re.findall(r"/#/claim/(\S+)", appliance.log), within_s=60, what="the claim code")[-1]
    page.goto(f"{appliance.page}/#/claim/{code}")
    for label, name in (("First name", "first_name"), ("Last name", "last_name"), ("E-mail address", "email"), ("Password", "password")):
        page.get_by_label(label, exact=True).first.fill(ADA[name])
    page.locator("main form button").last.click()
    page.locator("#nav").get_by_role("link", name="Set-up").click()
    expect(page.get_by_role("heading", name=re.compile("set Moodify up"))).to_be_visible()

    page.get_by_role("button", name="Show the picture").click()
    expect(page.get_by_alt_text("What the camera sees now")).to_be_visible()
    expect(page.get_by_text("Shown to you alone for")).to_be_visible()
    page.get_by_role("button", name="It looks right").click()

    begin_sign_in(page)
    expect(page.get_by_alt_text("The same link as a QR code, for a phone")).to_be_visible()
    page.get_by_role("link", name="Open Spotify and agree").click()
    expect(page.locator("#step-speaker")).to_have_attribute("aria-expanded", "true")
    assert "code=" not in page.url

    page.get_by_label("Kitchen").check()
    page.get_by_role("button", name="Use this speaker").click()
    for playlist in spotify.library.own():
        page.get_by_label(playlist.name.removeprefix("Moodify ").capitalize(), exact=True).first.fill(f"https://open.spotify.com/playlist/{playlist.id}?si=copied")
    page.get_by_role("button", name="Save the music").click()
    expect(page.get_by_text("Saved. It holds at once.")).to_be_visible()
    page.get_by_role("button", name="That is all").click()
    page.get_by_role("button", name="Without a hub").click()
    page.get_by_role("button", name="It is put up").click()
    expect(page.get_by_text("All that is needed is done")).to_be_visible()
    page.get_by_role("button", name="Look at the room and play").click()
    expect(page.locator("#title")).not_to_have_text(re.compile("Silence|…"), timeout=30_000)
    wait_until(lambda: spotify.now_playing, what="music on the household's own speaker")
    assert all(part in appliance.log for part in ("From now on Spotify plays", "From now on Spotify on Kitchen plays"))
    page.close()
    assert appliance.end() == 0


def test_who_comes_back_from_spotifys_site_is_let_in_and_signed_in(appliance, spotify, page):
    enter(page, appliance, "spotify")
    link = begin_sign_in(page).replace("127.0.0.1", "localhost", 1)
    # Another site, as Spotify's is: the browser sends no cookie with the way back from there.
    page.goto(spotify.accounts_url.replace("127.0.0.1", "localhost"))
    page.evaluate("link => { location.href = link; }", link)
    expect(page.locator("#step-speaker")).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#step-spotify")).to_contain_text("Signed in until")


def test_an_address_that_did_not_open_is_pasted(appliance, page):
    enter(page, appliance, "spotify")
    page.get_by_role("button", name="Spotify does not take this address").click()
    expect(page.get_by_text("http://127.0.0.1:8888/callback", exact=True)).to_be_visible()
    link = begin_sign_in(page)
    back = requests.get(link, allow_redirects=False, timeout=30).headers["Location"]
    field = page.get_by_label("Address of the page that did not open")
    field.fill("http://127.0.0.1:8888/callback?code=abc")
    page.get_by_role("button", name="Finish").click()
    expect(page.locator(".step.open .answer.failed")).to_contain_text("The address is incomplete")
    field.fill(back)
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#step-speaker")).to_have_attribute("aria-expanded", "true")


def test_privacy_takes_the_picture_away_at_once(appliance, page):
    enter(page, appliance, "camera")
    page.get_by_role("button", name="Show the picture").click()
    picture = page.get_by_alt_text("What the camera sees now")
    expect(picture).to_be_visible()
    appliance.ask("/api/privacy", "PUT", {"on": True})
    expect(picture).to_be_hidden()
    expect(page.locator(".step.open .answer")).to_have_text("Privacy is on: the camera is closed.")
    page.get_by_role("button", name="Show the picture").click()
    expect(page.locator(".step.open .answer")).to_contain_text("turn privacy off to aim the camera")


def test_leaving_the_step_ends_the_picture(appliance, page):
    enter(page, appliance, "camera")
    page.get_by_role("button", name="Show the picture").click()
    expect(page.get_by_alt_text("What the camera sees now")).to_be_visible()
    page.locator("#step-music").click()
    wait_until(lambda: appliance.ask("/api/aiming")["left_s"] == 0, what="the end of it")


def test_only_what_was_touched_becomes_the_pages(appliance, page):
    enter(page, appliance, "music")
    page.get_by_label("Calm music, whatever the mood.").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. It holds at once.")).to_be_visible()
    assert appliance.ask("/api/setup")["from_page"] == ["music.goal"]


def test_who_is_signed_in_lets_the_music_be_for_them(appliance, page):
    enter(page, appliance)
    page.goto(f"{appliance.page}/#/people")
    page.get_by_text("For whom the music is now").click()
    expect(page.get_by_text(re.compile("wishes, for everybody"))).to_be_visible()
    page.get_by_role("button", name="Let it be for me").click()
    expect(page.get_by_text("It goes by your wishes.")).to_be_visible()
    assert appliance.ask("/api/listener")["user"] == appliance.ask("/api/me")["id"]
    page.get_by_role("button", name="Let it be for everybody").click()
    expect(page.get_by_role("button", name="Let it be for me")).to_be_visible()
    assert appliance.ask("/api/listener")["user"] is None


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_fits_and_can_be_read_by_all(appliance, new_page, width, scheme):
    page = enter(new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"), appliance, "camera")
    for step in STEPS:
        if page.locator(f"#step-{step}").get_attribute("aria-expanded") == "false":
            page.locator(f"#step-{step}").click()
        expect(page.locator(f"#step-{step}-body")).to_be_visible()
        if step == "notice":
            expect(page.locator(".sheet li").first).to_be_visible()
        found = Axe().run(page).response["violations"]
        assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, step


def test_the_steps_are_gone_through_with_the_keyboard_alone(appliance, page):
    enter(page, appliance)
    page.locator("#step-camera").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#step-camera")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Tab")
    expect(page.locator("#step-spotify")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#step-spotify")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="developer.spotify.com/dashboard")).to_be_focused()
