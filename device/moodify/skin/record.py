"""What is kept of one look at a face's skin: numbers, never pixels; each field a number from 0 to 100, or null and the reason. No diagnosis."""

# ruff: noqa: TC003 - pydantic reads the annotations

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from moodify.skin.measure import HIGHEST, LOWEST

NOT_WITH_A_CAMERA: Final = "not measurable with a camera"
SCORE_VERSION: Final = 1
"""Of the formula of ``skin_score``: :mod:`moodify.skin.score`. Scores of two versions are never compared."""

Level = Annotated[float, Field(ge=LOWEST, le=HIGHEST, allow_inf_nan=False, strict=True)]
Points = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Distance = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Signed = Annotated[float, Field(ge=-HIGHEST, le=HIGHEST, allow_inf_nan=False, strict=True)]


class Trait(StrEnum):
    """What can be compared between looks."""

    OILINESS = "oiliness_level"
    TEXTURE = "pore_size"
    REDNESS = "redness"
    TONE = "tone"


class Condition(StrEnum):
    """How skin looks, in cosmetic words, against the person's own usual. Nothing in here is a finding of medicine."""

    SHINIER = "shinier than your usual"
    COARSER = "coarser-looking than your usual"
    REDDER = "redder-looking than your usual"
    LESS_SHINY = "less shiny than your usual"
    FINER = "finer-looking than your usual"
    LESS_RED = "less red-looking than your usual"
    AS_USUAL = "looks as usual"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Comparison(_Frozen):
    """A level against the person's own earlier looks."""

    usual: Level
    """Median of the earlier looks."""
    difference: Signed
    """Points above it, or below."""
    uncertainty: Points
    """Points that the difference has to exceed to be more than chance: two standard deviations."""
    looks: Annotated[int, Field(ge=1, strict=True)]

    @property
    def is_higher(self) -> bool:
        """Whether the level is higher than usual, beyond chance."""
        return self.difference > self.uncertainty

    @property
    def is_lower(self) -> bool:
        """Whether the level is lower than usual, beyond chance."""
        return self.difference < -self.uncertainty


class FaceRecord(_Frozen):
    """One look. ``docs/skin.md`` says what each number means."""

    looked_at: AwareDatetime
    date_doubted: bool = False
    """Whether the clock was known to be wrong: ``looked_at`` says in which order looks were taken at best, and no trend has them."""
    skin_score: Level | None
    """50 is the person's own usual; higher is better."""
    skin_score_version: Literal[1] = SCORE_VERSION
    skin_score_parts: Mapping[Trait, Level] = Field(default_factory=dict)
    """What ``skin_score`` is the mean of."""
    oiliness_level: Level | None
    """How much more the T-zone shines than the cheeks."""
    pore_size: Level | None
    """Higher is coarser."""
    redness: Level | None
    """Higher is redder."""
    tone: Level | None
    """Higher is lighter; neither is better."""
    hydration_level: None = None
    """Water shows in capacitance or in the near infrared, not in colours."""
    elasticity_level: None = None
    """It takes something that pulls."""
    confidence_score: Level | None
    """How far the rest can be relied on."""
    confidence_parts: Mapping[Literal["repeatability", "light"], Level] = Field(default_factory=dict)
    """``confidence_score`` is their product."""
    analysis_duration_seconds: Points
    spread: Mapping[Trait, Points] = Field(default_factory=dict)
    """Standard deviation over the shots, in points."""
    against_usual: Mapping[Trait, Comparison] = Field(default_factory=dict)
    gloss: Mapping[Literal["t_zone", "cheeks"], Points] = Field(default_factory=dict)
    """Light that highlights add, in parts of white."""
    conditions: tuple[Condition, ...] = ()
    skin_type: Annotated[int, Field(ge=1, le=6, strict=True)] | None = None
    """What the person says of themselves: Fitzpatrick's types I to VI. It is never measured."""
    card: Annotated[int, Field(ge=0, strict=True)] | None = None
    """Number of the reference card's print, where one could be used."""
    eyes_px: Distance
    """Distance of the eyes: how many pixels the face had."""
    shots: Annotated[int, Field(ge=1, strict=True)]
    reasons: Mapping[str, str]
    """For each field that is null for want of a measure, why."""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        missing = {name for name in MEASURED if getattr(self, name) is None}
        if missing != set(self.reasons):
            raise ValueError(f"reasons are for the fields that are null, and for each of them: {', '.join(sorted(missing ^ set(self.reasons)))}")
        if set(self.spread) != {trait for trait in Trait if trait not in missing}:
            raise ValueError("there is a spread for each trait that was measured, and for no other")
        if not all(reason.strip() for reason in self.reasons.values()):
            raise ValueError("a reason is empty")
        return self


MEASURED: Final = ("skin_score", *(trait.value for trait in Trait), "confidence_score", "hydration_level", "elasticity_level")
"""The fields that hold a number or null with its reason."""
