"""Shorter waiting times for trying it out: with the sample and the simulated speaker nobody is disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

    from moodify.config import Config
    from moodify.config.model import MusicConfig

#: What stands in for the household's waiting times; a key that the owner has set keeps its value.
SHORTENED: dict[str, dict[str, Any]] = {
    "mood": {"smoothing_s": 1.5, "steady_s": 2.0, "absent_s": 3.0},
    "music": {"dwell_s": 4.0, "max_changes": 3, "change_window_s": 60.0, "absence_pause_s": 6.0, "start_when_silent": True},
}

NOTICE = "demo: sample pictures and a simulated speaker, with shortened waiting times"


def shortened(config: Config) -> Config:
    """Return the configuration with the household's waiting times shortened where the owner has not set them."""
    sections = {name: _overlay(getattr(config, name), values) for name, values in SHORTENED.items()}
    return config.model_copy(update=sections)


def may_start(config: Config) -> Config:
    """Return the configuration for a simulated speaker: it may be started unasked, for nobody hears it."""
    return config.model_copy(update={"music": _overlay(config.music, {"start_when_silent": True})})


def offline(music: MusicConfig) -> MusicConfig:
    """Return the configuration for a simulated speaker's songs, of which nobody elsewhere knows anything."""
    return music.model_copy(update={"features_online": False})


def recorded(config: Config) -> Config:
    """Return the configuration for a recording: its time is its own, so nothing is faded in real time."""
    return config.model_copy(update={"music": config.music.model_copy(update={"fade_s": 0.0})})


def _overlay(section: BaseModel, values: dict[str, Any]) -> BaseModel:
    return section.model_copy(update={key: value for key, value in values.items() if key not in section.model_fields_set})
