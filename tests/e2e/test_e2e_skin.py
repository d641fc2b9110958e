"""A look at one's skin from the page's programs: real appliance, real camera reader, detector, database and HTTP; the face is rendered."""

import json
import urllib.error

import pytest
from typer.testing import CliRunner

from appliance import Appliance, environment_of, moodify
from moodify.cli.main import app
from moodify.errors import RetryLater
from moodify.skin.capture import SAY, Step
from moodify.web.certificate import ensure
from ports import free_port
from signed_in import EMAIL, PASSWORD
from somebody import recording_of_somebody
from waiting import wait_until

#: Each picture stands for two seconds.
PICTURES = 400
PACE = 4


@pytest.fixture(scope="module")
def appliance(tmp_path_factory):
    """An appliance with somebody before its camera, its page encrypted."""
    home = tmp_path_factory.mktemp("home")
    certificate, key = home / "page.pem", home / "page.key"
    ensure(certificate, key, ("localhost",), title="a test")
    toml = f'[link]\nenabled = false\n[web]\nport = {free_port()}\ncertificate = "{certificate}"\nkey = "{key}"\n'
    camera = recording_of_somebody(home / "room", PICTURES)
    with Appliance(home, "--camera", camera, "--speaker", "simulated", "--pace", PACE, toml=toml) as appliance:
        appliance.wait_for("camera", state="ok")
        yield appliance


def status(appliance, *request):
    with pytest.raises(urllib.error.HTTPError) as refused:
        appliance.ask(*request)
    with refused.value as answer:
        return answer.code


def looked_at(appliance):
    """Have one's skin looked at; return each thing that was said on the way, and the end."""
    now, said = appliance.ask("/api/me/skin/look", "POST"), []

    def follow():
        nonlocal now
        now = appliance.ask(f"/api/me/skin/look?after={now['version']}")
        if now["guidance"] is not None:
            said.append((now["guidance"]["step"], now["guidance"]["taken"]))
        return now["record"] or now["failed"]

    wait_until(follow, within_s=60, what=lambda: f"the end of the look, after {said}")
    return said, now


def test_a_look_is_begun_followed_kept_looked_back_on_and_erased(appliance):
    assert appliance.ask("/api/me/skin")["opted_in_at"] is None
    assert status(appliance, "/api/me/skin/look", "POST") == 403
    assert appliance.ask("/api/me/skin", "PUT", {"opted_in": True})["shared"] is False
    said, end = looked_at(appliance)
    assert end["failed"] is None
    assert said[-1] == ("done", 3)
    record = end["record"]
    # In pixels of the detail, not of the frame, which has a quarter: to the detector, a rendered face is only roughly a face.
    assert record["eyes_px"] == pytest.approx(100, abs=8)
    assert 0 <= record["oiliness_level"] <= 100
    assert record["reasons"]["hydration_level"] == "not measurable with a camera"
    kept = appliance.ask("/api/me/skin/looks")
    assert kept["looks"] == [{"id": end["kept"], "record": record}]
    # Whoever lives there was told while it went on, and nothing of it became an event.
    assert "skin" not in str(appliance.events)
    appliance.ask(f"/api/me/skin/looks/{end['kept']}", "DELETE")
    assert appliance.ask("/api/me/skin/looks")["looks"] == []


def test_the_terminal_has_the_appliance_look_over_its_encrypted_page(appliance):
    appliance.ask("/api/me/skin", "PUT", {"opted_in": True})
    password = appliance.home / "password"
    password.write_text(f"{PASSWORD}\n")
    scanned = moodify(appliance.home, "skin", "scan", "--email", EMAIL, "--password-file", password, "--json")
    assert scanned.returncode == 0, scanned.stderr
    (kept,) = appliance.ask("/api/me/skin/looks")["looks"]
    assert json.loads(scanned.stdout) == kept["record"]
    assert SAY[Step.HOLD_STILL] in scanned.stderr
    # Another certificate than the page shows is another's page.
    ensure(appliance.home / "other.pem", appliance.home / "other.key", ("localhost",), title="another")
    own = appliance.home / ".config" / "moodify" / "moodify.toml"
    other = appliance.home / "other.toml"
    other.write_text(own.read_text().replace("page.", "other."))
    arguments = ("skin", "scan", "--email", EMAIL, "--password-file", password, "--config", other)
    refused = CliRunner().invoke(app, list(map(str, arguments)), env=environment_of(appliance.home))
    assert isinstance(refused.exception, RetryLater)
    assert "certificate verify failed" in str(refused.exception)


def test_in_privacy_no_look_begins(appliance):
    appliance.ask("/api/me/skin", "PUT", {"opted_in": True})
    appliance.ask("/api/privacy", "PUT", {"on": True})
    wait_until(lambda: appliance.ask("/api/now")["privacy"], what="privacy")
    assert status(appliance, "/api/me/skin/look", "POST") == 409
    appliance.ask("/api/privacy", "PUT", {"on": False})
    wait_until(lambda: not appliance.ask("/api/now")["privacy"], what="the end of privacy")
