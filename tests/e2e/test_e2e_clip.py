"""A recording made here: somebody happy, nobody, somebody with another expression. It gives one timeline and certain orders."""

from datetime import datetime
from itertools import chain

import cv2
import numpy as np
import pytest

from appliance import Appliance
from moodify.camera.files import Recording
from moodify.config.model import VisionConfig
from moodify.types import MOOD_OF, Emotion
from moodify.vision.eyes import open_eyes

pytestmark = pytest.mark.slow

#: Waiting times that fit a recording of half a minute.
RULES = """
[mood]
smoothing_s = 1.5
steady_s = 2.0
absent_s = 3.0

[music]
dwell_s = 4.0
max_changes = 5
change_window_s = 60.0
absence_pause_s = 5.0
start_when_silent = true

[link]
enabled = false
"""
STILL_S = 2
FPS = 5
#: Well above the confidence at which a mood is entered, for a clip's compression costs some.
SURE = 0.9
#: Seconds of each part, in order.
PARTS = (("happy", 12), ("nobody", 12), ("other", 14))
#: Pictures that are tried at most.
TRIED = 250


def seen(eyes, path):
    """Return the emotion on the one face that a recording of this picture shows, "nobody", or None where that is not clear."""
    with Recording(path, pace=0) as recording:
        faces = eyes.see(recording.read(), closely=True).faces
    if not faces:
        return "nobody"
    return faces[0].scores.top if len(faces) == 1 and faces[0].judged and faces[0].scores.confidence >= SURE else None


def clearly_seen(eyes, path, framed_path):
    """Return the same where a still and a frame of a clip agree."""
    found = seen(eyes, path)
    if found is not None:
        cv2.imwrite(str(framed_path), framed(cv2.imread(str(path))))
    return found if found is not None and found == seen(eyes, framed_path) else None


@pytest.fixture(scope="module")
def cast(shared_data, tmp_path_factory):
    """Pictures of somebody happy, of nobody, and of somebody in another mood, as the appliance itself judges them; and that mood."""
    eyes, framed_path = open_eyes(VisionConfig()), tmp_path_factory.mktemp("framed") / "framed.png"
    found = {}
    candidates = chain.from_iterable(zip(*(sorted((shared_data / "detection" / name).glob("*.*"))[:TRIED] for name in ("people", "faces", "negatives")), strict=False))
    for path in candidates:
        match clearly_seen(eyes, path, framed_path):
            case "nobody" if path.parent.name == "negatives":
                found.setdefault("nobody", path)
            case Emotion.HAPPINESS:
                found.setdefault("happy", path)
            case (Emotion.NEUTRAL | Emotion.SURPRISE) as emotion if "other" not in found:
                found["other"], found["mood"] = path, MOOD_OF[emotion].value
        if len(found) == 4:
            return found
    pytest.fail(f"among {TRIED} pictures of each kind no clear ones were found, only {found}")


@pytest.fixture(scope="module")
def folder(cast, tmp_path_factory):
    """Stills; each stands for two seconds."""
    made = tmp_path_factory.mktemp("stills")
    number = 0
    for part, seconds in PARTS:
        for _ in range(seconds // STILL_S):
            number += 1
            (made / f"{number}{cast[part].suffix}").write_bytes(cast[part].read_bytes())
    return made


@pytest.fixture(scope="module", params=["mp4v:clip.mp4", "MJPG:clip.avi"])
def clip(request, cast, tmp_path_factory):
    """A clip as a camera would have written it, of 640 by 480 pixels."""
    codec, name = request.param.split(":")
    path = tmp_path_factory.mktemp("clip") / name
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), FPS, (640, 480))
    assert writer.isOpened()
    for part, seconds in PARTS:
        picture = framed(cv2.imread(str(cast[part])))
        for _ in range(seconds * FPS):
            writer.write(picture)
    writer.release()
    return path


def framed(picture, size=(640, 480)):
    """Return a picture in the middle of a grey frame."""
    scale = min(size[0] / picture.shape[1], size[1] / picture.shape[0])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((size[1], size[0], 3), 96, np.uint8)
    top, left = (size[1] - small.shape[0]) // 2, (size[0] - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


def timeline(home, source, pace):
    """Play a recording; return (seconds, what) of presence, moods and orders. Which song of a mood is played is left to chance."""
    home.mkdir()
    with Appliance(home, "--camera", source, "--speaker", "simulated", "--pace", pace, toml=RULES) as appliance:
        assert appliance.wait(60) == 0, appliance.log
    start = datetime.fromisoformat(appliance.of("camera")[0]["at"])
    decisions = {event["data"]["order"]: event["data"] for event in appliance.of("decision")}
    told = []
    for event in appliance.events:
        data = event["data"]
        what = {
            "presence": lambda data=data: f"{data['people']} here",
            "mood": lambda data=data: data["mood"],
            "order": lambda data=data: f"{data['act']} {decisions[data['order']]['mood']} {data['status']}",
        }.get(event["kind"])
        if what is not None:
            told.append(((datetime.fromisoformat(event["at"]) - start).total_seconds(), what()))
    return told


def expected(mood):
    return [
        "1 here",
        "happy",
        "play happy done",
        "0 here",
        "absent",
        "pause absent done",
        "1 here",
        "resume absent done",
        mood,
        f"queue {mood} done",
    ]


def test_a_folder_gives_one_timeline_and_exactly_these_orders_at_any_pace(tmp_path, folder, cast):
    first = timeline(tmp_path / "first", folder, 0)
    assert [what for _, what in first] == expected(cast["mood"])
    assert timeline(tmp_path / "again", folder, 0) == first
    assert timeline(tmp_path / "paced", folder, 20) == first
    when = {what: seconds for seconds, what in first}
    assert 12 <= when["0 here"] <= 16
    # The last frame with somebody is one before the twelfth second.
    assert when["pause absent done"] >= 12 - 1 / FPS + 5
    assert when[f"queue {cast['mood']} done"] >= 24 + 4


def test_a_clip_gives_the_same_orders_twice(tmp_path, clip, cast):
    first = timeline(tmp_path / "first", clip, 0)
    assert [what for _, what in first] == expected(cast["mood"])
    assert timeline(tmp_path / "again", clip, 0) == first
