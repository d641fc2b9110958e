"""The courier: sends what is unsent and passes commands on, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from moodify.cloud.port import LinkState
from moodify.daemon.signals import CommandTaken, LinkIs, State
from moodify.errors import StoreBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moodify.cloud.link import Link
    from moodify.cloud.port import Command
    from moodify.daemon.hub_beside import HubBeside
    from moodify.daemon.signals import Signal
    from moodify.store.outbox import Outbox
    from moodify.store.settings import Settings

log = logging.getLogger(__name__)

#: Longest wait for the network in one go, in seconds.
PUMP_S = 1.0
#: How long the end of a run waits for what is unsent, in seconds; it stays in the outbox for the next run.
DRAIN_S = 1.5

_STATES = {LinkState.CONNECTING: State.STARTING, LinkState.ONLINE: State.OK, LinkState.OFFLINE: State.DEGRADED, LinkState.REFUSED: State.BROKEN}


class Courier:
    """One thread that owns the link, the outbox's connection, and the hub beside the appliance where there is one."""

    def __init__(
        self,
        new_link: Callable[[Settings, Callable[[Command], None], Callable[[LinkState, str], None]], Link],
        open_outbox: Callable[[], Outbox],
        open_memory: Callable[[], Settings],
        put: Callable[[Signal], None],
        *,
        beside: HubBeside,
    ) -> None:
        """Take what opens the link and its connections to the database, on the courier's own thread; the conductor's queue; the hub to end last."""
        self._new_link = new_link
        self._open_outbox = open_outbox
        self._open_memory = open_memory
        self._put = put
        self._beside = beside
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._published: dict[str, Mapping[str, Any]] = {}
        self._closing = threading.Event()

    def publish(self, name: str, value: Mapping[str, Any]) -> None:
        """Publish a retained state where it differs from the last; from any thread."""
        with self._lock:
            if self._published.get(name) == value:
                return
            self._published[name] = value
            if self._link is not None:
                self._link.publish_state(name, value)

    def answer(self, command_id: str, status: str, error: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        """Say how a command ended, with what was asked for; from any thread."""
        with self._lock:
            if self._link is not None:
                self._link.answer(command_id, status, error, data)

    def wake(self) -> None:
        """Say that there is something in the outbox; from any thread."""
        with self._lock:
            if self._link is not None:
                self._link.wake()

    def go_anew(self) -> None:
        """Say that summaries may have to go elsewhere now; from any thread."""
        with self._lock:
            if self._link is not None:
                self._link.renew()

    def close(self) -> None:
        """End the thread, once it has sent what it can within :data:`DRAIN_S`."""
        self._closing.set()
        self._beside.hurry()
        self.wake()

    def run(self) -> None:
        """Pump until closed; the thread's target."""
        try:
            with self._open_outbox() as outbox, self._open_memory() as memory:
                self._offer_again(outbox)
                link = self._new_link(memory, self._command, self._changed)
                with self._lock:
                    self._link = link
                    for name, value in self._published.items():
                        link.publish_state(name, value)
                try:
                    self._work(link, outbox)
                finally:
                    with self._lock:
                        self._link = None
                    link.close()
        finally:
            self._beside.close()

    def _offer_again(self, outbox: Outbox) -> None:
        try:
            if number := outbox.take_back():
                log.info("%d summaries that were set aside are offered again", number)
        except StoreBusy as error:
            log.warning("Summaries that were set aside wait for the next start: %s", error)

    def _work(self, link: Link, outbox: Outbox) -> None:
        while not self._closing.is_set():
            try:
                link.pump(outbox, PUMP_S)
            except StoreBusy as error:
                log.warning("Summaries wait: %s", error)
                self._closing.wait(PUMP_S)
        try:
            if link.state is LinkState.ONLINE and not link.drain(outbox, DRAIN_S):
                log.info("Unsent summaries stay for the next run")
        except StoreBusy as error:
            log.info("Unsent summaries stay for the next run: %s", error)

    def _command(self, command: Command) -> None:
        self._put(CommandTaken(command.name, command.id, command.args))

    def _changed(self, state: LinkState, reason: str) -> None:
        self._put(LinkIs(_STATES[state], reason))


class NoCourier:
    """Stands in where the owner sends nothing."""

    def publish(self, name: str, value: Mapping[str, Any]) -> None:
        """Send nothing."""

    def answer(self, command_id: str, status: str, error: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        """Send nothing."""

    def wake(self) -> None:
        """Send nothing."""

    def go_anew(self) -> None:
        """Send nothing, elsewhere neither."""
