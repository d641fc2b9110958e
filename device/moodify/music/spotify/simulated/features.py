"""How the invented songs sound, in the terms of Spotify's former audio features, which ReccoBeats gives too."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .catalogue import Song


def features_of(song: Song) -> dict[str, float]:
    """Return a song's features: energy and valence as the catalogue has them, the others invented to go with these.

    The same song always sounds the same. From 0 to 1, but ``key`` (0 is C, to 11), ``mode`` (1 is major), ``loudness`` (dB) and
    ``tempo`` (beats per minute).
    """

    def chance(name: str) -> float:
        return int.from_bytes(hashlib.sha256(f"{name}/{song.id}".encode()).digest()[:4], "big") / 2**32

    return {
        "acousticness": _share(1 - song.energy + 0.3 * (chance("acousticness") - 0.5)),
        "danceability": _share(0.2 + 0.35 * song.valence + 0.25 * song.energy + 0.3 * (chance("danceability") - 0.5)),
        "energy": song.energy,
        "instrumentalness": _share(chance("instrumentalness") ** 4),
        "key": int(12 * chance("key")),
        "liveness": _share(0.05 + 0.3 * chance("liveness")),
        "loudness": round(-20 + 15 * song.energy + 2 * chance("loudness"), 3),
        "mode": int(song.valence + chance("mode") > 1),
        "speechiness": _share(0.03 + 0.2 * chance("speechiness") ** 2),
        "tempo": round(62 + 70 * song.energy + 40 * chance("tempo"), 3),
        "valence": song.valence,
    }


def _share(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 4)
