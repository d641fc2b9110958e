"""What a person is told where a broker does not let this device in, and for how long that stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodify.cloud.port import Endpoint, Target

_ADVICE = "; check link.sign_in_file, or where that is not set, that this device is known there and its clock is right"


class ShutOut:
    """Remembers who does not let this device in: it knocks again, and is sooner or later told to knock less, which is not what a person must know."""

    def __init__(self) -> None:
        """Begin as one whom nobody has shut out."""
        self._by: tuple[Endpoint, str] | None = None

    def note(self, target: Target, said: str) -> None:
        """Take note that it is so until somebody acts; ``said`` is what the broker says."""
        self._by = target.endpoint, target.shut_out or f"{said}{_ADVICE}"

    def end(self) -> None:
        """Take note that this device was let in."""
        self._by = None

    def reason(self, target: Target) -> str | None:
        """Return what a person is told where it is this target that has not let the device in since; None where it is not."""
        return self._by[1] if self._by is not None and self._by[0] == target.endpoint else None
