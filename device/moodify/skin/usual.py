"""What is usual for a person: their own earlier looks, those only that can be compared with this one."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Final

from moodify.skin.record import Comparison, Trait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moodify.skin.record import FaceRecord

MIN_LOOKS: Final = 3
"""Of fewer no spread can be told."""
LEAST_CONFIDENCE: Final = 20.0
"""What a look needs to count as usual: below it the shots disagree, or the light was bad, so that it says little of the skin."""
_LAST: Final = 12
"""About a season of weekly looks: a person's usual changes with it."""
_LEAST: Final = 2.0
"""Points: what a rounded number and a little movement make, however alike earlier looks were."""
_MAD: Final = 1.4826
"""From a median absolute deviation to a standard deviation (Rousseeuw and Croux, JASA 88, 1993)."""
_NEAR: Final = 1.35
"""Ratio of pixels on the face up to which textures are compared: finer detail is seen with more."""


def comparable(earlier: FaceRecord, trait: Trait, *, card: int | None, eyes_px: float) -> bool:
    """Return whether a trait of an earlier look can be compared with a look that has this card and so many pixels between the eyes."""
    if getattr(earlier, trait) is None or (earlier.confidence_score or 0) < LEAST_CONFIDENCE:
        return False
    if trait in {Trait.REDNESS, Trait.TONE}:
        return earlier.card == card
    if trait is Trait.OILINESS:
        return (earlier.card is None) == (card is None)
    return 1 / _NEAR < eyes_px / earlier.eyes_px < _NEAR


def against_usual(value: float, spread: float, trait: Trait, earlier: Sequence[FaceRecord], *, card: int | None, eyes_px: float) -> Comparison | None:
    """Return a level against the person's usual, or None where there are fewer than :data:`MIN_LOOKS` looks to compare with.

    Args:
        value: the level.
        spread: its standard deviation over the shots.
        trait: which one.
        earlier: the same person's looks, of any order.
        card: print of the card that was in view.
        eyes_px: distance of the eyes.
    """
    fit = sorted((look for look in earlier if comparable(look, trait, card=card, eyes_px=eyes_px)), key=lambda look: look.looked_at)[-_LAST:]
    if len(fit) < MIN_LOOKS:
        return None
    levels = [float(getattr(look, trait)) for look in fit]
    middle = statistics.median(levels)
    deviation = _MAD * statistics.median(abs(level - middle) for level in levels)
    uncertainty = max(_LEAST, 2 * math.hypot(deviation, spread))
    return Comparison(usual=round(middle, 1), difference=round(value - middle, 1), uncertainty=round(uncertainty, 1), looks=len(levels))
