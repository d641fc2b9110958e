"""The collector: commits what devices say, then tells them, then tells mosquitto.

In this order, because each step may be cut off from the next: what was committed and not acknowledged is offered again and absorbed;
what was acknowledged and not committed would be lost. While the database takes nothing, nothing is acknowledged: mosquitto sends no more than it
has in flight, and the devices keep the rest. Several collectors may share the work, in one process or in many.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from moodify.cloud import mqtt
from moodify.cloud.backoff import Backoff
from moodify.cloud.port import Credentials
from moodify.cloud.topics import PREFIX, STATES, Topics
from moodify.errors import EnrolmentRefused, MoodifyError, NoSuchDevice
from moodify.hub.budget import Budgets, cost
from moodify.hub.inbox import Inbox
from moodify.hub.line import BACKOFF, Line
from moodify.hub.members import Members
from moodify.hub.mosquitto import HUB
from moodify.hub.offers import check_erasure, proven_key
from moodify.hub.presence import StateKeeper
from moodify.hub.retained import Retained
from moodify.hub.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from moodify.cloud.port import Endpoint
    from moodify.hub.inbox import Held
    from moodify.hub.metrics import Metrics
    from moodify.hub.port import Commands, Intake, Registry, States, Summary
    from moodify.hub.reading import Answer, Erasure, KeyOffer

logger = logging.getLogger(__name__)

#: A transaction takes so many messages, or what has come in so many seconds after its first.
BATCH: Final = 500
BATCH_S: Final = 0.02
#: While the database takes nothing mosquitto sends what it has in flight (500 messages), and of that no more is read than so many bytes.
_HELD_BYTES_AT_MOST: Final = 32 * 1024 * 1024
#: What was told to devices and mosquitto has not acknowledged; beyond it nothing more is taken.
_TOLD_AT_MOST: Final = 2000
#: How long mosquitto keeps an answer for a device that is away: it asks again anyway.
_ANSWER_S: Final = 60
_IDLE_S: Final = 1.0
#: How often it is looked whether somebody was revoked or erased whose states mosquitto still keeps.
_SWEEP_S: Final = 5.0
_GROUP: Final = "collectors"
#: The database is on this machine or near.
_STORE_BACKOFF: Final = Backoff(base_s=0.1, cap_s=5.0)


class CollectorThread(Worker):
    """Takes what devices say, on a thread of its own."""

    def __init__(
        self,
        endpoint: Callable[[], Endpoint],
        intake: Intake,
        commands: Commands,
        states: States | None,
        registry: Registry,
        metrics: Metrics,
        *,
        name: str = "collector",
        connected: Callable[[], Collection[str]] = frozenset,
        audience: str = "moodify",
        leeway_s: float = 60.0,
        backoff: Backoff = BACKOFF,
        budgets: Budgets | None = None,
    ) -> None:
        """Prepare; :meth:`start` begins.

        Args:
            endpoint: where mosquitto listens; asked for before each connect, may raise LinkDown or PersonMustAct.
            intake: where summaries are committed.
            commands: where answers are kept.
            states: where retained states are kept; None where another collector of this mosquitto keeps them.
            registry: who is enrolled; nobody else is heard.
            metrics: what is counted.
            name: of the thread, and in the log.
            connected: ids of the devices that the gate holds (:mod:`moodify.hub.presence`).
            audience: whom the proof of an offered key must be for.
            leeway_s: by how many seconds a device's clock may differ.
            backoff: between two connects.
            budgets: how much each device may have stored; None for the usual.
        """
        self._budgets = budgets or Budgets()
        self._intake = intake
        self._commands = commands
        self._registry = registry
        self._members = Members(registry)
        self._keeper = None if states is None else StateKeeper(states, connected)
        self._metrics = metrics
        self._audience = audience
        self._leeway_s = leeway_s
        shared = [mqtt.shared(_GROUP, f"{PREFIX}/+/up/{topic}") for topic in ("ev", "res/+", "key", "erase")]
        retained = [] if states is None else [f"{PREFIX}/+/up/{state}" for state in STATES]
        super().__init__(name, Line(name, endpoint, Credentials(HUB, None), (*shared, *retained), backoff=backoff, manual_ack=True))
        self._inbox = Inbox(self._line, metrics)
        self._retained = Retained()
        self._sweep_at_s = 0.0
        self._reported = 0
        self._told: set[int] = set()
        self._told_generation = 0
        self._failures = 0
        self._retry_at_s = 0.0

    def _finish(self) -> None:
        self._settle()
        self._metrics.backlog.dec(self._reported)

    def _turn(self) -> None:
        wait_s = max(0.0, min(self._due_s - time.monotonic(), _IDLE_S))
        if self._inbox.bytes >= _HELD_BYTES_AT_MOST and self._store_trouble is not None:
            self._line.pause(wait_s)
        else:
            self._hear(self._line.step(wait_s))
        if self._inbox and time.monotonic() >= self._due_s:
            self._settle()
        if self._keeper is not None:
            self._keeper.refresh()
            self._clear_retained(self._keeper)
        self._metrics.backlog.inc(len(self._inbox) - self._reported)
        self._reported = len(self._inbox)

    @property
    def _due_s(self) -> float:
        """When what is held is to be settled, on ``time.monotonic()``."""
        if not self._inbox or len(self._told) >= _TOLD_AT_MOST:
            # PUBACKs for what was told come with the network.
            return time.monotonic() + _IDLE_S
        return max(self._retry_at_s, 0.0 if len(self._inbox) >= BATCH else self._inbox.since_s + BATCH_S)

    def _hear(self, signals: list[mqtt.Received | mqtt.Acked]) -> None:
        if self._told_generation != self._line.generation:
            self._told_generation = self._line.generation
            self._told.clear()
            self._retained.begin()
        for signal in signals:
            match signal:
                case mqtt.Received():
                    self._retained.heard(signal)
                    self._inbox.take(signal)
                case mqtt.Acked(mid):
                    self._told.discard(mid)

    def _settle(self) -> None:
        try:
            self._members.refresh()
            self._inbox.keep_only(self._members)
            self._keep_states()
            while self._inbox.summaries:
                self._commit()
            while self._inbox.answers:
                self._keep_answer(self._inbox.answers[0])
                self._inbox.done(self._inbox.answers)
            while self._inbox.offers:
                self._take_key(self._inbox.offers[0])
                self._inbox.done(self._inbox.offers)
            while self._inbox.erasures:
                self._erase(self._inbox.erasures[0])
                self._inbox.done(self._inbox.erasures)
        except MoodifyError as error:
            self._failed(error)
        else:
            if self._store_trouble is not None:
                logger.info("%s stores again", self._name)
            self._store_trouble = None
            self._failures = 0

    def _failed(self, error: MoodifyError) -> None:
        if self._store_trouble is None:
            logger.warning("%s stores nothing, and acknowledges nothing: %s", self._name, error)
        self._store_trouble = str(error)
        self._metrics.commits_failed.inc()
        self._failures += 1
        self._retry_at_s = time.monotonic() + (error.retry_after_s or _STORE_BACKOFF.delay_s(self._failures))

    def _commit(self) -> None:
        batch, spent = self._affordable()
        if not batch:
            return
        with self._metrics.commit_s.time():
            committed = self._intake.commit([one.said for one in batch], datetime.now(UTC))
        self._metrics.events.inc(committed.events)
        self._metrics.repeats.inc(committed.repeats)
        for ack in committed.acks:
            self._tell(ack.device, "ack", {"v": 1, "epoch": ack.epoch, "ranges": ack.ranges})
        for device, units in spent.items():
            self._budgets.spend(device, units)
        for _ in batch:
            self._inbox.done(self._inbox.summaries)

    def _affordable(self) -> tuple[list[Held[Summary]], Counter[str]]:
        """Return the next batch and what it costs each device. What a device can't afford is taken from mosquitto and not acknowledged to the device."""
        spent: Counter[str] = Counter()
        batch: list[Held[Summary]] = []
        for one in list(islice(self._inbox.summaries, BATCH)):
            units = cost(one.said, len(one.message.payload))
            if self._budgets.affords(one.device, spent[one.device] + units):
                spent[one.device] += units
                batch.append(one)
            else:
                self._inbox.leave(one)
        return batch, spent

    def _keep_answer(self, held: Held[Answer]) -> None:
        answer = held.said
        if self._commands.answered(held.device, held.name, status=answer.status, error=answer.error, data=answer.data, now=datetime.now(UTC)):
            self._metrics.commands.labels(answer.status).inc()

    def _take_key(self, held: Held[KeyOffer]) -> None:
        kid = held.said.kid
        device = self._registry.device(held.device)
        try:
            if device is None:
                raise EnrolmentRefused(f"{held.device} is not enrolled")
            # It was signed before it began to wait here.
            waited_s = time.monotonic() - held.message.arrived_s
            self._registry.add_key(held.device, proven_key(device, held.said, audience=self._audience, leeway_s=self._leeway_s + waited_s), datetime.now(UTC))
        except EnrolmentRefused as error:
            logger.warning("a new key of %s is refused: %s", held.device, error)
            self._tell(held.device, "key", {"kid": kid, "status": "error", "error": str(error)})
        else:
            logger.info("%s has a new key %s", held.device, kid)
            self._tell(held.device, "key", {"kid": kid, "status": "ok"})

    def _erase(self, held: Held[Erasure]) -> None:
        device = self._registry.device(held.device)
        if device is None:
            # It asked twice, and the first time did it.
            return
        try:
            waited_s = time.monotonic() - held.message.arrived_s
            check_erasure(device, held.said, audience=self._audience, leeway_s=self._leeway_s + waited_s)
            events = self._registry.erase(held.device)
        except NoSuchDevice:
            # By another collector, meanwhile.
            return
        except EnrolmentRefused as error:
            logger.warning("%s is not erased, as it was asked to be: %s", held.device, error)
            self._tell(held.device, "erase", {"id": held.said.id, "status": "error", "error": str(error)})
        else:
            logger.info("%s has erased itself here: the device, its keys and %s events are deleted", held.device, events)
            self._tell(held.device, "erase", {"id": held.said.id, "status": "ok", "events": events})
            if self._keeper is not None:
                self._keeper.forget(held.device)
            self._sweep_at_s = 0.0

    def _keep_states(self) -> None:
        if self._keeper is not None and self._inbox.states:
            # The newest of each; what is older says nothing any more.
            self._keeper.keep({(one.device, one.name): one.said for one in self._inbox.states})
        while self._inbox.states:
            self._inbox.done(self._inbox.states)

    def _clear_retained(self, keeper: StateKeeper) -> None:
        if time.monotonic() < self._sweep_at_s:
            return
        self._sweep_at_s = time.monotonic() + _SWEEP_S
        try:
            self._members.refresh()
            topics = self._retained.of_others(self._members)
            for device in {Topics.device_of(topic) for topic in topics}:
                keeper.forget(device)
            for topic in topics:
                self._line.publish(topic, b"", retain=True)
        except MoodifyError as error:
            # Whether the database works is seen where something is to be stored.
            logger.debug("states of devices that are not known any more are cleared later: %s", error)

    def _tell(self, device: str, topic: str, body: Mapping[str, Any]) -> None:
        mid = self._line.publish(f"{PREFIX}/{device}/down/{topic}", json.dumps(body, separators=(",", ":")).encode(), expiry_s=_ANSWER_S)
        if mid is not None:
            self._told.add(mid)
