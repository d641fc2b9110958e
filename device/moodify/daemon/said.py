"""What was decided, as it is told: only what is news, and an answer to a person long enough to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.daemon import words
from moodify.types import EventKind

if TYPE_CHECKING:
    from moodify.daemon.recorder import Recorder
    from moodify.system.clock import Clock
    from moodify.types import Decision

#: The answer to a press is shown for so many seconds, before what else is so takes its place.
ANSWER_S = 8.0


class Said:
    """The newest reason, and the events of decisions. Belongs to the conductor's thread."""

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        """Have said nothing."""
        self._recorder = recorder
        self._clock = clock
        self._answered_s = float("-inf")
        self.reason: str | None = None

    def note(self, decision: Decision, order_id: str | None = None, *, answer: bool = False) -> None:
        """Take a decision down, where it is news; ``answer``: to a press, so that a person has the time to read it."""
        now_s = self._clock.now_s()
        if order_id is None and not answer and (decision.reason == self.reason or now_s < self._answered_s + ANSWER_S):
            return
        self._answered_s = now_s if answer and order_id is None else float("-inf")
        self.reason = decision.reason
        self._recorder.note(EventKind.DECISION, words.decision(decision, order_id))
