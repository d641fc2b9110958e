import pytest

from moodify.mood.belief import Band, Belief
from moodify.types import FELT_MOODS, Mood

BAND = Band(enter=0.7, hold=0.6, steady_s=3.0, patience_s=6.0)


def follow(belief, mood, probabilities, dt_s=1.0):
    """Return the moods believed after each look at one mood's probability; None is a look without judgement."""
    moods = []
    for p in probabilities:
        room = None if p is None else {each: p if each is mood else (1 - p) / 10 for each in FELT_MOODS}
        belief = belief.step(room, dt_s, BAND)
        moods.append(belief.mood)
    return moods


@pytest.mark.parametrize(
    ("probabilities", "believed_at"),
    [
        ([0.7, 0.7, 0.7, 0.7], 3),
        ([0.75, 0.65, 0.65, 0.75], 3),
        ([0.75, 0.65, 0.65, 0.65, 0.7], 4),
        ([0.75, 0.65, 0.59, 0.75, 0.75, 0.75, 0.75], 6),
        ([0.75, None, None, 0.75, 0.75, 0.75], 5),
        ([0.69] * 20, None),
        ([0.75, 0.65, 0.65, 0.65, 0.65], None),
    ],
)
def test_a_candidate_holds_in_the_band_and_is_believed_at_the_threshold(probabilities, believed_at):
    moods = follow(Belief(Mood.UNSURE), Mood.HAPPY, probabilities)
    assert (moods.index(Mood.HAPPY) if Mood.HAPPY in moods else None) == believed_at


@pytest.mark.parametrize(
    ("probabilities", "lost_at"),
    [
        ([0.6] * 20, None),
        ([0.59] * 20, 5),
        ([0.59] * 5 + [0.6] + [0.59] * 5, None),
        ([None] * 20, 5),
        ([None] * 5 + [0.6] + [None] * 5, None),
    ],
)
def test_a_mood_is_held_down_to_the_band_and_lost_after_patience(probabilities, lost_at):
    moods = follow(Belief(Mood.HAPPY), Mood.HAPPY, probabilities)
    assert (moods.index(Mood.UNSURE) if Mood.UNSURE in moods else None) == lost_at
