"""``moodify models``: list, verify and eval, as somebody types them."""

import json
import subprocess

import cv2
import numpy as np
import pytest

from appliance import configure, moodify
from moodify.types import Emotion
from own_models import ModelFolder


@pytest.fixture
def own(tmp_path):
    return ModelFolder(tmp_path / "own")


@pytest.fixture
def faces(tmp_path):
    """Noise, labelled as happiness and as sadness."""
    votes = np.zeros((40, 10), np.uint8)
    votes[:20, 1] = votes[20:, 3] = 9
    file = tmp_path / "faces.npz"
    pixels = np.random.default_rng(3).integers(0, 256, (40, 48, 48), np.uint8)
    np.savez(file, pixels=pixels, ferplus_votes=votes, vote_columns=np.array([*(emotion.value for emotion in Emotion), "unknown", "NF"]))
    return file


@pytest.fixture
def rooms(tmp_path):
    folder = tmp_path / "rooms"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((120, 160, 3), 60 * i, np.uint8))
    return folder


def one_line(done, *said):
    """The command ended with one line that says all this, and no traceback."""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("moodify: ")
    for part in said:
        assert str(part) in done.stderr
    return done


def test_the_models_that_ship_are_listed(tmp_path, project_root):
    done = moodify(tmp_path, "models", "list")
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["name", "version", "task", "bytes", "MACs", "labels", "sha256", "used", "folder"]
    for row, name in zip(rows, ("face_detector", "emotion"), strict=True):
        manifest = json.loads((project_root / f"models/{name}.json").read_text())
        for part in (name, manifest["version"], manifest["task"], f"{manifest['bytes']:,}", f"{manifest['macs']:,}", manifest["sha256"][:12], " yes "):
            assert part in row


def test_ones_own_models_are_listed_beside_those_that_ship(tmp_path, own):
    configure(tmp_path, f'[vision]\nmodels = "{own.path}"')
    own.change("emotion", ["name"], "mine")
    listed = json.loads(moodify(tmp_path, "models", "list", "--json").stdout)["models"]
    assert [(each["name"], each["used"]) for each in listed] == [("face_detector", False), ("emotion", False), ("face_detector", True), ("mine", True)]
    assert listed[3]["folder"] == str(own.path)
    (own.path / "emotion.tflite").unlink()
    done = moodify(tmp_path, "models", "list")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 4
    one_line(done, own.path / "emotion.tflite", "can't be read")


