"""A look at one's skin from the page's programs: real appliance, real camera reader, detector, database and HTTP; the face is rendered."""

import urllib.error

import cv2
import numpy as np
import pytest

from appliance import Appliance
from moodify.skin.rendering import Skin, View, render
from waiting import wait_until

#: Each picture stands for two seconds.
PICTURES = 400
PACE = 4


def room_with_somebody(folder):
    """Write a recording of somebody who sits before the camera for a long time; return its folder."""
    folder.mkdir()
    face, _ = render(Skin(), View(eyes_px=100))
    room = np.full((face.shape[0] * 3 // 2, face.shape[0] * 2, 3), (108, 100, 95), np.uint8)
    top, left = (room.shape[0] - face.shape[0]) // 2, (room.shape[1] - face.shape[1]) // 2
    room[top : top + face.shape[0], left : left + face.shape[1]] = face[:, :, ::-1]
    first = folder / "0.png"
    cv2.imwrite(str(first), room)
    for number in range(1, PICTURES):
        (folder / f"{number}.png").symlink_to(first)
    return folder


@pytest.fixture(scope="module")
def appliance(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with Appliance(home, "--camera", room_with_somebody(home / "room"), "--speaker", "simulated", "--pace", PACE, toml="[link]\nenabled = false\n") as appliance:
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
        return now["kept"] or now["failed"]

    wait_until(follow, within_s=60, what=lambda: f"the end of the look, after {said}")
    return said, now


def test_a_look_is_begun_followed_kept_looked_back_on_and_erased(appliance):
    assert appliance.ask("/api/me/skin")["opted_in_at"] is None
    assert status(appliance, "/api/me/skin/look", "POST") == 403
    assert appliance.ask("/api/me/skin", "PUT", {"opted_in": True})["shared"] is False
    said, end = looked_at(appliance)
    assert end["failed"] is None
    assert said[-1] == ("done", 3)
    record = end["kept"]["record"]
    assert record["eyes_px"] == pytest.approx(100, abs=8)
    assert 0 <= record["oiliness_level"] <= 100
    assert record["reasons"]["hydration_level"] == "not measurable with a camera"
    kept = appliance.ask("/api/me/skin/looks")
    assert kept["looks"] == [end["kept"]]
    # Whoever lives there was told while it went on, and nothing of it became an event.
    assert "skin" not in str(appliance.events)
    appliance.ask(f"/api/me/skin/looks/{end['kept']['id']}", "DELETE")
    assert appliance.ask("/api/me/skin/looks")["looks"] == []


def test_the_room_is_told_whose_skin_is_looked_at_and_privacy_ends_it(appliance):
    appliance.ask("/api/me/skin", "PUT", {"opted_in": True})
    appliance.ask("/api/me/skin/look", "POST")
    wait_until(lambda: "Ada has their skin looked at" in (appliance.ask("/api/now")["music"]["reason"] or ""), what="that the room is told")
    appliance.ask("/api/privacy", "PUT", {"on": True})
    ended = wait_until(lambda: appliance.ask("/api/me/skin/look")["failed"], what="the end of the look")
    assert "privacy is on" in ended
    assert status(appliance, "/api/me/skin/look", "POST") == 409
    wait_until(lambda: appliance.ask("/api/now")["camera"]["state"] == "off", what="the camera's end")
    appliance.ask("/api/privacy", "PUT", {"on": False})
    wait_until(lambda: appliance.ask("/api/now")["camera"]["state"] == "ok", what="the camera")
