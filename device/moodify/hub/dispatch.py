"""The dispatcher: offers commands to devices until they are answered or have expired.

Each hub looks at all commands that wait, those that another hub took too, and offers the ones whose device its own gate holds. A device
carries an id out once and repeats its answer, so a command may be offered often: at once, when the device comes, and every :data:`AGAIN_S`.
"""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from moodify.cloud import mqtt
from moodify.cloud.port import Credentials
from moodify.cloud.topics import PREFIX
from moodify.errors import MoodifyError
from moodify.hub.line import BACKOFF, Line
from moodify.hub.mosquitto import HUB
from moodify.hub.port import CommandState
from moodify.hub.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from moodify.cloud.backoff import Backoff
    from moodify.cloud.port import Endpoint
    from moodify.hub.metrics import Metrics
    from moodify.hub.port import CommandRecord, Commands

logger = logging.getLogger(__name__)

#: Seconds between two looks at what waits, and between two offers of a command.
LOOK_S: Final = 1.0
AGAIN_S: Final = 10.0
#: Offers that mosquitto has not acknowledged; the rest waits for the next look.
_UNDER_WAY: Final = 200
#: No matching subscribers (MQTT 5.0, 3.4.2.1): the device is there, and does not listen yet.
_NOBODY: Final = 0x10


class Dispatcher(Worker):
    """Offers commands, on a thread of its own."""

    def __init__(
        self,
        endpoint: Callable[[], Endpoint],
        commands: Commands,
        metrics: Metrics,
        *,
        connected: Callable[[], Collection[str]],
        name: str = "dispatcher",
        again_s: float = AGAIN_S,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """Prepare; :meth:`start` begins.

        Args:
            endpoint: where mosquitto listens; asked for before each connect, may raise LinkDown or PersonMustAct.
            commands: what waits.
            metrics: what is counted.
            connected: ids of the devices whose connections this hub's gate holds.
            name: of the thread, and in the log.
            again_s: seconds between two offers of a command.
            backoff: between two connects.
        """
        self._commands = commands
        self._metrics = metrics
        self._connected = connected
        self._again_s = again_s
        super().__init__(name, Line(name, endpoint, Credentials(HUB, None), backoff=backoff))
        self._present: frozenset[str] = frozenset()
        self._waiting: dict[str, CommandRecord] = {}
        self._offered_s: dict[str, float] = {}
        self._under_way: dict[int, str] = {}
        self._generation = 0
        self._look_at_s = 0.0
        self._woken = threading.Event()

    def wake(self) -> None:
        """Say that there is a new command; from any thread."""
        self._woken.set()
        self._line.wake()

    def _turn(self) -> None:
        # Without a connection there is nothing to look for, however late the next look is.
        wait_s = LOOK_S if self._line.trouble is not None else max(0.0, self._look_at_s - time.monotonic())
        for signal in self._line.step(wait_s):
            if isinstance(signal, mqtt.Acked) and (command := self._under_way.pop(signal.mid, None)) is not None and (signal.code == _NOBODY or signal.code >= mqtt.FAILURE):
                self._offered_s.pop(command, None)
        if self._generation != self._line.generation:
            # What was under way on another connection may have come to nothing.
            self._generation = self._line.generation
            self._under_way.clear()
            self._offered_s.clear()
        if self._line.trouble is None and (self._woken.is_set() or time.monotonic() >= self._look_at_s):
            self._woken.clear()
            self._look_at_s = time.monotonic() + LOOK_S
            self._look()

    def _look(self) -> None:
        try:
            now = datetime.now(UTC)
            waiting = self._commands.waiting(now)
            self._count(waiting)
        except MoodifyError as error:
            if self._store_trouble is None:
                logger.warning("%s offers nothing: %s", self._name, error)
            self._store_trouble = str(error)
            return
        self._store_trouble = None
        present = frozenset(self._connected())
        came, self._present = present - self._present, present
        for record in waiting:
            offered_s = self._offered_s.get(record.id)
            is_due = offered_s is None or record.device in came or time.monotonic() - offered_s >= self._again_s
            if record.device in present and is_due and len(self._under_way) < _UNDER_WAY:
                self._offer(record, now)

    def _count(self, waiting: Sequence[CommandRecord]) -> None:
        """Look after those that do not wait any more."""
        still = {record.id: record for record in waiting}
        for gone in self._waiting.keys() - still.keys():
            self._offered_s.pop(gone, None)
            record = self._commands.get(gone)
            if record is not None and record.state is CommandState.EXPIRED:
                self._metrics.commands.labels(CommandState.EXPIRED).inc()
                logger.info("%s did not %s in time", record.device, record.name)
        self._waiting = still
        self._metrics.waiting.set(len(still))

    def _offer(self, record: CommandRecord, now: datetime) -> None:
        left_s = (record.expires - now).total_seconds()
        if left_s <= 0:
            return
        body = {**record.args, "id": record.id, "expires": record.expires.isoformat()}
        mid = self._line.publish(f"{PREFIX}/{record.device}/down/cmd/{record.name}", json.dumps(body, separators=(",", ":")).encode(), expiry_s=math.ceil(left_s))
        if mid is not None:
            self._under_way[mid] = record.id
            self._offered_s[record.id] = time.monotonic()
            self._metrics.offers.inc()
