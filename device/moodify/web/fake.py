"""A house for tests and for looking at the page: its levers are what the world would pull."""

from __future__ import annotations

import copy
import threading
from collections import deque
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from moodify.errors import PersonMustAct
from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moodify.errors import MoodifyError
    from moodify.web.port import FaceNow, MusicNow, Now, PartState, Wish


def _empty() -> Now:
    return {
        "seen": {"people": 0, "faces": []},
        "mood": None,
        "music": {"playing": False, "title": None, "artist": None, "speaker": "the simulated speaker", "next": None, "reason": None, "goal": "match", "volume": 40},
        "camera": {"state": "ok", "message": "The sample portraits."},
        "speaker": {"state": "ok", "message": "The simulated speaker."},
        "link": {"state": "ok", "message": "Connected to the hub."},
        "privacy": False,
        "override": None,
        "device": "moodify-demo",
        "version": "0.0.0",
        "demo": True,
    }


def _diagnosis() -> dict[str, Any]:
    well = {"state": "ok", "message": "Well."}
    return {
        "version": "0.0.0",
        "python": "3.11.2",
        "system": "Linux 6.12 aarch64",
        "models": ["detector 3", "emotion 2"],
        "demo": True,
        "parts": {"camera": well, "speaker": well, "link": well},
        "privacy": False,
        "override": None,
        "goal": "match",
        "outbox": {"waiting": 0, "merged": 0, "lost": 0, "refused": 0},
        "clock": {"now": datetime.now(UTC).isoformat(timespec="seconds"), "trusted": True},
        "running_s": 7200,
        "machine": {
            "disk_free_mb": 22_480,
            "load_1min": 0.4,
            "rss_mb": 118.2,
            "rss_anon_mb": 66.1,
            "uptime_s": 86_400.0,
            "temperature_c": 48.3,
            "throttled": [],
        },
        "reasons": [],
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
        self._refusal: str | None = None
        self._silent = False
        self._diagnosis = _diagnosis()
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

    def people_changed(self) -> None:
        """Note it."""
        self._press("people changed")

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

    def press_like(self) -> None:
        """Note the press."""
        self._press("like")

    def name_mood(self, mood: str | None, minutes: int) -> Wish:
        """Note the wish; it is granted at once."""
        until = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="seconds")
        with self._lock:
            self._now["override"] = None if mood is None or self._refusal else {"mood": mood, "until": until}
        data = {"mood": None} if mood is None else {"mood": mood, "until": until, "music": f"You asked: {mood}, playing 'So' now"}
        return self._wish(f"mood {mood or 'of its own'}", data)

    def want_volume(self, percent: int) -> Wish:
        """Note the wish; it is granted at once."""
        with self._lock:
            self._now["music"]["volume"] = percent
        return self._wish(f"volume {percent}", {"percent": percent, "music": f"As it was asked, the volume becomes {percent} %"})

    def want_goal(self, goal: str | None) -> Wish:
        """Note the wish; it is granted at once."""
        with self._lock:
            self._now["music"]["goal"] = goal or "match"
        return self._wish(f"goal {goal or 'as configured'}", {"goal": goal or "match"})

    def diagnosis(self) -> Wish:
        """Tell what :meth:`be` was told."""
        return self._wish(None, self._diagnosis)

    # The levers.

    def be(self, **told: Any) -> None:
        """Tell this of itself when it is asked how it is."""
        with self._lock:
            self._diagnosis |= told

    def refuse(self, why: str | None) -> None:
        """Refuse every wish; None grants them again."""
        with self._lock:
            self._refusal = why

    def say_nothing(self) -> None:
        """Leave every wish without an answer, as a conductor does that hangs."""
        with self._lock:
            self._silent = True

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

    def _wish(self, what: str | None, data: Mapping[str, Any]) -> Wish:
        if what is not None:
            self._press(what)
        wish: Wish = Future()
        with self._lock:
            if self._refusal is not None:
                wish.set_exception(PersonMustAct(self._refusal))
            elif not self._silent:
                wish.set_result(data)
        self._changed()
        return wish

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
