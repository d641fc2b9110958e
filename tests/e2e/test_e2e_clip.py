"""A recording made here: somebody happy, nobody, somebody with another expression. It gives one timeline and certain orders."""

import shutil
from datetime import datetime
from itertools import cycle, islice

import cv2
import numpy as np
import pytest

from appliance import Appliance
from moodify.camera.sample import SampleCamera

pytestmark = pytest.mark.slow

#: Waiting times that fit a recording of a minute, and let neither one picture that is missed nor one that is misread decide.
RULES = """
[mood]
smoothing_s = 3.0
steady_s = 4.0
absent_s = 5.0

[music]
dwell_s = 4.0
max_changes = 5
change_window_s = 120.0
absence_pause_s = 5.0
start_when_silent = true

[link]
enabled = false
"""
#: What a still in a folder stands for.
STILL_S = 2
FPS = 5
#: Seconds of each part, in order.
HAPPY_S, NOBODY_S, OTHER_S = 20, 14, 20
GONE_S, BACK_S = HAPPY_S, HAPPY_S + NOBODY_S

#: Pictures of each expression, and how wide they are in the room, in pixels; a person leans forward and back.
CAST = 4
WIDTHS = (220, 240, 260)
#: So many of ten annotators agreed.
VOTES = 10

UP_TO_THE_RETURN = ["somebody", "happy", "play happy done", "nobody", "absent", "pause absent done", "somebody", "resume absent done"]
#: How it may go on, by who is in the recording. Grace Hopper looks calm, or at least not happy: nobody has voted on her.
AFTER_THE_RETURN = {
    "the sample's": [["calm", "queue calm done"], ["unsure"], ["unsure", "calm", "queue calm done"]],
    "voted on": [["surprised", "queue surprised done"]],
}


