"""The terminal's live view of what the appliance sees, feels and plays; on stderr, so that stdout stays for events."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from rich.console import RenderableType

    from moodify.web.port import FaceNow, House, Now, PartNow

#: Of each mood, near the page's and the light's.
COLOURS = {
    "happy": "yellow",
    "surprised": "hot_pink",
    "calm": "spring_green3",
    "sad": "blue",
    "angry": "red",
    "tense": "medium_purple",
    "unsure": "white",
    "absent": "bright_black",
}
_MARKS = {"ok": ("●", "green"), "degraded": ("●", "yellow"), "broken": ("●", "red"), "off": ("○", "bright_black"), "starting": ("◌", "bright_black")}
_BAR = 24


def render(now: Now, *, keys: bool, notice: str) -> RenderableType:
    """Return the view of one snapshot; ``keys`` shows which keys stand in for the button."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bright_black", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("sees", _seen(now))
    grid.add_row("feels", _mood(now))
    grid.add_row("plays", _music(now))
    if now["music"]["next"]:
        grid.add_row("next", Text(now["music"]["next"]))
    if now["music"]["reason"]:
        grid.add_row("why", Text(now["music"]["reason"], style="italic"))
    grid.add_row("", "")
    for name, part in (("camera", now["camera"]), ("speaker", now["speaker"]), ("link", now["link"])):
        grid.add_row(name, _part(part))
    rows: list[RenderableType] = [grid]
    if notice:
        rows.append(Text(notice, style="bright_black"))
    if keys:
        rows.append(Text("space look again   l like   n not this   p pause   v privacy   q quit", style="bright_black"))
    title = "Moodify" + (" · privacy" if now["privacy"] else "")
    return Panel(Group(*rows), title=title, subtitle=now["device"], border_style=COLOURS[now["mood"]["mood"]] if now["mood"] else "bright_black")


def _seen(now: Now) -> Text:
    people = now["seen"]["people"]
    text = Text({None: "can't see", 0: "nobody", 1: "1 person"}.get(people, f"{people} people"))
    for face in now["seen"]["faces"]:
        text.append(f"   {_face(face)}", style="bright_black" if face["not_judged"] else "")
    return text


def _face(face: FaceNow) -> str:
    scores = f"{face['emotion']} {face['confidence']:.0%}" if face["emotion"] is not None and face["confidence"] is not None else ""
    return ", ".join(part for part in (scores, face["not_judged"]) if part)


def _mood(now: Now) -> Text:
    mood = now["mood"]
    if mood is None:
        return Text("not sure yet", style="bright_black")
    filled = round(mood["confidence"] * _BAR)
    text = Text(f"{mood['mood']:<10}", style=f"bold {COLOURS[mood['mood']]}")
    if mood["mood"] not in {"absent", "unsure"}:
        text.append("█" * filled, style=COLOURS[mood["mood"]]).append("░" * (_BAR - filled), style="bright_black")
        text.append(f" {mood['confidence']:.0%}   pleasant {mood['valence']:+.2f}   excited {mood['arousal']:+.2f}", style="")
    return text


def _music(now: Now) -> Text:
    music = now["music"]
    if music["title"] is None:
        return Text("nothing", style="bright_black")
    return Text(f"{'▶' if music['playing'] else '⏸'} {music['title']} – {music['artist']}", style="bold" if music["playing"] else "")


def _part(part: PartNow) -> Text:
    mark, colour = _MARKS[part["state"]]
    return Text(f"{mark} ", style=colour).append(part["message"], style="bright_black" if part["state"] in {"ok", "off", "starting"} else "")


def plain(now: Now) -> str:
    """Return one line of a snapshot, for a stderr that is no terminal."""
    mood = now["mood"]["mood"] if now["mood"] else "not sure yet"
    music = f"{now['music']['title']} – {now['music']['artist']}{'' if now['music']['playing'] else ' (paused)'}" if now["music"]["title"] else "nothing"
    parts = "  ".join(f"{name} {part['state']}: {part['message']}" for name, part in (("camera", now["camera"]), ("link", now["link"])) if part["state"] not in {"ok", "off"})
    sees = "nothing" if now["seen"]["people"] is None else now["seen"]["people"]
    return f"sees {sees}  feels {mood}  plays {music}" + (f"  [{parts}]" if parts else "")


class LiveView:
    """Draws the house's snapshots until closed, at most a few times a second."""

    def __init__(self, console: Console) -> None:
        """Take the console, on stderr."""
        self._console = console
        self._stop: Callable[[], None] = lambda: None
        self._changed = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def attach(self, house: House, *, keys: bool, notice: Callable[[], str]) -> None:
        """Show a house from now on; ``keys`` says whether keys are read, ``notice`` returns what else a person should know now."""
        self._stop = house.watch(self._changed.set)
        self._changed.set()
        self._thread = threading.Thread(target=self._draw, args=(house, keys, notice), name="live view", daemon=True)
        self._thread.start()

    def _draw(self, house: House, keys: bool, notice: Callable[[], str]) -> None:  # noqa: FBT001 - a thread's target
        if self._console.is_terminal:
            with Live(console=self._console, auto_refresh=False, transient=False) as live:
                while self._next():
                    live.update(render(house.now(), keys=keys, notice=notice()), refresh=True)
            return
        last = notice()
        self._console.print(last, highlight=False, markup=False, soft_wrap=True)
        while self._next():
            line = plain(house.now())
            if line != last:
                self._console.print(line, highlight=False, markup=False, soft_wrap=True)
                last = line

    def _next(self) -> bool:
        self._changed.wait()
        self._changed.clear()
        return not self._closing

    def close(self) -> None:
        """Draw no more and leave the cursor where it belongs."""
        self._stop()
        self._closing = True
        self._changed.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


def console() -> Console:
    """Return a console on stderr."""
    return Console(file=sys.stderr, stderr=True)
