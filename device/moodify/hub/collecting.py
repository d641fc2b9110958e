"""The collector: commits what devices say, then tells them, then tells mosquitto.

In this order, because each step may be cut off from the next: what was committed and not acknowledged is offered again and absorbed;
what was acknowledged and not committed would be lost. While the database takes nothing, nothing is acknowledged: mosquitto sends no more than it
has in flight, and the devices keep the rest. Several collectors may share the work, in one process or in many.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from moodify.cloud import mqtt
from moodify.cloud.backoff import Backoff
from moodify.cloud.port import Credentials
from moodify.cloud.topics import PREFIX
from moodify.errors import EnrolmentRefused, MoodifyError
from moodify.hub.collector import Unreadable, read_answer, read_offer, read_state, read_summary, read_topic
from moodify.hub.line import BACKOFF, Line
from moodify.hub.members import Members
from moodify.hub.mosquitto import HUB
from moodify.hub.offers import proven_key
from moodify.hub.presence import StateKeeper

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from moodify.cloud.port import Endpoint
    from moodify.hub.collector import Answer, KeyOffer
    from moodify.hub.metrics import Metrics
    from moodify.hub.port import Commands, Intake, Registry, States, Summary

logger = logging.getLogger(__name__)

#: A transaction takes so many messages, or what has come in so many seconds after its first.
BATCH: Final = 500
BATCH_S: Final = 0.02
#: So much unacknowledged is held while the database takes nothing; then nothing more is read.
_HELD_AT_MOST: Final = 4 * BATCH
_HELD_BYTES_AT_MOST: Final = 32 * 1024 * 1024
#: What was told to devices and mosquitto has not acknowledged; beyond it nothing more is taken.
_TOLD_AT_MOST: Final = 2000
#: How long mosquitto keeps an answer for a device that is away: it asks again anyway.
_ANSWER_S: Final = 60
_COMPLAINTS: Final = 1000
_IDLE_S: Final = 1.0
_STATES: Final = ("status", "now", "state", "health")
_GROUP: Final = "collectors"
#: The database is on this machine or near.
_STORE_BACKOFF: Final = Backoff(base_s=0.1, cap_s=5.0)


_Said = TypeVar("_Said")


@dataclass(frozen=True, slots=True)
class _Held(Generic[_Said]):
    """A message that is not acknowledged yet, and what it says."""

    message: mqtt.Received
    generation: int
    kind: str
    device: str
    name: str
    """Of a state; the command's id of an answer."""
    said: _Said


