"""How songs and durations are said to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodify.types import Track

_MINUTE_S = 60.0
_HOUR_S = 3600.0


def name(track: Track | None) -> str:
    """Say a song: ``'Lemon Bicycle' by Lantern Parade``."""
    if track is None:
        return "what plays"
    return f"'{track.title}' by {track.artist}" if track.artist else track.title


def span(seconds: float) -> str:
    """Say a duration the way people do: ``40 s``, ``2 min``, ``1.5 h``."""
    if round(seconds) < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if round(seconds) < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    return f"{seconds / _HOUR_S:.1f} h".replace(".0 h", " h")
