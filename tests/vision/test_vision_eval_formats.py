"""docs/models.md describes the files that the measuring reads."""

import re

import cv2
import numpy as np
import pytest

from moodify.errors import DataError
from moodify.types import Emotion
from moodify.vision.evaluation.emotion import read_faces
from moodify.vision.evaluation.pictures import read_pictures


@pytest.fixture
def blocks(project_root):
    """The examples of the document, by their language."""
    return dict(re.findall(r"```(\w+)\n(.*?)```", (project_root / "docs/models.md").read_text("utf-8"), re.DOTALL))


def test_the_documented_faces_can_be_read(tmp_path, monkeypatch, blocks):
    monkeypatch.chdir(tmp_path)
    exec(blocks["python"], {})
    faces = read_faces(tmp_path / "faces.npz")
    assert [list(Emotion)[label].value for label in faces.labels] == ["happiness", "sadness"]
    assert (faces.pixels.shape, faces.left_out) == ((2, 48, 48), 0)


def test_the_documented_pictures_can_be_read(tmp_path, blocks):
    (tmp_path / "list.jsonl").write_text(blocks["json"], "utf-8")
    for name in ("kitchen", "sofa", "hall"):
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), np.zeros((120, 200, 3), np.uint8))
    people, teacher, none = read_pictures(tmp_path, tmp_path / "list.jsonl")
    assert (people.masked.tolist(), people.by_people) == ([False, True], True)
    assert (teacher.landmarks.shape, teacher.ignored.tolist()) == ((1, 5, 2), [False])
    assert none.negative


def test_what_is_no_such_file_says_what_one_holds_and_where_it_is_described(tmp_path, project_root):
    np.savez(tmp_path / "other.npz", pictures=np.zeros(3))
    (tmp_path / "list.jsonl").write_text('{"name": "hall.jpg"}', "utf-8")
    for read, said in ((lambda: read_faces(tmp_path / "other.npz"), "pixels: uint8 (faces, rows, columns)"), (lambda: read_pictures(tmp_path, tmp_path / "list.jsonl"), '"boxes"')):
        with pytest.raises(DataError) as raised:
            read()
        assert said in str(raised.value)
        (document,) = re.findall(r"docs/\w+\.md", str(raised.value))
        assert (project_root / document).is_file()
