"""From messages, of which some come twice and some are missing, to events, each once. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moodify.errors import CannotWork
from moodify.hub.ranges import Ranges

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


class Collector:
    """Knows which (device, epoch, seq) it has seen."""

    def __init__(self) -> None:
        """Begin without any."""
        self._seen: dict[tuple[str, str], Ranges] = {}
        self.repeats = 0
        """Messages that came again and were absorbed."""

    def absorb(self, device: str, payload: bytes) -> list[Heard]:
        """Return a message's events, in order; none of them where it has been seen before.

        Raises:
            CannotWork: it is no message of version 1.
        """
        epoch, seq, items = _read(device, payload)
        if not self._seen.setdefault((device, epoch), Ranges()).add(seq):
            self.repeats += 1
            return []
        return [Heard(device, epoch, seq, item) for item in items]


def _read(device: str, payload: bytes) -> tuple[str, int, list[Mapping[str, Any]]]:
    try:
        match json.loads(payload):
            case {"v": 1, "epoch": str(epoch), "seq": int(seq), "items": [*items]} if seq > 0 and all(isinstance(item, dict) for item in items):
                return epoch, seq, items
    except (ValueError, RecursionError) as error:
        raise CannotWork(f"{device} sent what is not JSON; update Moodify on the device") from error
    raise CannotWork(f"{device} sent what is no summary of version 1; update Moodify on the device and on the hub to the same release")
