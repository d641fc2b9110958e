"""Opens the panel, or stands in where there is none: the appliance works without it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from moodify.errors import PersonMustAct

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.config.model import PanelConfig
    from moodify.panel.panel import Panel
    from moodify.panel.port import Press, Show
    from moodify.types import Mood

log = logging.getLogger(__name__)


class NoLight:
    """Shows nothing."""

    def show(self, what: Show, mood: Mood | None = None) -> None:
        """Show nothing."""

    def answer(self, what: Show | None) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Close nothing."""


class NoPanel:
    """Neither button nor light."""

    def __init__(self) -> None:
        """Have a light that shows nothing."""
        self.light = NoLight()

    def close(self) -> None:
        """Close nothing."""


def open_panel(config: PanelConfig, on_press: Callable[[Press], None], *, factory: Any = None) -> Panel | NoPanel:
    """Open the configured panel, on the pins of a gpiozero ``factory`` where one is given; where its pins can't be used, say so in the log and go on without."""
    if not config.enabled:
        return NoPanel()
    # gpiozero is wanted by nothing else.
    from moodify.panel.panel import Panel

    try:
        return Panel(config, on_press, factory=factory)
    except PersonMustAct as error:
        log.warning("Going on without button and light: %s", error)
        return NoPanel()
