"""What the routes of the face record take and give, as OpenAPI shows it."""

# ruff: noqa: TC003 - pydantic reads the annotations

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from moodify.skin.advice import REVIEWED, care
from moodify.skin.record import FaceRecord, Trait
from moodify.skin.summing import SHOTS
from moodify.skin.trend import Direction, trend
from moodify.skin.usual import comparable
from moodify.web import examples
from moodify.web.schemas import Asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moodify.skin.advice import Advice
    from moodify.web.skin_port import KeptLook, LookNow, Standing

_AT = "2026-11-21T20:15:00Z"

#: As :class:`moodify.skin.capture.Step`, which comes with what looks at pixels.
StepWord = Literal["come into view", "alone", "come closer", "step back", "look straight", "more light", "less light", "even light", "hold still", "sharper", "done", "gave up"]


class StandingOut(BaseModel):
    """What a person allows."""

    opted_in_at: datetime | None = Field(examples=[_AT], description="When they allowed looks; null while they have not.")
    shared: bool = Field(examples=[False], description="Whether the numbers of the newest look leave the appliance over MQTT.")
    under_way: bool = Field(examples=[False], description="Whether a look of theirs goes on.")

    @classmethod
    def of(cls, standing: Standing, now: LookNow | None) -> Self:
        """Show what a person allows."""
        return cls(opted_in_at=standing.opted_in_at, shared=standing.shared, under_way=now is not None and not now.is_over)


class StandingWish(Asked):
    """What a person allows from now on; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"opted_in": True}]})

    opted_in: Annotated[bool | None, Field(examples=[True], description="False erases every look of theirs.")] = None
    shared: Annotated[bool | None, Field(examples=[False])] = None


class LookWish(Asked):
    """A look that is to begin."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"keep": True}]})

    keep: Annotated[bool, Field(examples=[True], description="False tells the result, and keeps nothing of it: no trend has it, and nobody it is shared with.")] = True


class GuidanceOut(BaseModel):
    """What to do next."""

    step: StepWord = Field(examples=["hold still"])
    say: str = Field(examples=["Hold still."], description="The same for a person.")
    taken: int = Field(ge=0, examples=[1], description="Shots so far.")
    of: int = Field(SHOTS, examples=[SHOTS], description="Shots that a look has.")


class AdviceOut(BaseModel):
    """A line of advice."""

    text: str = Field(examples=["Take off make-up before sleeping."])
    source: str = Field(examples=["American Academy of Dermatology, How to control oily skin, https://www.aad.org/public/everyday-care/skin-care-basics/dry/oily-skin"])


class CareOut(BaseModel):
    """What can be said beside a record: cosmetic, from a small table."""

    recommendations: list[AdviceOut]
    morning: list[AdviceOut]
    evening: list[AdviceOut]
    see_a_professional: str
    reviewed: str = Field(REVIEWED, examples=[REVIEWED], description="When the table was last held against its sources.")

    @classmethod
    def of(cls, record: FaceRecord) -> Self:
        """Return what can be said beside a record."""
        said = care(record)
        return cls(recommendations=_shown(said.recommendations), morning=_shown(said.morning), evening=_shown(said.evening), see_a_professional=said.see_a_professional)


class KeptOut(BaseModel):
    """A look as it is kept."""

    id: UUID = Field(examples=["5f0c6a1e-5a53-4a7e-9a2b-0d3c2f1b7e44"])
    record: FaceRecord = Field(examples=[examples.FACE_RECORD])

    @classmethod
    def of(cls, look: KeptLook) -> Self:
        """Show a look."""
        return cls(id=look.id, record=look.record)


class LookOut(BaseModel):
    """How a look that was begun stands."""

    version: int = Field(examples=[7], description="Grows with each change.")
    guidance: GuidanceOut | None = Field(description="What to do; null before the first frame.")
    record: FaceRecord | None = Field(examples=[examples.FACE_RECORD], description="The result, once it is done.")
    kept: UUID | None = Field(examples=["5f0c6a1e-5a53-4a7e-9a2b-0d3c2f1b7e44"], description="Its id among one's looks; null before, and where it is not to be kept.")
    failed: str | None = Field(examples=[None], description="Why it ended without one, and the next step.")
    portrait: bool = Field(examples=[False], description="Whether one of the sample's portraits is looked at, and nobody: nothing of it is kept.")

    @classmethod
    def of(cls, now: LookNow) -> Self:
        """Show how a look stands."""
        told = now.guidance
        # By its value: a member of the enumeration is not one of the words that pydantic takes.
        guidance = None if told is None else GuidanceOut.model_validate({"step": str(told.step), "say": told.say, "taken": told.taken})
        return cls(version=now.version, guidance=guidance, record=now.record, kept=now.kept, failed=now.failed, portrait=now.portrait)


class TrendOut(BaseModel):
    """How a trait went over the looks that can be compared with the newest."""

    compared: list[UUID] = Field(description="The looks that can be compared with the newest in which the trait was measured, that one too; none whose date is doubted.")
    per_month: float | None = Field(examples=[-1.4], description="Points in 30 days; null where too few can be compared.")
    low: float | None = Field(examples=[-3.2], description="Lower end of the 95 % interval.")
    high: float | None = Field(examples=[0.3], description="Upper end of it.")
    direction: Direction | None = Field(examples=["no change that is more than chance"], description="Rising or falling only where the interval leaves out 0.")

    @classmethod
    def of(cls, looks: Sequence[KeptLook], trait: Trait) -> Self:
        """Return how a trait went over looks, the oldest first."""
        measured = [look for look in looks if getattr(look.record, trait) is not None and not look.record.date_doubted]
        last = measured[-1].record if measured else None
        compared = [look.id for look in measured if last is not None and comparable(look.record, trait, card=last.card, eyes_px=last.eyes_px)]
        found = trend([look.record for look in looks], trait)
        if found is None:
            return cls(compared=compared, per_month=None, low=None, high=None, direction=None)
        return cls(compared=compared, per_month=round(found.per_month, 1), low=round(found.low, 1), high=round(found.high, 1), direction=found.direction)


class LooksOut(BaseModel):
    """What is kept of a person's looks."""

    looks: list[KeptOut] = Field(description="The newest ones, the oldest of them first.")
    kept: int = Field(ge=0, examples=[12], description="How many there are in all.")
    trends: dict[Trait, TrendOut] = Field(description="Over the looks that are given.")
    care: CareOut | None = Field(description="What can be said beside the newest; null without one.")

    @classmethod
    def of(cls, every: Sequence[KeptLook], most: int) -> Self:
        """Show looks, the oldest first, at most so many of the newest."""
        looks = every[-most:]
        return cls(
            looks=[KeptOut.of(look) for look in looks],
            kept=len(every),
            trends={trait: TrendOut.of(looks, trait) for trait in Trait},
            care=CareOut.of(looks[-1].record) if looks else None,
        )


def _shown(lines: Sequence[Advice]) -> list[AdviceOut]:
    return [AdviceOut(text=line.text, source=line.source) for line in lines]
