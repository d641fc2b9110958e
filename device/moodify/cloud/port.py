"""What the link needs from the rest of the house, and the words in which it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from moodify.types import OutboxMessage


#: Summaries that are offered and not yet known to have arrived at most; the store leaves as many of the oldest as they are.
OFFERED_AT_MOST = 100


class Outbox(Protocol):
    """Unsent summaries, oldest first. Used by one thread, over a connection of its own."""

    def unsent(self, *, after: int = 0, limit: int = 20) -> Sequence[OutboxMessage]:
        """Return at most ``limit`` messages with ``seq`` above ``after``, oldest first."""

    def delivered(self, epoch: str, ranges: Collection[tuple[int, int]]) -> None:
        """Forget messages that have arrived: of each ``(first, last)``, both included."""

    def refused(self, epoch: str, seq: int, reason: str) -> None:
        """Set one message aside that the broker will never take, so that it does not hold up the rest."""

    def backlog(self) -> int:
        """Return how many messages wait."""


class Memory(Protocol):
    """Named JSON values that survive a restart. Used by the link's thread."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` where it was never set."""

    def put(self, key: str, value: Any) -> None:
        """Set ``key``; it is on the disk when this returns."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker listens."""

    host: str
    port: int
    tls: bool
    ca_file: Path | None = None
    """Whom to trust; None trusts the system's authorities."""
    ca_data: str | None = None
    """Likewise, as PEM: the certificate that was pinned when this device was enrolled."""
    socket: Path | None = None
    """A unix socket of this machine instead of host and port."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a CONNECT is signed in with."""

    username: str
    password: str | None = field(repr=False)
    expires: datetime | None = None
    """When the password ends, timezone-aware; the link connects anew before. None: never."""


class Passwords(Protocol):
    """Where the password comes from; asked before each connect."""

    def credentials(self, now: datetime) -> Credentials:
        """Return what to sign in with at ``now`` (UTC).

        Raises:
            LinkDown: there is none yet, for instance because the clock cannot be trusted.
            PersonMustAct: there is none until somebody does what the message says.
        """


class LinkState(StrEnum):
    """How the link stands."""

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"
    """It is tried again by itself."""
    REFUSED = "refused"
    """It is tried again, but stays so until somebody acts."""


class Delivery(StrEnum):
    """When a summary counts as arrived."""

    BROKER = "broker"
    """At its PUBACK: the broker has it, which does not say that anybody stored it."""
    HUB = "hub"
    """When the hub says that it is committed."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to connect to, and on which terms; asked for before each connect, so that an enrolment needs no restart."""

    endpoint: Endpoint
    passwords: Passwords
    delivery: Delivery
    shut_out: str | None = None
    """What a person is told where it does not let this device in; None: what it says itself, and where to look."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that was asked for from afar, is allowed, and reads well."""

    id: str
    """Names the answer."""
    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    """What docs/mqtt.md lists for its name, checked: for ``mood`` ``{"mood": str | None, "minutes": int}``, for ``volume``
    ``{"percent": int}``, for ``goal`` ``{"goal": str | None}``; empty for the others."""


class Rotation(Protocol):
    """A new key that waits for the hub to take it. Used by the link's thread."""

    def offer(self, now: datetime) -> Mapping[str, str] | None:
        """Return what to publish on ``up/key``, or None where no key waits."""

    def accepted(self, kid: str) -> None:
        """Sign in with the new key from the next connect on: the hub knows it."""

    def refused(self, kid: str, reason: str) -> None:
        """Keep the old key, and say why."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A message to publish with QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class Companion(Protocol):
    """Another party at the same broker that is spoken to in its own words, for instance Home Assistant. Used by the link's thread; must not raise."""

    @property
    def topics(self) -> Sequence[str]:
        """What to subscribe to for it, beside what is ours."""

    def connected(self) -> None:
        """Take note that the broker takes us anew: what it is told is due again."""

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Take a message of :attr:`topics`."""

    def due(self) -> Sequence[Publication]:
        """Return what is to be published now, each once; asked for at least once a second while there is a connection."""
