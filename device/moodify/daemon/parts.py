"""How the parts of the house are: camera, speaker, link. Only a change is news."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moodify.daemon import words
from moodify.daemon.signals import State
from moodify.errors import RetryLater

if TYPE_CHECKING:
    from moodify.daemon.recorder import Recorder
    from moodify.errors import MoodifyError
    from moodify.types import EventKind
    from moodify.web.port import PartNow

log = logging.getLogger(__name__)

#: While a part stays degraded, another wording of why is news once in so many seconds: in an outage it changes with each try.
WORDING_S = 300.0


@dataclass(slots=True)
class Part:
    """One part's state, noted as an event of its kind when it changes."""

    kind: EventKind
    recorder: Recorder
    message: str
    state: State = State.STARTING
    noted: tuple[State, str] = field(init=False)
    """What was last noted as an event, and when, in monotonic seconds."""
    noted_s: float = float("-inf")

    def __post_init__(self) -> None:
        """Take the first state for known."""
        self.noted = (self.state, self.message)

    def becomes(self, state: State, message: str) -> None:
        """Take the new state."""
        if state is not self.state:
            level = logging.INFO if state in {State.OK, State.OFF, State.STARTING} else logging.WARNING
            # Fields of the journal: journalctl MOODIFY_PART=camera
            log.log(level, "%s: %s: %s", self.kind.value, state.value, message, extra={"MOODIFY_PART": self.kind.value, "MOODIFY_STATE": state.value})
        self.state, self.message = state, message
        if (state, message) == self.noted:
            return
        now_s = time.monotonic()
        only_words = state is State.DEGRADED and self.noted[0] is State.DEGRADED
        if not only_words or now_s >= self.noted_s + WORDING_S:
            self.noted, self.noted_s = (state, message), now_s
            self.recorder.note(self.kind, words.part(state.value, message))

    def failed(self, error: MoodifyError) -> None:
        """Take the state that an error means: degraded where it may heal by itself, else broken."""
        self.becomes(State.DEGRADED if isinstance(error, RetryLater) else State.BROKEN, str(error))

    def now(self) -> PartNow:
        """Return the state as the page shows it."""
        return {"state": self.state.value, "message": self.message}
