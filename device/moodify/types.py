"""The vocabulary of the house: frozen values that every room may use.

Nothing in here does I/O. A unit stands in the name (``t_s``, ``duration_ms``) or in the docstring.
Time comes in two kinds: ``t_s`` is seconds on the clock of the frames (monotonic while live, the
recording's own time while replaying), and ``at`` is a UTC date for people and for the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray


class PixelLayout(StrEnum):
    """How the bytes of an :class:`Image` are laid out."""

    RGB = "rgb"
    """uint8 (height, width, 3)."""
    GREY = "grey"
    """uint8 (height, width)."""
    I420 = "i420"
    """uint8 (height * 3 // 2, width): the Y plane, then U, then V at half resolution."""
    NV12 = "nv12"
    """uint8 (height * 3 // 2, width): the Y plane, then U and V interleaved at half resolution."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Pixels and how to read them. Never written to disk, network or log."""

    pixels: NDArray[np.uint8]
    layout: PixelLayout

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels of the picture (not of the buffer, which may hold more planes)."""
        rows = int(self.pixels.shape[0])
        return rows * 2 // 3 if self.layout in {PixelLayout.I420, PixelLayout.NV12} else rows

    def __repr__(self) -> str:
        """Say the size and layout; never the pixels, for a log must not hold them."""
        return f"Image({self.width}x{self.height} {self.layout.value})"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One look of the camera, copied out of the camera's buffers."""

    image: Image
    """What detection sees: small, the whole field of view."""
    t_s: float
    """When it was taken, in seconds on the clock of the frames."""
    sequence: int
    """Counts up by one for each frame of a source."""
    detail: Image | None = None
    """The same field of view with more pixels, for the crop of a face; None where there is none."""


class Point(NamedTuple):
    """A place in a picture, in pixels from its top left corner."""

    x: float
    y: float


class Box(NamedTuple):
    """A rectangle in a picture, in pixels; right and bottom edges are outside it."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return max(self.width, 0.0) * max(self.height, 0.0)


class Landmarks(NamedTuple):
    """The five points of a face; right and left are the person's own."""

    right_eye: Point
    left_eye: Point
    nose: Point
    right_mouth: Point
    left_mouth: Point


@dataclass(frozen=True, slots=True)
class Face:
    """A face that the detector found, in pixels of the frame's ``image``."""

    box: Box
    landmarks: Landmarks
    confidence: float
    """Probability from 0 to 1."""


class Emotion(StrEnum):
    """The eight emotions of the FER+ labels, in the classifier's order."""

    NEUTRAL = "neutral"
    HAPPINESS = "happiness"
    SURPRISE = "surprise"
    SADNESS = "sadness"
    ANGER = "anger"
    DISGUST = "disgust"
    FEAR = "fear"
    CONTEMPT = "contempt"


@dataclass(frozen=True, slots=True)
class EmotionScores:
    """What the classifier says of one face."""

    probabilities: Mapping[Emotion, float]
    """Calibrated; all eight, summing to 1."""
    valence: float
    """From -1 (unpleasant) to 1 (pleasant)."""
    arousal: float
    """From -1 (drowsy) to 1 (excited)."""

    @property
    def top(self) -> Emotion:
        """The most probable emotion."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        """Probability of the most probable emotion."""
        return self.probabilities[self.top]


class NotJudged(StrEnum):
    """Why a face was counted but its emotion was not judged."""

    TOO_SMALL = "too small"
    TOO_DARK = "too dark"
    TOO_BRIGHT = "too bright"
    BLURRED = "blurred"
    TURNED_AWAY = "turned away"
    NOT_CONFIDENT = "not confident"
    """It was classified, but its top emotion stays below the confidence threshold."""


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face and what could be said of it: scores, or the reason why there is no judgement."""

    face: Face
    scores: EmotionScores | None
    not_judged: NotJudged | None

    @property
    def judged(self) -> bool:
        """Whether this face may speak for the mood of the room."""
        return self.scores is not None and self.not_judged is None


@dataclass(frozen=True, slots=True)
class Observation:
    """What is left of a frame once it has been looked at: no pixels."""

    t_s: float
    faces: tuple[SeenFace, ...]
    moved: bool
    """Whether the motion gate saw movement; if not and nobody was there, nothing else was run."""
    brightness: float = 0.5
    """Mean luma of the frame from 0 to 1."""
    width: int = 320
    """Of the picture that the faces' pixels belong to."""
    height: int = 240


class Mood(StrEnum):
    """The mood of the room; the same words in music, topics, page and configuration."""

    HAPPY = "happy"
    SURPRISED = "surprised"
    CALM = "calm"
    SAD = "sad"
    ANGRY = "angry"
    TENSE = "tense"
    UNSURE = "unsure"
    """Somebody is there, and the appliance can't tell."""
    ABSENT = "absent"
    """Nobody is there."""


#: The moods that have music: all but :attr:`Mood.UNSURE` and :attr:`Mood.ABSENT`.
FELT_MOODS: tuple[Mood, ...] = (Mood.HAPPY, Mood.SURPRISED, Mood.CALM, Mood.SAD, Mood.ANGRY, Mood.TENSE)

#: Which mood each emotion speaks for.
MOOD_OF: Mapping[Emotion, Mood] = {
    Emotion.HAPPINESS: Mood.HAPPY,
    Emotion.SURPRISE: Mood.SURPRISED,
    Emotion.NEUTRAL: Mood.CALM,
    Emotion.SADNESS: Mood.SAD,
    Emotion.ANGER: Mood.ANGRY,
    Emotion.DISGUST: Mood.ANGRY,
    Emotion.CONTEMPT: Mood.ANGRY,
    Emotion.FEAR: Mood.TENSE,
}


@dataclass(frozen=True, slots=True)
class MoodReading:
    """A steady mood of the room."""

    mood: Mood
    confidence: float
    """Smoothed probability from 0 to 1; 0 for absent."""
    since_s: float
    """When it began, on the clock of the frames."""
    valence: float = 0.0
    arousal: float = 0.0
    people: int = 0
    """Faces counted, judged or not."""


@dataclass(frozen=True, slots=True)
class Track:
    """A song."""

    uri: str
    """For instance ``spotify:track:6rqhFgbbKwnb9MLmUQDhG6``."""
    title: str
    artist: str
    duration_ms: int
    explicit: bool | None = field(default=None, compare=False)
    """Whether the service marks it as explicit; None where that is not known. The same song either way."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A Spotify Connect device, as the service lists it."""

    id: str
    """Not stable: match a speaker by its name."""
    name: str
    active: bool
    restricted: bool = False
    """Takes no commands."""
    supports_volume: bool = True
    volume_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Playback:
    """What the speaker does now."""

    playing: bool
    track: Track | None = None
    progress_ms: int = 0
    context_uri: str | None = None
    speaker: Speaker | None = None


MusicSource = Literal["liked", "top", "recent", "imported", "search"]
"""Where a mood's music may come from: :class:`moodify.music.song.Source`, as the configuration writes it."""


class Act(StrEnum):
    """What a :class:`Decision` tells the speaker to do."""

    KEEP = "keep"
    """Nothing."""
    QUEUE = "queue"
    """Play the track next, at the boundary of the one that plays."""
    PLAY = "play"
    """Play the track now."""
    PAUSE = "pause"
    RESUME = "resume"
    SKIP = "skip"
    VOLUME = "volume"
    """Bring the volume to :attr:`Decision.volume_percent`, little by little."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy wants, and the reason that a person will read."""

    act: Act
    reason: str
    mood: Mood
    track: Track | None = None
    """For :attr:`Act.QUEUE` and :attr:`Act.PLAY`."""
    volume_percent: int | None = None
    """For :attr:`Act.VOLUME` the volume; for :attr:`Act.PLAY` and :attr:`Act.RESUME` the loudest that it may be; None leaves it alone."""
    fade_s: float = 0.0
    """For :attr:`Act.PAUSE`: fade out over so many seconds first."""


class OrderStatus(StrEnum):
    """How an order ended at the speaker."""

    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"
    """A newer order took its place before it was carried out."""


class EventKind(StrEnum):
    """The kinds of events that are kept and sent."""

    PRESENCE = "presence"
    MOOD = "mood"
    DECISION = "decision"
    ORDER = "order"
    CAMERA = "camera"
    SPEAKER = "speaker"
    LINK = "link"
    HEALTH = "health"
    SUMMARY = "summary"
    """Of many events for which the outbox had no room any more: how many there were, and how long each mood lasted."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: kept by the store, sent by the courier, printed by ``--events``."""

    id: str
    """UUID."""
    kind: EventKind
    at: datetime
    """Timezone-aware, UTC."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """JSON values only; never pixels, tokens or keys."""

    def as_json(self) -> dict[str, Any]:
        """Return the event as it is printed, stored and sent."""
        return {"id": self.id, "kind": self.kind.value, "at": self.at.isoformat(timespec="milliseconds"), "data": dict(self.data)}


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One summary to send: the events of one transaction, unchanged however often it is offered."""

    epoch: str
    """UUID of the outbox; a new one when the database is made anew."""
    seq: int
    """Counts up from 1 within an epoch, without gaps but for what was dropped for want of room."""
    payload: bytes
    """JSON: ``{"v": 1, "epoch": …, "seq": …, "items": [event, …]}``."""
