"""Shows the state of the house: on the board, to the broker, by the light, and to systemd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.daemon.snapshot import summary
from moodify.panel.port import Show
from moodify.types import FELT_MOODS, Mood

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from moodify.daemon.board import Board
    from moodify.panel.port import Light
    from moodify.system.notify import Notifier
    from moodify.web.port import Now


class Display:
    """Draws one snapshot everywhere; only what differs is sent on."""

    def __init__(self, board: Board, light: Light, notifier: Notifier, publish: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Take the board, the light, systemd and what publishes retained states."""
        self._board = board
        self._light = light
        self._notifier = notifier
        self._publish = publish
        self._ready = False

    def show(self, now: Now, *, scanning: bool, answer: Show | None = None, here: str | None = None) -> None:
        """Show a snapshot.

        Args:
            now: the house as it is.
            scanning: whether a person waits for what the camera sees.
            answer: shown for a while after a press that the light answers by itself.
            here: what is told on the page and at the terminal in the reason's place, and to no broker.
        """
        self._board.put_up(now if here is None else {**now, "music": {**now["music"], "reason": here}})
        for name, value in summary(now).items():
            self._publish(name, value)
        self._light.show(*_light(now, scanning=scanning) if answer is None else (answer, None))
        if not self._ready and now["camera"]["state"] != "starting":
            # Open, or the reason why not: either is a start that is over.
            self._ready = True
            self._notifier.ready(_status(now))
        self._notifier.status(_status(now))

    def beat(self, *, watcher_alive: bool) -> None:
        """Feed the watchdog while the watcher is alive."""
        if watcher_alive:
            self._notifier.alive()


def _status(now: Now) -> str:
    if now["camera"]["state"] != "ok":
        return f"camera {now['camera']['state']}: {now['camera']['message']}"
    music = f"playing {now['music']['title']}" if now["music"]["playing"] else "nothing plays"
    return f"{now['mood']['mood'] if now['mood'] else 'looking'}, {music}"


def _light(now: Now, *, scanning: bool) -> tuple[Show, Mood | None]:
    states = {now[part]["state"] for part in ("camera", "speaker", "link")}  # type: ignore[literal-required] # the three parts of Now
    mood = None if now["mood"] is None else Mood(now["mood"]["mood"])
    if scanning:
        return Show.LOOKING, None
    if now["camera"]["state"] == "off":
        # Shown once the device is closed, not when it was asked for.
        return Show.PRIVACY, None
    if "broken" in states:
        return Show.NEEDS_PERSON, None
    if "degraded" in states:
        return Show.DEGRADED, None
    if now["music"]["playing"]:
        return Show.PLAYING, mood
    return (Show.MOOD, mood) if mood in FELT_MOODS else (Show.IDLE, None)
