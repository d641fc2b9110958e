"""Events folded into spans of time: how the room felt, and when nobody could say. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from moodify.types import EventKind, Mood

if TYPE_CHECKING:
    from collections.abc import Mapping


class Noticed(NamedTuple):
    """An event as far as it is looked back at; a week has thousands, and a dataclass takes four times as long to make."""

    at: datetime
    kind: EventKind
    data: Mapping[str, Any]


class Why(StrEnum):
    """Why nothing is known of a time."""

    OFF = "off"
    """Nothing was running."""
    PRIVACY = "privacy"
    NO_CAMERA = "no camera"
    STARTING = "starting"
    """The camera saw, and no mood was steady yet."""


@dataclass(frozen=True, slots=True)
class Felt:
    """A mood for as long as it lasted."""

    begins: datetime
    ends: datetime
    mood: Mood
    confidence: float
    """When it began; as in :class:`moodify.types.MoodReading`."""
    valence: float
    arousal: float
    people: int

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "from": _second(self.begins),
            "to": _second(self.ends),
            "mood": self.mood.value,
            "confidence": round(self.confidence, 2),
            "valence": round(self.valence, 2),
            "arousal": round(self.arousal, 2),
            "people": self.people,
        }


@dataclass(frozen=True, slots=True)
class Unseen:
    """A time of which nothing is known."""

    begins: datetime
    ends: datetime
    why: Why

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"from": _second(self.begins), "to": _second(self.ends), "why": self.why.value}


class Feelings:
    """Takes events in the order of time, and says at the end how it was."""

    def __init__(self, silence_s: float) -> None:
        """Know nothing; ``silence_s``: nothing was running where no event was noted for longer."""
        self._silence = timedelta(seconds=silence_s)
        self._spans: list[Felt | Unseen] = []
        self._open: Felt | Unseen | None = None
        self._last: datetime | None = None

    def alive(self, at: datetime) -> None:
        """Take the moment of an event that tells nothing else: something was running."""
        if self._last is not None and at - self._last > self._silence:
            self._becomes(self._last, Unseen(self._last, self._last, Why.OFF))
            self._becomes(at, Unseen(at, at, Why.STARTING))
        self._last = at

    def take(self, noticed: Noticed) -> None:
        """Take the next event."""
        self.alive(noticed.at)
        match noticed.kind:
            case EventKind.MOOD:
                self._mood(noticed)
            case EventKind.CAMERA:
                self._camera(noticed)
            case EventKind.PRESENCE if noticed.data.get("people", 0) is None:
                if not isinstance(self._open, Unseen):
                    self._becomes(noticed.at, Unseen(noticed.at, noticed.at, Why.NO_CAMERA))

    def between(self, begins: datetime, ends: datetime) -> tuple[tuple[Felt, ...], tuple[Unseen, ...]]:
        """Return what lies between two moments, the second of which is not in the future."""
        if self._last is not None and ends - self._last > self._silence:
            self._becomes(self._last, Unseen(self._last, self._last, Why.OFF))
        spans = self._spans if self._open is None else [*self._spans, replace(self._open, ends=max(ends, self._open.begins))]
        there = [_cut(span, begins, ends) for span in spans if max(span.begins, begins) < min(span.ends, ends)]
        if not there or there[0].begins > begins:
            # Before the first thing that is known of.
            there = [Unseen(begins, there[0].begins if there else ends, Why.OFF), *there]
        return tuple(span for span in there if isinstance(span, Felt)), tuple(span for span in there if isinstance(span, Unseen))

    def _mood(self, noticed: Noticed) -> None:
        data, at = noticed.data, noticed.at
        felt = Felt(at, at, Mood(data["mood"]), float(data["confidence"]), float(data["valence"]), float(data["arousal"]), int(data["people"]))
        self._becomes(at, felt)

    def _camera(self, noticed: Noticed) -> None:
        why = {"ok": Why.STARTING, "starting": Why.STARTING, "off": Why.PRIVACY}.get(str(noticed.data.get("state")), Why.NO_CAMERA)
        if why is not Why.STARTING or not isinstance(self._open, Felt):
            self._becomes(noticed.at, Unseen(noticed.at, noticed.at, why))

    def _becomes(self, at: datetime, after: Felt | Unseen) -> None:
        before = self._open
        if isinstance(before, Unseen) and isinstance(after, Unseen) and (before.why is after.why or before.begins == at):
            # The first word of it stands, or a better one for the same moment.
            self._open = replace(before, why=after.why)
            return
        if before is not None and before.begins < at:
            self._spans.append(replace(before, ends=at))
        self._open = after


def _cut(span: Felt | Unseen, begins: datetime, ends: datetime) -> Felt | Unseen:
    inside = span.begins >= begins and span.ends <= ends
    return span if inside else replace(span, begins=max(span.begins, begins), ends=min(span.ends, ends))


def _second(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
