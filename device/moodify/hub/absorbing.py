"""Each message of a device once, for whoever listens without a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moodify.hub.ranges import Ranges
from moodify.hub.reading import read_summary

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Heard:
    """One event of one device."""

    device: str
    epoch: str
    seq: int
    """Number of the message it came in; several events may share it."""
    event: Mapping[str, Any]
    """As :meth:`moodify.types.Event.as_json` gives it."""


class Absorber:
    """Knows which (device, epoch, seq) it has seen, for a listener without a database."""

    def __init__(self) -> None:
        """Begin without any."""
        self._seen: dict[tuple[str, str], Ranges] = {}
        self.repeats = 0
        """Messages that came again and were absorbed."""

    def absorb(self, device: str, payload: bytes) -> list[Heard]:
        """Return a message's events, in order; none of them where it has been seen before.

        Raises:
            Unreadable: it is no message of version 1.
        """
        summary = read_summary(device, payload)
        if not self._seen.setdefault((device, summary.epoch), Ranges()).add(summary.seq):
            self.repeats += 1
            return []
        return [Heard(device, summary.epoch, summary.seq, item) for item in summary.items]
