"""What the API takes and gives, as OpenAPI shows it."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from moodify.hub.port import CommandState
from moodify.web.schemas import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.hub.port import CommandRecord, Device, StoredEvent, Stream

_DEVICE = "m-abcdefghijklmnop"
_AT = "2026-01-31T20:15:00Z"
_EPOCH = "3f2c7a54-6f0e-4b6e-9a67-0f4f3f6f6f01"
_PEM = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…\n-----END PUBLIC KEY-----\n"

#: Bounds of the numbers by which a page of history ends and begins.
NUMBER_AT_MOST = 2**63 - 1


_NAME = Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["Kitchen"], description="For people.")


class NewName(Asked):
    """What a device is called from now on."""

    name: Annotated[str, _NAME]


class Enrolment(Asked):
    """A device to take in."""

    id: Annotated[str, Field(min_length=1, max_length=64, examples=[_DEVICE], description="The device's id, as moodify device show prints it.")]
    public_key: Annotated[str, Field(min_length=1, max_length=1000, examples=[_PEM], description="Its public key: PEM, or the line that moodify device enroll prints.")]
    name: Annotated[str | None, _NAME] = None


class NewCommand(Asked):
    """A command to a device; docs/mqtt.md lists the names and their arguments."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "rescan"}, {"name": "mood", "args": {"mood": "calm", "minutes": 30}, "expires_s": 120}]})

    name: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$", examples=["rescan"])]
    args: dict[str, Any] = Field({}, max_length=16, examples=[{}])
    expires_s: Annotated[float, Field(ge=5, le=3600, allow_inf_nan=False, examples=[60])] = 60.0
    """Seconds after which the device does not do it any more."""


class KeyOut(BaseModel):
    """A public key of a device."""

    kid: str = Field(examples=["K8j0xX2Rj5qVlM5Zk3cQ2m5H1o7c3C6n2mB1dG4w9yE"], description="RFC 7638 thumbprint.")
    added: datetime = Field(examples=[_AT])


class DeviceOut(BaseModel):
    """A device that was enrolled."""

    id: str = Field(examples=[_DEVICE])
    name: str = Field(examples=["Kitchen"])
    enrolled: datetime = Field(examples=[_AT])
    revoked: datetime | None = Field(None, examples=[None])
    keys: list[KeyOut] = Field(description="Two while it changes its key; none once it is revoked.")
    online: bool

    @classmethod
    def of(cls, device: Device, *, online: bool) -> Self:
        """Return what is shown of a device."""
        return cls(
            id=device.id,
            name=device.name,
            enrolled=device.enrolled,
            revoked=device.revoked,
            keys=[KeyOut(kid=key.kid, added=key.added) for key in device.keys],
            online=online,
        )


class DeviceList(BaseModel):
    """A page of devices, by name."""

    devices: list[DeviceOut]
    total: int = Field(examples=[1])


class StreamOut(BaseModel):
    """What came of one database of a device."""

    epoch: str = Field(examples=[_EPOCH])
    last: int = Field(examples=[120], description="Highest number.")
    received: int = Field(examples=[118], description="How many numbers.")
    gaps: list[tuple[int, int]] = Field(examples=[[[7, 8]]], description="Numbers that never came, first and last: merged or dropped on the device, or still on their way.")

    @classmethod
    def of(cls, stream: Stream) -> Self:
        """Return what is shown of a stream."""
        return cls(epoch=stream.epoch, last=stream.last, received=stream.received, gaps=list(stream.gaps))


class StatesOut(BaseModel):
    """What a device last said of itself, by name; each value with the time when it was received."""

    online: bool
    states: dict[str, dict[str, Any]] = Field(examples=[{"now": {"mood": "calm", "playing": True, "received": _AT}}])


class DeviceDetail(DeviceOut, StatesOut):
    """A device, and what is known of it."""

    last_seen: datetime | None = Field(examples=[_AT], description="When something of it was last received, as far as that is remembered.")
    streams: list[StreamOut]


class EventOut(BaseModel):
    """An event of a device."""

    n: int = Field(examples=[4711], description="Counts up in the order of storing.")
    id: str = Field(examples=["0b9f7a54-6f0e-4b6e-9a67-0f4f3f6f6f02"])
    device: str = Field(examples=[_DEVICE])
    epoch: str = Field(examples=[_EPOCH])
    seq: int = Field(examples=[118], description="Of the message that it came in.")
    kind: str = Field(examples=["mood"])
    at: datetime = Field(examples=[_AT])
    data: dict[str, Any] = Field(examples=[{"mood": "calm", "confidence": 0.91}])

    @classmethod
    def of(cls, event: StoredEvent) -> Self:
        """Return what is shown of an event."""
        return cls(n=event.n, id=event.id, device=event.device, epoch=event.epoch, seq=event.seq, kind=event.kind, at=event.at, data=_sayable(event.data))


class History(BaseModel):
    """A page of events: newest first, or with ``after`` the next ones in the order of storing."""

    events: list[EventOut]
    next: int | None = Field(examples=[4711], description="What to give as before (where after was given: as after) for the next page; none where this one was not full.")


class CommandOut(BaseModel):
    """A command, and how it stands."""

    id: str = Field(examples=["9d3f7a54-6f0e-4b6e-9a67-0f4f3f6f6f03"])
    device: str = Field(examples=[_DEVICE])
    name: str = Field(examples=["rescan"])
    args: dict[str, Any] = Field(examples=[{}])
    created: datetime = Field(examples=[_AT])
    expires: datetime = Field(examples=["2026-01-31T20:16:00Z"])
    state: CommandState = Field(examples=["ok"])
    error: str | None = Field(None, examples=[None])
    data: dict[str, Any] = Field(examples=[{}], description="What the device answered beside ok.")
    answered: datetime | None = Field(None, examples=["2026-01-31T20:15:01Z"])

    @classmethod
    def of(cls, record: CommandRecord) -> Self:
        """Return what is shown of a command."""
        return cls(
            id=record.id,
            device=record.device,
            name=record.name,
            args=dict(record.args),
            created=record.created,
            expires=record.expires,
            state=record.state,
            error=record.error,
            data=dict(record.data),
            answered=record.answered,
        )


class CommandList(BaseModel):
    """A device's commands, newest first."""

    commands: list[CommandOut]


class Ready(BaseModel):
    """Whether the hub can do its work, and what is wrong with each part; None where nothing is."""

    ready: bool
    parts: dict[str, str | None] = Field(examples=[{"database": None, "mosquitto": None, "gate": None, "collectors": "not connected to mosquitto"}])


def _sayable(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what UTF-8 can say of ``data``: JSON may hold half of a surrogate pair, and a database keeps it."""
    text = json.dumps(dict(data), ensure_ascii=False)
    sayable: dict[str, Any] = json.loads(text.encode(errors="replace"))
    return sayable
