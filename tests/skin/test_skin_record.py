import json
import math

import pytest
from pydantic import ValidationError

from looks import a_look, a_shot
from moodify.skin.measure import Measure
from moodify.skin.record import MEASURED, NOT_WITH_A_CAMERA, FaceRecord

NO_CARD = "no reference card in view; print one and hold it beside your face"
RECORD = a_look(redness=Measure.missing(NO_CARD), tone=Measure.missing(NO_CARD), card=None, skin_type=3)


def changed(**change):
    return FaceRecord.model_validate(RECORD.model_dump() | change)


def test_a_record_comes_back_from_json_as_it_was():
    earlier = [a_look(day=day, oiliness=20 + day) for day in range(4)]
    for record in (RECORD, a_look(day=9, earlier=earlier)):
        assert FaceRecord.model_validate_json(record.model_dump_json()) == record


def test_json_has_a_number_or_null_and_the_reason_for_each_null():
    data = json.loads(RECORD.model_dump_json())
    assert (data["oiliness_level"], data["redness"], data["analysis_duration_seconds"]) == (20.0, None, 4.0)
    assert data["reasons"]["redness"] == NO_CARD
    assert set(data["reasons"]) == {name for name in MEASURED if data[name] is None}


def test_hydration_and_elasticity_are_never_claimed():
    assert RECORD.hydration_level is RECORD.elasticity_level is None
    assert RECORD.reasons["hydration_level"] == RECORD.reasons["elasticity_level"] == NOT_WITH_A_CAMERA
    for name in ("hydration_level", "elasticity_level"):
        with pytest.raises(ValidationError, match=name):
            changed(**{name: 50.0})


def test_there_are_no_pixels_in_a_record():
    assert len(RECORD.model_dump_json()) < 2000


@pytest.mark.parametrize("value", [0, 0.0, 50, 99.9, 100])
def test_a_measure_is_a_number_from_0_to_100(value):
    assert Measure.of(value).value == value


@pytest.mark.parametrize("value", [-0.1, 100.1, math.nan, math.inf, True, "50"])
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="no number from 0 to 100"):
        Measure.of(value)
    with pytest.raises(ValidationError, match="oiliness_level"):
        changed(oiliness_level=value)


@pytest.mark.parametrize(("value", "reason"), [(None, None), (50.0, "because"), (None, ""), (None, "  ")])
def test_a_measure_has_a_value_or_a_reason(value, reason):
    with pytest.raises(ValueError, match="reason"):
        Measure(value, reason)


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, None, "1", True])
def test_a_duration_is_a_number_of_seconds(seconds):
    with pytest.raises(ValidationError, match="analysis_duration_seconds"):
        changed(analysis_duration_seconds=seconds)


@pytest.mark.parametrize(
    "change",
    [
        {"redness": 10.0},
        {"oiliness_level": None},
        {"reasons": {}},
        {"reasons": {**RECORD.reasons, "redness": " "}},
        {"reasons": {**RECORD.reasons, "shoe_size": "unknown"}},
        {"shoe_size": 42},
        {"skin_type": 7},
        {"skin_score_version": 2},
        {"conditions": ["rosacea"]},
        {"looked_at": "2026-03-01T08:00:00"},
        {"eyes_px": 0.0},
        {"spread": {}},
        {"spread": {**RECORD.spread, "tone": 1.0}},
    ],
)
def test_a_damaged_record_is_refused(change):
    with pytest.raises(ValidationError):
        changed(**change)


def test_a_record_does_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        RECORD.redness = 3.0


def test_its_schema_can_be_shown():
    assert set(MEASURED) <= set(FaceRecord.model_json_schema()["properties"])


def test_a_shot_of_nothing_gives_a_record_of_reasons():
    nothing = Measure.missing("the picture is too dark; turn on a light")
    record = a_look(*[a_shot(nothing, nothing, nothing, nothing, card=None)] * 3)
    assert all(getattr(record, name) is None for name in MEASURED)
    assert "dark" in record.reasons["oiliness_level"]
    assert record.reasons["confidence_score"] == "nothing was measured"
