"""What music is for, as the owner sets it for each hour: which mood's music is wanted for the mood that is felt.

========== ===============================================================================================
``match``  Music like the mood. People in a sad mood do not prefer happy music (Hunter 2011): no forced cheer.
``lift``   Like the mood first, then step by step brighter: the iso principle (Altshuler 1948). Orders of
           music that match first and lead after were found to help in some studies and not in others, so
           it is a choice of the owner's, off by default, and promises nothing.
``calm``   Calm music whatever the mood: for the evening, for a room in which others work or sleep.
========== ===============================================================================================

**The steps.** Moods lie on the circumplex of valence and arousal (Russell 1980): happy high and pleasant, surprised
higher and less pleasant, calm low and pleasant, sad low and unpleasant, angry and tense high and unpleasant, angry the
further out. A step goes to the nearest mood that is more pleasant; angry and tense come down to calm before they go up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.types import Mood

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.config.model import MusicGoal

#: One step brighter. Happy is as bright as it gets.
BRIGHTER: Mapping[Mood, Mood] = {
    Mood.ANGRY: Mood.TENSE,
    Mood.TENSE: Mood.CALM,
    Mood.SAD: Mood.CALM,
    Mood.CALM: Mood.HAPPY,
    Mood.SURPRISED: Mood.HAPPY,
    Mood.HAPPY: Mood.HAPPY,
}

#: So many songs of a mood are heard before the next step: one could be chance, and a step must not be noticed as a jump.
SONGS_A_STEP = 2


def first_mood(goal: MusicGoal, felt: Mood) -> Mood:
    """Return which mood's music comes first for a mood that is felt."""
    return Mood.CALM if goal == "calm" else felt


def next_mood(goal: MusicGoal, felt: Mood, music: Mood, songs: int) -> Mood:
    """Return which mood's music comes after some that was played for a mood that is felt.

    Args:
        goal: of the hour.
        felt: what the room feels.
        music: the mood of the last song, which was played for ``felt``.
        songs: how many songs of that mood in a row were.
    """
    if goal != "lift":
        return first_mood(goal, felt)
    if music not in path(felt):
        return felt
    return BRIGHTER[music] if songs >= SONGS_A_STEP else music


def fits(goal: MusicGoal, felt: Mood, music: Mood, played_for: Mood) -> bool:
    """Return whether music of a mood, which was put on for a mood, fits the one that is felt now."""
    if goal == "lift":
        return music is felt or (played_for is felt and music in path(felt))
    return music is first_mood(goal, felt)


def path(felt: Mood) -> tuple[Mood, ...]:
    """Return the moods of a lift, from the felt one to the brightest."""
    way = [felt]
    while (brighter := BRIGHTER[way[-1]]) is not way[-1]:
        way.append(brighter)
    return tuple(way)
