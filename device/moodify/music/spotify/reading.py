"""Reads the Web API's objects into the house's words, leaving out the gaps that its lists may hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from moodify.errors import CannotWork
from moodify.types import Playback, Speaker, Track

if TYPE_CHECKING:
    from collections.abc import Iterable

URI = re.compile(r"spotify:(track|album|artist|playlist):([0-9A-Za-z]+)")


class Uri(NamedTuple):
    """A Spotify URI, taken apart."""

    kind: str
    id: str


def uri_of(text: str) -> Uri:
    """Take a URI apart.

    Raises:
        CannotWork: it names no track, album, artist or playlist.
    """
    match = URI.fullmatch(text)
    if match is None:
        raise CannotWork(f"{text!r} is not a Spotify uri; it looks like spotify:playlist:37i9dQZF1DXcBWIGoYBM5M")
    return Uri(match[1], match[2])


def track_of(item: Any) -> Track | None:
    """Return a track; None for what is none: a gap, an episode, a file of the owner's own computer (``spotify:local:…``)."""
    if not isinstance(item, dict) or item.get("type", "track") != "track" or not item.get("id") or not item["uri"].startswith("spotify:track:"):
        return None
    artists = ", ".join(artist["name"] for artist in item.get("artists", []) if artist)
    explicit = item.get("explicit")
    return Track(uri=item["uri"], title=item["name"], artist=artists, duration_ms=int(item["duration_ms"]), explicit=explicit if isinstance(explicit, bool) else None)


def tracks_of(items: Iterable[Any]) -> tuple[Track, ...]:
    """Return the tracks among the items."""
    return tuple(track for track in map(track_of, items) if track is not None)


def speaker_of(device: dict[str, Any]) -> Speaker | None:
    """Return a device; None for one without an id, which can't be given orders."""
    if not device.get("id"):
        return None
    volume = device.get("volume_percent")
    return Speaker(
        id=device["id"],
        name=device["name"],
        active=bool(device.get("is_active")),
        restricted=bool(device.get("is_restricted")),
        supports_volume=bool(device.get("supports_volume", True)),
        volume_percent=int(volume) if volume is not None else None,
    )


def playback_of(state: dict[str, Any] | None) -> Playback:
    """Return what plays; ``state`` is None where the service says that nothing is active."""
    if state is None:
        return Playback(playing=False)
    return Playback(
        playing=bool(state["is_playing"]),
        track=track_of(state.get("item")),
        progress_ms=int(state.get("progress_ms") or 0),
        context_uri=(state.get("context") or {}).get("uri"),
        speaker=speaker_of(state["device"]) if state.get("device") else None,
    )