class CollectorThread:
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
        """
        self._intake = intake
        self._commands = commands
        self._registry = registry
        self._members = Members(registry)
        self._keeper = None if states is None else StateKeeper(states, connected)
        self._metrics = metrics
        self._name = name
        self._audience = audience
        self._leeway_s = leeway_s
        shared = [mqtt.shared(_GROUP, f"{PREFIX}/+/up/{topic}") for topic in ("ev", "res/+", "key")]
        retained = [] if states is None else [f"{PREFIX}/+/up/{state}" for state in _STATES]
        self._line = Line(name, endpoint, Credentials(HUB, None), (*shared, *retained), backoff=backoff, manual_ack=True)
        self._summaries: deque[_Held[Summary]] = deque()
        self._answers: deque[_Held[Answer]] = deque()
        self._offers: deque[_Held[KeyOffer]] = deque()
        self._newest: deque[_Held[Mapping[str, Any]]] = deque()
        self._all: tuple[deque[Any], ...] = (self._summaries, self._answers, self._offers, self._newest)
        self._held_bytes = 0
        self._first_s = 0.0
        self._reported = 0
        self._told: set[int] = set()
        self._told_generation = 0
        self._complaints: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._failures = 0
        self._retry_at_s = 0.0
        self._store_trouble: str | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    @property
    def trouble(self) -> str | None:
        """Why it can't do its work now; None while it can. For any thread."""
        if not self.alive:
            return "it does not run"
        return self._store_trouble or self._line.trouble

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, once what it holds is committed where that works at once; safe to call twice and before :meth:`start`."""
        self._closing.set()
        self._line.wake()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._turn()
            self._settle()
        except Exception:
            # Nothing that a device says may come here. If it does, the hub is not ready, and says so.
            logger.exception("%s ended", self._name)
        finally:
            self._line.close()
            self._metrics.backlog.dec(self._reported)

    def _turn(self) -> None:
        now_s = time.monotonic()
        due_s = max(self._first_s + BATCH_S, self._retry_at_s) if self._holds else now_s + _IDLE_S
        wait_s = min(max(0.0, due_s - now_s), _IDLE_S)
        if self._holds < _HELD_AT_MOST and self._held_bytes < _HELD_BYTES_AT_MOST and len(self._told) < _TOLD_AT_MOST:
            self._hear(self._line.step(wait_s))
        elif self._retry_at_s > now_s:
            self._line.pause(wait_s)
        else:
            # PUBACKs for what was told come this way too.
            self._hear(self._line.step(min(wait_s, BATCH_S)))
        due = self._holds >= BATCH or time.monotonic() >= self._first_s + BATCH_S
        if self._holds and due and time.monotonic() >= self._retry_at_s and len(self._told) < _TOLD_AT_MOST:
            self._settle()
        if self._keeper is not None:
            self._keeper.refresh()
        self._metrics.backlog.inc(self._holds - self._reported)
        self._reported = self._holds

    @property
    def _holds(self) -> int:
        return sum(map(len, self._all))

    # What comes.

    def _hear(self, signals: list[mqtt.Received | mqtt.Acked]) -> None:
        if self._told_generation != self._line.generation:
            self._told_generation = self._line.generation
            self._told.clear()
        for signal in signals:
            match signal:
                case mqtt.Received():
                    self._take(signal)
                case mqtt.Acked(mid):
                    self._told.discard(mid)

    def _take(self, message: mqtt.Received) -> None:
        spoken = read_topic(message.topic)
        if spoken is None:
            self._pass_over(message, "other", "no topic of a device", message.topic[:80])
            return
        device, rest = spoken
        kind, name = ("state", rest) if rest in _STATES else rest.split("/", 1) if "/" in rest else (rest, "")
        hold = partial(_Held, message, self._line.generation, kind, device, name)
        first = not self._holds
        try:
            match kind:
                case "ev":
                    self._summaries.append(hold(read_summary(device, message.payload)))
                case "res":
                    self._answers.append(hold(read_answer(device, name, message.payload)))
                case "key":
                    self._offers.append(hold(read_offer(device, message.payload)))
                case _:
                    self._newest.append(hold(read_state(device, message.payload)))
        except Unreadable as error:
            self._pass_over(message, kind, error.reason, device)
            return
        if first:
            self._first_s = time.monotonic()
        self._held_bytes += len(message.payload)

    def _pass_over(self, message: mqtt.Received, kind: str, reason: str, device: str) -> None:
        # It comes again for as long as the device has it: said once, and in the way of nothing else.
        self._metrics.messages.labels(kind, "unreadable").inc()
        if (device, reason) not in self._complaints:
            self._complaints[device, reason] = None
            if len(self._complaints) > _COMPLAINTS:
                self._complaints.popitem(last=False)
            logger.warning("%s sent what is no %s: it is passed over, this and others like it", device, reason)
        self._line.ack(message, self._line.generation)

    # What becomes of it.

    def _settle(self) -> None:
        try:
            self._members.refresh()
            self._drop_strangers()
            self._keep_states()
            while self._summaries:
                self._commit()
            while self._answers:
                self._keep_answer(self._answers[0])
                self._done(self._answers)
            while self._offers:
                self._take_key(self._offers[0])
                self._done(self._offers)
        except MoodifyError as error:
            self._failed(error)
        else:
            if self._store_trouble is not None:
                logger.info("%s stores again", self._name)
            self._store_trouble = None
            self._failures = 0
        self._first_s = time.monotonic()

    def _failed(self, error: MoodifyError) -> None:
        if self._store_trouble is None:
            logger.warning("%s stores nothing, and acknowledges nothing: %s", self._name, error)
        self._store_trouble = str(error)
        self._metrics.commits_failed.inc()
        self._failures += 1
        self._retry_at_s = time.monotonic() + (error.retry_after_s or _STORE_BACKOFF.delay_s(self._failures))

    def _drop_strangers(self) -> None:
        for held in self._all:
            strangers = [one for one in held if one.device not in self._members]
            for one in strangers:
                held.remove(one)
                self._metrics.messages.labels(one.kind, "unknown device").inc()
                self._acknowledge(one)

    def _commit(self) -> None:
        batch = list(islice(self._summaries, BATCH))
        with self._metrics.commit_s.time():
            committed = self._intake.commit([one.said for one in batch], datetime.now(UTC))
        self._metrics.events.inc(committed.events)
        self._metrics.repeats.inc(committed.repeats)
        for ack in committed.acks:
            self._tell(ack.device, "ack", {"v": 1, "epoch": ack.epoch, "ranges": ack.ranges})
        for _ in batch:
            self._done(self._summaries)

    def _keep_answer(self, held: _Held[Answer]) -> None:
        answer = held.said
        if self._commands.answered(held.device, held.name, status=answer.status, error=answer.error, data=answer.data, now=datetime.now(UTC)):
            self._metrics.commands.labels(answer.status).inc()

    def _take_key(self, held: _Held[KeyOffer]) -> None:
        kid = held.said.kid
        try:
            self._registry.add_key(held.device, proven_key(held.device, held.said, audience=self._audience, leeway_s=self._leeway_s), datetime.now(UTC))
        except EnrolmentRefused as error:
            logger.warning("a new key of %s is refused: %s", held.device, error)
            self._tell(held.device, "key", {"kid": kid, "status": "error", "error": str(error)})
        else:
            logger.info("%s has a new key %s", held.device, kid)
            self._tell(held.device, "key", {"kid": kid, "status": "ok"})

    def _keep_states(self) -> None:
        if self._keeper is not None and self._newest:
            # The newest of each; what is older says nothing any more.
            self._keeper.keep({(one.device, one.name): one.said for one in self._newest})
        while self._newest:
            self._done(self._newest)

    def _tell(self, device: str, topic: str, body: Mapping[str, Any]) -> None:
        mid = self._line.publish(f"{PREFIX}/{device}/down/{topic}", json.dumps(body, separators=(",", ":")).encode(), expiry_s=_ANSWER_S)
        if mid is not None:
            self._told.add(mid)

    def _done(self, held: deque[_Held[_Said]]) -> None:
        one = held.popleft()
        self._metrics.messages.labels(one.kind, "taken").inc()
        self._acknowledge(one)

    def _acknowledge(self, held: _Held[_Said]) -> None:
        self._held_bytes -= len(held.message.payload)
        self._line.ack(held.message, held.generation)
