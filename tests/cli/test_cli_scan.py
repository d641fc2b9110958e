"""``moodify scan``: what it says of pictures, and of what is none."""

import json

import cv2
import numpy as np
import pytest

from appliance import moodify
from moodify.types import Emotion, NotJudged


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder of good and bad files."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "text.jpg").write_text("not a picture\n")
    (folder / "empty.png").write_bytes(b"")
    noise = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    whole = cv2.imencode(".jpg", noise)[1].tobytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "noise.jpg").write_bytes(whole)
    cv2.imwrite(str(folder / "dot.png"), np.full((1, 1, 3), 90, np.uint8))
    return folder


@pytest.mark.parametrize(
    ("name", "said"),
    [("text.jpg", "is not a JPEG"), ("empty.png", "is empty"), ("truncated.jpg", "is a damaged JPEG"), ("missing.jpg", "there is no such file"), ("", "is a folder")],
)
def test_what_is_no_picture_gets_one_clear_line_and_exit_code_two(desk, name, said):
    done = moodify(desk, "scan", desk / name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"moodify: {desk / name}")
    assert said in done.stderr
    assert ";" in done.stderr


def test_a_dot_has_no_face(desk):
    done = moodify(desk, "scan", "dot.png")
    assert (done.returncode, done.stdout, done.stderr) == (0, "dot.png (1x1): no face\n", "")


def test_the_good_ones_are_scanned_beside_the_bad(desk):
    done = moodify(desk, "scan", "text.jpg", "dot.png", "missing.jpg", "noise.jpg")
    assert done.returncode == 2
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["dot.png", "noise.jpg"]
    assert done.stderr.count("\n") == 2


def test_json_is_one_object_of_pictures(desk):
    done = moodify(desk, "scan", "--json", "dot.png", "text.jpg", "noise.jpg")
    pictures = json.loads(done.stdout)["pictures"]
    assert [(picture["picture"], picture["width"], picture["height"]) for picture in pictures] == [("dot.png", 1, 1), ("noise.jpg", 320, 240)]
    assert done.returncode == 2


def test_json_says_everything_of_a_face(desk, shared_data):
    pictures = sorted((shared_data / "detection" / "faces").glob("*.jpg"))[:60:6]
    done = moodify(desk, "scan", "--json", *pictures)
    assert (done.returncode, done.stderr) == (0, "")
    faces = [face for picture in json.loads(done.stdout)["pictures"] for face in picture["faces"]]
    assert faces
    for face in faces:
        assert set(face["landmarks"]) == {"right_eye", "left_eye", "nose", "right_mouth", "left_mouth"}
        assert len(face["box"]) == 4
        assert 0 < face["confidence"] <= 1
        assert face["emotions"] is None or abs(sum(face["emotions"].values()) - 1) < 0.01
        assert face["emotions"] is None or set(face["emotions"]) == set(Emotion)
        assert face["emotions"] is None or -1 <= face["valence"] <= 1
        assert face["not_judged"] is None or face["not_judged"] in set(NotJudged)


def test_without_a_picture_it_says_what_is_missing(desk):
    done = moodify(desk, "scan")
    assert done.returncode == 2
    assert "PICTURE" in done.stderr
