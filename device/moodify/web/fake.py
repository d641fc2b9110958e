"""A house for tests and for looking at the page: its levers are what the world would pull."""

from __future__ import annotations

import copy
import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from moodify.errors import MoodifyError
    from moodify.web.port import FaceNow, MusicNow, Now, PartState


def _empty() -> Now:
    return {
        "seen": {"people": 0, "faces": []},
        "mood": None,
        "music": {"playing": False, "title": None, "artist": None, "speaker": "the simulated speaker", "next": None, "reason": None, "goal": "match"},
        "camera": {"state": "ok", "message": "The sample portraits."},
        "speaker": {"state": "ok", "message": "The simulated speaker."},
        "link": {"state": "ok", "message": "Connected to the hub."},
        "privacy": False,
        "override": None,
        "device": "moodify-demo",
        "version": "0.0.0",
        "demo": True,
    }


class FakeHouse:
    """Implements :class:`moodify.web.port.House`; thread-safe."""

    def __init__(self) -> None:
        """Begin with an empty room and silence."""
        self._lock = threading.RLock()
        self._now = _empty()
        self._watchers: list[Callable[[], None]] = []
        self._events: deque[Event] = deque(maxlen=500)
        self._failure: MoodifyError | None = None
        self.presses: list[str] = []
        """What was pressed on the page, oldest first."""

    @property
    def watchers(self) -> int:
        """How many are watching: one for each open stream."""
        with self._lock:
            return len(self._watchers)

    def now(self) -> Now:
        """Return a copy of the state."""
        self._maybe_fail()
        with self._lock:
            return copy.deepcopy(self._now)

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Remember ``changed``."""
        with self._lock:
            self._watchers.append(changed)

        def leave() -> None:
            with self._lock:
                if changed in self._watchers:
                    self._watchers.remove(changed)

        return leave

    def history(self, limit: int) -> list[Event]:
        """Return what :meth:`happens` was told, newest first."""
        self._maybe_fail()
        with self._lock:
            return list(self._events)[:limit]

    def press_scan(self) -> None:
        """Note the press."""
        self._press("scan")

    def press_next(self) -> None:
        """Note the press."""
        self._press("next")

    def press_pause(self) -> None:
        """Note the press, and pause or go on."""
        self._press("pause")
        with self._lock:
            self._now["music"]["playing"] = not self._now["music"]["playing"]
        self._changed()

    def set_privacy(self, on: bool) -> None:  # noqa: FBT001 - it is the value that is set
        """Close the camera, or open it."""
        self._press(f"privacy {'on' if on else 'off'}")
        with self._lock:
            self._now["privacy"] = on
            self._now["camera"] = {"state": "off", "message": "Off: privacy."} if on else {"state": "ok", "message": "The sample portraits."}
            if on:
                self._now["seen"] = {"people": 0, "faces": []}
                self._now["mood"] = None
        self._changed()

    # The levers.

    def feel(self, mood: str, confidence: float = 0.9, valence: float = 0.0, arousal: float = 0.0, since: datetime | None = None) -> None:
        """Let the room have a mood."""
        began = since if since is not None else datetime.now(UTC)
        with self._lock:
            self._now["mood"] = {"mood": mood, "confidence": confidence, "since": began.isoformat(timespec="seconds"), "valence": valence, "arousal": arousal}
        self._changed()

    def see(self, *faces: FaceNow) -> None:
        """Let people be in front of the camera; nobody without arguments."""
        with self._lock:
            self._now["seen"] = {"people": len(faces), "faces": list(faces)}
        self._changed()

    def play(self, music: MusicNow) -> None:
        """Let the speaker play."""
        with self._lock:
            self._now["music"] = music
        self._changed()

    def break_part(self, part: Literal["camera", "speaker", "link"], message: str, state: PartState = "broken") -> None:
        """Let a part fail, or heal with ``state="ok"``."""
        with self._lock:
            self._now[part] = {"state": state, "message": message}
        self._changed()

    def leave_demo(self) -> None:
        """Be a house with a real camera and a real speaker."""
        with self._lock:
            self._now["demo"] = False
        self._changed()

    def happens(self, kind: EventKind, data: dict[str, Any], at: datetime | None = None) -> None:
        """Add an event to the history."""
        with self._lock:
            self._events.appendleft(Event(str(uuid4()), kind, at if at is not None else datetime.now(UTC), data))
        self._changed()

    def fail_with(self, error: MoodifyError | None) -> None:
        """Let every call that asks or presses raise; None heals."""
        with self._lock:
            self._failure = error

    def _press(self, what: str) -> None:
        self._maybe_fail()
        with self._lock:
            self.presses.append(what)

    def _maybe_fail(self) -> None:
        with self._lock:
            if self._failure is not None:
                raise self._failure

    def _changed(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for changed in watchers:
            changed()
