"""What is put on the conductor's queue: everything that happens, as small frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from moodify.errors import MoodifyError
    from moodify.music.candidates import Wanted
    from moodify.music.song import Candidate
    from moodify.panel.port import Press
    from moodify.system.health import Health
    from moodify.types import Decision, Mood, Observation, OrderStatus, Playback


class State(StrEnum):
    """How a part of the house is."""

    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    """Something is missing; it heals by itself."""
    BROKEN = "broken"
    """It stays so until somebody does what the message says."""
    OFF = "off"
    """Off on purpose, which is no fault."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The watcher looked at a frame."""

    observation: Observation
    handled: threading.Event | None = None
    """Set once everything that follows from it is done: a recording waits for it before its next frame."""


@dataclass(frozen=True, slots=True)
class CameraIs:
    """The camera was opened, lost or closed."""

    state: State
    message: str


@dataclass(frozen=True, slots=True)
class RecordingEnded:
    """The recording has no more frames."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A person pressed the button, a key or a button of the page."""

    press: Press
    origin: str
    """Where: ``button``, ``keys``, ``page``."""


@dataclass(frozen=True, slots=True)
class PrivacyWanted:
    """A person wants the camera closed, or open again."""

    on: bool
    origin: str
    """Where: ``page``."""


@dataclass(frozen=True, slots=True)
class Order:
    """A decision on its way to the speaker."""

    id: str
    decision: Decision
    asked: bool = False
    """Whether a person asked for it."""


@dataclass(frozen=True, slots=True)
class HouseChanged:
    """The household has set something on its page, signed in or out at Spotify, or somebody else is listening."""


@dataclass(frozen=True, slots=True)
class Aiming:
    """The camera's picture is shown on the page from now on, or no longer."""

    on: bool
    by: str
    """Whose page: a person's name."""


@dataclass(frozen=True, slots=True)
class SkinLook:
    """Somebody has their skin looked at from now on, or no longer."""

    on: bool
    by: str
    """Whose: a person's name."""


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """The dj is done with an order."""

    order: Order
    status: OrderStatus
    took_s: float
    error: MoodifyError | None = None
    player: int = 0
    """How many players the dj had had before the one that this is of."""


@dataclass(frozen=True, slots=True)
class PlaybackSeen:
    """The dj looked at what plays; an error instead where it could not."""

    playback: Playback | None
    error: MoodifyError | None = None
    notices: tuple[str, ...] = ()
    """What a person should know although the speaker works."""
    next_look_s: float | None = None
    """Seconds until the next look, as what plays and what may be asked advise; None for the configured ones."""
    player: int = 0
    """How many players the dj had had before the one that this is of."""


@dataclass(frozen=True, slots=True)
class CandidatesFound:
    """The dj looked up songs for a mood; an error instead where it could not."""

    mood: Mood
    songs: tuple[Candidate, ...]
    error: MoodifyError | None = None
    player: int = 0
    """How many players the dj had had before the one that this is of."""
    of: Wanted | None = None
    """What was looked up."""


@dataclass(frozen=True, slots=True)
class LinkIs:
    """The link to the broker came up or went down."""

    state: State
    message: str


class Answers(Protocol):
    """Who is told how a command ended; each command is answered once, from any thread."""

    def answer(self, command_id: str, status: str, error: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        """Take the answer: ``ok`` with what was asked for, or ``error`` with why not."""


@dataclass(frozen=True, slots=True)
class CommandTaken:
    """A command that this device allows: the broker passed it on, or somebody signed in gave it on the page."""

    name: str
    id: str
    args: Mapping[str, Any] = field(default_factory=dict)
    """As :attr:`moodify.cloud.port.Command.args`; checked."""
    answers: Answers | None = None
    """Who is told on the page; None tells the broker."""


@dataclass(frozen=True, slots=True)
class HealthRead:
    """The machine was looked at."""

    health: Health
    sign_in: Mapping[str, Any] | None = None
    """How the sign-in to Spotify stands (:func:`moodify.daemon.wellbeing.sign_in_told`); None where none is wanted."""


@dataclass(frozen=True, slots=True)
class ThreadDied:
    """A thread ended by an error that nobody expected."""

    name: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class Stop:
    """End the run."""

    reason: str
    failed: bool = False
    """Whether the program ends with an error."""
    again: bool = False
    """Whether it is to be started again."""


Signal = (
    Seen
    | CameraIs
    | RecordingEnded
    | Pressed
    | PrivacyWanted
    | HouseChanged
    | Aiming
    | SkinLook
    | OrderEnded
    | PlaybackSeen
    | CandidatesFound
    | LinkIs
    | CommandTaken
    | HealthRead
    | ThreadDied
    | Stop
)
