"""What is kept of one look at a face's skin: numbers, never pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Self

from moodify.skin.measure import Measure

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_WITH_A_CAMERA: Final = Measure.missing("not measurable with a camera")
_DURATION: Final = "analysis_duration_seconds"
_REASONS: Final = "reasons"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceRecord:
    """One look: each field a number from 0 to 100, or the reason why there is none. It is no diagnosis.

    Raises:
        ValueError: a field claims what no camera can measure, or the duration is negative or no number.
    """

    skin_score: Measure
    """Higher is better."""
    oiliness_level: Measure
    """Higher shines more; compared with the person's own baseline."""
    pore_size: Measure
    """Higher is coarser."""
    redness: Measure
    """Higher is redder."""
    tone: Measure
    """Higher is lighter."""
    confidence_score: Measure
    """How far the rest can be relied on."""
    analysis_duration_seconds: float
    hydration_level: Measure = NOT_WITH_A_CAMERA
    """Water shows in capacitance or in the near infrared, not in colours."""
    elasticity_level: Measure = NOT_WITH_A_CAMERA
    """It takes something that pulls."""

    def __post_init__(self) -> None:
        for name in ("hydration_level", "elasticity_level"):
            if getattr(self, name).value is not None:
                raise ValueError(f"{name} is not measurable with a camera")
        seconds: object = self.analysis_duration_seconds
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not math.isfinite(seconds) or seconds < 0:
            raise ValueError(f"{seconds!r} is no duration in seconds")

    def as_json(self) -> dict[str, Any]:
        """Return the record as it is kept: each field a number or null, and for each null its reason under ``reasons``."""
        measures = {name: getattr(self, name) for name in _MEASURES}
        return {
            **{name: measure.value for name, measure in measures.items()},
            _DURATION: self.analysis_duration_seconds,
            _REASONS: {name: measure.reason for name, measure in measures.items() if measure.value is None},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the record that :meth:`as_json` made ``data`` of.

        Raises:
            ValueError: a field is missing, unknown, out of range, or null without a reason.
        """
        wrong = {*_MEASURES, _DURATION, _REASONS} ^ set(data)
        if wrong:
            raise ValueError(f"fields are missing or unknown: {', '.join(sorted(wrong))}")
        reasons = data[_REASONS]
        if not isinstance(reasons, dict) or not all(isinstance(reason, str) for reason in reasons.values()) or not set(reasons) <= set(_MEASURES):
            raise ValueError("reasons is no table of fields and texts")
        return cls(**{name: Measure(data[name], reasons.get(name)) for name in _MEASURES}, analysis_duration_seconds=data[_DURATION])


_MEASURES: Final = tuple(field.name for field in fields(FaceRecord) if field.name != _DURATION)
