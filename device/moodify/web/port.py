"""What the page needs from the house; :mod:`moodify.daemon` implements it.

The state is JSON as the page's script reads it, so it is typed as dictionaries and not as values.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, Protocol

# pydantic, which describes these to readers of the API, takes typing's own from Python 3.12 on.
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moodify.types import Event

#: How a part is: it works; it works less well, or heals by itself; it needs somebody; it is off on purpose; it is only starting.
PartState = Literal["ok", "degraded", "broken", "off", "starting"]


class PartNow(TypedDict):
    """A part of the appliance."""

    state: PartState
    message: str
    """For a person; ends with the next step where there is one."""


class FaceNow(TypedDict):
    """A face that is seen now."""

    box: list[float]
    """Left, top, right, bottom, as shares of the picture's width and height, from 0 to 1."""
    emotion: str | None
    """One of :class:`moodify.types.Emotion`, or None where it is not judged."""
    confidence: float | None
    """Calibrated probability of the emotion, from 0 to 1."""
    not_judged: str | None
    """One of :class:`moodify.types.NotJudged`, or None where it is judged."""


class SeenNow(TypedDict):
    """What is in front of the camera."""

    people: int | None
    """None while the camera can't see, which is not the same as nobody being there."""
    faces: list[FaceNow]


class MoodNow(TypedDict):
    """The steady mood of the room."""

    mood: str
    """One of :class:`moodify.types.Mood`."""
    confidence: float
    since: str
    """ISO 8601 date, UTC."""
    valence: float
    arousal: float


class MusicNow(TypedDict):
    """What plays, what comes, and why."""

    playing: bool
    title: str | None
    artist: str | None
    speaker: str | None
    """Name of the speaker."""
    next: str | None
    """The track that is queued, as ``Title by Artist``."""
    reason: str | None
    """Why the newest decision was taken, as a sentence."""
    goal: str | None
    """What music is for now: one of :data:`moodify.config.model.MusicGoal`; None while it starts."""
    volume: int | None
    """Of the speaker, in percent; None where it is not known, or nobody else may set it."""


class OverrideNow(TypedDict):
    """A mood that somebody has named, and that stands for the room's."""

    mood: str
    """One of :data:`moodify.types.FELT_MOODS`."""
    until: str
    """ISO 8601 date, UTC."""


class Now(TypedDict):
    """Everything that the page shows."""

    seen: SeenNow
    mood: MoodNow | None
    """None until the first mood is steady, and in privacy."""
    music: MusicNow
    camera: PartNow
    speaker: PartNow
    link: PartNow
    privacy: bool
    override: OverrideNow | None
    """None while the room's own mood counts."""
    device: str
    """The device's id."""
    version: str
    demo: bool
    """Sample pictures and simulated speaker: the waiting times are shortened."""


#: What becomes of a wish: JSON values, or a :class:`moodify.errors.MoodifyError` that says why not. It may never be done, where the house ends before it.
Wish = Future[Mapping[str, Any]]


class House(Protocol):
    """The running appliance as the page sees it.

    Every call returns at once. :meth:`history` comes from the page's one thread alone, so that a database connection of
    its own is enough for it; the rest may come from any thread. What a call raises of :class:`moodify.errors.MoodifyError` is shown to the person.
    """

    def now(self) -> Now:
        """Return the state to show."""

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after each change of :meth:`now`, from any thread, until the returned function is called.

        ``changed`` returns at once and never raises; it may be called more often than the state differs.
        """

    def history(self, limit: int) -> Sequence[Event]:
        """Return the newest events, newest first; ``limit`` is 1 to 200."""

    def press_scan(self) -> None:
        """Look again, as a press of the button does."""

    def press_next(self) -> None:
        """Skip what plays: "not this"."""

    def press_pause(self) -> None:
        """Pause, or go on."""

    def press_like(self) -> None:
        """More like what plays."""

    def name_mood(self, mood: str | None, minutes: int) -> Wish:
        """Let one of :data:`moodify.types.FELT_MOODS` stand for the room's for so many minutes; None lets the room's own count again. The answer says ``until`` and ``music``."""

    def want_volume(self, percent: int) -> Wish:
        """Bring the volume there, but not above the cap; the answer says ``percent`` and ``music``, once the speaker has done it."""

    def want_goal(self, goal: str | None) -> Wish:
        """Take what music is for until the next start; None as it is configured. The answer says ``goal``."""

    def diagnosis(self) -> Wish:
        """Tell how the appliance is: the answer is what :mod:`moodify.daemon.diagnosis` returns."""

    def people_changed(self) -> None:
        """Take note that an account, or what somebody prefers, has changed: the music may be for them."""

    def set_privacy(self, on: bool) -> None:  # noqa: FBT001 - it is the value that is set
        """Close the camera device (True) or let it see again (False)."""
