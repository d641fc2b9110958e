"""What the light says, and how: colours for an RGB light, rhythms for both it and a plain one. Pure.

==============  ============================  =====================================================
state           colour                        rhythm
==============  ============================  =====================================================
off             none                          dark
idle            white                         steady, faint
looking         white                         flashes and fades, a bit more than once a second
mood            the mood's                    steady
playing         the mood's, else white        steady, and breathes in every three seconds
degraded        orange                        swells and ebbs, all the way to dark
privacy         red                           one short wink every four seconds
needs person    red                           blinks, as long on as off
held 2 to 6 s   white                         one wink a second: letting go pauses, or goes on
held 6 to 15 s  white                         two winks a second: letting go sets privacy
held longer     white                         three winks a second: letting go resets the password; a while longer once it is so
nothing to do   white                         flickers
==============  ============================  =====================================================

Moods: happy yellow, surprised pink, calm green, sad blue, angry red, tense violet, unsure grey; absent is as idle.
No state needs its colour to be told from another, for people who do not tell red from green, and for a plain light:
only which mood it is, a plain light cannot say.
"""

from __future__ import annotations

from dataclasses import dataclass

from moodify.panel.port import Show
from moodify.types import FELT_MOODS, Mood

Colour = tuple[float, float, float]
"""Red, green and blue, from 0 to 1."""

BLACK: Colour = (0.0, 0.0, 0.0)
_WHITE: Colour = (1.0, 1.0, 1.0)
_RED: Colour = (1.0, 0.0, 0.0)
_ORANGE: Colour = (1.0, 0.35, 0.0)
_FAINT: Colour = (0.08, 0.08, 0.08)
MOOD_COLOURS: dict[Mood, Colour] = {
    Mood.HAPPY: (1.0, 0.7, 0.0),
    Mood.SURPRISED: (1.0, 0.2, 0.5),
    Mood.CALM: (0.0, 0.8, 0.2),
    Mood.SAD: (0.0, 0.2, 1.0),
    Mood.ANGRY: _RED,
    Mood.TENSE: (0.5, 0.0, 1.0),
    Mood.UNSURE: (0.3, 0.3, 0.3),
    Mood.ABSENT: _FAINT,
}
#: What plays for no mood that is felt: brighter than idle, so that its breath is seen.
_MUSIC: Colour = (0.3, 0.3, 0.3)
#: How much of a colour is left where the light breathes in.
_BREATH = 0.25


@dataclass(frozen=True, slots=True)
class Step:
    """A colour for some seconds; ``fade``: reached gradually over them, from the colour before."""

    colour: Colour
    for_s: float = float("inf")
    fade: bool = False


Rhythm = tuple[Step, ...]
"""Steps that go round and round; a single one is steady. The first is shown at once."""


def level(colour: Colour) -> float:
    """Return how bright a plain light shines for a colour: what is not faint must be seen, whatever its colour."""
    return max(colour)


def _winks(times: int) -> Rhythm:
    """Return so many winks a second, in white."""
    pairs = [Step(_WHITE, 0.12), Step(BLACK, 0.12)] * times
    return (*pairs[:-1], Step(BLACK, 1.0 - 0.24 * times + 0.12))


_RHYTHMS: dict[Show, Rhythm] = {
    Show.OFF: (Step(BLACK),),
    Show.IDLE: (Step(_FAINT),),
    Show.LOOKING: (Step(_WHITE, 0.2), Step(BLACK, 0.6, fade=True)),
    Show.DEGRADED: (Step(_ORANGE, 0.2), Step(BLACK, 1.5, fade=True), Step(_ORANGE, 1.5, fade=True)),
    Show.PRIVACY: (Step(_RED, 0.15), Step(BLACK, 3.85)),
    Show.NEEDS_PERSON: (Step(_RED, 0.5), Step(BLACK, 0.5)),
    Show.HOLD_PAUSE: _winks(1),
    Show.HOLD_PRIVACY: _winks(2),
    Show.HOLD_RESET: _winks(3),
    Show.NOTHING_TO_DO: (Step(_WHITE, 0.06), Step(BLACK, 0.06)),
}


def rhythm_of(what: Show, mood: Mood | None = None) -> Rhythm:
    """Return what the light does for a state; ``mood`` for the two that have one. A mood that is not given is shown as unsure."""
    match what:
        case Show.MOOD:
            return (Step(MOOD_COLOURS[mood if mood is not None else Mood.UNSURE]),)
        case Show.PLAYING:
            colour = MOOD_COLOURS[mood] if mood in FELT_MOODS else _MUSIC
            red, green, blue = (_BREATH * part for part in colour)
            return (Step(colour, 2.2), Step((red, green, blue), 0.4, fade=True), Step(colour, 0.4, fade=True))
    return _RHYTHMS[what]
