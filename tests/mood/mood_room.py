"""A room with people in it, for the mood's tests: faces as the vision would report them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from moodify.mood.tracker import MoodChange, MoodTracker, PresenceChange
from moodify.types import Box, Emotion, EmotionScores, Face, Landmarks, NotJudged, Observation, Point, SeenFace

if TYPE_CHECKING:
    from collections.abc import Callable

VALENCE = {Emotion.HAPPINESS: (0.8, 0.5), Emotion.SADNESS: (-0.6, -0.4)}


def face(emotion: Emotion = Emotion.HAPPINESS, p: float = 0.9, *, size: float = 50.0, not_judged: NotJudged | None = None) -> SeenFace:
    rest = (1.0 - p) / (len(Emotion) - 1)
    valence, arousal = VALENCE.get(emotion, (0.0, 0.0))
    scores = EmotionScores({each: p if each is emotion else rest for each in Emotion}, valence, arousal)
    if not_judged is None and p < 0.7:
        not_judged = NotJudged.NOT_CONFIDENT
    shown = scores if not_judged in {None, NotJudged.NOT_CONFIDENT} else None
    middle = Point(size / 2, size / 2)
    return SeenFace(Face(Box(0, 0, size, size), Landmarks(middle, middle, middle, middle, middle), 0.9), shown, not_judged)


def happy(p: float = 0.9, size: float = 50.0) -> SeenFace:
    return face(Emotion.HAPPINESS, p, size=size)


def sad(p: float = 0.9, size: float = 50.0) -> SeenFace:
    return face(Emotion.SADNESS, p, size=size)


def too_small() -> SeenFace:
    return face(size=8, not_judged=NotJudged.TOO_SMALL)


def away() -> SeenFace:
    return face(not_judged=NotJudged.TURNED_AWAY)


class Room:
    """Feeds a tracker at a rate and notes what it says, with the times."""

    def __init__(self, tracker: MoodTracker, fps: float = 5.0, start_s: float = 1000.0) -> None:
        self.tracker = tracker
        self.fps = fps
        self.start_s = start_s
        self.frames = 0
        self.offset_s = 0.0
        self.changes: list[PresenceChange | MoodChange] = []

    @property
    def t_s(self) -> float:
        return self.start_s + self.offset_s + self.frames / self.fps

    def look(self, *faces: SeenFace) -> tuple[PresenceChange | MoodChange, ...]:
        changes = self.tracker.step(Observation(self.t_s, tuple(faces), moved=bool(faces)))
        self.changes.extend(changes)
        self.frames += 1
        return changes

    def show(self, seconds: float, *faces: SeenFace) -> Room:
        for _ in range(round(seconds * self.fps)):
            self.look(*faces)
        return self

    def show_each(self, seconds: float, make: Callable[[int], tuple[SeenFace, ...]]) -> Room:
        for index in range(round(seconds * self.fps)):
            self.look(*make(index))
        return self

    def wait(self, seconds: float) -> Room:
        self.offset_s += seconds
        return self

    @property
    def moods(self) -> list[str]:
        return [change.reading.mood.value for change in self.changes if isinstance(change, MoodChange)]

    @property
    def mood_changes(self) -> list[MoodChange]:
        return [change for change in self.changes if isinstance(change, MoodChange)]

    @property
    def presence(self) -> list[int]:
        return [change.people for change in self.changes if isinstance(change, PresenceChange)]

    def mood_gaps(self) -> list[float]:
        return [later.t_s - earlier.t_s for earlier, later in pairwise(self.mood_changes)]
