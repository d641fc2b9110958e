"""The gate: listens for devices, and holds the connections of those that it let in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.errors import PersonMustAct
from moodify.hub.gate.answers import Reason
from moodify.hub.gate.asking import Asking, Away
from moodify.hub.gate.attempts import Attempts
from moodify.hub.gate.connection import Visitor
from moodify.hub.gate.passage import REACH_TIMEOUT_S, Passage, reach
from moodify.hub.gate.refusals import Refusal, Refused
from moodify.hub.gate.signin import SignIn
from moodify.hub.gate.tls import Tls
from moodify.hub.gate.watch import Watch
from moodify.hub.open_files import allow_open_files

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path

    from moodify.hub.gate.packets import Connect
    from moodify.hub.gate.signin import Admission
    from moodify.hub.port import Registry

logger = logging.getLogger(__name__)

#: Longest wait for a whole CONNECT, TLS included, in seconds.
SIGN_IN_S = 10.0
#: Connections that may be in that wait; when there are more, the one that has waited longest goes.
WAITING_AT_MOST = 1000
#: Longest wait for the registry, in seconds.
REGISTRY_TIMEOUT_S = 5.0
#: Longest wait for connections to end at :meth:`Gate.close`, in seconds; what is left is cut.
CLOSE_S = 2.2
#: Longest wait for questions that are being asked then, in seconds.
ASKED_S = 0.2
_BACKLOG = 1024
#: What is read of a connection at a time, in bytes: what may be kept of one that is being signed in.
READ_AT_MOST = 16 * 1024
#: Threads that ask the registry, and that connect to mosquitto.
_THREADS = 4
#: Open files that the rest of the process may need.
_OTHER_FILES = 256
#: Connections that no home needs more of; a system that allows fewer is worth a word before the first one is turned away.
FEW = 256
_FEWER = "the system lets the hub hold %s connections at a time; for more, raise its limit on open files to %s (LimitNOFILE)"


class Gate:
    """Lets devices in whose token is good, as who they are, until the token ends.

    Everything but :meth:`connected` and :attr:`counters` belongs to one event loop.
    """

    def __init__(
        self,
        registry: Registry,
        upstream: Callable[[], Path],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        audience: str = "moodify",
        leeway_s: float = 60,
        token_max_s: float = 86_400,
        attempts_per_minute: int = 20,
        connections_max: int = 10_000,
        sign_in_s: float = SIGN_IN_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare; :meth:`start` listens.

        Args:
            registry: who may come in.
            upstream: where mosquitto's socket is; asked at each connection.
            host: address to listen at.
            port: 0 lets the system choose, see :attr:`port`.
            ssl_context: the certificate; without one nothing is encrypted.
            audience: whom tokens must be for.
            leeway_s: by how much clocks may differ.
            token_max_s: how long a token may be good for.
            attempts_per_minute: refused sign-ins of an address that are told why.
            connections_max: connections held at a time.
            sign_in_s: longest wait for a whole CONNECT.
            now: the time (UTC).
        """
        self.port = port
        """Where it listens, after :meth:`start`."""
        self.buffer = memoryview(bytearray(READ_AT_MOST))
        self.sign_in_s = sign_in_s
        self.count = dict.fromkeys(["connections", "accepted", "bytes_up", "bytes_down", "cut_expired", "cut_revoked", *(one.counter for one in Refusal)], 0)
        self._registry = registry
        self._upstream = upstream
        self._host = host
        self._ssl_context = ssl_context
        self._encrypted = bytearray(Tls.max_size)
        self._connections_max = connections_max
        # Of the system, where it allows fewer than are configured, which is said when one is turned away; None once it was said.
        self._files_wanted: int | None = None
        self._asking = Asking("database", threads=_THREADS, timeout_s=REGISTRY_TIMEOUT_S)
        # Longer than its own limit, so that no socket is left to nobody.
        self._broker = Asking("broker", threads=_THREADS, timeout_s=2 * REACH_TIMEOUT_S)
        self._now = now
        self._attempts = Attempts(attempts_per_minute)
        self._sign_in = SignIn(registry, self._asking, self._attempts, audience=audience, leeway_s=leeway_s, token_max_s=token_max_s, now=now)
        self._server: asyncio.Server | None = None
        self._closing = False
        self._watching: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._visitors: set[Visitor] = set()
        # In the order of their arrival.
        self._waiting: dict[Visitor, None] = {}
        self._greeted: set[Visitor] = set()
        self._connected: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._less = asyncio.Event()
        self._watch = Watch(registry, self._asking, self._sign_in.keyring, self._visitors, self.count)

    async def start(self) -> None:
        """Listen, and return when devices can connect.

        Raises:
            PersonMustAct: the address or port can't be had.
        """
        loop = asyncio.get_running_loop()
        wanted = 2 * self._connections_max + _OTHER_FILES
        allowed = allow_open_files(wanted)
        if allowed < wanted:
            # Better to turn connections away than to have no file left for the database.
            self._connections_max = max(1, (allowed - _OTHER_FILES) // 2)
            if self._connections_max < FEW:
                logger.warning(_FEWER, self._connections_max, wanted)
            else:
                self._files_wanted = wanted
        try:
            self._server = await loop.create_server(self._protocol, self._host, self.port, backlog=_BACKLOG)
        except OSError as error:
            raise PersonMustAct(f"the hub can't listen at {self._host}, port {self.port}: {error.strerror}; choose another with port in hub.toml") from error
        self.port = self._server.sockets[0].getsockname()[1]
        self._watching = self._run(self._watch.run())

    def connected(self) -> frozenset[str]:
        """Return the devices that are connected; any thread may ask."""
        with self._lock:
            return frozenset(self._connected)

    @property
    def counters(self) -> Mapping[str, int]:
        """What was counted since the start, by name; any thread may ask."""
        return {**self.count, "open": len(self._visitors)}

    async def close(self) -> None:
        """Listen no more and end every connection; safe to call twice."""
        self._closing = True
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for visitor in list(self._visitors):
            visitor.end(Reason.SHUTTING_DOWN)
        if self._watching is not None:
            self._watching.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                while self._tasks or self._visitors:
                    await self._less.wait()
                    self._less.clear()
        for visitor in list(self._visitors):
            visitor.drop()
        for task in self._tasks:
            task.cancel()
        # The loop closes what was dropped, and then the other side, in its next rounds.
        for _ in range(3):
            await asyncio.sleep(0)
        for part in (self._asking, self._broker):
            await part.close(ASKED_S)

    # What a connection needs.

    def arrived(self, visitor: Visitor) -> bool:
        """Take note of a connection; return whether there is room for it."""
        self.count["connections"] += 1
        if self._closing:
            return False
        if len(self._visitors) >= self._connections_max:
            if self._files_wanted is not None:
                logger.warning(_FEWER, self._connections_max, self._files_wanted)
                self._files_wanted = None
            self.refused(visitor, Refusal.FULL)
            return False
        self._visitors.add(visitor)
        self._waiting[visitor] = None
        if len(self._waiting) > WAITING_AT_MOST:
            # Who means well signs in at once, so the oldest is the least likely to.
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            self.refused(oldest, Refusal.LATE)
            oldest.drop()
        return True

    def left(self, visitor: Visitor) -> None:
        """Take note of its end."""
        self._visitors.discard(visitor)
        self._less.set()
        self._waiting.pop(visitor, None)
        if visitor in self._greeted and visitor.admission is not None:
            self._greeted.discard(visitor)
            with self._lock:
                self._connected[visitor.admission.device] -= 1
                if not self._connected[visitor.admission.device]:
                    del self._connected[visitor.admission.device]

    def says(self, visitor: Visitor, connect: Connect) -> None:
        """Sign it in: end it, or let it pass, soon."""
        self._waiting.pop(visitor, None)
        self._run(self._let_in(visitor, connect))

    def greeted(self, visitor: Visitor) -> None:
        """Take note that mosquitto took it."""
        if visitor.admission is not None:
            self.count["accepted"] += 1
            self._greeted.add(visitor)
            with self._lock:
                self._connected[visitor.admission.device] += 1
            if visitor.admission.moved_on:
                self._run(self._note(visitor.admission))

    def refused(self, visitor: Visitor, refusal: Refusal, device: str | None = None) -> None:
        """Count and log a refusal; ``device`` is who it claims to be."""
        self.count[refusal.counter] += 1
        who = visitor.admission.device if visitor.admission is not None else device
        # That something of the hub's own is away is told once, and not for each device.
        if refusal is not Refusal.UNAVAILABLE:
            self._attempts.log(refusal, visitor.address, who)

    # The rest is the gate's own.

    def _protocol(self) -> asyncio.BaseProtocol:
        visitor = Visitor(self)
        return visitor if self._ssl_context is None else Tls(visitor, self._ssl_context, self._encrypted, handshake_s=self.sign_in_s)

    def _run(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._less.set()

    async def _let_in(self, visitor: Visitor, connect: Connect) -> None:
        try:
            visitor.admission = admission = await self._sign_in.check(connect, visitor.address)
            await self._lead_through(visitor, connect.signed_in_as(admission.device), admission)
        except Refused as refused:
            if refused.refusal is not Refusal.TOO_MANY_ATTEMPTS:
                self._attempts.refused(visitor.address, refused.device)
            self.refused(visitor, refused.refusal, refused.device)
            visitor.end(refused.refusal.code)
        except Away:
            visitor.refuse(Refusal.UNAVAILABLE)
        except Exception:
            logger.exception("a sign-in failed")
            visitor.refuse(Refusal.UNAVAILABLE)

    async def _lead_through(self, visitor: Visitor, connect: bytes, admission: Admission) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + admission.ends_in_s
        reached = await self._broker.ask(lambda: reach(self._upstream()))
        _, passage = await loop.create_unix_connection(lambda: Passage(visitor, self.buffer), sock=reached)
        if visitor.over:
            passage.close()
        else:
            visitor.passes(passage, connect, until_s)

    async def _note(self, admission: Admission) -> None:
        try:
            await self._asking.ask(lambda: self._registry.used(admission.device, admission.kid, self._now()))
        except Away:
            logger.warning("that the device %s moved on to its new key is noted the next time", admission.device)
