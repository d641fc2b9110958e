"""The device's link to the broker: keeps a connection, signed in afresh before each password ends, and says how it stands.

What is said on a connection is :mod:`moodify.cloud.conversation`'s. When a summary counts as arrived comes with the target:
at its PUBACK, which says that the broker has it and not that anybody stored it, or when a hub says that it is committed.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moodify.cloud import mqtt
from moodify.cloud.backoff import Backoff
from moodify.cloud.commands import READ_BYTES, CommandDesk
from moodify.cloud.conversation import Conversation, Lasting
from moodify.cloud.delivery import SILENCE_S
from moodify.cloud.outgoing import Outgoing, as_json
from moodify.cloud.port import LinkState
from moodify.cloud.shut_out import ShutOut
from moodify.cloud.topics import Topics
from moodify.cloud.wake import Requests, Wake
from moodify.errors import PersonMustAct, RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from moodify.cloud.port import Command, Companion, Credentials, Memory, Outbox, Rotation, Target

logger = logging.getLogger(__name__)

#: A connection that lasted so many seconds was a good one: backoff starts anew.
_GOOD_S = 30.0
#: Longest wait between two tries to get a password, in seconds: a clock is set at any moment, and asking costs nothing.
_SIGN_IN_S = 5.0
#: From this part of a password's life on the link connects anew; when exactly is left to chance, so that devices do not do it together.
_RENEW_FROM = 0.9
#: Before that it waits so many seconds at most for what is under way.
_RENEW_S = 5.0
#: Packets above so many bytes are not sent to us: a command is far smaller, and an acknowledgement that is larger is no hub's.
_LARGEST = 2 * READ_BYTES


class Link:
    """Keeps a connection, offers the outbox, and takes commands.

    :meth:`pump`, :meth:`drain` and :meth:`close` belong to one thread, which also runs the callbacks, the rotation and the guest;
    :meth:`publish_state`, :meth:`answer`, :meth:`renew` and :meth:`wake` may be called from any.
    """

    def __init__(
        self,
        device: str,
        *,
        target: Callable[[], Target],
        memory: Memory,
        commands: Collection[str] = (),
        on_command: Callable[[Command], None],
        on_change: Callable[[LinkState, str], None],
        clock_trusted: Callable[[], bool],
        rotation: Rotation | None = None,
        guest: Companion | None = None,
        keepalive_s: int = 30,
        timeout_s: float = 20.0,
        silence_s: float = SILENCE_S,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepare; the first :meth:`pump` connects.

        Args:
            device: the device's id, also its client id.
            target: asked before each connect whom to connect to; may raise LinkDown or PersonMustAct.
            memory: where executed commands are kept.
            commands: names that are taken.
            on_command: called with each command that is allowed and new; must not raise.
            on_change: called when the state or its reason changes; the reason is one line for a person. Must not raise.
            clock_trusted: whether the system's date can be believed; until then no command counts as expired by its date.
            rotation: keeps a new key that a hub has not taken yet.
            guest: another party at the same broker.
            keepalive_s: seconds between two signs of life.
            timeout_s: longest wait for CONNACK and PUBACK before connecting anew, and for SUBACK before asking again.
            silence_s: seconds without a hub's acknowledgement after which a summary is offered again.
            backoff: between two connects.
        """
        self.state = LinkState.CONNECTING
        self.reason = "not connected yet"
        desk = CommandDesk(commands, memory, clock_trusted=clock_trusted)
        self._backoff = backoff if backoff is not None else Backoff()
        self._lasting = Lasting(Topics(device), str(uuid.uuid4()), desk, Outgoing(desk), on_command, rotation, guest, self._backoff, timeout_s=timeout_s, silence_s=silence_s)
        self._target = target
        self._on_change = on_change
        self._keepalive_s = keepalive_s
        self._wake = Wake()
        self._requests = Requests(self._wake)
        self._connection: mqtt.Connection | None = None
        self._conversation: Conversation | None = None
        """There is one while the broker takes us."""
        self._to: Target
        """Of the connection, as far as there has been one."""
        self._shut_out = ShutOut()
        self._signals: deque[mqtt.Signal] = deque()
        """Of the connection, what has not been taken yet."""
        self._opened_s = 0.0
        self._renew_at_s: float | None = None
        self._attempts = 0
        self._retry_at_s = 0.0
        self._cut_early = False

    # Any thread.

    def publish_state(self, name: str, value: Mapping[str, Any]) -> None:
        """Publish ``up/<name>`` retained, now or at the next connect; only a changed value is sent, and only the newest."""
        payload = as_json(value)
        self._requests.put(lambda: self._lasting.outgoing.put_state(name, payload))

    def answer(self, command_id: str, status: str, error: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        """Say how a command ended: ``ok``, perhaps with data, or ``error`` with the reason. A repeat of the command gets the same answer."""
        body: dict[str, Any] = {"status": status}
        if error is not None:
            body["error"] = error
        if data is not None:
            body["data"] = dict(data)
        self._requests.put(lambda: self._lasting.outgoing.put_answer(command_id, body))

    def renew(self) -> None:
        """Connect anew without an "offline": what :class:`Target` says may have changed."""
        self._requests.put(self._renew_soon)

    def wake(self) -> None:
        """End the wait of :meth:`pump`: there is something in the outbox."""
        self._wake.set()

    # The link's thread.

    def pump(self, outbox: Outbox, timeout_s: float) -> None:
        """Do what there is to do, waiting for it at most about ``timeout_s`` (longer only while connecting).

        Raises:
            StoreBusy, StoreError: from outbox and memory; nothing is lost, pump again.
        """
        self._requests.take()
        self._lasting.outgoing.settle()
        if self._connection is None:
            left_s = self._retry_at_s - time.monotonic()
            if left_s > 0:
                self._wake.wait(min(timeout_s, left_s))
                self._wake.clear()
            else:
                self._connect()
            return
        # Before anything is offered: where it failed the last time, what has arrived would count among the oldest, which alone are sure not to change.
        self._lasting.receipts.settle(outbox)
        if self._conversation is not None:
            self._conversation.speak(outbox)
        self._signals += self._connection.step(0 if self._signals else timeout_s, self._wake.fileno())
        self._wake.clear()
        self._take_signals()
        self._check_deadlines()
        self._lasting.receipts.settle(outbox)

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
            if self._conversation is not None:
                self._conversation.bid_farewell()
            connection.close()
        self._wake.close()

    def _connect(self) -> None:
        try:
            target = self._target()
            credentials = self._credentials(target)
            self._connection = mqtt.Connection(
                target.endpoint,
                credentials,
                client_id=self._lasting.topics.device,
                keepalive_s=self._keepalive_s,
                will=self._lasting.will(),
                manual_ack=True,
                largest=_LARGEST,
            )
        except RetryLater as error:
            self._down(LinkState.OFFLINE, str(error), error.retry_after_s)
        except PersonMustAct as error:
            self._down(LinkState.REFUSED, str(error))
        else:
            self._to = target
            self._opened_s = time.monotonic()
            self._renew_at_s = _renewal(credentials, self._opened_s)

    def _credentials(self, target: Target) -> Credentials:
        try:
            return target.passwords.credentials(datetime.now(UTC))
        except RetryLater as error:
            if error.retry_after_s is None:
                error.retry_after_s = _SIGN_IN_S
            raise

    def _leave(self, lost: mqtt.Lost | None = None) -> None:
        if self._conversation is not None:
            self._conversation.end(lost)
            if time.monotonic() - self._opened_s >= _GOOD_S:
                self._attempts = 0
        if self._connection is not None:
            self._connection.abandon()
        self._connection = None
        self._conversation = None
        self._renew_at_s = None
        self._signals.clear()

    def _down(self, state: LinkState, reason: str, retry_after_s: float | None = None) -> None:
        self._leave()
        self._attempts += 1
        delay_s = self._backoff.delay_s(self._attempts)
        self._retry_at_s = time.monotonic() + (delay_s if retry_after_s is None else min(delay_s, retry_after_s))
        self._change(state, reason)

    def _change(self, state: LinkState, reason: str) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        if state is not self.state:
            logger.info("the link is %s: %s", state.value, reason)
        self.state, self.reason = state, reason
        self._on_change(state, reason)

    def _take_signals(self) -> None:
        connection = self._connection
        while self._signals:
            # It goes once it was taken: where the memory is busy it is taken with the next pump.
            self._take_signal(self._signals[0])
            if self._connection is not connection:
                return
            self._signals.popleft()
        if self._conversation is not None:
            self._change(*self._conversation.standing)
            if self._conversation.key_changed:
                self._conversation.key_changed = False
                self._renew_soon()

    def _take_signal(self, signal: mqtt.Signal) -> None:
        match signal:
            case mqtt.Connected() if self._connection is not None:
                self._shut_out.end()
                self._conversation = Conversation(self._connection, signal, self._lasting, self._to.delivery)
            case mqtt.Refused() if self._conversation is None:
                self._refused(f"the broker refuses this device: {signal.reason.lower()}", stays=signal.needs_person)
            case mqtt.Lost():
                self._lost(signal)
            case _ if self._conversation is not None:
                self._conversation.hear(signal)

    def _refused(self, said: str, *, stays: bool) -> None:
        if stays:
            self._shut_out.note(self._to, said)
        reason = self._shut_out.reason(self._to)
        self._down(LinkState.OFFLINE if reason is None else LinkState.REFUSED, reason or said)

    def _lost(self, lost: mqtt.Lost) -> None:
        ended = lost.code == mqtt.MAXIMUM_CONNECT_TIME
        early = ended and time.monotonic() - self._opened_s < _GOOD_S
        again, self._cut_early = early and self._cut_early, early
        self._leave(lost)
        # A gate cuts where a token has ended, and takes the next one at once. Where it cuts a young connection twice, one of the clocks is wrong.
        if lost.code == mqtt.NOT_AUTHORIZED:  # The next try, which would say the same, may be minutes away.
            self._refused(f"the broker has ended the connection: {lost.reason}", stays=True)
        elif not ended or again:
            self._down(LinkState.OFFLINE, f"the connection to the broker was lost: {lost.reason}")

    def _renew_soon(self) -> None:
        if self._conversation is None:
            # A connection that is only being made asked for its target before.
            self._leave()
            self._retry_at_s = 0.0
        elif not self._conversation.closing:
            self._conversation.closing = True
            self._renew_at_s = time.monotonic()

    def _check_deadlines(self) -> None:
        if self._connection is None:
            return
        timeout_s, now_s = self._lasting.timeout_s, time.monotonic()
        if self._conversation is None:
            if now_s - self._opened_s > timeout_s:
                self._down(LinkState.OFFLINE, f"the broker gave no answer in {timeout_s:g} s")
        elif self._conversation.waiting_s > timeout_s:
            self._down(LinkState.OFFLINE, f"the broker acknowledged nothing in {timeout_s:g} s")
        elif self._renew_at_s is not None and now_s >= self._renew_at_s:
            self._conversation.closing = True
            if self._conversation.idle or now_s >= self._renew_at_s + _RENEW_S:
                # Without a DISCONNECT, after which the broker would end the session; its last will waits longer than this takes.
                self._leave()


def _renewal(credentials: Credentials, opened_s: float) -> float | None:
    if credentials.expires is None:
        return None
    left_s = (credentials.expires - datetime.now(UTC)).total_seconds()
    return opened_s + max(left_s * (_RENEW_FROM + (1 - _RENEW_FROM) * random.random()), 1.0)  # noqa: S311 - jitter, no secret
