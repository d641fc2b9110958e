"""The formula of ``skin_score``, version 1: how a look compares with the person's own usual, 50 being as usual, higher better.

It is the mean of a part for each of shine, texture and redness that was measured and has a usual: 50 less two and a half points for each
point that the trait is above its usual. Tone is no part: no tone is better than another. It compares nobody with others, because shine and
redness as a camera sees them depend on the skin's tone, the lamp and the camera, so that any score across people would rate those.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from moodify.skin.measure import HIGHEST, LOWEST, Measure
from moodify.skin.record import Trait
from moodify.skin.usual import MIN_LOOKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.skin.record import Comparison

SCORED: Final = (Trait.OILINESS, Trait.TEXTURE, Trait.REDNESS)
MIN_PARTS: Final = 2
_USUAL: Final = 50.0
_SLOPE: Final = 2.5
"""Twenty points above one's usual give 0, twenty below 100."""


def score(measured: Mapping[Trait, float], compared: Mapping[Trait, Comparison]) -> tuple[Measure, dict[Trait, float]]:
    """Return the score, or why there is none, and its parts.

    Args:
        measured: the levels of this look.
        compared: those of them that have a usual.
    """
    parts = {trait: min(max(_USUAL - _SLOPE * compared[trait].difference, LOWEST), HIGHEST) for trait in SCORED if trait in compared}
    if len(parts) >= MIN_PARTS:
        return Measure.of(statistics.fmean(parts.values())), parts
    if sum(trait in measured for trait in SCORED) < MIN_PARTS:
        return Measure.missing("too little was measured: two of shine, texture and redness are wanted"), parts
    return Measure.missing(f"your own usual is not known yet: it takes {MIN_LOOKS} earlier looks that this one can be compared with"), parts
