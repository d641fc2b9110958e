"""Who works for the conductor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.daemon.courier import Courier, NoCourier
    from moodify.daemon.display import Display
    from moodify.daemon.dj import Dj
    from moodify.daemon.reset import ResetAnswer
    from moodify.daemon.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Crew:
    """Those who work for the conductor; each has a thread or is quick."""

    watcher: Watcher
    dj: Dj
    courier: Courier | NoCourier
    display: Display
    read_health: Callable[[], None]
    """Reads the machine's health off this thread and puts it on the queue."""
    reset_held: Callable[[], ResetAnswer]
    """Called when the button was held for a password reset and let go; makes one possible. It may raise a :class:`~moodify.errors.MoodifyError`."""
    share: Callable[[], None] = lambda: None
    """Publishes what people share of themselves, where that has changed; quick."""
