"""Off means off, and pixels nowhere: what a running appliance keeps, where it listens, and what the page can do."""

import json
import shutil

import cv2
import pytest

from appliance import Appliance, data_folder, listening_on, moodify, tree_of
from moodify.camera.files import Recording
from moodify.camera.sample import ASTRONAUT
from moodify.daemon.hub_beside import FOLDER
from moodify.hub.database import open_database
from moodify.hub.folder import HubFolder
from waiting import wait_until

pytestmark = pytest.mark.slow

ARGUMENTS = ("--camera", "sample", "--speaker", "simulated")
#: How JPEG, PNG, GIF, WebP and MP4 files begin; two bytes alone would be found by chance.
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF89a", b"WEBPVP8", b"ftypisom")
#: So many bytes of a frame in a row are no chance.
RUN = 24


def pieces_of_pixels(folder):
    """Return runs of bytes of what a recording's first frame holds, as it is and in grey, each with some detail in it."""
    with Recording(folder) as recording:
        frame = recording.read()
    return pieces_of([frame.image.pixels, frame.detail.pixels, cv2.cvtColor(frame.image.pixels, cv2.COLOR_RGB2GRAY), cv2.cvtColor(frame.detail.pixels, cv2.COLOR_RGB2GRAY)])


def pieces_of(pictures):
    """Return runs of bytes of pictures, each with some detail in it."""
    raws = [picture.tobytes() for picture in pictures]
    # Not a multiple of any width, so that they lie all over the picture.
    runs = [raw[at : at + RUN] for raw in raws for at in range(0, len(raw) - RUN, max(499, len(raw) // 2000 | 1))]
    detailed = [run for run in runs if len(set(run)) > RUN // 2]
    assert len(detailed) > 100
    return detailed


def holds_pixels(content, pieces):
    return any(magic in content for magic in MAGIC) or any(piece in content for piece in pieces)


def kinds_at(hub):
    """Return the kinds of the events that a hub has stored."""
    with open_database(hub.database) as database:
        return {event.kind for event in database.events.events()}


@pytest.fixture
def stills(tmp_path_factory):
    """A folder in which the same person stands still: what is looked at is known to the byte, and stands outside the run's own folder."""
    folder = tmp_path_factory.mktemp("stills")
    for number in range(10):
        shutil.copy(ASTRONAUT.find(), folder / f"{number}.png")
    return folder


def test_no_pixel_is_kept_and_nothing_listens_but_on_loopback(tmp_path, stills):
    rules = '[system]\nlog_level = "debug"\n[music]\ndwell_s = 2\n'
    with Appliance(tmp_path, "--camera", str(stills), "--speaker", "simulated", toml=rules) as appliance:
        appliance.wait_for("order", status="done")
        appliance.wait_for("link", state="ok")
        listening = listening_on(tree_of(appliance.process.pid))
        hub = HubFolder(data_folder(tmp_path) / FOLDER)
        where, page = hub.where(), int(appliance.page.rpartition(":")[2].strip("/"))
        wait_until(lambda: "mood" in kinds_at(hub), every_s=0.1, what="a mood at the hub")
        assert appliance.end() == 0
    assert {address for address, _ in listening} == {"127.0.0.1"}
    # The page, the hub's gate and its API, and one more: the simulated speaker.
    ports = {port for _, port in listening}
    assert {page, where["mqtt"]["port"], where["api"]["port"]} < ports
    assert (len(listening), len(ports)) == (4, 4)
    pieces = pieces_of_pixels(stills)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"moodify.db", "log", "device.key", "hub.db", "hub.log", "mosquitto.log"} <= {path.name for path in files}
    assert [path for path in files if holds_pixels(path.read_bytes(), pieces)] == []
    printed = json.dumps(appliance.events)
    assert len(printed) < 20_000
    assert "base64" not in printed


def test_the_look_for_pixels_finds_them(stills):
    with Recording(stills) as recording:
        frame = recording.read()
    pieces = pieces_of_pixels(stills)
    assert holds_pixels(b"before" + frame.image.pixels.tobytes() + b"after", pieces)
    assert holds_pixels(frame.detail.pixels[40:, :].tobytes(), pieces)
    assert not holds_pixels(b"only words" * 1000, pieces)


def test_the_hub_beside_the_appliance_says_how_it_is_and_who_is_there(tmp_path):
    with Appliance(tmp_path, *ARGUMENTS) as appliance:
        appliance.wait_for("link", state="ok")
        folder = data_folder(tmp_path) / FOLDER
        device = json.loads(moodify(tmp_path, "device", "show", "--json").stdout)["id"]

        def listed():
            return json.loads(moodify(tmp_path, "hub", "devices", "--folder", folder, "--json").stdout)["devices"]

        (shown,) = wait_until(lambda: [one for one in listed() if one["state"] == "online"], every_s=0.2, what="the device's being online")
        assert (shown["id"], len(shown["keys"])) == (device, 1)
        # It is there before its first events are.
        wait_until(lambda: kinds_at(HubFolder(folder)), every_s=0.1, what="a first event at the hub")
        status = moodify(tmp_path, "hub", "status", "--folder", folder)
        assert (status.returncode, status.stderr) == (0, "")
        assert "127.0.0.1 port" in status.stdout
        assert "not encrypted" in status.stdout
        assert f"{device}  " in status.stdout.partition("last events")[2]
        assert appliance.end() == 0
    away = moodify(tmp_path, "hub", "status", "--folder", folder)
    assert away.returncode == 3
    assert f"hub            does not run in {folder}" in away.stdout


def test_the_page_shows_what_is_and_a_press_leads_to_a_decision(tmp_path):
    with Appliance(tmp_path, *ARGUMENTS) as appliance:
        wait_until(lambda: appliance.ask("/api/now")["mood"], what="a mood on the page")
        now = appliance.ask("/api/now")
        assert (now["mood"]["mood"], now["seen"]["people"], now["camera"]["state"], now["demo"]) == ("happy", 1, "ok", True)
        appliance.wait_for("order", act="play", status="done")
        wait_until(lambda: appliance.ask("/api/now")["music"]["playing"], what="music on the page")
        seen = len(appliance.events)
        appliance.ask("/api/scan", "POST")
        appliance.wait_for("mood", after=seen, asked=True)
        assert appliance.wait_for("decision", after=seen)["data"]["reason"]
        history = appliance.ask("/api/events")
        assert {event["id"] for event in history} <= {event["id"] for event in appliance.events}
        assert appliance.end() == 0


def test_privacy_closes_the_camera_and_survives_a_restart(tmp_path):
    with Appliance(tmp_path, *ARGUMENTS) as first:
        first.wait_for("presence", present=True)
        first.ask("/api/privacy", "PUT", {"on": True})
        first.wait_for("camera", state="off")
        assert first.end() == 0
    with Appliance(tmp_path, *ARGUMENTS) as second:
        second.wait_for("camera", state="off")
        second.wait_for("link", state="ok")
        now = second.ask("/api/now")
        assert (now["privacy"], now["camera"]["state"], now["mood"], now["seen"]["faces"]) == (True, "off", None, [])
        seen = len(second.events)
        second.ask("/api/scan", "POST")
        assert second.wait_for("decision", after=seen)["data"]["reason"].startswith("Privacy is on")
        assert second.of("presence") == []
        second.ask("/api/privacy", "PUT", {"on": False})
        second.wait_for("camera", state="ok")
        second.wait_for("order", act="play", status="done")
        assert second.end() == 0