def portraits():
    """Return the stills of each part, RGB (480, 640, 3): the sample's portraits, between their coming and going."""
    with SampleCamera() as camera:
        return [[camera.render(start_s + number) for number in range(seconds // STILL_S)] for start_s, seconds in ((4, HAPPY_S), (26, NOBODY_S), (38, OTHER_S))]


def voted_on(shared_data):
    """Return the same of faces whose expression annotators agreed on: their labels choose them, not what we see in them."""
    kept = np.load(shared_data / "emotion" / "ferplus_val.npz")
    columns = kept["vote_columns"].tolist()
    with SampleCamera() as camera:
        room = camera.render(29.0)

    def part(label, seconds):
        agreed = kept["pixels"][kept["ferplus_votes"][:, columns.index(label)] == VOTES]
        cast = agreed[:: len(agreed) // CAST][:CAST]
        return [in_the_room(room, crop, width) for crop, width in islice(zip(cycle(cast), cycle(WIDTHS), strict=False), seconds // STILL_S)]

    return [part("happiness", HAPPY_S), [room] * (NOBODY_S // STILL_S), part("surprise", OTHER_S)]


def in_the_room(room, crop, width):
    """Return the room with a grey crop (48, 48) in its middle, enlarged, its border faded into the wall."""
    across = np.abs(np.linspace(-1, 1, width, dtype=np.float32))
    there = np.clip((1 - np.maximum(across[:, None], across[None, :])) / 0.12, 0, 1)[:, :, None]
    face = cv2.resize(crop, (width, width), interpolation=cv2.INTER_CUBIC)[:, :, None]
    top, left = (room.shape[0] - width) // 2, (room.shape[1] - width) // 2
    still = room.copy()
    behind = still[top : top + width, left : left + width]
    behind[:] = np.round(there * face + (1 - there) * behind)
    return still


@pytest.fixture(scope="module", params=AFTER_THE_RETURN)
def cast(request):
    return request.param


@pytest.fixture(scope="module")
def stills(cast, request):
    parts = portraits() if cast == "the sample's" else voted_on(request.getfixturevalue("shared_data"))
    return [cv2.cvtColor(still, cv2.COLOR_RGB2BGR) for part in parts for still in part]


@pytest.fixture(scope="module")
def folder(stills, tmp_path_factory):
    """Stills; each stands for two seconds."""
    made = tmp_path_factory.mktemp("stills")
    for number, still in enumerate(stills):
        assert cv2.imwrite(str(made / f"{number}.png"), still)
    return made


@pytest.fixture(scope="module", params=["mp4v:clip.mp4", "MJPG:clip.avi"])
def clip(request, stills, tmp_path_factory):
    """A clip as a camera would have written it, of 640 by 480 pixels."""
    codec, name = request.param.split(":")
    path = tmp_path_factory.mktemp("clip") / name
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), FPS, (640, 480))
    assert writer.isOpened()
    for still in stills:
        for _ in range(STILL_S * FPS):
            writer.write(still)
    writer.release()
    return path


def timeline(home, source, pace):
    """Play a recording; return (seconds, what) of presence, moods and orders.

    Which song of a mood is played is left to chance; how many are there, to the detector: a still that shows it a face too many does so for all of its time.
    """
    home.mkdir()
    with Appliance(home, "--camera", source, "--speaker", "simulated", "--pace", pace, toml=RULES) as appliance:
        assert appliance.wait(60) == 0, appliance.log
    start = datetime.fromisoformat(appliance.of("camera")[0]["at"])
    decisions = {event["data"]["order"]: event["data"] for event in appliance.of("decision")}
    told, present = [], None
    for event in appliance.events:
        data = event["data"]
        match event["kind"]:
            case "presence" if data["present"] is not present:
                present = data["present"]
                what = "somebody" if present else "nobody"
            case "mood":
                what = data["mood"]
            case "order":
                what = f"{data['act']} {decisions[data['order']]['mood']} {data['status']}"
            case _:
                continue
        told.append(((datetime.fromisoformat(event["at"]) - start).total_seconds(), what))
    return told


def assert_as_expected(told, cast):
    what = [one for _, one in told]
    assert what[: len(UP_TO_THE_RETURN)] == UP_TO_THE_RETURN
    assert what[len(UP_TO_THE_RETURN) :] in AFTER_THE_RETURN[cast]


def test_a_folder_gives_one_timeline_and_exactly_these_orders_at_any_pace(tmp_path, folder, cast):
    first = timeline(tmp_path / "first", folder, 0)
    assert_as_expected(first, cast)
    assert timeline(tmp_path / "again", folder, 0) == first
    assert timeline(tmp_path / "paced", folder, 20) == first
    # The last frame with somebody is one before the moment at which nobody is there.
    when = {what: seconds for seconds, what in first}
    assert GONE_S - 1 / FPS + 5 <= when["nobody"] <= when["pause absent done"] < BACK_S
    assert BACK_S <= when["somebody"] < BACK_S + 2 * STILL_S
    # A mood is steady for four seconds before it is told.
    assert all(seconds >= BACK_S + 4 for seconds, _ in first[len(UP_TO_THE_RETURN) :])


def test_a_clip_gives_the_same_orders_twice(tmp_path, clip, cast):
    first = timeline(tmp_path / "first", clip, 0)
    assert_as_expected(first, cast)
    assert timeline(tmp_path / "again", clip, 0) == first


def test_a_folder_that_vanishes_while_it_is_watched_is_a_failure_that_is_named(tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    for number, still in enumerate(portraits()[0]):
        cv2.imwrite(str(stick / f"{number}.png"), still)
    with Appliance(tmp_path, "--camera", stick, "--speaker", "simulated", toml=RULES) as appliance:
        appliance.wait_for("camera", state="ok")
        shutil.rmtree(stick)
        assert appliance.wait(60) != 0
    assert f"{stick}: the last " in appliance.log
    assert appliance.of("camera")[-1]["data"]["state"] == "broken"
