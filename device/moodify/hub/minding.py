"""Threads that mind the hub's mosquitto and its gate: start them, see them end, start them again or say so; and who has died of all threads."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from moodify.cloud import mqtt
from moodify.cloud.backoff import Backoff
from moodify.cloud.port import Credentials, Endpoint
from moodify.errors import LinkDown, PersonMustAct, RetryLater
from moodify.hub.mosquitto import OBSERVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from moodify.hub.gate.server import Gate
    from moodify.hub.mosquitto import Mosquitto

logger = logging.getLogger(__name__)

#: Between two starts of a mosquitto that has died. One that has run for so long counts as sound again.
BACKOFF: Final = Backoff(base_s=0.2, cap_s=30.0)
SOUND_S: Final = 60.0
#: How often it is looked whether the end was asked for, in seconds: mosquitto's own end is seen at once.
_LOOK_S: Final = 0.5
#: How often it is looked whether it takes anybody, how long an answer is waited for, in seconds, and after how many without it is started anew.
PROBE_S: Final = 15.0
PROBE_TIMEOUT_S: Final = 5.0
PROBES: Final = 3
_START_S: Final = 30.0
_STOP_S: Final = 3.0


@contextmanager
def deaths() -> Iterator[Sequence[str]]:
    """Give the names of the threads that an error has ended since, as long as a ``with`` lasts: one that deletes what is old is missed by nobody who is asked."""
    before, names = threading.excepthook, list[str]()

    def tell(died: threading.ExceptHookArgs) -> None:
        if died.exc_type is SystemExit:
            return
        name = "thread" if died.thread is None else died.thread.name
        logger.error("the hub's %s ended unexpectedly", name, exc_info=(died.exc_type, died.exc_value or died.exc_type(), died.exc_traceback))
        # The library limits forgets what is over in one: it fails where who counts has forgotten the same just then, and with the next count it begins another.
        if not isinstance(died.thread, threading.Timer):
            names.append(name)

    threading.excepthook = tell
    try:
        yield names
    finally:
        threading.excepthook = before


class BrokerKeeper:
    """Keeps mosquitto running between :meth:`start` and :meth:`close`, and starts it anew where it runs and takes nobody, as one whose memory is full."""

    def __init__(self, mosquitto: Mosquitto, *, backoff: Backoff = BACKOFF, probe_s: float = PROBE_S, probe_timeout_s: float = PROBE_TIMEOUT_S) -> None:
        """Take what is not started yet, and how often and how long it is asked whether it takes anybody."""
        self.trouble: str | None = "not started yet"
        """Why it does not run, or takes nobody; None while it does."""
        self.restarts = 0
        self._mosquitto = mosquitto
        self._backoff = backoff
        self._probe_s = probe_s
        self._probe_timeout_s = probe_timeout_s
        self._probe_at_s = 0.0
        self._in_vain = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="mosquitto", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it is minded."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start mosquitto; it listens when this returns.

        Raises:
            LinkDown, PersonMustAct: as :meth:`moodify.hub.mosquitto.Mosquitto.start` does.
        """
        self._mosquitto.start()
        self.trouble = None
        self._probe_at_s = time.monotonic() + self._probe_s
        self._thread.start()

    def close(self) -> None:
        """End it; safe to call twice, and before :meth:`start`."""
        self._end.set()
        if self._thread.ident is not None:
            # It may be in the middle of a start.
            self._thread.join()
        self._mosquitto.close()
        self.trouble = "ended"

    def _keep(self) -> None:
        attempts, since_s = 0, time.monotonic()
        while not self._end.is_set():
            if not self._mosquitto.wait(_LOOK_S):
                self._probe()
                continue
            if time.monotonic() - since_s > SOUND_S:
                attempts = 0
            attempts += 1
            if self.trouble is None:
                self.trouble = "mosquitto has ended and is started again"
                logger.warning("mosquitto has ended; it is started again")
            if self._end.wait(self._backoff.delay_s(attempts)):
                return
            try:
                self._mosquitto.start()
            except (LinkDown, PersonMustAct) as error:
                if str(error) != self.trouble:
                    logger.error("mosquitto was not started again: %s", error)  # noqa: TRY400 - the message says what to do, and a trace nothing more
                self.trouble = str(error)
            else:
                self.restarts += 1
                self.trouble, since_s = None, time.monotonic()
                self._in_vain, self._probe_at_s = 0, since_s + self._probe_s
                logger.info("mosquitto runs again")

    def _probe(self) -> None:
        if time.monotonic() < self._probe_at_s:
            return
        why = self._refusal()
        self._probe_at_s = time.monotonic() + self._probe_s
        if why is None:
            if self._in_vain:
                logger.info("mosquitto takes connections again")
            self._in_vain, self.trouble = 0, None
            return
        self._in_vain += 1
        self.trouble = f"mosquitto takes nobody: {why}"
        if self._in_vain == 1:
            logger.warning("%s", self.trouble)
        elif self._in_vain >= PROBES and not self._end.is_set():
            logger.warning("mosquitto has taken nobody for %s looks; it is started anew", self._in_vain)
            # What it kept comes again from the devices; the next wait says that it has ended.
            self._mosquitto.close()

    def _refusal(self) -> str | None:
        """Return why mosquitto does not take a sign-in of the hub's own; None where it does."""
        try:
            connection = mqtt.Connection(Endpoint("", 0, tls=False, socket=self._mosquitto.socket), Credentials(OBSERVER, None), client_id=f"probe-{uuid.uuid4()}", session_s=0)
        except (LinkDown, PersonMustAct) as error:
            return str(error)
        try:
            until_s = time.monotonic() + self._probe_timeout_s
            while time.monotonic() < until_s and not self._end.is_set():
                for signal in connection.step(min(_LOOK_S, self._probe_timeout_s)):
                    match signal:
                        case mqtt.Connected():
                            return None
                        case mqtt.Refused(reason=reason) | mqtt.Lost(reason=reason):
                            return reason.lower()
            return f"it gives no answer in {self._probe_timeout_s:g} s"
        finally:
            connection.close()


class GateThread:
    """Runs the gate on an event loop of its own between :meth:`start` and :meth:`close`."""

    def __init__(self, new_gate: Callable[[], Gate]) -> None:
        """Take what makes the gate; it is called in the gate's own thread."""
        self._new_gate = new_gate
        self._gate: Gate | None = None
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="gate", daemon=True)

    @property
    def gate(self) -> Gate:
        """The gate, once it was started."""
        if self._gate is None:
            raise RuntimeError("the gate was not started")
        return self._gate

    @property
    def alive(self) -> bool:
        """Whether it lets devices in."""
        return self._ready.is_set() and self._thread.is_alive()

    @property
    def trouble(self) -> str | None:
        """Why it lets none in; None while it does."""
        return None if self.alive else "it does not run"

    def start(self) -> None:
        """Let devices in from now on.

        Raises:
            MoodifyError: what the gate itself raised when it was started.
            RetryLater: it did not come up in time.
        """
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise RetryLater(f"the gate did not come up within {_START_S:g} s; start the hub again")
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def close(self) -> None:
        """End every connection and the thread; safe to call twice, and before :meth:`start`."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end.set)
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                logger.error("the gate did not end within %s s", _STOP_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if not self._ready.is_set():
                self._failure = error
            else:
                logger.exception("the gate has ended")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._gate = gate = self._new_gate()
        try:
            await gate.start()
            self._ready.set()
            await self._end.wait()
        finally:
            await gate.close()
