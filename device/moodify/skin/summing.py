"""From the shots of one look to its record."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import TYPE_CHECKING, Final

from moodify.skin.measure import HIGHEST, Measure
from moodify.skin.record import NOT_WITH_A_CAMERA, Condition, FaceRecord, Trait
from moodify.skin.score import score
from moodify.skin.usual import against_usual

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from moodify.skin.record import Comparison
    from moodify.skin.shot import Shot

SHOTS: Final = 3
_MIN_MEASURED: Final = 2
"""Shots that a trait must have been measured in."""
_HALVED: Final = 5.0
"""Points of spread over the shots that halve the repeatability."""
_HIGHER: Final = {Trait.OILINESS: Condition.SHINIER, Trait.TEXTURE: Condition.COARSER, Trait.REDNESS: Condition.REDDER}
_LOWER: Final = {Trait.OILINESS: Condition.LESS_SHINY, Trait.TEXTURE: Condition.FINER, Trait.REDNESS: Condition.LESS_RED}


def summarise(
    shots: Sequence[Shot],
    *,
    looked_at: datetime,
    duration_s: float,
    earlier: Sequence[FaceRecord] = (),
    skin_type: int | None = None,
    date_doubted: bool = False,
) -> FaceRecord:
    """Return the record of a look.

    Args:
        shots: what :func:`moodify.skin.shot.look_at` said of each picture.
        looked_at: when, timezone-aware.
        duration_s: how long it took, in seconds.
        earlier: the same person's earlier looks; its own usual comes from them.
        skin_type: what the person says, from 1 to 6.
        date_doubted: whether the clock that ``looked_at`` is from is known to be wrong.

    Raises:
        ValueError: there are no shots, or the date has no time zone.
    """
    if not shots:
        raise ValueError("a look has at least one shot")
    card = _card(shots)
    eyes_px = statistics.median(shot.eyes_px for shot in shots)
    measures = {trait: _together([_of(shot, trait, card) for shot in shots]) for trait in Trait}
    levels = {trait: measure.value for trait, (measure, _) in measures.items() if measure.value is not None}
    spread = {trait: measures[trait][1] for trait in levels}
    found = {trait: against_usual(level, spread[trait], trait, earlier, card=card, eyes_px=eyes_px) for trait, level in levels.items()}
    compared = {trait: comparison for trait, comparison in found.items() if comparison is not None}
    scored, parts = score(levels, compared)
    confidence, of_what = _confidence(shots, spread)
    named = {**{trait.value: measure for trait, (measure, _) in measures.items()}, "skin_score": scored, "confidence_score": confidence}
    missing = {name: measure.reason for name, measure in named.items() if measure.reason is not None}
    return FaceRecord.model_validate(
        {
            **{name: None if measure.value is None else round(measure.value, 1) for name, measure in named.items()},
            "looked_at": looked_at,
            "date_doubted": date_doubted,
            "skin_score_parts": {trait: round(part, 1) for trait, part in parts.items()},
            "confidence_parts": {name: round(part, 1) for name, part in of_what.items()},
            "analysis_duration_seconds": round(duration_s, 2),
            "spread": {trait: round(points, 2) for trait, points in spread.items()},
            "against_usual": compared,
            "gloss": _gloss(shots),
            "conditions": _conditions(compared),
            "skin_type": skin_type,
            "card": card,
            "eyes_px": round(eyes_px, 1),
            "shots": len(shots),
            "reasons": {**missing, "hydration_level": NOT_WITH_A_CAMERA, "elasticity_level": NOT_WITH_A_CAMERA},
        }
    )


def _card(shots: Sequence[Shot]) -> int | None:
    """Return the print that most shots had in view."""
    seen = Counter(shot.card for shot in shots if shot.card is not None)
    return seen.most_common(1)[0][0] if seen else None


def _of(shot: Shot, trait: Trait, card: int | None) -> Measure:
    measure = shot.measure(trait)
    if trait in {Trait.REDNESS, Trait.TONE} and measure.value is not None and shot.card != card:
        return Measure.missing("the reference card was changed between the shots; use one")
    return measure


def _together(measures: Sequence[Measure]) -> tuple[Measure, float]:
    """Return the median over the shots with its standard deviation, or the reason that most shots had."""
    values = [measure.value for measure in measures if measure.value is not None]
    if len(values) >= min(_MIN_MEASURED, len(measures)):
        return Measure.of(statistics.median(values)), statistics.stdev(values) if len(values) > 1 else 0.0
    reasons = Counter(measure.reason for measure in measures if measure.reason is not None)
    return Measure.missing(reasons.most_common(1)[0][0]), 0.0


def _confidence(shots: Sequence[Shot], spread: Mapping[Trait, float]) -> tuple[Measure, dict[str, float]]:
    """Return repeatability times quality of the light, in percent, and both."""
    light = HIGHEST * statistics.median(shot.lighting.quality for shot in shots)
    if len(shots) < SHOTS:
        return Measure.missing(f"it takes {SHOTS} shots to tell how well a look can be repeated"), {"light": light}
    if not spread:
        return Measure.missing("nothing was measured"), {"light": light}
    repeatability = HIGHEST * statistics.fmean(_HALVED / (_HALVED + points) for points in spread.values())
    return Measure.of(repeatability * light / HIGHEST), {"repeatability": repeatability, "light": light}


def _gloss(shots: Sequence[Shot]) -> dict[str, float]:
    names = {name for shot in shots for name in shot.gloss}
    return {name: round(statistics.median(shot.gloss[name] for shot in shots if name in shot.gloss), 4) for name in sorted(names)}


def _conditions(compared: Mapping[Trait, Comparison]) -> tuple[Condition, ...]:
    """Return the words for what is beyond its usual, to either side; that all is as usual only where something could be compared."""
    above = tuple(word for trait, word in _HIGHER.items() if trait in compared and compared[trait].is_higher)
    below = tuple(word for trait, word in _LOWER.items() if trait in compared and compared[trait].is_lower)
    return above + below or ((Condition.AS_USUAL,) if any(trait in compared for trait in _HIGHER) else ())
