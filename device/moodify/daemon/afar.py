"""Commands from the broker: what each does, and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from moodify.music.situation import Ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.daemon.courier import Courier, NoCourier
    from moodify.daemon.signals import CommandTaken


class Acts(Protocol):
    """What a command may have done: the conductor."""

    def look_again(self, ask: Ask) -> str | None:
        """Begin to look again; return why that can't be."""

    def set_privacy(self, on: bool) -> None:  # noqa: FBT001 - it is the value that is set
        """Close the camera, or let it see again."""

    def pause_or_resume(self, *, pause: bool) -> str | None:
        """Pause, or go on, where the other of the two is so; return why that can't be."""

    def with_fresh_look(self, act: Callable[[], None]) -> None:
        """Do what depends on whether music plays, once that is known."""


class FromAfar:
    """Carries out what the broker passed on. Belongs to the conductor's thread."""

    def __init__(self, courier: Courier | NoCourier, acts: Acts) -> None:
        """Take who answers, and who acts."""
        self._courier = courier
        self._acts = acts

    def take(self, command: CommandTaken) -> None:
        """Do what a command says; privacy can be turned on from afar, never off."""
        match command.name:
            case "privacy":
                self._acts.set_privacy(True)
                self._answer(command, None)
            case "rescan":
                self._answer(command, self._acts.look_again(Ask.LOOK_FROM_AFAR))
            case "pause" | "resume":
                self._acts.with_fresh_look(lambda: self._answer(command, self._acts.pause_or_resume(pause=command.name == "pause")))
            case _:
                self._answer(command, f"{command.name} is not known here")

    def _answer(self, command: CommandTaken, why_not: str | None) -> None:
        if why_not is None:
            self._courier.answer(command.id, "ok")
        else:
            self._courier.answer(command.id, "error", why_not)
