from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moodify.types import Emotion

litert = pytest.importorskip("ai_edge_litert.interpreter", reason="needs ai-edge-litert, which 32-bit ARM has not")

MODELS = Path(__file__).resolve().parents[2] / "models"
MOST_BYTES = {"face_detector": 500_000, "emotion": 600_000}
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
EMOTIONS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]


@pytest.fixture(params=sorted(MOST_BYTES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def manifest(name: str) -> dict[str, Any]:
    return json.loads((MODELS / f"{name}.json").read_text())


@pytest.fixture
def interpreter(name: str) -> Any:
    made = litert.Interpreter(model_path=str(MODELS / f"{name}.tflite"), num_threads=1)
    made.allocate_tensors()
    return made


def test_the_manifest_is_of_this_very_file(name, manifest):
    content = (MODELS / manifest["file"]).read_bytes()
    assert manifest["name"] == name
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["bytes"] == len(content) <= MOST_BYTES[name]


def test_the_manifest_describes_the_tensors_of_the_file(manifest, interpreter):
    (given,) = interpreter.get_input_details()
    assert_described(given, manifest["input"])
    details = interpreter.get_output_details()
    assert len(details) == len(manifest["outputs"])
    for output in manifest["outputs"]:
        assert_described(details[output["index"]], output)


def test_pixels_go_in_with_their_highest_bit_turned(manifest):
    taken = manifest["input"]
    assert (taken["dtype"], taken["scale"], taken["zero_point"]) == ("int8", 1.0, -128)


def test_labels_are_what_the_appliance_knows(name, manifest):
    assert manifest["labels"] == (["face"] if name == "face_detector" else EMOTIONS)
    assert [emotion.value for emotion in Emotion] == EMOTIONS


def test_xnnpack_runs_every_convolution(interpreter):
    operations = interpreter._get_ops_details()
    taken = {int(i) for each in operations if each["op_name"] == "DELEGATE" for i in each["inputs"]}
    convolutions = [each for each in operations if each["op_name"] in CONVOLUTIONS]
    assert convolutions
    assert [each["index"] for each in convolutions if int(each["inputs"][1]) not in taken] == []


def test_the_detector_stays_within_its_multiply_accumulates():
    manifest = json.loads((MODELS / "face_detector.json").read_text())
    assert manifest["macs"] <= 80_000_000


def test_the_framing_is_a_face_of_a_person_who_looks_at_us():
    right_eye, left_eye, nose, right_mouth, left_mouth = json.loads((MODELS / "emotion.json").read_text())["postprocess"]["framing"]["landmarks"]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < nose[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_the_card_states_what_the_manifest_measured(name, manifest):
    card = (MODELS / f"{name}.md").read_text()
    assert manifest["version"] in card
    assert "Article 5(1)(f)" in card
    shares = [value for value in manifest["metrics"].values() if isinstance(value, dict) and "interval95" in value]
    assert shares
    for share in shares:
        value = share.get("value", share.get("median"))
        assert f"{value:.3f} | {share['interval95'][0]:.3f} to {share['interval95'][1]:.3f}" in card


def test_the_card_states_the_threshold_of_the_manifest():
    threshold = json.loads((MODELS / "face_detector.json").read_text())["postprocess"]["score_threshold"]
    assert f"The threshold, {threshold:.2f}," in (MODELS / "face_detector.md").read_text()


def assert_described(detail: dict[str, Any], described: dict[str, Any]) -> None:
    scale, zero_point = detail["quantization"]
    assert detail["name"] == described["name"]
    assert [int(n) for n in detail["shape"]] == described["shape"]
    assert np.dtype(detail["dtype"]).name == described["dtype"]
    assert (scale, zero_point) == (pytest.approx(described["scale"], rel=1e-6), described["zero_point"])
