import json

import numpy as np
import pytest

from moodify.errors import DataError, PersonMustAct
from moodify.types import Emotion
from moodify.vision.classifier import TfliteClassifier, scores_of
from moodify.vision.evaluation.emotion import EmotionFigures, evaluate, read_faces
from moodify.vision.evaluation.plots import Plotter
from moodify.vision.models import read_classifier

COLUMNS = [*(emotion.value for emotion in Emotion), "unknown", "NF"]


def votes(**given):
    row = np.zeros(10, np.uint8)
    for name, count in given.items():
        row[COLUMNS.index(name)] = count
    return row


def save(file, rows, **changes):
    arrays = {"pixels": np.zeros((len(rows), 48, 48), np.uint8), "ferplus_votes": np.array(rows), "vote_columns": np.array(COLUMNS)}
    np.savez(file, **{name: array for name, array in (arrays | changes).items() if array is not None})
    return file


def test_a_face_is_kept_when_more_than_half_of_ten_agree_on_an_emotion(tmp_path):
    rows = [
        votes(happiness=6, neutral=4),
        votes(happiness=5, neutral=5),
        votes(unknown=9),
        votes(NF=8),
        votes(fear=7, sadness=1, anger=1, neutral=1),
    ]
    faces = read_faces(save(tmp_path / "f.npz", rows))
    assert faces.labels.tolist() == [1, 6]
    assert faces.left_out == 3


def test_the_columns_may_stand_in_any_order(tmp_path):
    turned = COLUMNS[::-1]
    faces = read_faces(save(tmp_path / "f.npz", [votes(anger=10)[::-1]], vote_columns=np.array(turned)))
    assert faces.labels.tolist() == [list(Emotion).index(Emotion.ANGER)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pixels": None}, "has no pixels, only ferplus_votes, vote_columns"),
        ({"ferplus_votes": None}, "has no ferplus_votes"),
        ({"pixels": np.zeros((1, 48, 48), np.float32)}, "pixels is float32 [1, 48, 48]"),
        ({"pixels": np.zeros((1, 48, 48, 3), np.uint8)}, "pixels is uint8 [1, 48, 48, 3]"),
        ({"ferplus_votes": np.zeros((2, 10), np.uint8)}, "ferplus_votes is uint8 [2, 10] beside 1 faces"),
        ({"ferplus_votes": np.zeros((1, 8), np.uint8)}, "ferplus_votes is uint8 [1, 8]"),
        ({"ferplus_votes": np.zeros((1, 10), np.uint8)}, "none of 1 faces has a majority"),
        ({"vote_columns": np.array(["happy", "sad"])}, "vote_columns are happy, sad"),
        ({"pixels": np.array([None])}, "can't be read as an .npz"),
    ],
)
def test_what_is_wrong_with_a_file_of_faces_is_named(tmp_path, changes, said):
    file = save(tmp_path / "faces.npz", [votes(happiness=10)], **changes)
    with pytest.raises(DataError) as caught:
        read_faces(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(40), b"\x93NUMPY"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    file = tmp_path / "faces.npz"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"can't be read as an \.npz"):
        read_faces(file)


def test_a_single_array_a_folder_and_nothing_are_refused(tmp_path):
    np.save(tmp_path / "single.npy", np.zeros(3))
    for path, said in ((tmp_path / "single.npy", "is a single array"), (tmp_path, "is a folder"), (tmp_path / "none.npz", "there is no such file")):
        with pytest.raises(DataError, match=said):
            read_faces(path)


def figures(labels, predicted, confidence, threshold=0.7):
    return EmotionFigures(np.array(labels), np.array(predicted), np.array(confidence), 0, threshold)


def test_only_classes_with_enough_faces_count_in_the_mean_and_all_are_listed():
    found = figures([0] * 30 + [5] * 29, [0] * 30 + [0] * 29, [0.9] * 59).as_json()
    assert found["macro_f1_classes"] == ["neutral"]
    assert found["macro_f1"] == pytest.approx(60 / 89, abs=1e-4)
    assert {name: each["count"] for name, each in found["per_class"].items() if each["count"]} == {"neutral": 30, "disgust": 29}
    assert found["per_class"]["disgust"]["value"] == 0


def test_without_a_class_of_enough_faces_there_is_no_mean():
    assert figures([0], [0], [0.9]).as_json()["macro_f1"] is None


def test_what_is_judged_is_from_the_threshold_on():
    found = figures([0, 0, 0, 1], [0, 1, 0, 1], [0.7, 0.9, 0.69, 0.2]).as_json()
    assert found["judged"]["share"]["value"] == 0.5
    assert found["judged"]["accuracy"]["value"] == 0.5
    assert found["accuracy"] == 0.75
    assert found["risk_coverage"][-1] == {"coverage": 1.0, "accuracy": 0.75}


class Fixed:
    """A classifier that is as sure of happiness as a face is bright, for crops of 96 pixels."""

    def __init__(self, framing):
        self.framing = framing

    def emotions(self, crop):
        assert crop.shape == (96, 96)
        return scores_of([0, crop.mean(), 0, 0, 0, 0, 0, 0])


def test_faces_are_brought_to_the_size_of_the_models_crops(tmp_path):
    framing = type(read_classifier().manifest.framing)(96, read_classifier().manifest.framing.landmarks)
    file = save(tmp_path / "f.npz", [votes(happiness=10)] * 2, pixels=np.stack([np.full((48, 48), value, np.uint8) for value in (0, 250)]))
    found = evaluate(Fixed(framing), read_faces(file), 0.7)
    assert found.confidence.tolist() == pytest.approx([0.125, 1.0])


def test_the_model_that_ships_is_as_good_as_its_manifest_says(shared_data, project_root):
    stated = json.loads((project_root / "models/emotion.json").read_text())["metrics"]
    found = evaluate(TfliteClassifier(read_classifier()), read_faces(shared_data / "emotion/ferplus_val.npz"), 0.7).as_json()
    assert found["faces"] == stated["accuracy"]["count"]
    assert found["accuracy"] == pytest.approx(stated["accuracy"]["value"], abs=0.001)
    assert found["macro_f1"] == pytest.approx(stated["macro_f1"], abs=0.002)
    assert found["ece"] == pytest.approx(stated["ece"], abs=0.02)
    assert [each["count"] for each in found["per_class"].values()] == [each["count"] for each in stated["per_class"].values()]


def test_three_pictures_are_drawn(tmp_path):
    files = Plotter(tmp_path / "new" / "plots").emotion(figures([0, 1, 2, 2], [0, 1, 2, 1], [0.9, 0.8, 0.3, 0.95]))
    assert sorted(file.name for file in files) == ["confusion.png", "reliability.png", "risk_coverage.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(PersonMustAct, match=r"-m pip install 'matplotlib>=3\.9,<4'"):
        Plotter(tmp_path)


def test_a_folder_that_cant_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PersonMustAct, match="can't be made"):
        Plotter(tmp_path / "file" / "plots")
