"""Looks at every device in turn, and has alerts raised and cleared, on a thread of its own.

What the hub does not know, changes nothing: while cache or database are away, and while it has just started and devices come in again.
Several hubs may look at the same devices: the database takes each alert once.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from moodify.errors import MoodifyError
from moodify.hub.alerts.rules import RuleKind, judge
from moodify.hub.alerts.thread import AlertThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moodify.hub.alerts.port import Desk
    from moodify.hub.alerts.rules import Look, Rule

logger = logging.getLogger(__name__)

#: Seconds between two looks, and before the first: whoever was connected before a restart comes back meanwhile.
LOOK_S: Final = 10.0
FIRST_S: Final = 60.0
#: It is over once it has been so for a while: what comes and goes would be told each time.
CALM: Final = timedelta(seconds=60)


class AlertWatch(AlertThread):
    """Judges between :meth:`start` and :meth:`close`."""

    def __init__(
        self,
        desk: Desk,
        looks: Callable[[], Iterator[tuple[str, Look]]],
        *,
        told: Callable[[], None] = lambda: None,
        look_s: float = LOOK_S,
        first_s: float = FIRST_S,
        calm: timedelta = CALM,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take where alerts are kept, what gives each device that is enrolled with a look at it, whom to wake where there is something to send, and the times."""
        super().__init__("alerts")
        self._desk = desk
        self._looks = looks
        self._told = told
        self._look_s = look_s
        self._first_s = first_s
        self._calm = calm
        self._clock = clock
        self._wrong_since: dict[tuple[str, RuleKind], datetime] = {}
        self._right_since: dict[tuple[str, RuleKind], datetime] = {}

    def look(self) -> None:
        """Judge every device once.

        Raises:
            MoodifyError: the database or the cache is away; what was done before that stands.
        """
        now = self._clock()
        rules = [rule for rule in self._desk.rules().values() if rule.enabled]
        alerted = {(alert.device, alert.rule) for alert in self._desk.open()}
        seen: set[tuple[str, RuleKind]] = set()
        known: set[str] = set()
        for device, look in self._looks():
            known.add(device)
            for rule in rules:
                seen.add((device, rule.kind))
                self._judge(device, rule, look, now, alerted=(device, rule.kind) in alerted)
        for device in {device for device, _ in alerted} - known:
            # It was revoked, by its owner's hand.
            self._desk.withdraw(device, now)
        for since in (self._wrong_since, self._right_since):
            for gone in since.keys() - seen:
                del since[gone]

    def _judge(self, device: str, rule: Rule, look: Look, now: datetime, *, alerted: bool) -> None:
        key = device, rule.kind
        finding = judge(rule, look, now, alerted=alerted)
        if finding.wrong is None:
            return
        if finding.wrong:
            self._right_since.pop(key, None)
            # A clock that was set back must not make it wait for ever.
            since = self._wrong_since[key] = min(self._wrong_since.get(key, now), now)
            if not alerted and now - since >= rule.patience and self._desk.raise_alert(device, rule.kind, finding.words, now):
                logger.warning("alert: %s", finding.words)
                self._told()
            return
        self._wrong_since.pop(key, None)
        since = self._right_since[key] = min(self._right_since.get(key, now), now)
        if alerted and now - since >= self._calm and self._desk.clear(device, rule.kind, finding.words, now):
            logger.info("alert over: %s", finding.words)
            self._told()

    def _run(self) -> None:
        wait_s = self._first_s
        while not self._end.wait(wait_s):
            began_s = time.monotonic()
            try:
                self.look()
            except MoodifyError as error:
                if self._trouble is None:
                    logger.warning("alerts are not judged: %s", error)
                self._trouble = str(error)
            except Exception:
                # Nothing that a device says may come here. If it does, the other devices' alerts still count at the next look.
                logger.exception("a look for alerts failed")
                self._trouble = "a look failed; the log says why"
            else:
                self._trouble = None
            # Of many devices a look takes longer, and must not be all that the database does.
            wait_s = max(self._look_s, 4 * (time.monotonic() - began_s))
