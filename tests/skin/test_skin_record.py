import json
import math
from dataclasses import FrozenInstanceError, replace

import pytest

from moodify.skin.measure import Measure
from moodify.skin.record import NOT_WITH_A_CAMERA, FaceRecord

NO_CARD = "no reference card in view; print one and hold it beside your face"
RECORD = FaceRecord(
    skin_score=Measure.missing("too little was measured"),
    oiliness_level=Measure.of(23.5),
    pore_size=Measure.of(0),
    redness=Measure.missing(NO_CARD),
    tone=Measure.missing(NO_CARD),
    confidence_score=Measure.of(100.0),
    analysis_duration_seconds=1.25,
)


def test_a_record_comes_back_from_json_as_it_was():
    assert FaceRecord.from_json(json.loads(json.dumps(RECORD.as_json(), allow_nan=False))) == RECORD


def test_json_has_a_number_or_null_and_the_reason_for_each_null():
    data = RECORD.as_json()
    assert (data["oiliness_level"], data["redness"], data["analysis_duration_seconds"]) == (23.5, None, 1.25)
    assert data["reasons"]["redness"] == NO_CARD
    assert set(data["reasons"]) == {name for name, value in data.items() if value is None}


def test_hydration_and_elasticity_are_never_claimed():
    assert RECORD.hydration_level == RECORD.elasticity_level == NOT_WITH_A_CAMERA
    for name in ("hydration_level", "elasticity_level"):
        with pytest.raises(ValueError, match=f"{name} is not measurable with a camera"):
            replace(RECORD, **{name: Measure.of(50)})


@pytest.mark.parametrize("value", [0, 0.0, 50, 99.9, 100])
def test_a_measure_is_a_number_from_0_to_100(value):
    assert Measure.of(value).value == value


@pytest.mark.parametrize("value", [-0.1, 100.1, math.nan, math.inf, True, "50"])
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="no number from 0 to 100"):
        Measure.of(value)


@pytest.mark.parametrize(("value", "reason"), [(None, None), (50.0, "because"), (None, ""), (None, "  ")])
def test_a_measure_has_a_value_or_a_reason(value, reason):
    with pytest.raises(ValueError, match="reason"):
        Measure(value, reason)


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, None, "1", True])
def test_a_duration_is_a_number_of_seconds(seconds):
    with pytest.raises(ValueError, match="no duration"):
        replace(RECORD, analysis_duration_seconds=seconds)


@pytest.mark.parametrize(
    "change",
    [
        {"redness": 101, "reasons": {}},
        {"redness": None, "reasons": {}},
        {"redness": "12"},
        {"hydration_level": 40.0, "reasons": {}},
        {"reasons": None},
        {"reasons": {"redness": 7}},
        {"reasons": {"shoe_size": "unknown"}},
        {"shoe_size": 42},
        {"analysis_duration_seconds": None},
    ],
)
def test_a_damaged_record_is_refused(change):
    with pytest.raises(ValueError):  # noqa: PT011 - which mistake comes first does not matter
        FaceRecord.from_json(RECORD.as_json() | change)


@pytest.mark.parametrize("name", ["redness", "reasons", "analysis_duration_seconds"])
def test_a_record_with_a_field_missing_is_refused_by_its_name(name):
    data = RECORD.as_json()
    del data[name]
    with pytest.raises(ValueError, match=name):
        FaceRecord.from_json(data)


def test_a_record_does_not_change():
    with pytest.raises(FrozenInstanceError):
        RECORD.redness = Measure.of(3)
