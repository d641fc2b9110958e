import hashlib
import json

import pytest

from moodify.errors import ModelError
from moodify.types import Emotion
from moodify.vision.manifest import parse_classifier, parse_detector

CONTENT = b"TFL3, as it were"


def common(task):
    return {
        "format": 1,
        "name": "a model",
        "version": "1.0",
        "task": task,
        "file": "a_model.tflite",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "bytes": len(CONTENT),
        "metrics": {"whatever": 1},
    }


def tensor(name, shape, **more):
    return {"name": name, "shape": shape, "dtype": "int8", "scale": 0.1, "zero_point": 3, **more}


def detector():
    levels = [(8, 32, 40), (16, 16, 20), (32, 8, 10)]
    return common("face-detection") | {
        "input": tensor("in", [1, 256, 320, 3], scale=1.0, zero_point=-128, colour="RGB", layout="NHWC"),
        "outputs": [
            tensor(f"{role}{stride}", [1, rows, columns, channels], role=role, stride=stride)
            for stride, rows, columns in levels
            for role, channels in (("objectness", 1), ("box", 4), ("landmarks", 10))
        ],
        "labels": ["face"],
        "postprocess": {"score_threshold": 0.5, "nms_iou": 0.4, "max_faces": 20},
    }


def classifier():
    return common("emotion-classification") | {
        "input": tensor("in", [1, 48, 48, 1], scale=1.0, zero_point=-128, colour="GREY", layout="NHWC"),
        "outputs": [tensor("logits", [1, 8], role="logits")],
        "labels": [emotion.value for emotion in Emotion],
        "postprocess": {"temperature": 1.3, "framing": {"landmarks": [[16, 18], [32, 18], [24, 27], [18, 36], [30, 36]]}},
    }


def changed(manifest, path, value):
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(manifest)


def test_good_manifests_are_read_whatever_else_they_say():
    assert parse_detector("d.json", json.dumps(detector())).postprocess.max_faces == 20
    framing = parse_classifier("c.json", json.dumps(classifier())).framing
    assert framing.side == 48
    assert framing.landmarks.nose == (24, 27)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["format"], 2, ["format is 2", "1"]),
        (["task"], "emotion-classification", ["task is 'emotion-classification'", "face-detection"]),
        (["file"], "../../etc/passwd", ["file is '../../etc/passwd'"]),
        (["sha256"], "abc", ["sha256 is 'abc'"]),
        (["bytes"], 0, ["bytes is 0"]),
        (["input", "dtype"], "float32", ["input.dtype is 'float32'", "int8"]),
        (["input", "scale"], 0.5, ["input.scale is 0.5"]),
        (["input", "zero_point"], 0, ["input.zero_point is 0", "-128"]),
        (["input", "colour"], "BGR", ["input.colour is 'BGR'", "RGB"]),
        (["input", "layout"], "NCHW", ["input.layout is 'NCHW'", "NHWC"]),
        (["input", "shape"], [1, 256, 320, 1], ["shape [1, 256, 320, 1]", "RGB"]),
        (["outputs", 0, "shape"], [1, 32, 41, 1], ["[1, 32, 41, 1]", "[1, 32, 40, 1]"]),
        (["outputs", 0, "role"], "box", ["objectness, box, landmarks"]),
        (["outputs", 4, "stride"], None, ["objectness, box, landmarks"]),
        (["outputs", 0, "dtype"], "uint8", ["outputs.0.dtype is 'uint8'"]),
        (["postprocess", "score_threshold"], 1.5, ["postprocess.score_threshold is 1.5"]),
        (["postprocess", "max_faces"], 0, ["postprocess.max_faces is 0"]),
    ],
)
def test_what_is_wrong_with_a_detector_is_named(path, value, said):
    with pytest.raises(ModelError) as caught:
        parse_detector("models/d.json", changed(detector(), path, value))
    for part in ["models/d.json", *said]:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["labels"], ["happy", "sad"], ["happy, sad", "neutral, happiness"]),
        (["labels", 0], "happiness", ["in their order"]),
        (["input", "shape"], [1, 48, 40, 1], ["48x40", "square"]),
        (["outputs", 0, "shape"], [1, 7], ["[1, 8]"]),
        (["postprocess", "temperature"], 0, ["postprocess.temperature is 0"]),
        (["postprocess", "framing", "landmarks"], [[1, 2]], ["postprocess.framing.landmarks", "5"]),
    ],
)
def test_what_is_wrong_with_a_classifier_is_named(path, value, said):
    with pytest.raises(ModelError) as caught:
        parse_classifier("c.json", changed(classifier(), path, value))
    for part in ["c.json", *said]:
        assert part in str(caught.value)


@pytest.mark.parametrize("key", ["format", "sha256", "input", "outputs", "postprocess"])
def test_a_missing_key_is_named(key):
    manifest = detector()
    del manifest[key]
    with pytest.raises(ModelError, match=f"{key} is missing"):
        parse_detector("d.json", json.dumps(manifest))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff\xfe"])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(ModelError, match=r"d\.json"):
        parse_detector("d.json", text)


def test_another_file_is_refused_by_size_and_by_hash():
    manifest = parse_detector("d.json", json.dumps(detector()))
    manifest.check_file("a_model.tflite", CONTENT)
    with pytest.raises(ModelError, match=r"a_model\.tflite: has 3 bytes, the manifest says 16; copy"):
        manifest.check_file("a_model.tflite", b"abc")
    with pytest.raises(ModelError, match=r"a_model\.tflite: sha256 is .*, the manifest says"):
        manifest.check_file("a_model.tflite", CONTENT[::-1])
