import hashlib
import json
import os
import shutil
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from moodify.errors import ModelError
from moodify.types import Image, PixelLayout
from moodify.vision.classifier import TfliteClassifier
from moodify.vision.detector import TfliteDetector
from moodify.vision.models import read_classifier, read_detector
from moodify.vision.runtime import Runtime, threads_for

GREY_FRAME = Image(np.full((240, 320, 3), 114, np.uint8), PixelLayout.RGB)


class Folder:
    """A folder with copies of the models that ship, to spoil."""

    def __init__(self, path):
        self.path = path
        for file in resources.files("moodify.models").iterdir():
            if file.name.endswith((".tflite", ".json")):
                shutil.copy(Path(str(file)), path / file.name)

    def change(self, manifest, path, value):
        """Set one value of a manifest and return the one before."""
        file = self.path / manifest
        place = whole = json.loads(file.read_text())
        for key in path[:-1]:
            place = place[key]
        before, place[path[-1]] = place[path[-1]], value
        file.write_text(json.dumps(whole))
        return before


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_the_models_that_ship_are_read_and_run_by_xnnpack():
    detector, classifier = TfliteDetector(read_detector()), TfliteClassifier(read_classifier())
    assert detector.runtime.delegated()
    assert classifier.runtime.delegated()
    assert isinstance(detector.faces(GREY_FRAME), tuple)
    side = classifier.framing.side
    assert sum(classifier.emotions(np.full((side, side), 114, np.uint8)).probabilities.values()) == pytest.approx(1)


def test_models_of_ones_own_are_read_from_their_folder(folder):
    folder.change("emotion.json", ["name"], "mine")
    assert read_classifier(folder.path).manifest.name == "mine"
    TfliteDetector(read_detector(folder.path))


def test_a_run_depends_on_nothing_but_its_pixels_and_keeps_its_buffers():
    model = read_classifier()
    runtime = Runtime(model)
    rng = np.random.default_rng(4)
    first, second = (rng.integers(0, 256, model.manifest.input.shape, np.uint8) for _ in range(2))
    before = runtime.run(first)[0].copy()
    other = runtime.run(second)[0]
    assert (other != before).any()
    again = runtime.run(first)[0]
    assert again is other
    assert (again == before).all()


def test_what_fails_while_it_runs_is_no_vendor_error():
    model = read_classifier()
    runtime, pixels = Runtime(model), np.zeros(model.manifest.input.shape, np.uint8)
    held = runtime._input()
    with pytest.raises(ModelError, match="fails while it runs"):
        runtime.run(pixels)
    del held
    assert len(runtime.run(pixels)) == 1


def test_pixels_are_not_changed_by_a_run():
    model = read_classifier()
    pixels = np.random.default_rng(4).integers(0, 256, model.manifest.input.shape, np.uint8)
    before = pixels.copy()
    Runtime(model).run(pixels)
    assert (pixels == before).all()


def test_threads_are_as_asked_or_half_of_the_cores():
    assert threads_for(3) == 3
    assert threads_for(0) == max(1, len(os.sched_getaffinity(0)) // 2)


@pytest.mark.parametrize(
    ("manifest", "path", "value", "said"),
    [
        ("emotion.json", ["outputs", 0, "scale"], 0.123, ["output", "scale", "the manifest says 0.123"]),
        ("emotion.json", ["outputs", 0, "zero_point"], -77, ["output", "zero_point", "the manifest says -77"]),
        ("face_detector.json", ["outputs", 2, "zero_point"], -77, ["output", "zero_point", "the manifest says -77"]),
    ],
)
def test_a_manifest_that_does_not_fit_its_tensors_is_refused(folder, manifest, path, value, said):
    folder.change(manifest, path, value)
    with pytest.raises(ModelError) as caught:
        Runtime(read_classifier(folder.path) if manifest == "emotion.json" else read_detector(folder.path))
    for part in [".tflite", *said, "use the file that the manifest was written for"]:
        assert part in str(caught.value)


def test_another_input_size_is_refused(folder):
    before = folder.change("emotion.json", ["input", "shape"], [1, 56, 56, 1])
    with pytest.raises(ModelError) as caught:
        Runtime(read_classifier(folder.path))
    assert f"has shape {before}, the manifest says [1, 56, 56, 1]" in str(caught.value)


def test_renamed_outputs_are_found_by_their_shape(folder):
    for i in range(len(read_detector(folder.path).manifest.outputs)):
        folder.change("face_detector.json", ["outputs", i, "name"], f"StatefulPartitionedCall:{i}")
    TfliteDetector(read_detector(folder.path))


def test_a_file_that_was_changed_is_refused(folder):
    file = folder.path / "emotion.tflite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"emotion\.tflite: sha256 is .*; copy the model and its manifest again"):
        read_classifier(folder.path)


@pytest.mark.parametrize("content", [b"no model at all" * 10, b"\x20\x00\x00\x00TFL3" + bytes(100)])
def test_a_file_that_is_no_model_is_refused_without_a_vendor_error(folder, content):
    (folder.path / "emotion.tflite").write_bytes(content)
    folder.change("emotion.json", ["bytes"], len(content))
    folder.change("emotion.json", ["sha256"], hashlib.sha256(content).hexdigest())
    with pytest.raises(ModelError, match=r"emotion\.tflite: is no model that this TFLite can run"):
        Runtime(read_classifier(folder.path))


@pytest.mark.parametrize("name", ["emotion.json", "emotion.tflite"])
def test_a_missing_file_is_named_with_the_way_out(folder, name):
    (folder.path / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}: can't be read .*; put it there, or unset vision\.models"):
        read_classifier(folder.path)


def test_without_a_runtime_it_says_what_to_install(monkeypatch):
    model = read_classifier()
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    with pytest.raises(ModelError, match="pip install ai-edge-litert"):
        Runtime(model)
