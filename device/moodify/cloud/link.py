"""The device's link to the broker: status, retained states, summaries from the outbox, commands.

With only a broker at the other end a message counts as delivered at its PUBACK. That says that the
broker has it, not that a hub has stored it.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from moodify.cloud import mqtt
from moodify.cloud.backoff import Backoff
from moodify.cloud.commands import CommandDesk, Rejected
from moodify.cloud.port import LinkState
from moodify.cloud.sender import Receipts, Sender
from moodify.cloud.topics import Topics
from moodify.cloud.wake import Wake
from moodify.errors import PersonMustAct, RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from moodify.cloud.port import Command, Endpoint, Memory, Outbox, Passwords

logger = logging.getLogger(__name__)

#: Answers that wait for a connection; beyond it the oldest is dropped: whoever asked has given up.
_ANSWERS = 100
#: A connection that lasted so many seconds was a good one: backoff starts anew.
_GOOD_S = 30.0
#: The farewell waits so many seconds for its PUBACK.
_FAREWELL_S = 1.0


class Link:
    """Keeps a connection, offers the outbox, and takes commands.

    :meth:`pump`, :meth:`drain` and :meth:`close` belong to one thread, which also runs the callbacks;
    :meth:`publish_state`, :meth:`answer` and :meth:`wake` may be called from any.
    """

    def __init__(
        self,
        device: str,
        *,
        endpoint: Callable[[], Endpoint],
        passwords: Passwords,
        memory: Memory,
        commands: Collection[str] = (),
        on_command: Callable[[Command], None],
        on_change: Callable[[LinkState, str], None],
        keepalive_s: int = 30,
        timeout_s: float = 20.0,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepare; the first :meth:`pump` connects.

        Args:
            device: the device's id, also its client id.
            endpoint: asked for before each connect; may raise LinkDown or PersonMustAct.
            passwords: asked for before each connect.
            memory: where ids of executed commands are kept.
            commands: names that are taken.
            on_command: called with each command that is allowed and new; must not raise.
            on_change: called when the state or its reason changes; the reason is one line for a person. Must not raise.
            keepalive_s: seconds between two signs of life.
            timeout_s: longest wait for CONNACK and PUBACK before connecting anew.
            backoff: between two connects.
        """
        self.state = LinkState.CONNECTING
        self.reason = "not connected yet"
        self._topics = Topics(device)
        self._endpoint = endpoint
        self._passwords = passwords
        self._desk = CommandDesk(commands, memory)
        self._on_command = on_command
        self._on_change = on_change
        self._keepalive_s = keepalive_s
        self._timeout_s = timeout_s
        self._backoff = backoff if backoff is not None else Backoff()
        self._boot = str(uuid.uuid4())
        self._wake = Wake()
        self._requests: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._states: dict[str, bytes] = {}
        self._dirty: dict[str, None] = {}
        self._answers: deque[tuple[str, bytes]] = deque(maxlen=_ANSWERS)
        self._receipts = Receipts()
        self._connection: mqtt.Connection | None = None
        self._sender: Sender | None = None
        """There is one while the broker takes us."""
        self._opened_s = 0.0
        self._attempts = 0
        self._retry_at_s = 0.0

    # Any thread.

    def publish_state(self, name: str, value: Mapping[str, Any]) -> None:
        """Publish ``up/<name>`` retained, now or at the next connect; only a changed value is sent, and only the newest."""
        payload = _json(value)

        def put() -> None:
            # The broker writes each retained message to its disk: what has not changed is not sent again.
            if self._states.get(name) != payload:
                self._states[name] = payload
                self._dirty[name] = None

        self._requests.put(put)
        self.wake()

    def answer(self, command_id: str, status: str, error: str | None = None) -> None:
        """Say how a command ended: ``ok``, or ``error`` with the reason."""
        body = {"status": status} if error is None else {"status": status, "error": error}
        item = (self._topics.answer(command_id), _json(body))
        self._requests.put(lambda: self._answers.append(item))
        self.wake()

    def wake(self) -> None:
        """End the wait of :meth:`pump`: there is something in the outbox."""
        self._wake.set()

    # The link's thread.

    def pump(self, outbox: Outbox, timeout_s: float) -> None:
        """Do what there is to do, waiting for it at most about ``timeout_s`` (longer only while connecting).

        Raises:
            StoreBusy, StoreError: from the outbox; nothing is lost, pump again.
        """
        self._take_requests()
        if self._connection is None:
            left_s = self._retry_at_s - time.monotonic()
            if left_s > 0:
                self._wake.wait(min(timeout_s, left_s))
                self._wake.clear()
            else:
                self._connect()
            return
        if self._sender is not None:
            self._send(self._sender, outbox)
        for signal in self._connection.step(timeout_s, self._wake.fileno()):
            self._handle(signal)
        self._wake.clear()
        self._check_deadlines()
        self._receipts.settle(outbox)

    def drain(self, outbox: Outbox, timeout_s: float) -> bool:
        """Pump until the outbox is empty or ``timeout_s`` is over; return whether it is empty."""
        until_s = time.monotonic() + timeout_s
        while outbox.backlog() and time.monotonic() < until_s:
            self.pump(outbox, 0.1)
        return outbox.backlog() == 0

    def close(self) -> None:
        """Say goodbye where there is a connection, and close; safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._sender is not None:
                self._bid_farewell(connection)
            connection.close()
        self._wake.close()

    def _bid_farewell(self, connection: mqtt.Connection) -> None:
        mid = connection.publish(self._topics.status, self._status("offline"), retain=True)
        until_s = time.monotonic() + _FAREWELL_S
        while (left_s := until_s - time.monotonic()) > 0:
            signals = connection.step(left_s)
            if any(isinstance(signal, mqtt.Lost) or (isinstance(signal, mqtt.Acked) and signal.mid == mid) for signal in signals):
                return

    def _connect(self) -> None:
        try:
            endpoint = self._endpoint()
            credentials = self._passwords.credentials(datetime.now(UTC))
            will = (self._topics.status, _json({"state": "offline"}))
            self._connection = mqtt.Connection(endpoint, credentials, client_id=self._topics.device, keepalive_s=self._keepalive_s, will=will)
            self._opened_s = time.monotonic()
        except RetryLater as error:
            self._down(LinkState.OFFLINE, str(error))
        except PersonMustAct as error:
            self._down(LinkState.REFUSED, str(error))

    def _down(self, state: LinkState, reason: str) -> None:
        if self._connection is not None:
            self._connection.abandon()
            if self._sender is not None and time.monotonic() - self._opened_s >= _GOOD_S:
                self._attempts = 0
        self._connection = None
        self._sender = None
        self._attempts += 1
        self._retry_at_s = time.monotonic() + self._backoff.delay_s(self._attempts)
        self._change(state, reason)

    def _change(self, state: LinkState, reason: str) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        if state is not self.state:
            logger.info("the link is %s: %s", state.value, reason)
        self.state, self.reason = state, reason
        self._on_change(state, reason)

    def _handle(self, signal: mqtt.Signal) -> None:
        if self._connection is None:
            return
        match signal:
            case mqtt.Connected():
                self._greet(self._connection, signal)
            case mqtt.Refused() if self._sender is None:
                advice = "; check that this device is enrolled, or [link] username and password" if signal.needs_person else ""
                self._down(LinkState.REFUSED if signal.needs_person else LinkState.OFFLINE, f"the broker refuses this device: {signal.reason.lower()}{advice}")
            case mqtt.Refused():
                logger.warning("the broker refuses a %s", signal.reason)
            case mqtt.Lost(reason):
                self._down(LinkState.OFFLINE, f"the connection to the broker was lost: {reason}")
            case mqtt.Acked() if self._sender is not None:
                self._sender.acked(signal)
            case mqtt.Received():
                self._received(signal)

    def _greet(self, connection: mqtt.Connection, connected: mqtt.Connected) -> None:
        self._sender = Sender(connection, connected, self._topics, self._receipts, self._backoff)
        connection.subscribe(self._topics.commands)
        self._sender.publish(self._topics.status, self._status("online"), retain=True)
        self._dirty = dict.fromkeys(self._states)
        self._change(LinkState.ONLINE, "connected")

    def _status(self, state: str) -> bytes:
        return _json({"state": state, "boot": self._boot, "ts": datetime.now(UTC).isoformat(timespec="seconds")})

    def _send(self, sender: Sender, outbox: Outbox) -> None:
        while sender.room > 0 and self._dirty:
            name = next(iter(self._dirty))
            del self._dirty[name]
            sender.publish(self._topics.state(name), self._states[name], retain=True)
        while sender.room > 0 and self._answers:
            sender.publish(*self._answers.popleft())
        sender.offer(outbox)

    def _received(self, message: mqtt.Received) -> None:
        taken = self._desk.take(self._topics.command_name(message.topic), message.payload, retained=message.retained)
        if not isinstance(taken, Rejected):
            self._on_command(taken)
            return
        logger.warning("a command was not carried out: %s", taken.reason)
        if taken.id is not None:
            self.answer(taken.id, "error", taken.reason)

    def _check_deadlines(self) -> None:
        if self._connection is None:
            return
        if self._sender is None:
            if time.monotonic() - self._opened_s > self._timeout_s:
                self._down(LinkState.OFFLINE, f"the broker gave no answer in {self._timeout_s:g} s")
        elif self._sender.waiting_s > self._timeout_s:
            self._down(LinkState.OFFLINE, f"the broker acknowledged nothing in {self._timeout_s:g} s")

    def _take_requests(self) -> None:
        while True:
            try:
                self._requests.get_nowait()()
            except Empty:
                return


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
