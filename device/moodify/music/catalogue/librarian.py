"""Finds the songs for a mood, where the owner says that they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.music.song import Candidate

if TYPE_CHECKING:
    from moodify.music.candidates import Wanted
    from moodify.music.port import Player


class SpeakersLibrarian:
    """Knows only what the speaker's service knows: the owner's choice for the mood, else the search."""

    def find(self, player: Player, wanted: Wanted) -> tuple[Candidate, ...]:
        """Return candidates, best first."""
        if wanted.uri is not None:
            return tuple(Candidate(track, why="from your own choice") for track in player.tracks_of(wanted.uri))
        return tuple(Candidate(track, why=f"found for {wanted.search!r}") for track in player.search(wanted.search))
