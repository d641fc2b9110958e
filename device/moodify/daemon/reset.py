"""What a hold of the button for a password reset leads to. Whoever stands at the device may do it: that is what the button proves."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.errors import MoodifyError
from moodify.panel.port import Show
from moodify.types import Act, Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.daemon.said import Said
    from moodify.system.clock import Clock
    from moodify.types import Mood

log = logging.getLogger(__name__)

#: The light says for so many seconds what came of it.
ANSWER_S = 3.0


@dataclass(frozen=True, slots=True)
class ResetAnswer:
    """What came of it."""

    done: bool
    """Whether something was reset; the light winks three times a second for a while, or flickers where not."""
    said: str
    """For a person."""


def no_page() -> ResetAnswer:
    """Answer where there is no page on which a password could be set."""
    return ResetAnswer(done=False, said="The page is off or could not be opened, so no password can be reset there: nothing was changed, and the log says more")


class Resets:
    """Answers who held the button for a reset. Belongs to the conductor's thread."""

    def __init__(self, held: Callable[[], ResetAnswer], clock: Clock, said: Said) -> None:
        """Take what makes a reset possible, which may raise a :class:`~moodify.errors.MoodifyError`, and where the answer is told."""
        self._held = held
        self._clock = clock
        self._said = said
        self._show: Show | None = None
        self._until_s = float("-inf")

    def answer(self, mood: Mood) -> None:
        """Let a password be reset, and say what came of it; ``mood`` is the room's."""
        try:
            answer = self._held()
        except MoodifyError as error:
            answer = ResetAnswer(done=False, said=f"The password can't be reset now: {error}")
        log.info("The button was held for a password reset: %s", answer.said)
        self._show = Show.HOLD_RESET if answer.done else Show.NOTHING_TO_DO
        self._until_s = self._clock.now_s() + ANSWER_S
        self._said.note(Decision(Act.KEEP, answer.said, mood), answer=True)

    @property
    def show(self) -> Show | None:
        """What the light says of the newest answer; None where nobody was answered lately."""
        return self._show if self._clock.now_s() < self._until_s else None
