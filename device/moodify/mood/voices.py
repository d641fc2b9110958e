"""What the faces of one look say together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from moodify.types import FELT_MOODS, MOOD_OF, Mood, NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from moodify.types import Emotion, EmotionScores, SeenFace

#: An unconfident face weighs half of a judged one: "I can't tell" is weaker evidence than a judgement, and a
#: face that is judged in most looks must not be drowned by the looks in between.
UNCONFIDENT_STRENGTH = 0.5

#: How many numbers a voice has: the felt moods, then valence and arousal.
WIDTH = len(FELT_MOODS) + 2


@dataclass(frozen=True, slots=True)
class Voice:
    """The evidence of one look."""

    values: tuple[float, ...]
    """For each of FELT_MOODS its probability, then valence and arousal, both times the share that was judged.
    What the moods lack to 1 is the share that can't tell."""
    strength: float
    """From 0 to 1: how much of a second a second of this counts for."""


def hear(faces: Iterable[SeenFace], people: Literal["largest", "average"]) -> Voice | None:
    """Return what the faces that were classified say, by area, or None where none was.

    A face that is only counted (too small, turned away …) says nothing. An unconfident one pushes
    towards no mood: its whole share goes to "can't tell".
    """
    speaking = [face for face in faces if face.judged or face.not_judged is NotJudged.NOT_CONFIDENT]
    if people == "largest" and speaking:
        speaking = [max(speaking, key=lambda face: face.face.box.area)]
    # A box without area is still a face.
    areas = [max(face.face.box.area, 1.0) for face in speaking]
    strengths = [area * (1.0 if face.judged else UNCONFIDENT_STRENGTH) for face, area in zip(speaking, areas, strict=True)]
    if not speaking:
        return None
    weight = sum(strengths)
    values = [0.0] * WIDTH
    for face, strength in zip(speaking, strengths, strict=True):
        if face.judged and face.scores is not None:
            for index, value in enumerate(_values(face.scores)):
                values[index] += value * strength / weight
    return Voice(tuple(values), weight / sum(areas))


def fold_emotions(probabilities: Mapping[Emotion, float]) -> dict[Mood, float]:
    """Return each felt mood's probability: the sum over the emotions that speak for it."""
    moods = dict.fromkeys(FELT_MOODS, 0.0)
    for emotion, mood in MOOD_OF.items():
        moods[mood] += probabilities[emotion]
    return moods


def moods_in(values: Sequence[float]) -> dict[Mood, float]:
    """Return the probability of each felt mood, and of unsure, from the numbers of a voice or of their average."""
    moods = dict(zip(FELT_MOODS, values[: len(FELT_MOODS)], strict=True))
    return {**moods, Mood.UNSURE: max(0.0, 1.0 - sum(moods.values()))}


def affect_in(values: Sequence[float]) -> tuple[float, float]:
    """Return valence and arousal, each from -1 to 1, of what was judged; 0 where nothing was."""
    judged = sum(values[: len(FELT_MOODS)])
    if judged <= 0.0:
        return 0.0, 0.0
    valence, arousal = (max(-1.0, min(1.0, value / judged)) for value in values[len(FELT_MOODS) :])
    return valence, arousal


def _values(scores: EmotionScores) -> tuple[float, ...]:
    return (*fold_emotions(scores.probabilities).values(), scores.valence, scores.arousal)
