"""What the command line says to a run of the daemon, and what that says to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from moodify.music.spotify.services import Services
    from moodify.web.port import House


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to the configuration."""

    pace: float = 1.0
    """How fast a recording plays; 0 as fast as possible."""
    seconds: float | None = None
    """End after so many seconds."""
    events: TextIO | None = None
    """Gets every event as one JSON line."""
    keys: bool = False
    """Whether keys of the terminal stand in for the button."""
    attach: Callable[[Running], None] = lambda _running: None
    """Called once, before the first frame."""
    configuration: Path | None = None
    """The owner's file, which a backup takes along; None where there is none."""
    pins: Any = None
    """gpiozero's pin factory for button and light; None chooses by the machine."""
    services: Services | None = None
    """Where Spotify is; None is its own place."""


@dataclass(frozen=True, slots=True)
class Running:
    """What is said of a run that begins."""

    house: House
    page: Callable[[], tuple[str, ...]]
    """Returns what a person must know of the page now, a line each: where it is, its certificate, how to make it one's own; none where there is no page."""
    keys: bool
    """Whether keys are read."""
    demo: bool
    """Whether the waiting times are shortened."""
