"""What holds scans on two processors to one another finds every difference that int8 does not explain."""

import copy
import importlib.util
import json
import math
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def comparing(project_root):
    spec = importlib.util.spec_from_file_location("compare_scans", project_root / "scripts/appliance/compare_scans.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def allowed(comparing, project_root):
    return comparing.tolerance(*(json.loads((project_root / f"models/{name}.json").read_text("utf-8")) for name in ("face_detector", "emotion")))


def face(x=100.0, confidence=0.9, emotion="happiness", happiness=0.8, not_judged=None):
    emotions = {"neutral": 1 - happiness, "happiness": happiness} if emotion or not_judged is None else None
    landmarks = {"nose": [x + 50, 150.0], "left_eye": [x + 60, 120.0]}
    return {"box": [x, 100.0, x + 100, 220.0], "landmarks": landmarks, "confidence": confidence, "emotion": emotion, "emotions": emotions, "not_judged": not_judged}


def scan(*faces, picture="/somewhere/a.png", width=640, height=512):
    return {"pictures": [{"picture": picture, "width": width, "height": height, "faces": list(faces)}]}


def broken(findings):
    return [finding.what for finding in findings if not finding.holds]


def test_the_same_scan_holds_wherever_the_pictures_lie(comparing, allowed):
    findings = comparing.compare(scan(face()), scan(face(), picture="/elsewhere/a.png"), allowed)
    assert broken(findings) == []
    assert {finding.what for finding in findings} == {"faces", "judgements", "boxes", "landmarks", "confidences", "probabilities"}


def test_what_is_allowed_is_one_step_of_the_models_outputs(allowed, project_root):
    detector, classifier = (json.loads((project_root / f"models/{name}.json").read_text("utf-8")) for name in ("face_detector", "emotion"))
    steps = {output["scale"] * 32 for output in detector["outputs"] if output["role"] == "box" and output["stride"] == 32}
    assert steps == {allowed.box_px}
    # Of one logit, at the place where a probability moves the most: from a half.
    logit = classifier["outputs"][0]["scale"] / classifier["postprocess"]["temperature"]
    moved = 1 / (1 + math.exp(-logit)) - 0.5
    assert moved <= allowed.probability <= moved + 2e-4


def test_lengths_are_those_of_the_picture_and_one_pixel_at_least(allowed):
    assert allowed.length(0.5, 320, 256) == pytest.approx(1.1)
    assert allowed.length(0.7, 640, 512) == pytest.approx(1.5)
    assert allowed.length(0.7, 640, 1024) == pytest.approx(2.9)


@pytest.mark.parametrize(
    ("theirs", "what"),
    [
        (face(x=102.0), ["boxes"]),
        (face(confidence=0.92), ["confidences"]),
        (face(happiness=0.84), ["probabilities"]),
        (face(emotion="neutral"), ["judgements"]),
        (face(emotion=None, not_judged="unsure"), ["judgements"]),
    ],
)
def test_each_kind_of_difference_is_found(comparing, allowed, theirs, what):
    theirs["landmarks"] = face()["landmarks"]
    assert broken(comparing.compare(scan(face()), scan(theirs), allowed)) == what


def test_a_landmark_of_another_place_is_found(comparing, allowed):
    theirs = face()
    theirs["landmarks"]["nose"][1] += 4
    assert broken(comparing.compare(scan(face()), scan(theirs), allowed)) == ["landmarks"]


def test_a_step_is_no_difference(comparing, allowed):
    theirs = face(x=101.0, confidence=0.908, happiness=0.82)
    assert broken(comparing.compare(scan(face()), scan(theirs), allowed)) == []


@pytest.mark.parametrize("theirs", [[], [face(), face(x=400.0)]])
def test_a_face_more_or_less_is_found(comparing, allowed, theirs):
    assert broken(comparing.compare(scan(face()), scan(*theirs), allowed)) == ["faces"]


def test_two_faces_that_come_in_the_other_order_are_still_told_apart(comparing, allowed):
    two = [face(), face(x=400.0, confidence=0.901)]
    assert broken(comparing.compare(scan(*two), scan(*reversed(copy.deepcopy(two))), allowed)) == []


def test_nobody_in_both_pictures_holds(comparing, allowed):
    assert broken(comparing.compare(scan(), scan(), allowed)) == []


@pytest.mark.parametrize("theirs", [scan(face(), picture="b.png"), scan(face(), width=320), {"pictures": []}])
def test_scans_of_different_pictures_are_not_compared(comparing, allowed, theirs):
    with pytest.raises(ValueError, match="different pictures"):
        comparing.compare(scan(face()), theirs, allowed)


@pytest.mark.parametrize(("x", "code"), [(100.0, 0), (110.0, 1)])
def test_the_command_prints_each_finding_and_fails_where_one_does_not_hold(project_root, tmp_path, x, code):
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    ours.write_text(json.dumps(scan(face())))
    theirs.write_text(json.dumps(scan(face(x=x))))
    command = [sys.executable, str(project_root / "scripts/appliance/compare_scans.py"), str(project_root / "models"), str(ours), str(theirs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.count("\n") == 6
    assert ("  NO  a.png                boxes" in done.stdout) == (code == 1)


def test_the_facts_name_versions_and_what_xnnpack_runs(project_root):
    done = subprocess.run([sys.executable, str(project_root / "scripts/appliance/facts.py")], capture_output=True, text=True, check=True, timeout=100)
    facts = json.loads(done.stdout)
    assert set(facts["versions"]) == {"moodify", "numpy", "opencv-python-headless", "ai-edge-litert"}
    assert set(facts["models"]) == {"face_detector", "emotion"}
    assert facts["xnnpack"] == {"face_detector": True, "emotion": True}
    assert (facts["dot_product"] is None) == (facts["machine"] != "aarch64")


@pytest.mark.parametrize("processor", ["cortex-a99", "--help-me"])
def test_an_unknown_processor_is_said_before_anything_is_fetched(project_root, tmp_path, processor):
    command = [str(project_root / "scripts/appliance/arm64.sh"), processor]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MOODIFY_ROOTS": str(tmp_path / "roots")})
    assert done.returncode == 1
    assert f"unknown processor {processor}; there are cortex-a53" in done.stderr
    assert not (tmp_path / "roots").exists()
