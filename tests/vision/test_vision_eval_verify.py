import hashlib

import numpy as np
import pytest

from moodify.types import Image, PixelLayout
from moodify.vision.detector import TfliteDetector
from moodify.vision.evaluation.memory import measure
from moodify.vision.evaluation.verify import BUDGETS, verify
from moodify.vision.models import MAX_BYTES, manifests_of, read_detector
from moodify.vision.runtime import Runtime
from own_models import ModelFolder


@pytest.fixture
def folder(tmp_path):
    return ModelFolder(tmp_path / "models")


def problems(folder, name):
    return verify(folder.path / f"{name}.json").problems


@pytest.mark.parametrize("file", manifests_of())
def test_the_models_that_ship_are_whole_and_within_their_budget(file):
    report = verify(file)
    assert (report.problems, report.warnings, report.undelegated) == ((), (), ())
    assert report.macs == report.manifest.macs
    assert report.convolutions > 0
    assert report.as_json()["ok"]


@pytest.mark.parametrize(
    ("name", "path", "value", "said"),
    [
        ("face_detector", ["format"], 2, "format is 2"),
        ("face_detector", ["labels"], ["face", "hand"], "labels"),
        ("face_detector", ["labels"], ["cat"], "labels.0 is 'cat'"),
        ("face_detector", ["postprocess", "nms_iou"], 2, "postprocess.nms_iou is 2"),
        ("face_detector", ["outputs", 0, "zero_point"], 5, "has zero_point"),
        ("face_detector", ["sha256"], "0" * 64, "sha256 is"),
        ("face_detector", ["bytes"], 5, "the manifest says 5"),
        ("face_detector", ["macs"], 5, "macs is 5, the file has"),
        ("face_detector", ["task"], "gaze", "task is 'gaze'"),
        ("emotion", ["labels"], ["happiness"], "are not the eight emotions"),
        ("emotion", ["input", "shape"], [1, 64, 64, 1], "has shape [1, 48, 48, 1], the manifest says [1, 64, 64, 1]"),
        ("emotion", ["outputs", 0, "scale"], 0.5, "has scale"),
        ("emotion", ["postprocess", "temperature"], 0, "postprocess.temperature is 0"),
        ("emotion", ["postprocess", "framing", "landmarks"], [[32, 18], [16, 18], [24, 27], [18, 36], [30, 36]], "is no upright face"),
        ("emotion", ["postprocess", "framing", "landmarks"], [[16, 18], [320, 18], [24, 27], [18, 36], [30, 36]], "inside 48x48 pixels"),
        ("emotion", ["file"], "none.tflite", "none.tflite: can't be read"),
    ],
)
def test_what_is_wrong_is_said(folder, name, path, value, said):
    folder.change(name, path, value)
    (problem,) = problems(folder, name)
    assert said in problem
    assert str(folder.path) in problem
    assert "\n" not in problem


def test_all_tensors_that_differ_are_said_at_once(folder):
    for output in (0, 3):
        folder.change("face_detector", ["outputs", output, "zero_point"], 5)
    (problem,) = problems(folder, "face_detector")
    assert problem.count("the manifest says 5") == 2


@pytest.mark.parametrize("content", [b"", b"no JSON", b"\xff\xfe", b"[]"])
def test_what_is_no_manifest_is_said(folder, content):
    (folder.path / "emotion.json").write_bytes(content)
    (problem,) = problems(folder, "emotion")
    assert "emotion.json" in problem


def test_what_is_missing_or_too_large_is_said(folder):
    (folder.path / "emotion.json").write_bytes(b" " * 1_000_001)
    with (folder.path / "face_detector.tflite").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "too large for a manifest" in problems(folder, "emotion")[0]
    assert "too large for a model" in problems(folder, "face_detector")[0]
    (folder.path / "emotion.json").unlink()
    assert "emotion.json: can't be read (No such file or directory)" in problems(folder, "emotion")[0]
    (folder.path / "emotion.json").mkdir()
    assert "is not a file" in problems(folder, "emotion")[0]


def test_a_good_model_under_the_name_of_the_other_task_is_refused(folder):
    content = (folder.path / "emotion.json").read_bytes()
    (folder.path / "face_detector.json").write_bytes(content)
    (problem,) = problems(folder, "face_detector")
    assert "task is 'emotion-classification', by its name it must be 'face-detection'" in problem


def test_another_model_with_its_own_hash_is_refused_by_its_tensors(folder):
    folder.put("face_detector", (folder.path / "emotion.tflite").read_bytes())
    (problem,) = problems(folder, "face_detector")
    assert "has shape [1, 48, 48, 1]" in problem
    assert "has 1 outputs, the manifest lists 9" in problem


def test_bytes_that_are_no_model_are_refused(folder):
    folder.put("face_detector", b"\x20\x00\x00\x00TFL3" + bytes(100))
    assert "is no model that this TFLite can run" in problems(folder, "face_detector")[0]


def test_a_larger_model_of_ones_own_is_used_and_the_smallest_device_warned_of(folder):
    folder.enlarge_detector()
    report = verify(folder.path / "face_detector.json")
    assert report.problems == ()
    assert report.macs == pytest.approx(4 * shipped_macs(), rel=0.01)
    (warning,) = report.warnings
    assert f"{report.macs:,} multiply-accumulates are more than the {BUDGETS['face-detection'][1]:,}" in warning
    detector = TfliteDetector(read_detector(folder.path))
    assert detector.input_size == tuple(2 * side for side in TfliteDetector(read_detector()).input_size)
    assert isinstance(detector.faces(Image(np.full((480, 640, 3), 114, np.uint8), PixelLayout.RGB)), tuple)


def shipped_macs():
    return verify(manifests_of()[0]).macs


def test_convolutions_that_xnnpack_leaves_are_named(monkeypatch):
    given = Runtime.operations
    monkeypatch.setattr(Runtime, "operations", lambda self: [each for each in given(self) if each["op_name"] != "DELEGATE"])
    report = verify(manifests_of()[1])
    assert len(report.undelegated) == report.convolutions
    assert len(set(report.undelegated)) == report.convolutions
    assert f"XNNPACK does not run {report.convolutions} of its convolutions" in report.warnings[0]


def test_memory_is_measured_by_part():
    memory = measure(None)
    weights = sum(file.with_suffix(".tflite").stat().st_size for file in manifests_of())
    assert weights < memory.detector + memory.classifier < 100_000_000
    assert memory.total == memory.detector + memory.classifier + memory.rest == memory.as_json()["total_bytes"]


def test_memory_is_measured_of_this_package_also_where_a_folder_named_moodify_lies(tmp_path, monkeypatch):
    (tmp_path / "moodify").mkdir()
    (tmp_path / "moodify" / "__init__.py").write_text("raise SystemExit('another package')")
    monkeypatch.chdir(tmp_path)
    assert measure(None).total > 0


def test_a_larger_model_takes_more_memory(folder):
    folder.enlarge_detector()
    assert measure(folder.path).detector > 1.5 * measure(None).detector


def test_the_hash_in_the_report_is_the_files(folder):
    content = (folder.path / "emotion.tflite").read_bytes()
    assert verify(folder.path / "emotion.json").as_json()["sha256"] == hashlib.sha256(content).hexdigest()
