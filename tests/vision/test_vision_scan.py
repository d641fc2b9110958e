import json
import math
from importlib import util
from pathlib import Path

import cv2
import numpy as np
import pytest

from moodify.config.model import VisionConfig
from moodify.errors import PictureError
from moodify.pictures import read_picture
from moodify.types import Emotion, Frame, Image, NotJudged, PixelLayout
from moodify.vision.eyes import open_eyes
from moodify.vision.scan import open_scanner

FACES = Path(__file__).resolve().parents[2] / "../shared/data/detection/faces"


@pytest.fixture(scope="module")
def scanner():
    return open_scanner(VisionConfig())


def shipped_by(package, file):
    """A picture that another package ships; the package itself is not imported."""
    spec = util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package} is not installed (extra: sample)")
    return Path(spec.origin).parent / file


@pytest.fixture
def astronaut():
    return shipped_by("skimage", "data/astronaut.png")


@pytest.fixture
def grace_hopper():
    return shipped_by("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")


def known_faces(most):
    """Pictures with one sure face and where a person's face is in them."""
    lines = FACES.with_suffix(".jsonl")
    if not lines.is_file():
        pytest.skip("data: ../shared/data/detection is not on this machine")
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    sure = [record for record in records if len(record["teacher"]) == 1 and record["teacher"][0][4] > 0.9]
    return [(FACES / record["file"], record["teacher"][0]) for record in sure[:: len(sure) // most]][:most]


def in_a_room(path, width_share, size=(1280, 960)):
    """The picture put into a grey room so that its face takes about ``width_share`` of the width; it is 48 % of the picture."""
    pixels = read_picture(path).pixels
    side = round(size[0] * width_share / 0.48)
    small = cv2.resize(pixels, (side, round(side * pixels.shape[0] / pixels.shape[1])), interpolation=cv2.INTER_AREA)
    room = np.full((size[1], size[0], 3), 120, np.uint8)
    room[200 : 200 + small.shape[0], 300 : 300 + small.shape[1]] = small
    return room


def test_the_astronaut_is_happy(scanner, astronaut):
    face = scanner.scan(astronaut).faces[0]
    assert face.scores.top is Emotion.HAPPINESS
    assert face.scores.valence > 0
    assert 150 < face.face.box.x0 < face.face.landmarks.nose.x < face.face.box.x1 < 300


def test_grace_hopper_has_a_face(scanner, grace_hopper):
    first = scanner.scan(grace_hopper).faces[0]
    assert first.scores is not None
    assert 150 < first.face.landmarks.nose.x < 350


def test_a_report_is_json(scanner, astronaut):
    report = json.loads(json.dumps(scanner.scan(astronaut).as_json()))
    assert (report["picture"], report["width"], report["height"]) == (str(astronaut), 512, 512)
    face = report["faces"][0]
    assert set(face["landmarks"]) == {"right_eye", "left_eye", "nose", "right_mouth", "left_mouth"}
    assert set(face["emotions"]) == {emotion.value for emotion in Emotion}
    assert sum(face["emotions"].values()) == pytest.approx(1, abs=0.001)
    top = max(face["emotions"], key=face["emotions"].get)
    assert (face["emotion"], face["not_judged"]) in {(top, None), (None, NotJudged.NOT_CONFIDENT)}


def test_the_scores_of_a_face_do_not_depend_on_what_was_scanned_before(scanner, astronaut, grace_hopper):
    first = scanner.scan(astronaut).as_json()
    scanner.scan(grace_hopper)
    assert scanner.scan(astronaut).as_json() == first


def test_a_single_pixel_has_no_face(scanner, tmp_path):
    path = tmp_path / "dot.png"
    path.write_bytes(cv2.imencode(".png", np.zeros((1, 1, 3), np.uint8))[1].tobytes())
    assert scanner.scan(path).faces == ()


def test_a_picture_that_cannot_be_read_is_an_error(scanner, tmp_path):
    with pytest.raises(PictureError, match="no such file"):
        scanner.scan(tmp_path / "nowhere.png")


def test_faces_are_found_where_they_are(scanner):
    known = known_faces(40)
    near = 0
    for path, (x0, y0, x1, y1, _, *points) in known:
        faces = scanner.scan(path).faces
        centres = [math.dist(((f.face.box.x0 + f.face.box.x1) / 2, (f.face.box.y0 + f.face.box.y1) / 2), ((x0 + x1) / 2, (y0 + y1) / 2)) for f in faces]
        best = faces[int(np.argmin(centres))].face if faces else None
        near += best is not None and min(centres) < 0.2 * (x1 - x0) and math.dist(best.landmarks.right_eye, points[:2]) < 0.15 * (x1 - x0)
    assert near >= 0.75 * len(known)


def test_a_small_face_in_a_large_picture_is_found(scanner):
    known = known_faces(10)
    found = 0
    for path, _ in known:
        faces = scanner.faces(Image(in_a_room(path, 0.03, (2560, 1920)), PixelLayout.RGB))
        found += any(300 < face.landmarks.nose.x < 460 and 200 < face.landmarks.nose.y < 360 for face in faces)
    assert found > len(known) / 2


def test_a_face_is_read_from_the_stream_with_the_most_pixels():
    path, _ = known_faces(1)[0]
    detail = in_a_room(path, 0.1)
    small = cv2.resize(detail, (320, 240), interpolation=cv2.INTER_AREA)
    eyes = open_eyes(VisionConfig(min_face_px=60))
    sharp = eyes.see(Frame(Image(small, PixelLayout.RGB), 0.0, 0, Image(detail, PixelLayout.RGB)))
    coarse = eyes.see(Frame(Image(small, PixelLayout.RGB), 0.1, 1))
    assert sharp.faces[0].not_judged is not NotJudged.TOO_SMALL
    assert coarse.faces[0].not_judged is NotJudged.TOO_SMALL
    assert coarse.faces[0].face.box == sharp.faces[0].face.box


def test_every_layout_shows_the_same_face():
    path, _ = known_faces(1)[0]
    pixels = cv2.resize(in_a_room(path, 0.3), (320, 240), interpolation=cv2.INTER_AREA)
    i420 = cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420)
    images = [Image(pixels, PixelLayout.RGB), Image(i420, PixelLayout.I420)]
    first, second = (open_eyes(VisionConfig(confidence_threshold=0)).see(Frame(image, 0.0, 0)).faces[0] for image in images)
    assert second.face.box == pytest.approx(first.face.box, abs=5)
    assert second.scores.valence == pytest.approx(first.scores.valence, abs=0.3)
