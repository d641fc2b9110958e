"""What the parts of the hub need of one another, and the values that pass between them.

Registry, intake, commands and history are rooms over one database; each implementation may be used by several threads at once.
The gate and the collector work against these protocols, so that a test can run each against the real database and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

#: Keys that a device may have at a time: the one that it signs with, and the next while it rotates.
KEYS_AT_MOST = 2


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A public key of a device."""

    kid: str
    """RFC 7638 thumbprint, base64url without padding."""
    public_key: str
    """PEM (SubjectPublicKeyInfo), P-256."""
    added: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """A device that was enrolled."""

    id: str
    name: str
    """For people; the id where none was given."""
    enrolled: datetime
    revoked: datetime | None
    keys: tuple[DeviceKey, ...]
    """Oldest first; none once it is revoked."""


class Registry(Protocol):
    """Who may come in. All may raise StoreBusy or StoreError."""

    def device(self, device_id: str) -> Device | None:
        """Return a device, revoked ones too; None where it was never enrolled."""

    def devices(self) -> Sequence[Device]:
        """Return all, by name."""

    def enrol(self, device_id: str, public_key: str, now: datetime, *, name: str | None = None) -> Device:
        """Take a device in, or in again after it was revoked; the same again does nothing.

        Raises:
            EnrolmentRefused: the key is no P-256 public key, the id is not one or fits it not, another key already stands for it, or the key belongs to another device.
        """

    def rename(self, device_id: str, name: str) -> Device:
        """Call a device something else; return it.

        Raises:
            NoSuchDevice: it was never enrolled.
        """

    def add_key(self, device_id: str, public_key: str, now: datetime) -> DeviceKey:
        """Add the key that a device rotates to; the same again does nothing. More than :data:`KEYS_AT_MOST`: the oldest but the one in use goes.

        Raises:
            EnrolmentRefused: unknown or revoked device, or no such key can be added.
        """

    def used(self, device_id: str, kid: str, now: datetime) -> None:
        """Note that a device signed in with ``kid``; keys that are older than that one are dropped: the device has moved on."""

    def revoke(self, device_id: str, now: datetime) -> None:
        """Take all keys of a device away; its history stays.

        Raises:
            NoSuchDevice: it was never enrolled.
        """

    def erase(self, device_id: str) -> int:
        """Delete a device and everything that it ever said, in one transaction; return how many events those were.

        Raises:
            NoSuchDevice: it is not known, or no more.
        """

    def revision(self) -> int:
        """Return a number that grows with each change, so that a gate can ask cheaply whether to look at its connections again."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One message of a device's outbox, as it came."""

    device: str
    epoch: str
    seq: int
    items: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Ack:
    """What may be told to a device: these numbers are on the hub's disk."""

    device: str
    epoch: str
    ranges: tuple[tuple[int, int], ...]
    """(first, last), both included, ascending."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a batch."""

    acks: tuple[Ack, ...]
    """One for each (device, epoch) of the batch, repeats included: the device asked because it had no answer."""
    events: int
    """New events that were stored."""
    repeats: int
    """Messages that had been stored before."""


class Intake(Protocol):
    """Where summaries are committed."""

    def commit(self, batch: Sequence[Summary], now: datetime) -> Committed:
        """Store a batch in one transaction: all of it or nothing; (device, epoch, seq) that is there already is absorbed.

        Raises:
            StoreBusy: locked, the disk is full, or the database is away; nothing was stored.
            StoreError: the database can't be used as it is.
        """


class CommandState(StrEnum):
    """How a command stands."""

    WAITING = "waiting"
    """Not answered yet; offered to the device until it expires."""
    OK = "ok"
    ERROR = "error"
    EXPIRED = "expired"
    """The device did not answer in time; it will not do it any more."""


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """A command to a device, and its answer."""

    id: str
    """UUID."""
    device: str
    name: str
    args: Mapping[str, Any]
    created: datetime
    expires: datetime
    state: CommandState
    error: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the device answered beside ``ok``."""
    answered: datetime | None = None


class Commands(Protocol):
    """Commands of the API, and their answers. All may raise StoreBusy or StoreError."""

    def add(self, device_id: str, name: str, args: Mapping[str, Any], now: datetime, *, expires_s: float) -> CommandRecord:
        """Keep a new command, waiting.

        Raises:
            NoSuchDevice: unknown or revoked.
        """

    def waiting(self, now: datetime) -> Sequence[CommandRecord]:
        """Return what is to be offered, oldest first; what has expired becomes so."""

    def answered(self, device_id: str, command_id: str, *, status: str, error: str | None, data: Mapping[str, Any], now: datetime) -> bool:
        """Keep a device's answer to a command that waits for one; return whether one did. Another device's answer is none."""

    def get(self, command_id: str) -> CommandRecord | None:
        """Return one; None where there is none."""

    def of(self, device_id: str, *, limit: int = 50) -> Sequence[CommandRecord]:
        """Return a device's commands, newest first."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of a device, as the hub keeps it."""

    n: int
    """Counts up in the order of storing; a page of history ends and begins at it."""
    id: str
    device: str
    epoch: str
    seq: int
    kind: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stream:
    """What came of one outbox of a device."""

    epoch: str
    last: int
    """Highest number."""
    received: int
    """How many numbers."""
    gaps: tuple[tuple[int, int], ...]
    """Numbers that never came, (first, last), both included, at most 100: merged or dropped on the device, or still on their way."""


class Events(Protocol):
    """What was stored. All may raise StoreBusy or StoreError."""

    def events(self, device_id: str | None = None, *, kind: str | None = None, before: int | None = None, after: int | None = None, limit: int = 100) -> Sequence[StoredEvent]:
        """Return events: with ``after`` the next ones, ascending; else the newest (below ``before``), descending."""

    def streams(self, device_id: str) -> Sequence[Stream]:
        """Return a device's newest streams, the newest last."""


class States(Protocol):
    """What each device last published as retained, for as long as it is worth anything. May raise RetryLater where the cache is away."""

    def put(self, device_id: str, name: str, value: Mapping[str, Any], now: datetime) -> None:
        """Keep one of :data:`moodify.cloud.topics.STATES` of a device."""

    def get(self, device_id: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the values by name, each with its ``"received"`` time added; empty where nothing is known any more."""

    def forget(self, device_id: str) -> None:
        """Forget a device's values."""

    def close(self) -> None:
        """Give back what it holds; safe to call twice."""
