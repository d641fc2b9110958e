"""What can be said to a person about caring for their skin: a small table of common advice, each line with its source.

Cosmetic only. It names no product, no illness and no cure; it follows from how skin looks against the person's own usual, and from
nothing else. What hurts, itches, bleeds or stays is for a professional, and every answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moodify.skin.record import Condition

if TYPE_CHECKING:
    from moodify.skin.record import FaceRecord

REVIEWED: Final = "2026-11-21"
"""When each line was last held against its source."""
_WASHING: Final = "American Academy of Dermatology, Face washing 101, https://www.aad.org/public/everyday-care/skin-care-basics/care/face-washing-101"
_OILY: Final = "American Academy of Dermatology, How to control oily skin, https://www.aad.org/public/everyday-care/skin-care-basics/dry/oily-skin"
_SUN: Final = "American Academy of Dermatology, Sunscreen is a vital tool, https://www.aad.org/news/sunscreen-is-a-vital-tool-in-the-fight-against-skin-cancer"
_OURS: Final = "Moodify, docs/skin-card.md"

SEE_A_PROFESSIONAL: Final = "This is a camera's look, not a doctor's. See a pharmacist, doctor or dermatologist about anything that hurts, itches, bleeds, changes, or worries you."


@dataclass(frozen=True, slots=True)
class Advice:
    """A line of advice."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Care:
    """What is said beside a record."""

    recommendations: tuple[Advice, ...]
    morning: tuple[Advice, ...]
    evening: tuple[Advice, ...]
    see_a_professional: str = SEE_A_PROFESSIONAL


_WASH: Final = Advice("Wash with lukewarm water, fingertips and a gentle cleanser without alcohol; rinse, and pat dry. Don't scrub.", _WASHING)
_MOISTEN: Final = Advice("Moisturise where skin feels dry or itchy.", _WASHING)
_SUNSCREEN: Final = Advice("Out of doors: a sunscreen for UVA and UVB, SPF 30 or more, water-resistant.", _SUN)
_MAKEUP: Final = Advice("Take off make-up before sleeping.", _OILY)

_FOR: Final = {
    Condition.SHINIER: (
        Advice("More shine than usual can be oil, sweat, a cream or a lamp: look again after washing, in the same light.", _OURS),
        Advice("Press blotting paper on for a few seconds, without rubbing; choose care labelled oil-free and non-comedogenic.", _OILY),
    ),
    Condition.COARSER: (
        Advice("A harder light, or one more from the side, makes any skin look coarser: look again in the same light.", _OURS),
        Advice("Don't scrub, which irritates; moisturise if your skin feels dry or itchy.", _WASHING),
    ),
    Condition.REDDER: (
        Advice("Warmth, sport, a meal, a shave or crying redden a face for a while: look again tomorrow, at rest.", _OURS),
        Advice("If redness stays or you have questions about it, make an appointment with a dermatologist.", _WASHING),
    ),
    Condition.LESS_SHINY: (Advice("Less shine than usual can be washing, powder or a lamp in another place: look again in the same light.", _OURS),),
    Condition.FINER: (Advice("A softer light, make-up or a picture that is slightly soft makes any skin look finer: look again in the same light.", _OURS),),
    Condition.LESS_RED: (Advice("Make-up, cold or a tan that fades make a face look less red: look again tomorrow, at rest.", _OURS),),
    Condition.AS_USUAL: (Advice("Nothing stands out against your own earlier looks.", _OURS),),
}


def care(record: FaceRecord) -> Care:
    """Return what can be said beside a record."""
    shiny = Condition.SHINIER in record.conditions
    moisten = Advice("Moisturise with something oil-free, also where skin is oily.", _OILY) if shiny else _MOISTEN
    return Care(
        recommendations=tuple(advice for condition in record.conditions for advice in _FOR[condition]),
        morning=(_WASH, moisten, _SUNSCREEN),
        evening=(_MAKEUP, _WASH, moisten),
    )
