"""How the appliance is: the machine, the database and what waits to be sent, as an event and as a retained state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from moodify.types import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from moodify.config.model import SystemConfig
    from moodify.daemon.kept import Kept
    from moodify.daemon.recorder import Recorder
    from moodify.music.spotify.status import SignInStatus
    from moodify.store.store import OutboxCounts
    from moodify.system.health import Health

LOST_KEY = "lost_told"
#: What is published is rounded to these steps (docs/mqtt.md), so that it is news only where it would be to a person.
WAITING_STEP = 100
DISK_STEP_MB = 100
TEMPERATURE_STEP_C = 5


class Wellbeing:
    """Judges each reading of the machine's health. Belongs to the conductor's thread."""

    def __init__(self, config: SystemConfig, recorder: Recorder, kept: Kept, publish: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Take the owner's limits, who notes events, who knows the outbox and which loss was told, and what publishes."""
        self._config = config
        self._recorder = recorder
        self._kept = kept
        self._publish = publish
        self._published: dict[str, Any] | None = None
        told = kept.recalled(LOST_KEY)
        self._told = told if isinstance(told, int) else 0
        self.health: Health | None = None
        """The newest reading; None before the first."""
        self.reasons: tuple[str, ...] = ()
        """What was wrong at it."""

    def read(self, health: Health, sign_in: Mapping[str, Any] | None = None) -> None:
        """Take a reading: note it, and publish it where something has changed; ``sign_in`` is what :func:`sign_in_told` gives."""
        counts = self._kept.outbox()
        reasons = list(health.degraded(self._config))
        if self._recorder.problem is not None:
            reasons.append(self._recorder.problem)
        if counts is not None and (lost := self._untold(counts.lost)):
            reasons.append(f"{lost} events were never sent: there was no room for more while the broker was away. See to the link, or set store.outbox_mb higher.")
        if counts is not None and counts.refused:
            reasons.append(f"{counts.refused} summaries are set aside: the broker takes none like them; the log says why. See to it and restart: they are offered again.")
        self.health, self.reasons = health, tuple(reasons)
        self._recorder.note(EventKind.HEALTH, {**health.as_json(), "reasons": reasons}, urgent=bool(reasons))
        shown = _shown(health, reasons, counts) | {"spotify": sign_in}
        # A number that moves within a reason is no news.
        words = {**shown, "reasons": [re.sub(r"\d+", "", reason) for reason in reasons]}
        if words != self._published:
            self._published = words
            self._publish("health", shown)

    def _untold(self, lost: int) -> int:
        """Return how many events were lost that nobody was told of: each is told once, whatever restarts lie between."""
        told, self._told = self._told, lost
        if lost != told:
            self._kept.keep(LOST_KEY, lost)
        return max(lost - told, 0)


def sign_in_told(status: SignInStatus) -> dict[str, Any]:
    """Return what is published of a sign-in to Spotify: its last day (``ends``, a local date, or None where that is not known), and whether it has ended."""
    said = status.as_json()
    return {"ends": said["ends"], "ended": said["state"] == "ended"}


def _shown(health: Health, reasons: Sequence[str], counts: OutboxCounts | None) -> dict[str, Any]:
    outbox = None if counts is None else {"waiting": counts.waiting // WAITING_STEP * WAITING_STEP, "merged": counts.merged, "lost": counts.lost, "refused": counts.refused}
    return {
        "ok": not reasons,
        "reasons": list(reasons),
        "outbox": outbox,
        "disk_free_mb": health.disk_free_mb // DISK_STEP_MB * DISK_STEP_MB,
        "temperature_c": None if health.temperature_c is None else round(health.temperature_c / TEMPERATURE_STEP_C) * TEMPERATURE_STEP_C,
    }