def test_models_that_are_whole_are_verified_with_their_work_and_memory(tmp_path):
    done = moodify(tmp_path, "models", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("face_detector", "emotion", ": ok", "counted from the file", "sha256", "zero point -128", "score threshold", "temperature", "RssAnon"):
        assert part in done.stdout
    as_json = json.loads(moodify(tmp_path, "models", "verify", "--json").stdout)
    assert [each["ok"] for each in as_json["models"]] == [True, True]
    assert [each["undelegated_convolutions"] for each in as_json["models"]] == [[], []]
    assert as_json["models"][0]["macs"] <= 80_000_000
    (memory,) = as_json["memory"].values()
    assert memory["total_bytes"] > 1_000_000


def test_each_mistake_is_said_and_the_command_fails(tmp_path, own):
    own.change("emotion", ["labels", 0], "boredom")
    own.change("face_detector", ["outputs", 0, "scale"], 0.5)
    done = moodify(tmp_path, "models", "verify", own.path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 2
    for part in ("are not the eight emotions", "boredom", "has scale", "the manifest says 0.5"):
        assert part in done.stderr
    as_json = json.loads(moodify(tmp_path, "models", "verify", "--json", own.path).stdout)
    assert [each["ok"] for each in as_json["models"]] == [False, False]
    assert as_json["memory"] == {}


def test_single_models_are_verified_by_manifest_or_file(tmp_path, own):
    (own.path / "face_detector.json").unlink()
    done = moodify(tmp_path, "models", "verify", own.path / "emotion.json", own.path / "emotion.tflite")
    assert (done.returncode, done.stdout.count(": ok"), done.stderr) == (0, 2, "")
    one_line(moodify(tmp_path, "models", "verify", own.path / "face_detector.tflite"), "face_detector.json: can't be read")


@pytest.mark.parametrize("name", ["none", "none.json", "none.tflite", "empty", "notes.txt"])
def test_what_holds_no_model_is_said_once(tmp_path, own, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no model")
    done = moodify(tmp_path, "models", "verify", own.path, name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "vision.models" not in one_line(done, f"{name} is no model and no folder with models").stderr


def test_what_is_wrong_follows_no_empty_line(tmp_path, own):
    (own.path / "notes.json").write_text("{}")
    done = moodify(tmp_path, "models", "verify", own.path / "notes.json")
    assert (done.returncode, done.stdout) == (1, "")
    one_line(done, "notes.json")


def test_a_larger_detector_of_ones_own_is_verified_and_measured(tmp_path, own, rooms):
    own.enlarge_detector()
    done = moodify(tmp_path, "models", "verify", own.path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "larger" in done.stdout
    assert "warning" in done.stdout
    done = moodify(tmp_path, "models", "eval", "detector", "--json", rooms, "--models", own.path)
    assert json.loads(done.stdout)["model"]["name"] == "larger"


def test_the_emotion_classifier_is_measured_and_drawn(tmp_path, faces):
    done = moodify(tmp_path, "models", "eval", "emotion", faces, "--json", "--plots", "drawn")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"accuracy", "macro_f1", "ece", "per_class", "risk_coverage", "confusion", "judged"} <= set(found)
    assert 0 <= found["accuracy"] <= 1
    assert 0 <= found["ece"] <= 1
    assert set(found["per_class"]) == {emotion.value for emotion in Emotion}
    assert {file.name for file in (tmp_path / "drawn").iterdir()} == {"confusion.png", "reliability.png", "risk_coverage.png"}
    text = moodify(tmp_path, "models", "eval", "emotion", faces)
    assert (text.returncode, text.stderr) == (0, "")
    for part in ("accuracy, 8 emotions", "macro-F1", "expected calibration error", "judged, from 70% confidence", "most confident 70 %", "contempt", "coverage"):
        assert part in text.stdout


def test_the_detector_is_measured_on_crowds(tmp_path, shared_data):
    folder = shared_data / "detection"
    some = tmp_path / "some.jsonl"
    lines = (folder / "masks.jsonl").read_text("utf-8").splitlines()[::20] + (folder / "masks.jsonl").read_text("utf-8").splitlines()[:1]
    some.write_text("\n".join(lines), "utf-8")
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    for file in sorted((folder / "negatives").glob("*.jpg"))[:40]:
        (rooms / file.name).symlink_to(file)
    done = moodify(tmp_path, "models", "eval", "detector", folder / "masks", some, "--negatives", rooms, "--fp-per-100", "1", "--json", "--plots", "drawn")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["ap50"]) == {"0.05", "0.10", "0.20"}
    assert 0 < found["ap50"]["0.05"] < 1
    assert {"unmasked_0.05", "masked_0.05", "unmasked_0.10", "masked_0.10"} <= set(found["recall"])
    assert found["fp_per_100"] <= 1
    assert found["threshold_from"] == "fp_per_100"
    assert (tmp_path / "drawn/precision_recall.png").read_bytes().startswith(b"\x89PNG")
    assert "1 lines name a picture again" in done.stderr


def test_the_detector_is_measured_on_rooms_alone(tmp_path, rooms):
    done = moodify(tmp_path, "models", "eval", "detector", rooms)
    assert (done.returncode, done.stderr) == (0, "")
    assert "pictures without a face in which it sees one" in done.stdout
    found = json.loads(moodify(tmp_path, "models", "eval", "detector", rooms, "--threshold", "0.6", "--json").stdout)
    assert (found["threshold"], found["fp_per_100"], found["ap50"]["0.05"]) == (0.6, 0, None)


def test_bad_data_get_one_clear_line_and_exit_code_two(tmp_path, faces, rooms):
    (tmp_path / "list.jsonl").write_text('{"file": "0.png"}\nno json\n', "utf-8")
    (tmp_path / "gone.jsonl").write_text('{"file": "gone.png"}\n', "utf-8")
    (rooms / "broken.png").write_text("no picture")
    cases = [
        (("emotion", "none.npz"), ["none.npz: there is no such file"]),
        (("emotion", "list.jsonl"), ["list.jsonl: can't be read as an .npz"]),
        (("emotion", rooms), ["is a folder"]),
        (("detector", "none"), ["none: there is no such folder"]),
        (("detector", rooms, "list.jsonl"), ["list.jsonl: line 2", "JSON"]),
        (("detector", rooms, "gone.jsonl"), ["gone.jsonl: line 1", "'gone.png'", "no such picture"]),
        (("detector", rooms), ["broken.png: is not a JPEG"]),
        (("detector", rooms, "--threshold", "0.5", "--fp-per-100", "1"), ["give one of them"]),
    ]
    for arguments, said in cases:
        done = moodify(tmp_path, "models", "eval", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        one_line(done, *said)
    for arguments in (("emotion", faces), ("detector", rooms)):
        for models in (rooms, tmp_path / "nope", faces):
            done = moodify(tmp_path, "models", "eval", *arguments, "--models", models)
            assert (done.returncode, done.stdout) == (2, "")
            assert "vision.models" not in one_line(done, f"{models} is no folder with models").stderr


def test_its_progress_and_chatter_stay_off_standard_output(tmp_path, faces):
    done = moodify(tmp_path, "models", "eval", "emotion", faces, "--json", stderr=subprocess.STDOUT, capture_output=False, stdout=subprocess.PIPE)
    assert json.loads(done.stdout)["faces"] == 40
