"""What the page needs of what is kept and of how the appliance is; :mod:`moodify.daemon` implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import BinaryIO


class Keeping(Protocol):
    """What is kept. Calls may take seconds, so they are not for the page's one thread; they may come from any, one at a time.

    Raises (all calls):
        StoreBusy: locked, or the disk is full.
        StoreError: what is kept can't be used.
    """

    def look_back(self, begins: datetime, ends: datetime, *, reasons: bool) -> Mapping[str, Any]:
        """Return how it was between two moments, as :meth:`moodify.store.looking_back.LookedBack.as_json` does."""

    def spotify(self) -> Mapping[str, Any] | None:
        """Return how the sign-in to Spotify stands and what was asked of it; None while the simulated speaker plays."""

    def diagnostics(self, diagnosis: Mapping[str, Any]) -> bytes:
        """Return what may be given to somebody who helps, as JSON: what the appliance says of itself, its configuration and what went wrong lately.

        Nothing that lets anybody in stands in it, nor who lives here, how they felt or what they heard.
        """

    def back_up(self, out: BinaryIO) -> None:
        """Write a backup without keys, passwords and sessions.

        Raises:
            PersonMustAct: something can't be read.
        """

    def erase(self) -> None:
        """End the run, and have the next start erase everything before it begins as a new device.

        Raises:
            PersonMustAct: that can't be written down; nothing is erased.
        """
