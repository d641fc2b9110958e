import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from moodify.errors import DataError, PictureError
from moodify.vision.evaluation.detector import DetectorFigures, Finder, Found, threshold_for
from moodify.vision.evaluation.pictures import Picture, read_pictures
from moodify.vision.evaluation.plots import Plotter
from moodify.vision.models import read_detector

TEACHER = [10, 10, 50, 50, 0.9, *range(10)]


@pytest.fixture
def folder(tmp_path):
    """Three pictures of noise, 100 by 80 pixels."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in "abc":
        cv2.imwrite(str(pictures / f"{name}.png"), np.random.default_rng(ord(name)).integers(0, 256, (80, 100, 3), np.uint8))
    return pictures


def write(folder, *lines):
    file = folder.parent / "list.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")
    return file


def test_peoples_boxes_teachers_boxes_and_none_are_read(folder):
    lines = [
        {"file": "a.png", "boxes": [[1, 2, 3, 4, "with_mask"], [1, 2, 3, 4, "without_mask"], [1, 2, 3, 4, "mask_weared_incorrect"]], "width": 100},
        {"file": "b.png", "masked": True, "teacher": [TEACHER, [0, 0, 9, 9, 0.5, *range(10)]]},
        {"file": "c.png"},
    ]
    people, teacher, none = read_pictures(folder, write(folder, *lines))
    assert (people.by_people, people.masked.tolist(), people.negative) == (True, [True, False, True], False)
    assert (teacher.by_people, teacher.masked.tolist(), teacher.ignored.tolist(), teacher.largest) == (False, [True, True], [False, True], 0)
    assert teacher.landmarks[0].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert (none.negative, none.largest) == (True, None)


def test_without_a_list_every_picture_is_one_without_a_face(folder):
    (folder / "notes.txt").write_text("no picture")
    assert [picture.file.name for picture in read_pictures(folder) if picture.negative] == ["a.png", "b.png", "c.png"]


def test_a_picture_that_is_listed_twice_counts_once_as_listed_first(folder, caplog):
    listed = read_pictures(folder, write(folder, {"file": "a.png", "teacher": [TEACHER]}, {"file": "b.png"}, {"file": "a.png"}))
    assert [(picture.file.name, picture.negative) for picture in listed] == [("a.png", False), ("b.png", True)]
    assert "1 lines name a picture again" in caplog.text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", ["line 2", "JSON"]),
        ("[1]", ["line 2"]),
        ({"boxes": []}, ["line 2", "file is missing"]),
        ({"file": 3}, ["line 2", "file is 3"]),
        ({"file": "d.png"}, ["line 2", "'d.png'", "no such picture", "take the line away"]),
        ({"file": "a\x00.png"}, ["line 2", "no such picture"]),
        ({"file": "a.png", "boxes": [[1, 2, 3, 4, "beard"]]}, ["line 2", "boxes.0.4 is 'beard'", "with_mask"]),
        ({"file": "a.png", "boxes": [[1, 2, 3, 4]]}, ["line 2", "boxes.0.4 is missing"]),
        ({"file": "a.png", "boxes": [[3, 2, 1, 4, "with_mask"]]}, ["line 2", "boxes.0 is [3.0, 2.0, 1.0, 4.0]", "no area"]),
        ({"file": "a.png", "teacher": [[1, 2, 3, 4, 0.9]]}, ["line 2", "teacher.0"]),
        ({"file": "a.png", "teacher": [[*TEACHER[:5], *[float("nan")] * 10]]}, ["line 2", "teacher.0.5"]),
        ({"file": "a.png", "masked": "yes"}, ["line 2", "masked is 'yes'"]),
    ],
)
def test_what_is_wrong_with_a_line_is_named(folder, line, said):
    file = write(folder, {"file": "b.png"}, line)
    with pytest.raises(DataError) as caught:
        read_pictures(folder, file)
    for part in [str(file), *said]:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_folder_no_list_or_empty_is_refused(folder):
    for pictures, annotations, said in (
        (folder / "none", None, "there is no such folder"),
        (folder / "a.png", None, "is not a folder"),
        (folder, folder / "none.jsonl", "can't be read"),
        (folder, folder, "can't be read"),
        (folder, write(folder), "has no lines"),
    ):
        with pytest.raises(DataError, match=said):
            read_pictures(pictures, annotations)


def test_what_is_no_picture_is_named_when_it_is_looked_at(folder):
    (folder / "b.png").write_text("no picture")
    with pytest.raises(PictureError, match=r"b\.png: is not a"):
        Finder(read_detector()).find(read_pictures(folder))


def picture(*boxes, masked=(), ignored=()):
    count = len(boxes)
    return Picture(
        None,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.zeros((count, 5, 2), np.float32),
        np.array(masked or [False] * count, bool),
        np.array(ignored or [False] * count, bool),
        by_people=True,
    )


def found(of, *boxes):
    """What was found in a picture of 100 pixels: boxes with their scores."""
    surest = sorted(boxes, key=lambda box: -box[4])
    return Found(
        of,
        100,
        np.array([box[4] for box in surest], np.float32),
        np.array([box[:4] for box in surest], np.float32).reshape(-1, 4),
        np.zeros((len(surest), 5, 2), np.float32),
    )


def figures(*each, threshold=0.5, max_faces=16):
    return DetectorFigures(each, threshold, max_faces, "given")


FACE, SMALL, OTHER = (0, 0, 30, 30), (60, 60, 66, 66), (40, 0, 70, 30)


def test_a_box_on_each_face_and_no_other_is_perfect():
    assert figures(found(picture(FACE, OTHER), (*FACE, 0.9), (*OTHER, 0.3))).curve(0.1).area == pytest.approx(1)


def test_a_false_box_harms_by_its_rank():
    surer = figures(found(picture(FACE), (*FACE, 0.6), (*OTHER, 0.9)))
    less_sure = figures(found(picture(FACE), (*FACE, 0.6), (*OTHER, 0.3)))
    assert (surer.curve(0.1).area, less_sure.curve(0.1).area) == (pytest.approx(0.5), pytest.approx(1))


def test_a_second_box_on_one_face_is_false():
    assert figures(found(picture(FACE, OTHER), (*FACE, 0.9), (1, 1, 31, 31, 0.8), (*OTHER, 0.7))).curve(0.1).area == pytest.approx((1 + 2 / 3) / 2)


def test_smaller_faces_and_boxes_on_them_neither_help_nor_harm():
    alone, beside = figures(found(picture(FACE), (*FACE, 0.5))), figures(found(picture(FACE, SMALL), (*SMALL, 0.9), (80, 0, 84, 4, 0.8), (*FACE, 0.5)))
    assert beside.curve(0.1).area == alone.curve(0.1).area == 1
    assert beside.curve(0.05).area == pytest.approx(1)


def test_unsure_faces_of_a_teacher_are_neither_faces_nor_background():
    assert figures(found(picture(FACE, OTHER, ignored=[False, True]), (*OTHER, 0.9), (*FACE, 0.5))).curve(0.1).area == 1


def test_where_no_face_is_large_enough_there_is_no_figure():
    assert figures(found(picture(SMALL), (*SMALL, 0.9))).curve(0.2) is None
    assert figures(found(picture())).as_json()["ap50"] == {"0.05": None, "0.10": None, "0.20": None}


def test_recall_counts_masked_and_unmasked_apart_at_the_threshold():
    seen = found(picture(FACE, OTHER, masked=[True, False]), (*FACE, 0.9), (*OTHER, 0.49))
    assert figures(seen).recall(0.1, masked=True).value == 1
    assert figures(seen).recall(0.1, masked=False).value == 0
    assert figures(seen, threshold=0.4).recall(0.1, masked=False).value == 1


def test_the_appliance_sees_no_more_faces_than_its_model_allows():
    seen = found(picture(FACE, OTHER), (*FACE, 0.9), (*OTHER, 0.8))
    assert figures(seen, max_faces=1).recall(0.1, masked=False).hits == 1


def test_the_largest_face_of_a_teacher_is_what_counts_and_what_landmarks_are_measured_on():
    of = replace(picture(SMALL, FACE), by_people=False)
    seen, missed = found(of, (0, 0, 30, 36, 0.9)), found(of, (*SMALL, 0.9))
    seen.landmarks[:] = (3.0, 4.0)
    both = figures(seen, missed)
    assert both.largest().value == 0.5
    assert both.landmark_errors().tolist() == pytest.approx([5 / 30])
    assert both.as_json()["landmark_error"]["median"] == pytest.approx(5 / 30, abs=1e-4)


def test_false_positives_are_counted_in_pictures_without_a_face():
    nobody = picture()
    seen = [found(nobody, (*FACE, 0.9), (*OTHER, 0.6)), found(nobody, (*FACE, 0.4)), found(nobody), found(picture(FACE), (*OTHER, 0.9))]
    as_json = figures(*seen).as_json()
    assert as_json["fp_per_100"] == pytest.approx(33.33)
    assert (as_json["false_positives"]["count"], as_json["false_positives"]["boxes"]) == (3, 2)


def test_the_threshold_is_the_lowest_that_keeps_to_so_many_in_a_hundred():
    scores = [0.05] * 97 + [0.31, 0.62, 0.871]
    negatives = [found(picture(), (*FACE, score)) for score in scores]
    assert [threshold_for(negatives, allowed) for allowed in (0, 1, 2, 3, 100)] == [0.88, 0.63, 0.32, 0.06, 0.02]


def test_a_threshold_needs_pictures_without_a_face_that_are_not_all_taken_for_one():
    with pytest.raises(DataError, match="--negatives"):
        threshold_for([], 1)
    with pytest.raises(DataError, match=r"even at 0\.99"):
        threshold_for([found(picture(), (*FACE, 0.999))], 1)


@pytest.mark.parametrize("source", ["people", "faces"])
def test_the_model_that_ships_finds_people_as_its_manifest_says(shared_data, project_root, source, tmp_path):
    lines = (shared_data / f"detection/{source}.jsonl").read_text("utf-8").splitlines()[::40][:60]
    (tmp_path / "some.jsonl").write_text("\n".join(lines), "utf-8")
    finder = Finder(read_detector())
    seen = DetectorFigures(finder.find(read_pictures(shared_data / "detection" / source, tmp_path / "some.jsonl")), finder.threshold, finder.max_faces, "manifest").as_json()
    stated = json.loads((project_root / "models/face_detector.json").read_text())["metrics"]
    assert seen["recall"]["largest"]["interval95"][1] >= stated[f"recall_{source}"]["interval95"][0]
    assert seen["landmark_error"]["median"] == pytest.approx(stated[f"landmark_error_{source}"]["median"], rel=0.3)


def test_the_model_that_ships_is_right_on_crowds_and_rooms(shared_data, project_root, tmp_path):
    lines = (shared_data / "detection/masks.jsonl").read_text("utf-8").splitlines()[::13]
    (tmp_path / "some.jsonl").write_text("\n".join(lines), "utf-8")
    finder = Finder(read_detector())
    pictures = read_pictures(shared_data / "detection/masks", tmp_path / "some.jsonl") + read_pictures(shared_data / "detection/negatives")[::40]
    seen = DetectorFigures(finder.find(pictures), finder.threshold, finder.max_faces, "manifest")
    as_json = seen.as_json()
    stated = json.loads((project_root / "models/face_detector.json").read_text())["metrics"]
    assert as_json["ap50_interval95"]["0.10"][1] >= stated["ap50_interval95"]["0.10"][0]
    assert as_json["false_positives"]["interval95"][0] <= stated["negatives_with_false_positive"]["interval95"][1]
    (file,) = Plotter(tmp_path).detector(seen)
    assert file.name == "precision_recall.png"
