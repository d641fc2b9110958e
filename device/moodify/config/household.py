"""What a household sets on its page, and what who is listening prefers: both lie over the configuration file."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError, field_validator

from moodify.config.model import Config, MusicGoal, QuietHours
from moodify.config.section import Percent, Section, SpotifyUri, only_felt
from moodify.types import Mood  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

#: The key of each setting in the configuration file.
_KEYS = {
    "client_id": ("music", "spotify", "client_id"),
    "speaker": ("music", "spotify", "speaker"),
    "goal": ("music", "goal"),
    "volume_cap": ("music", "volume_cap"),
    "quiet_hours": ("music", "quiet_hours"),
    "start_when_silent": ("music", "start_when_silent"),
}


class Wishes(Section):
    """What may be wished of the music: by the household, and by a person while they are listening. What is None is not wished."""

    goal: MusicGoal | None = Field(None, description="match, lift or calm.", examples=["lift"])
    volume_cap: Percent | None = Field(None, description="Never louder than this, in percent.", examples=[60])
    quiet_hours: QuietHours | None = Field(None, description="When music is never started or changed by mood.", examples=[{"start": "22:00:00", "end": "07:00:00"}])
    moods: dict[Mood, SpotifyUri] = Field(
        default_factory=dict, description="Music for a mood, as Spotify's link or spotify:playlist:….", examples=[{"happy": "spotify:playlist:37i9dQZF1DXdPec7aLTmlC"}]
    )

    @field_validator("moods")
    @classmethod
    def _felt(cls, moods: dict[Mood, str]) -> dict[Mood, str]:
        return only_felt(moods)


class HouseSettings(Wishes):
    """What a household sets on the page; what is None is as the configuration file has it."""

    client_id: str | None = Field(None, pattern=r"^[0-9a-f]{32}$", description="Client id of the household's own Spotify app.", examples=["0123456789abcdef0123456789abcdef"])
    speaker: str | None = Field(None, min_length=1, max_length=200, description="Name of the Connect speaker.", examples=["Kitchen"])
    start_when_silent: bool | None = Field(None, description="Whether a silent speaker may be started unasked.")

    def as_json(self) -> dict[str, Any]:
        """Return what is set, as it is kept."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


def read_kept(kept: object) -> HouseSettings:
    """Return settings as they were kept; one that an earlier version kept and that can't be any more is left out, and the log says so."""
    values = dict(kept) if isinstance(kept, dict) else {}
    # A key that is no text at all can't be told of by pydantic.
    if odd := {key for key in values if not str(key).isprintable()}:
        log.warning("Set on the page, and can't be read any more: %s; set it anew there", ", ".join(sorted(map(ascii, odd))))
        values = {key: value for key, value in values.items() if key not in odd}
    for _ in range(len(values) + 1):
        try:
            return HouseSettings.model_validate(values)
        except ValidationError as error:
            odd = {str(detail["loc"][0]) for detail in error.errors()}
            log.warning("Set on the page, and can't be any more: %s; set it anew there", ", ".join(sorted(odd)))
            values = {key: value for key, value in values.items() if key not in odd}
    return HouseSettings()


def laid_over(config: Config, settings: HouseSettings) -> Config:
    """Return the configuration with a household's settings in place of the file's."""
    return _overlaid(config, _tree(settings))


def for_listener(config: Config, wishes: Wishes) -> Config:
    """Return the configuration with what one person prefers: never louder than the household lets it be. Their quiet hours come beside the household's, and are not in it."""
    tree = _tree(wishes)
    if wishes.volume_cap is not None:
        tree["music"]["volume_cap"] = min(wishes.volume_cap, config.music.volume_cap)
        # Their cap holds at each hour, and that of an hour where it is lower.
        tree["music"]["volume_caps"] = [hours.model_dump() | {"volume_cap": min(hours.volume_cap, wishes.volume_cap)} for hours in config.music.volume_caps]
    if wishes.goal is not None:
        tree["music"]["goals"] = []
    tree["music"].pop("quiet_hours", None)
    return _overlaid(config, tree)


def paths(settings: HouseSettings) -> tuple[str, ...]:
    """Return the keys that were set on the page, as the configuration file writes them: ``music.spotify.client_id``."""
    named = [".".join(_KEYS[name]) for name in _KEYS if getattr(settings, name, None) is not None]
    return (*named, *(f"music.moods.{mood.value}.uri" for mood in settings.moods))


def _tree(wishes: Wishes) -> dict[str, Any]:
    tree: dict[str, Any] = {"music": {"spotify": {}, "moods": {mood.value: {"uri": uri} for mood, uri in wishes.moods.items()}}}
    for name, (_, *section, key) in _KEYS.items():
        value = getattr(wishes, name, None)
        if value is not None:
            (tree["music"][section[0]] if section else tree["music"])[key] = value.model_dump() if isinstance(value, Section) else value
    return tree


def _overlaid(config: Config, tree: Mapping[str, Any]) -> Config:
    # What the owner has not set stays unset: a demo shortens only that.
    return Config.model_validate(_merged(config.model_dump(exclude_unset=True), tree))


def _merged(below: Mapping[Any, Any], above: Mapping[str, Any]) -> dict[Any, Any]:
    return dict(_joined(below, above))


def _joined(below: Mapping[Any, Any], above: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    yield from ((key, value) for key, value in below.items() if key not in above)
    for key, value in above.items():
        under = below.get(key)
        if isinstance(value, dict) and key != "quiet_hours":
            joined = _merged(under if isinstance(under, dict) else {}, value)
            if joined or under is not None:
                yield key, joined
        else:
            yield key, value
