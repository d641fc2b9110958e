"""Commands, from the broker or from the page: what each does, and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moodify.music.situation import Ask
from moodify.types import Mood, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moodify.daemon.courier import Courier, NoCourier
    from moodify.daemon.deciding import Decider
    from moodify.daemon.override import Override
    from moodify.daemon.sight import Sight
    from moodify.daemon.signals import CommandTaken, OrderEnded


class FromAfar:
    """Carries out commands, and answers each once. Belongs to the conductor's thread."""

    def __init__(self, courier: Courier | NoCourier, sight: Sight, decider: Decider, override: Override, diagnosis: Callable[[], Mapping[str, Any]]) -> None:
        """Take who answers, who looks, who decides, the mood that may be named, and what returns what may be told of this device."""
        self._courier = courier
        self._sight = sight
        self._decider = decider
        self._override = override
        self._diagnosis = diagnosis
        self._volumes: dict[str, CommandTaken] = {}
        """Commands whose order is on its way to the speaker, by its id."""

    def take(self, command: CommandTaken) -> None:
        """Do what a command says; privacy can be turned on from afar, never off."""
        match command.name:
            case "privacy":
                self._sight.set_privacy(on=True, origin="afar")
                self._answer(command)
            case "rescan":
                self._answer(command, self._sight.look_again(Ask.LOOK_FROM_AFAR))
            case "pause" | "resume":
                self._decider.with_fresh_look(lambda: self._answer(command, self._decider.pause_or_resume(pause=command.name == "pause")))
            case "mood":
                self._mood(command)
            case "volume":
                self._decider.with_fresh_look(lambda: self._volume(command))
            case "goal":
                self._answer(command, data={"goal": self._decider.want_goal(command.args["goal"])})
            case "diagnostics":
                self._answer(command, data=self._diagnosis())
            case _:
                self._answer(command, f"{command.name} is not known here")

    def order_ended(self, ended: OrderEnded) -> None:
        """Answer the command whose order this was."""
        command = self._volumes.pop(ended.order.id, None)
        if command is None:
            return
        match ended.status:
            case OrderStatus.DONE:
                self._answer(command, data={"percent": ended.order.decision.volume_percent, "music": ended.order.decision.reason})
            case OrderStatus.DROPPED:
                self._answer(command, "A newer order to the speaker took its place: try again")
            case OrderStatus.FAILED:
                self._answer(command, str(ended.error) if ended.error is not None else "The speaker did not take it: try again")

    def _mood(self, command: CommandTaken) -> None:
        if command.args["mood"] is None:
            if self._override.end():
                self._decider.decide()
            self._answer(command, data={"mood": None})
            return
        until = self._override.name(Mood(command.args["mood"]), command.args["minutes"])
        # Who is signed in on the page counts as somebody in the room, as a press there does.
        ask = Ask.MOOD_FROM_AFAR if command.answers is None else Ask.LOOK

        def follow() -> None:
            if self._override.now() is None:
                self._answer(command, "Somebody looked again at the device meanwhile, which counts for more")
                return
            music = self._decider.decide(ask).reason
            self._answer(command, data={"mood": command.args["mood"], "until": until.isoformat(timespec="seconds"), "music": music})

        self._decider.with_fresh_look(follow, ask)

    def _volume(self, command: CommandTaken) -> None:
        decision, order_id = self._decider.order_volume(command.args["percent"])
        if order_id is None:
            self._answer(command, decision.reason)
        else:
            self._volumes[order_id] = command

    def _answer(self, command: CommandTaken, why_not: str | None = None, *, data: Mapping[str, Any] | None = None) -> None:
        answers = command.answers or self._courier
        if why_not is None:
            answers.answer(command.id, "ok", data=data)
        else:
            answers.answer(command.id, "error", why_not)
