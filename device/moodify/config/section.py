"""What sections of a configuration are made of, the appliance's and the hub's: their base, the values that keys take, and mistakes between keys."""

from __future__ import annotations

import ipaddress
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from moodify.types import FELT_MOODS, Mood

T = TypeVar("T")

#: The type of a mistake that lies between keys of a section; ``ctx["keys"]`` names them, the first to be mended first.
BETWEEN_KEYS = "between_keys"

Probability = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[int, Field(ge=0, le=100)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]

#: What Spotify's "Copy link" gives, by its kind and id.
_LINK = re.compile(r"(?:https?://)?open\.spotify\.com/(?:intl-[A-Za-z-]+/)?(track|album|artist|playlist)/([0-9A-Za-z]+)/?(?:[?#]\S*)?")


def _without_link(address: Any) -> Any:
    link = _LINK.fullmatch(address.strip()) if isinstance(address, str) else None
    return address if link is None else f"spotify:{link[1]}:{link[2]}"


SpotifyUri = Annotated[str, StringConstraints(pattern=r"^spotify:(track|album|artist|playlist):[0-9A-Za-z]+$"), BeforeValidator(_without_link)]


def _absolute(path: Path) -> Path:
    try:
        whole = path.expanduser()
    except RuntimeError:
        # There is no such user.
        whole = path
    if not whole.is_absolute():
        raise PydanticCustomError("relative_path", "is not a whole path, and what it is counted from differs from start to start; write it from / or ~/ on")
    return whole


#: A file that the owner keeps somewhere of their own.
OwnersFile = Annotated[Path, AfterValidator(_absolute)]


def _read_address(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise PydanticCustomError("address", "is no address; write one of this machine's, as 192.168.1.20, or 0.0.0.0 for all") from None
    return host


#: An address of this machine to listen on.
Address = Annotated[str, AfterValidator(_read_address)]


def between(keys: str, message: str) -> PydanticCustomError:
    """Return the mistake that keys of a section do not go together; ``keys`` are theirs, the first to be mended first."""
    # Braces would be read as placeholders.
    return PydanticCustomError(BETWEEN_KEYS, message.replace("{", "(").replace("}", ")"), {"keys": keys})


class Section(BaseModel):
    """Base of all sections: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=False)

    @field_validator("*", mode="before")
    @classmethod
    def _sayable(cls, value: object) -> object:
        if any("\0" in text for text in (value if isinstance(value, list | tuple) else (value,)) if isinstance(text, str)):
            raise PydanticCustomError("null_character", "contains the character U+0000, which no name and no path can have; write it without")
        return value


class Hours(Section):
    """A part of the day, which may go across midnight."""

    start: time = Field(examples=[time(22)], description="Begin, local time.")
    end: time = Field(examples=[time(7)], description="End, local time.")

    @field_validator("start", "end", mode="before")
    @classmethod
    def _no_number(cls, of_day: Any) -> Any:
        # It would be taken as seconds since midnight, which nobody means by 22.
        if isinstance(of_day, int | float):
            raise PydanticCustomError("time_type", "is no time of day")
        return of_day

    @field_validator("start", "end")
    @classmethod
    def _local(cls, of_day: time) -> time:
        if of_day.tzinfo is not None:
            raise PydanticCustomError("zone", "has a time zone, but hours are in local time; write it without one, as {bare}", {"bare": f"{of_day:%H:%M:%S}"})
        return of_day

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.start == self.end:
            raise between("end,start", f"start and end are both {self.start:%H:%M:%S}, which is no time at all; set another end, or leave these hours out")
        return self


def only_felt(moods: dict[Mood, T]) -> dict[Mood, T]:
    """Return what is set for moods, where each has music; a validator."""
    for mood in moods:
        if mood not in FELT_MOODS:
            raise PydanticCustomError("no_music", f"no music can be set for {mood.value}; the moods with music are {', '.join(FELT_MOODS)}")
    return moods


def certificate_with_key(certificate: Path | None, key: Path | None, whose: str) -> None:
    """Refuse one of the two without the other; ``whose`` certificate is shown where both are left out."""
    if (certificate is None) != (key is None):
        there, missing = ("certificate", "key") if key is None else ("key", "certificate")
        raise between(f"{missing},{there}", f"is missing beside {there}; set both, or neither for {whose} own certificate")


def read_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Return origins as browsers write them; a validator."""
    for origin in origins:
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", origin):
            raise PydanticCustomError("origin", "is no origin; write it as a browser does: https://wall.home or https://wall.home:8443, in small letters, without a path")
    return origins
