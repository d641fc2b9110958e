"""One look at a person's skin, from its first frame to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moodify.web.skin_port import LookNow

if TYPE_CHECKING:
    from uuid import UUID

    from moodify.skin.capture import Capture, Guidance
    from moodify.skin.record import FaceRecord

#: Times that the light may be wrong once the exposure is held, before it is held no more: some cameras jump when they are told to.
_JUMPS = 2


class Exposure:
    """Whether the camera is to hold its exposure, by what a person is told to do."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._on = False
        self._jumps = 0

    def follow(self, guidance: Guidance) -> bool:
        """Return it for the next frame."""
        from moodify.skin.capture import Step

        if guidance.hold_exposure:
            self._on = self._jumps < _JUMPS
        elif guidance.step is not Step.SHARPER:
            self._jumps += self._on and guidance.step in {Step.MORE_LIGHT, Step.LESS_LIGHT}
            self._on = False
        return self._on


@dataclass(slots=True, eq=False)
class UnderWay:
    """One person's. Whoever changes it holds the lock of :class:`~moodify.daemon.skin_look.SkinLooks`."""

    user: UUID
    name: str
    skin_type: int | None
    keep: bool
    capture: Capture
    asked_s: float
    version: int
    portrait: bool
    """Whether it is one of the sample's portraits that is looked at."""
    waiting: int = 0
    guidance: Guidance | None = None
    record: FaceRecord | None = None
    kept: UUID | None = None
    failed: str | None = None
    given_up: bool = False
    """By its person: nothing of it is kept any more."""
    said_over: bool = False
    exposure: Exposure = field(default_factory=Exposure)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.record is not None or self.failed is not None

    @property
    def wants_frames(self) -> bool:
        """Whether shots are still taken."""
        return not self.is_over and (self.guidance is None or not self.guidance.is_over)

    def awaits_result(self) -> bool:
        """Return whether its person still wants what comes of it."""
        return not (self.given_up or self.is_over)

    def now(self) -> LookNow:
        """Return how it stands."""
        return LookNow(self.version, self.guidance, self.record, self.kept, self.failed, self.portrait)
