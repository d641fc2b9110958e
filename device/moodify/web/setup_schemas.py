"""What the set-up's routes take and give, as OpenAPI shows it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from moodify.config.household import HouseSettings  # noqa: TC001 - pydantic reads the annotations
from moodify.web.schemas import Asked
from moodify.web.setting_up import How  # noqa: TC001 - likewise

_LINK = "https://accounts.spotify.com/authorize?client_id=0123456789abcdef0123456789abcdef&response_type=code"


class StepWish(Asked):
    """That a step was done or left out."""

    how: How | None = Field(examples=["done"], description="None takes it back.")


class SignInWish(Asked):
    """How to sign in to Spotify."""

    client_id: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(None, examples=["0123456789abcdef0123456789abcdef"], description="Unset: the last one.")
    back: Literal["page", "paste"] = Field(
        "paste", examples=["page"], description="Where Spotify sends the browser back to: this page, or an address on loopback that nobody answers and that is pasted."
    )


class SignInLink(BaseModel):
    """Where the owner agrees."""

    link: str = Field(examples=[_LINK])
    redirect_uri: str = Field(examples=["http://127.0.0.1:8888/callback"], description="To be registered with the app at Spotify, letter by letter.")


class Back(Asked):
    """Where the browser was sent back to."""

    address: Annotated[str, Field(min_length=1, max_length=4000)] = Field(examples=["http://127.0.0.1:8888/callback?code=AQD…&state=…"])


class SpeakerOut(BaseModel):
    """A Connect speaker that the account reaches now."""

    name: str = Field(examples=["Kitchen"])
    active: bool
    restricted: bool = Field(description="Takes no commands.")
    supports_volume: bool


class SpeakerList(BaseModel):
    """The speakers."""

    speakers: list[SpeakerOut]


class ListenerWish(Asked):
    """Whose wishes count."""

    user: Annotated[str, Field(max_length=64)] | None = Field(examples=["5f0c6a1e-5a53-4a7e-9a2b-0d3c2f1b7e44"], description="Id of an account; None for the household.")


class ListenerOut(BaseModel):
    """Whose wishes count."""

    user: str | None


class AimingOut(BaseModel):
    """How long the camera's picture is shown."""

    left_s: float = Field(examples=[118.5], description="0 where it is not shown.")


class HubWish(Asked):
    """Which hub to look for."""

    address: Annotated[str, Field(min_length=1, max_length=253)] | None = Field(None, examples=["hub.home"], description="HOST or HOST:PORT; unset listens on the network.")


class HubSeen(BaseModel):
    """A hub that answered."""

    name: str = Field(examples=["hub"])
    host: str = Field(examples=["hub.home"])
    port: int = Field(examples=[8883])
    fingerprint: str = Field(examples=["sha256:0a1b…"], description="To be compared with what the hub itself shows.")


class HubVouched(Asked):
    """A hub that a person vouches for."""

    host: Annotated[str, Field(min_length=1, max_length=253)] = Field(examples=["hub.home"])
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(examples=[8883])
    fingerprint: Annotated[str, Field(min_length=1, max_length=200)] = Field(examples=["sha256:0a1b…"])


class NoticePoint(BaseModel):
    """One thing that visitors should know."""

    label: str = Field(examples=["It guesses."])
    text: str = Field(examples=[" A face says little about what somebody feels."], description="What follows the label, with the blank or the colon between them.")


class NoticeOut(BaseModel):
    """The notice for visitors."""

    language: Literal["en", "de"]
    title: str
    lead: str
    points: list[NoticePoint]
    end: str


class SetupOut(BaseModel):
    """How the set-up stands."""

    steps: dict[str, How] = Field(description="Which steps were done or left out.")
    settings: HouseSettings = Field(description="What was set on the page.")
    holds: HouseSettings = Field(description="What holds: set on the page, else the configuration file's.")
    from_page: list[str] = Field(description="Keys of the configuration that were set on the page.")
    spotify: dict[str, Any] = Field(description="How the sign-in stands.")
    hub: dict[str, Any] = Field(description="Where summaries go.")
    simulated: bool = Field(description="Whether the simulated speaker plays.")
    privacy: bool
    page_redirect_uri: str | None = Field(description="Where Spotify may send the browser back to on this page; None where it would refuse that.")
    paste_redirect_uri: str
