"""Both models under tflite-runtime 2.14, the last release and the only one for 32-bit ARM, and under LiteRT: the same raw outputs."""

import _ctypes
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from moodify.camera.sample import SampleCamera
from moodify.pictures import read_picture
from moodify.types import Image, PixelLayout
from moodify.vision.pixels import Letterbox
from moodify.vision.xnnpack import library_of

pytest.importorskip("ai_edge_litert", reason="hardware: 32-bit ARM has tflite-runtime only")

MOST_STEPS = 1
"""Quantisation steps by which an output may differ."""


@pytest.fixture(scope="module")
def second_python(project_root):
    python = project_root / ".venv-tflite/bin/python"
    if not python.exists():
        pytest.skip(".venv-tflite is missing: scripts/test --all makes it where there is a Python 3.11")
    return python


@pytest.fixture(scope="module")
def canvas_of(project_root):
    _, height, width, _ = json.loads((project_root / "models/face_detector.json").read_text())["input"]["shape"]
    letterbox = Letterbox(width, height)
    return lambda image: letterbox.fit(image)[0].copy()


@pytest.fixture(scope="module")
def side(project_root):
    return json.loads((project_root / "models/emotion.json").read_text())["input"]["shape"][1]


@pytest.fixture(scope="module")
def sampled(canvas_of, side):
    """Portraits of the sample, near and far, lit and dark, and its empty room."""
    with SampleCamera(astronaut_s=25.0, hopper_s=25.0, nobody_s=8.0) as sample:
        pictures = [sample.render(t_s) for t_s in np.linspace(0, 57, 16)]
    scenes = np.stack([canvas_of(Image(picture, PixelLayout.RGB)) for picture in pictures])
    crops = [cv2.resize(cv2.cvtColor(picture[: picture.shape[0] // 2], cv2.COLOR_RGB2GRAY), (side, side)) for picture in pictures]
    return {"face_detector": scenes, "emotion": np.stack(crops)[..., None]}


@pytest.fixture(scope="module")
def real(shared_data, canvas_of, side):
    """Crowds, portraits, frames and rooms; and faces."""
    folder = shared_data / "detection"
    files = [file for source in ("masks", "people", "faces", "negatives") for file in sorted((folder / source).glob("*.jpg"))[::97][:5]]
    with np.load(shared_data / "emotion/ferplus_val.npz") as archive:
        faces = archive["pixels"][::120]
    return {"face_detector": np.stack([canvas_of(read_picture(file)) for file in files]), "emotion": np.stack([cv2.resize(face, (side, side)) for face in faces])[..., None]}


@pytest.fixture(params=["sampled", "real"])
def pixels(request, tmp_path):
    file = tmp_path / "pixels.npz"
    np.savez(file, **request.getfixturevalue(request.param))
    return file


def run(python, project_root, pixels, kernels):
    """Run the models with another Python and return their outputs by model, picture and name, and what ran them."""
    kept = pixels.with_name(f"{python.parent.parent.name}-{kernels}.npz")
    script = project_root / "tests/models/raw_outputs.py"
    environment = {"PYTHONPATH": str(project_root / "device"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([python, script, project_root / "models", pixels, kept, kernels], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(kept) as archive:
        return dict(archive)


def steps_between(some, others):
    """Return the largest difference of the outputs of each model."""
    names = sorted(name for name in some if "/" in name)
    assert names == sorted(name for name in others if "/" in name)
    largest = dict.fromkeys(("emotion", "face_detector"), 0)
    for name in names:
        model = name.split("/")[0]
        largest[model] = max(largest[model], int(np.abs(some[name].astype(int) - others[name]).max()))
    return largest


def test_the_appliance_sees_the_same_under_both_runtimes(second_python, project_root, pixels):
    second = run(second_python, project_root, pixels, "appliance")
    if not second["face_detector.delegated"]:
        pytest.skip("hardware: tflite-runtime has no XNNPACK for this kind of machine; the other test compares its own kernels")
    first = run(Path(sys.executable), project_root, pixels, "appliance")
    assert (str(first["by"]), str(second["by"])) == ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")
    assert max(steps_between(first, second).values()) <= MOST_STEPS


def test_without_xnnpack_as_on_32_bit_arm_both_runtimes_agree_too(second_python, project_root, pixels):
    first, second = (run(python, project_root, pixels, "own") for python in (Path(sys.executable), second_python))
    assert not first["face_detector.delegated"]
    assert not second["face_detector.delegated"]
    assert max(steps_between(first, second).values()) <= MOST_STEPS


def test_a_tflite_runtime_without_xnnpack_is_told_from_one_with_it():
    assert library_of(_ctypes) is None
