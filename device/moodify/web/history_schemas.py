"""What the routes of history, health and data take and give, as OpenAPI shows it."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from moodify.config.model import MusicGoal
from moodify.web.port import PartState
from moodify.web.schemas import Asked

_FROM = "2026-11-20T17:05:00+00:00"
_TO = "2026-11-20T18:20:00+00:00"

MoodWord = Literal["happy", "surprised", "calm", "sad", "angry", "tense", "unsure", "absent"]
FeltWord = Literal["happy", "surprised", "calm", "sad", "angry", "tense"]


class Span(BaseModel):
    """A span of time, UTC."""

    model_config = ConfigDict(populate_by_name=True)

    begins: datetime = Field(alias="from", examples=[_FROM])
    ends: datetime = Field(alias="to", examples=[_TO])


class MoodSpan(Span):
    """A mood for as long as it lasted."""

    mood: MoodWord = Field(examples=["calm"])
    confidence: float = Field(ge=0, le=1, examples=[0.84])
    valence: float = Field(ge=-1, le=1, examples=[0.31], description="From -1 (unpleasant) to 1 (pleasant).")
    arousal: float = Field(ge=-1, le=1, examples=[-0.2], description="From -1 (drowsy) to 1 (excited).")
    people: int = Field(ge=0, examples=[2])


class UnseenSpan(Span):
    """A time of which nothing is known."""

    why: Literal["off", "privacy", "no camera", "starting"] = Field(examples=["privacy"])


class SongSpan(Span):
    """A song that Moodify chose; when it began and ended is worked out from orders and its length."""

    title: str = Field(examples=["Nightswimming"])
    artist: str = Field(examples=["R.E.M."])
    mood: str | None = Field(examples=["calm"], description="What it was chosen for.")
    reason: str | None = Field(examples=["You both seem calm, so 'Nightswimming' comes next"], description="None where more than a day is asked for.")
    resumed: bool = Field(examples=[False], description="Whether it goes on with the song before after a pause, and so was not chosen anew.")


class HistoryOut(Span):
    """How a span of time was."""

    earliest: datetime | None = Field(examples=["2026-01-05T09:00:00+00:00"], description="Of all that is kept.")
    moods: list[MoodSpan]
    unseen: list[UnseenSpan]
    songs: list[SongSpan]


class PartOut(BaseModel):
    """A part of the appliance."""

    state: PartState = Field(examples=["ok"])
    message: str = Field(examples=["A Raspberry Pi camera (imx708)"])


class Parts(BaseModel):
    """The parts."""

    camera: PartOut
    speaker: PartOut
    link: PartOut


class Machine(BaseModel):
    """The newest reading of the machine."""

    disk_free_mb: int = Field(examples=[22480])
    load_1min: float = Field(examples=[0.4])
    rss_mb: float = Field(examples=[118.2], description="Memory of the process in RAM, in 10^6 bytes.")
    rss_anon_mb: float = Field(examples=[66.1], description="Of that, what is its own.")
    uptime_s: float = Field(examples=[86400.0])
    temperature_c: float | None = Field(None, examples=[48.3])
    throttled: list[str] | None = Field(None, examples=[[]], description="What slows the machine; null where it does not say.")


class Outbox(BaseModel):
    """Summaries for the broker."""

    waiting: int = Field(examples=[0])
    merged: int = Field(examples=[0])
    lost: int = Field(examples=[0])
    refused: int = Field(examples=[0])


class ClockOut(BaseModel):
    """The device's clock."""

    now: datetime = Field(examples=[_TO])
    trusted: bool = Field(examples=[True])


class RequestsOut(BaseModel):
    """What Spotify was asked within the last hour."""

    per_hour: int = Field(examples=[300], description="What may be asked unasked.")
    unasked: int = Field(examples=[41])
    asked: int = Field(examples=[3], description="By a person's press, which is never refused for the budget.")
    shut_s: float = Field(examples=[0.0], description="Seconds until Spotify wants to be asked again.")


class SpotifyOut(BaseModel):
    """The sign-in to Spotify."""

    state: str = Field(examples=["signed in"])
    usable: bool = Field(examples=[True])
    ends: str | None = Field(None, examples=["2027-03-14"], description="Local date.")
    days_left: int | None = Field(None, examples=[113])
    message: str | None = Field(None, examples=[None])
    requests: RequestsOut | None = None


class HealthOut(BaseModel):
    """How the appliance is."""

    version: str = Field(examples=["1.0.0"])
    system: str = Field(examples=["Linux 6.12 aarch64"])
    models: list[str] = Field(examples=[["detector 3", "emotion 2"]])
    demo: bool = Field(examples=[False])
    parts: Parts
    privacy: bool = Field(examples=[False])
    outbox: Outbox | None
    clock: ClockOut
    running_s: float = Field(examples=[7200])
    machine: Machine | None
    reasons: list[str] = Field(examples=[[]], description="What is wrong, each with what to do.")
    spotify: SpotifyOut | None


class NamedMood(Asked):
    """A mood to go by instead of the room's; null lets the room's own count again."""

    mood: FeltWord | None = Field(examples=["calm"])
    minutes: Annotated[int, Field(ge=1, le=720, examples=[60])] = 60


class WantedVolume(Asked):
    """A volume."""

    percent: Annotated[int, Field(ge=0, le=100, examples=[35])]


class WantedGoal(Asked):
    """What music is for until the next start; null as it is configured."""

    goal: MusicGoal | None = Field(examples=["lift"])
