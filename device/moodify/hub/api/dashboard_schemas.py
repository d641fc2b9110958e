"""What the dashboard is given, as OpenAPI shows it."""

# ruff: noqa: TC003 - pydantic reads the annotations

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

_DEVICE = "m-abcdefghijklmnop"
_AT = "2026-01-31T20:15:00Z"


class OverrideOut(BaseModel):
    """A mood that somebody named from afar."""

    mood: str | None = Field(examples=["calm"])
    until: str | None = Field(examples=[_AT])


class RoomOut(BaseModel):
    """How the room is and what plays, as the device last said; none where it said nothing, or nothing that can be shown."""

    mood: str | None = Field(examples=["calm"])
    since: str | None = Field(examples=[_AT])
    confidence: float | None = Field(examples=[0.9])
    valence: float | None = Field(examples=[0.2])
    arousal: float | None = Field(examples=[-0.1])
    people: int | None = Field(examples=[1])
    playing: bool | None = Field(examples=[True])
    title: str | None = Field(examples=["Weightless"])
    artist: str | None = Field(examples=["Marconi Union"])
    next: str | None = Field(examples=["Avril 14th by Aphex Twin"])
    reason: str | None = Field(examples=["Calm, so something slow that you like."])
    goal: str | None = Field(examples=["match"])
    override: OverrideOut | None = Field(examples=[None])


class PartOut(BaseModel):
    """A part of a device."""

    state: str | None = Field(examples=["ok"])
    message: str | None = Field(examples=["The Pi's camera."])


class SpotifyOut(BaseModel):
    """A device's sign-in to Spotify."""

    ends: str | None = Field(examples=["2027-05-21"])
    ended: bool | None = Field(examples=[False])


class OutboxOut(BaseModel):
    """What a device has still to send."""

    waiting: int | None = Field(examples=[0])
    merged: int | None = Field(examples=[0])
    lost: int | None = Field(examples=[0])
    refused: int | None = Field(examples=[0])


class HealthOut(BaseModel):
    """How a device's machine is."""

    ok: bool | None = Field(examples=[True])
    disk_free_mb: int | None = Field(examples=[21_400])
    temperature_c: float | None = Field(examples=[50])
    reasons: list[str] = Field(examples=[[]], description="What is wrong, each with what to do.")
    outbox: OutboxOut | None


class Card(BaseModel):
    """What is shown of a device."""

    id: str = Field(examples=[_DEVICE])
    name: str = Field(examples=["Kitchen"])
    state: Literal["online", "offline", "new", "revoked"] = Field(description="new: it was enrolled and nothing was heard of it yet.")
    last_seen: datetime | None = Field(examples=[None], description="When something of it was last heard; none while it is online.")
    now: RoomOut | None
    camera: PartOut | None
    speaker: PartOut | None
    privacy: bool = Field(examples=[False])
    version: str | None = Field(examples=["0.1.0"])
    spotify: SpotifyOut | None
    health: HealthOut | None


class Cards(BaseModel):
    """A page of devices, by name."""

    devices: list[Card]
    total: int = Field(examples=[1], description="How many there are, of those that were asked for.")


class FeltOut(BaseModel):
    """A mood for as long as it lasted."""

    model_config = {"populate_by_name": True, "serialize_by_alias": True}

    begins: datetime = Field(alias="from", examples=[_AT])
    ends: datetime = Field(alias="to", examples=["2026-01-31T20:45:00Z"])
    mood: str = Field(examples=["calm"])
    confidence: float = Field(examples=[0.91])
    valence: float = Field(examples=[0.24])
    arousal: float = Field(examples=[-0.12])
    people: int = Field(examples=[1])


class UnseenOut(BaseModel):
    """A time of which nothing is known."""

    model_config = {"populate_by_name": True, "serialize_by_alias": True}

    begins: datetime = Field(alias="from", examples=[_AT])
    ends: datetime = Field(alias="to", examples=["2026-01-31T20:45:00Z"])
    why: str = Field(examples=["privacy"], description="off, privacy, no camera, or starting.")


class SongOut(BaseModel):
    """A song that was heard."""

    model_config = {"populate_by_name": True, "serialize_by_alias": True}

    begins: datetime = Field(alias="from", examples=[_AT])
    ends: datetime = Field(alias="to", examples=["2026-01-31T20:20:00Z"])
    title: str = Field(examples=["Weightless"])
    artist: str = Field(examples=["Marconi Union"])
    mood: str | None = Field(examples=["calm"])
    reason: str | None = Field(examples=["Calm, so something slow that you like."])


class LookedBack(BaseModel):
    """How a span of time was, as the events say that came from a device."""

    model_config = {"populate_by_name": True, "serialize_by_alias": True}

    begins: datetime = Field(alias="from", examples=[_AT])
    ends: datetime = Field(alias="to", examples=["2026-02-01T20:15:00Z"])
    moods: list[FeltOut]
    unseen: list[UnseenOut]
    songs: list[SongOut]


class BandsOut(BaseModel):
    """The moods of many devices over the same span of time."""

    model_config = {"populate_by_name": True, "serialize_by_alias": True}

    begins: datetime = Field(alias="from", examples=[_AT])
    ends: datetime = Field(alias="to", examples=["2026-02-01T20:15:00Z"])
    bands: dict[str, list[FeltOut]] = Field(description="By the device's id.")


class Happening(BaseModel):
    """An event of a device, in plain words."""

    n: int = Field(examples=[4711], description="Counts up in the order of storing.")
    at: datetime = Field(examples=[_AT])
    kind: str = Field(examples=["mood"])
    text: str = Field(examples=["The room feels calm, 91% sure."])


class Happenings(BaseModel):
    """A page of events, newest first."""

    events: list[Happening]
    next: int | None = Field(examples=[4711], description="What to give as before for the next page; none where this one was not full.")
