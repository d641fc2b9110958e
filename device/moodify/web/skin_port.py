"""What the page needs for the face record; :mod:`moodify.daemon` implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from moodify.skin.capture import Guidance
    from moodify.skin.record import FaceRecord


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person allows."""

    opted_in_at: datetime | None
    """When they allowed looks; None while they have not. In UTC."""
    shared: bool
    """Whether the newest look leaves the appliance over MQTT."""


@dataclass(frozen=True, slots=True)
class KeptLook:
    """A look as it is kept."""

    id: UUID
    record: FaceRecord


class SkinKeeping(Protocol):
    """The looks that are kept. Safe from any thread.

    Each call raises :class:`~moodify.errors.StoreBusy` where the database can't be had now, and :class:`~moodify.errors.StoreError` where it can't be used.
    """

    def standing(self, user: UUID) -> Standing:
        """Return what a person allows."""

    def opt_in(self, user: UUID) -> Standing:
        """Allow looks. Allowed already changes nothing.

        Raises:
            NoSuchUser: nobody has the id.
        """

    def opt_out(self, user: UUID) -> None:
        """Allow no looks any more, and erase those that are kept."""

    def share(self, user: UUID, *, on: bool) -> Standing:
        """Let the newest look leave over MQTT, or not.

        Raises:
            NotPermitted: they have not opted in.
        """

    def looks(self, user: UUID) -> Sequence[KeptLook]:
        """Return a person's looks, the oldest first."""

    def keep(self, user: UUID, record: FaceRecord) -> KeptLook:
        """Keep a look.

        Raises:
            NotPermitted: they have not opted in, or have opted out meanwhile.
        """

    def remove(self, user: UUID, look: UUID) -> bool:
        """Erase one of a person's looks; return whether they had it."""


@dataclass(frozen=True, slots=True)
class LookNow:
    """How a look that was begun stands."""

    version: int
    """Grows with each change."""
    guidance: Guidance | None
    """What to do; None before the first frame."""
    record: FaceRecord | None
    """The result, once it is done."""
    kept: UUID | None
    """Its id among those that are kept; None before, and where it is not to be kept."""
    failed: str | None
    """Why it ended without one, for a person; ends with the next step."""
    portrait: bool = False
    """Whether one of the sample's portraits is looked at, and nobody: nothing of it is kept."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.record is not None or self.failed is not None


class SkinLooking(Protocol):
    """The look that is under way, one at a time. Safe from any thread."""

    def begin(self, user: UUID, name: str, *, skin_type: int | None, keep: bool = True) -> LookNow:
        """Begin to look at a person's skin; one that they began before is over.

        Args:
            user: their account's id.
            name: as it is told in the room.
            skin_type: what they say of themselves, from 1 to 6.
            keep: whether the result is kept; else it is told, and forgotten.

        Raises:
            NotPermitted: they have not opted in.
            PersonMustAct: privacy is on, or there is no camera that gives pictures.
            RetryLater: somebody else's look, or somebody aims the camera.
        """

    def now(self, user: UUID, after: int = 0, timeout_s: float = 0.0) -> LookNow | None:
        """Return how a person's look stands, waiting up to ``timeout_s`` for a version beyond ``after``; None where they began none."""

    def end(self, user: UUID) -> None:
        """End it without a result. Ended already, or never begun, is done."""
