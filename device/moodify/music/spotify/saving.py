"""Saves a playlist so that a lost answer leaves neither two of them nor songs twice, and says what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from moodify.errors import CannotWork, MoodifyError, NotAllowed, PersonMustAct, RetryLater, SpeakerUnavailable

from .ending import SIGN_IN
from .mapping import ScopeMissing
from .reading import uri_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import spotipy

#: Songs of one request, at most (POST /playlists/{id}/items).
CHUNK = 100
MOST_SAVED = 1000
LONGEST_NAME = 100
LONGEST_DESCRIPTION = 300
#: The owner's playlists that are looked through, newest first.
LOOKED_AT = 50


class Saving:
    """One private playlist on its way into the owner's account."""

    def __init__(self, spotify: spotipy.Spotify, name: str, uris: Sequence[str], description: str) -> None:
        """Take the client and what to save.

        Raises:
            CannotWork: there is no name, or no track, or what is no track, or too much of it.
        """
        self._spotify = spotify
        self._name, self._description = " ".join(name.split()), " ".join(description.split())[:LONGEST_DESCRIPTION]
        self._uris = tuple(uris)
        if not 1 <= len(self._name) <= LONGEST_NAME:
            raise CannotWork(f"a playlist can't be named {name[:LONGEST_NAME]!r}; give it a name of 1 to {LONGEST_NAME} characters")
        if not 1 <= len(self._uris) <= MOST_SAVED:
            raise CannotWork(f"can't save {len(self._uris)} songs as a playlist; save 1 to {MOST_SAVED}")
        for uri in self._uris:
            if uri_of(uri).kind != "track":
                raise CannotWork(f"{uri} can't be saved in a playlist; save tracks")

    def save(self) -> str:
        """Make the playlist, fill it, and return its URI.

        Raises:
            NotAllowed: the owner has not agreed to playlists being saved.
            SpeakerUnavailable: what is saved so far is said.
        """
        try:
            playlist = self._empty_one() or self._create()
            self._fill(str(playlist["id"]))
        except ScopeMissing as missing:
            raise NotAllowed(f"the sign-in does not let playlists be saved; set music.spotify.save_playlists = true, then {SIGN_IN}") from missing
        return str(playlist["uri"])

    def _empty_one(self) -> dict[str, Any] | None:
        """Return an empty playlist of that name: what an attempt left whose answer was lost."""
        for playlist in self._spotify.current_user_playlists(limit=LOOKED_AT)["items"]:
            if playlist and playlist["name"] == self._name and (playlist.get("items") or {}).get("total") == 0:
                return dict(playlist)
        return None

    def _create(self) -> dict[str, Any]:
        try:
            return dict(self._spotify.current_user_playlist_create(self._name, public=False, description=self._description))
        except SpeakerUnavailable as error:
            if not _lost(error):
                raise
            try:
                made = self._empty_one()
            except MoodifyError:
                made = None
            if made is None:
                said = f"Spotify's answer was lost while the playlist {self._name!r} was made; save it again: if it is there, empty, it is filled"
                raise SpeakerUnavailable(said, retry_after_s=error.retry_after_s) from error
            return made

    def _fill(self, key: str) -> None:
        for start in range(0, len(self._uris), CHUNK):
            chunk = self._uris[start : start + CHUNK]
            try:
                self._add(key, chunk, start)
            except ScopeMissing:
                raise
            except MoodifyError as error:
                sure = f"only the first {start} of its {len(self._uris)} songs are sure to be in it" if start else "perhaps without songs"
                said = f"the playlist {self._name!r} is in your library, {sure} ({error}); remove it in the Spotify app before you save it again"
                if isinstance(error, RetryLater):
                    raise SpeakerUnavailable(said, retry_after_s=error.retry_after_s) from error
                raise (NotAllowed if isinstance(error, PersonMustAct) else CannotWork)(said) from error

    def _add(self, key: str, chunk: Sequence[str], start: int) -> None:
        try:
            self._post(key, chunk)
        except SpeakerUnavailable as error:
            if not _lost(error):
                raise
            # It may have been carried out: the number of songs tells.
            if self._spotify.playlist_items(key, limit=1)["total"] == start:
                self._post(key, chunk)

    def _post(self, key: str, chunk: Sequence[str]) -> None:
        # spotipy's playlist_add_items posts a bare array, which is not what Spotify describes.
        self._spotify._post(f"playlists/{key}/items", payload={"uris": list(chunk)})  # noqa: SLF001


def _lost(error: SpeakerUnavailable) -> bool:
    """Return whether a request was sent and may have been carried out."""
    return isinstance(error.__cause__, requests.RequestException)
