"""What events say: the ``data`` of each kind, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from moodify.daemon.signals import OrderEnded
    from moodify.types import Decision, MoodReading, Track


def track(value: Track | None) -> dict[str, Any] | None:
    """Say which song."""
    return None if value is None else {"uri": value.uri, "title": value.title, "artist": value.artist, "duration_ms": value.duration_ms}


def presence(people: int | None) -> dict[str, Any]:
    """Say how many are there; None where nobody can be seen, which is not the same as nobody being there."""
    return {"present": None if people is None else people > 0, "people": people}


def mood(reading: MoodReading, since: datetime, *, asked: bool) -> dict[str, Any]:
    """Say the mood; ``asked`` where it answers a press."""
    return {
        "mood": reading.mood.value,
        "confidence": round(reading.confidence, 3),
        "valence": round(reading.valence, 3),
        "arousal": round(reading.arousal, 3),
        "people": reading.people,
        "since": since.isoformat(timespec="milliseconds"),
        "asked": asked,
    }


def decision(value: Decision, order_id: str | None) -> dict[str, Any]:
    """Say what was decided and why; ``order_id`` is None where nothing is ordered."""
    return {"act": value.act.value, "mood": value.mood.value, "reason": value.reason, "track": track(value.track), "order": order_id}


def order(ended: OrderEnded) -> dict[str, Any]:
    """Say how an order ended."""
    return {
        "order": ended.order.id,
        "act": ended.order.decision.act.value,
        "status": ended.status.value,
        "track": track(ended.order.decision.track),
        "took_ms": round(ended.took_s * 1000),
        "message": None if ended.error is None else str(ended.error),
    }


def damaged(aside: Path) -> dict[str, Any]:
    """Say that a damaged database was set aside, and where it is."""
    return {"reasons": [f"The database was damaged: it is kept as {aside.name}, and a fresh one took its place. Restore a backup if there is one"]}


def part(state: str, message: str) -> dict[str, Any]:
    """Say how a part of the house is."""
    return {"state": state, "message": message}
