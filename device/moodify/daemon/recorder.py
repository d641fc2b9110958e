"""Turns what happens into events: kept first, printed and sent after."""

from __future__ import annotations

import json
import logging
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any, TextIO

from moodify.errors import StoreBusy
from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moodify.store.store import Store
    from moodify.system.clock import Clock

log = logging.getLogger(__name__)

#: Events held in memory while the database can't be written; beyond it the oldest are given up and counted.
MAX_WAITING = 10_000
#: Seconds between two tries to write while the database is locked or the disk is full.
RETRY_S = 2.0


class Recorder:
    """Batches events into transactions. Belongs to the conductor's thread."""

    def __init__(self, store: Store, clock: Clock, *, flush_s: float, sink: TextIO | None = None, committed: Callable[[], None] = lambda: None) -> None:
        """Take the database and clock.

        Args:
            store: the writer's connection.
            clock: dates the events and times the batches.
            flush_s: seconds that an event which can wait may wait.
            sink: gets each event as one JSON line, once it is committed.
            committed: called after each transaction.
        """
        self._store = store
        self._clock = clock
        self._flush_s = flush_s
        self._sink = sink
        self._committed = committed
        self._waiting: deque[Event] = deque()
        self._due_s: float | None = None
        self._lost = 0
        self.problem: str | None = None
        """Why events are not being written; None while they are."""

    def note(self, kind: EventKind, data: Mapping[str, Any], *, urgent: bool = True) -> None:
        """Take an event; it is written at the next :meth:`flush`, at once if ``urgent``, else within ``flush_s``."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(Event(str(uuid.uuid4()), kind, self._clock.utc(), data))
        due_s = self._clock.now_s() + (0.0 if urgent else self._flush_s)
        if self.problem is None:
            self._due_s = due_s if self._due_s is None else min(self._due_s, due_s)

    @property
    def due_s(self) -> float | None:
        """When :meth:`flush` should be called, on the clock of the frames; None while nothing waits."""
        return self._due_s

    def flush(self, *, force: bool = False) -> None:
        """Write what is due in one transaction, then print it.

        Raises:
            StoreError: the database can't be used any more.
        """
        if not self._waiting or (not force and (self._due_s is None or self._clock.now_s() < self._due_s)):
            return
        events = tuple(self._waiting)
        try:
            self._store.record(events, given_up=self._lost)
        except StoreBusy as error:
            if self.problem is None:
                log.warning("Events wait in memory: %s", error)
            self.problem = str(error)
            self._due_s = self._clock.now_s() + RETRY_S
            return
        if self.problem is not None:
            log.info("Events are written again; %d were given up meanwhile", self._lost)
        self.problem, self._lost = None, 0
        self._waiting.clear()
        self._due_s = None
        self._print(events)
        self._committed()

    def finish(self) -> None:
        """Write everything that waits, at the end of a run.

        Raises:
            StoreError: the database can't be used any more.
        """
        self.flush(force=True)
        if self._waiting:
            log.error("%d events could not be written and are lost: %s", len(self._waiting), self.problem)

    def _print(self, events: tuple[Event, ...]) -> None:
        if self._sink is None:
            return
        try:
            for event in events:
                self._sink.write(json.dumps(event.as_json(), ensure_ascii=False).encode(errors="replace").decode() + "\n")
            self._sink.flush()
        except OSError as error:
            # The reader went away (a closed pipe) or the disk is full: the events are in the database all the same.
            log.warning("Events are not printed any more: %s", error.strerror)
            self._sink = None
