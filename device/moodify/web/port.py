"""What the page needs from the house; :mod:`moodify.daemon` implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from moodify.types import Event


class House(Protocol):
    """The running appliance as the page sees it. Thread-safe; every call returns at once."""

    def now(self) -> Mapping[str, Any]:
        """Return the state to show (JSON values only).

        Keys: ``seen`` (``people``, ``faces``: list of ``{box, emotion, confidence, not_judged}``), ``mood``
        (``mood``, ``confidence``, ``since``, ``valence``, ``arousal``), ``music`` (``playing``, ``title``, ``artist``, ``speaker``,
        ``next``, ``reason``), ``camera``, ``speaker``, ``link``: each ``{state, message}``; ``privacy`` (bool), ``device`` (id), ``version``, ``demo`` (bool).
        """

    def changes(self, timeout_s: float) -> Iterator[Mapping[str, Any]]:
        """Yield :meth:`now` at once and again after each change; repeats it after ``timeout_s`` without one. Ends when the house closes."""

    def history(self, limit: int) -> Sequence[Event]:
        """Return the newest events, newest first."""

    def press_scan(self) -> None:
        """Look again, as a press of the button does."""

    def press_next(self) -> None:
        """Skip what plays: "not this"."""

    def press_pause(self) -> None:
        """Pause, or go on."""

    def set_privacy(self, on: bool) -> None:  # noqa: FBT001 - it is the value that is set
        """Close the camera device (True) or let it see again (False)."""
