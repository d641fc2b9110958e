"""What the commands of the face record call its fields, and how they write a number."""

from __future__ import annotations

from typing import Final

from moodify.skin.record import Trait

#: Of each trait.
TRAITS: Final = {Trait.OILINESS: "shine", Trait.TEXTURE: "texture", Trait.REDNESS: "redness", Trait.TONE: "tone"}
#: Of every field that may be missing.
FIELDS: Final = {
    **{trait.value: word for trait, word in TRAITS.items()},
    "skin_score": "score",
    "confidence_score": "confidence",
    "hydration_level": "hydration",
    "elasticity_level": "elasticity",
}


def level(value: float | None, spread: float | None = None) -> str:
    """Return a number from 0 to 100, with its standard deviation over the shots."""
    if value is None:
        return "–"
    return f"{value:.0f}" if spread is None else f"{value:.0f} ±{spread:.0f}"
