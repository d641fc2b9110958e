"""Invented music: what the simulated service has to play."""

from __future__ import annotations

import hashlib
import json
import re
import string
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
OWNER = "moodify"
STRANGER = "somebodyelse"
FILTER = re.compile(r'(artist|album|track|genre):(?:"([^"]*)"|(\S+))')


def spotify_id(kind: str, name: str) -> str:
    """Return 22 base-62 characters that stay the same for a name, as Spotify's ids look."""
    number = int.from_bytes(hashlib.sha256(f"{kind}:{name}".encode()).digest()[:20], "big")
    digits = []
    for _ in range(22):
        number, digit = divmod(number, 62)
        digits.append(BASE62[digit])
    return "".join(digits)


def words(text: str) -> set[str]:
    """Return the words of a text, without case and punctuation."""
    return set(re.findall(r"[\w']+", text.casefold()))


@dataclass(frozen=True)
class Artist:
    """Who plays."""

    name: str
    genre: str

    @cached_property
    def id(self) -> str:
        """Spotify id."""
        return spotify_id("artist", self.name)


@dataclass(frozen=True)
class Album:
    """Songs that came out together."""

    name: str
    artist: Artist
    year: int
    size: int

    @cached_property
    def id(self) -> str:
        """Spotify id."""
        return spotify_id("album", f"{self.artist.name}/{self.name}")


@dataclass(frozen=True)
class Song:
    """A track, and what is known of how it feels."""

    title: str
    album: Album
    number: int
    duration_ms: int
    mood: str
    energy: float
    """From 0 to 1."""
    valence: float
    """From 0 to 1."""

    @cached_property
    def id(self) -> str:
        """Spotify id."""
        return spotify_id("track", f"{self.album.artist.name}/{self.title}")

    @property
    def uri(self) -> str:
        """Spotify URI."""
        return f"spotify:track:{self.id}"

    @cached_property
    def said_of_it(self) -> set[str]:
        """Words that a search may find it by."""
        return words(f"{self.title} {self.album.name} {self.album.artist.name} {self.album.artist.genre} {self.mood}")


@dataclass(frozen=True)
class Playlist:
    """Songs that somebody put together."""

    name: str
    owner: str
    songs: tuple[Song, ...]
    description: str = ""
    public: bool = False
    serial: int = 0
    """Tells playlists of one name apart."""
    version: int = 1
    """Counts its changes."""

    @cached_property
    def id(self) -> str:
        """Spotify id."""
        return spotify_id("playlist", f"{self.owner}/{self.name}/{self.serial}")

    @property
    def uri(self) -> str:
        """Spotify URI."""
        return f"spotify:playlist:{self.id}"


class Catalogue:
    """All songs, albums, artists and playlists, found by id."""

    def __init__(self, table: dict[str, list[dict[str, Any]]]) -> None:
        """Take mood -> albums, each with artist, album, year, genre and tracks (title, duration_s, energy, valence)."""
        songs: list[Song] = []
        for mood, rows in table.items():
            for row in rows:
                album = Album(row["album"], Artist(row["artist"], row["genre"]), row["year"], len(row["tracks"]))
                songs.extend(
                    Song(track["title"], album, number, round(track["duration_s"] * 1000), mood, track["energy"], track["valence"])
                    for number, track in enumerate(row["tracks"], start=1)
                )
        self.songs = {song.id: song for song in songs}
        self.albums = {song.album.id: song.album for song in songs}
        self.artists = {album.artist.id: album.artist for album in self.albums.values()}
        own = [Playlist(f"Moodify {mood}", OWNER, tuple(song for song in songs if song.mood == mood)) for mood in table]
        strange = Playlist("A stranger's mix", STRANGER, tuple(songs[::7]))
        self.playlists = {playlist.id: playlist for playlist in [*own, strange]}

    @classmethod
    def shipped(cls) -> Catalogue:
        """Return the catalogue that comes with the package."""
        return cls(json.loads(resources.files("moodify.music.spotify").joinpath("catalogue.json").read_text(encoding="utf-8")))

    def playlist_of(self, mood: str) -> Playlist:
        """Return the owner's playlist for a mood."""
        return next(playlist for playlist in self.playlists.values() if playlist.owner == OWNER and playlist.name == f"Moodify {mood}")

    def stranger_playlist(self) -> Playlist:
        """Return a playlist that the owner may play but not read."""
        return next(playlist for playlist in self.playlists.values() if playlist.owner == STRANGER)

    def songs_on(self, album: Album) -> tuple[Song, ...]:
        """Return an album's songs in order."""
        return tuple(song for song in self.songs.values() if song.album is album)

    def songs_in(self, uri: str) -> tuple[Song, ...] | None:
        """Return what a track, album, artist or playlist URI plays; None where there is no such thing."""
        _, kind, key = uri.split(":") if uri.count(":") == 2 else ("", "", "")  # noqa: PLR2004 - spotify:kind:id
        if kind == "track" and key in self.songs:
            return (self.songs[key],)
        if kind == "album" and key in self.albums:
            return self.songs_on(self.albums[key])
        if kind == "artist" and key in self.artists:
            return tuple(song for song in self.songs.values() if song.album.artist.id == key)
        if kind == "playlist" and key in self.playlists:
            return self.playlists[key].songs
        return None

    def search(self, query: str) -> list[Song]:
        """Return the songs that share words with a query, the most words first; ``artist:"…"`` and its like must fit."""
        must = [(field, words(quoted or plain)) for field, quoted, plain in FILTER.findall(query)]
        wanted = words(FILTER.sub(" ", query))
        found = []
        for song in self.songs.values():
            said = {"artist": song.album.artist.name, "album": song.album.name, "track": song.title, "genre": song.album.artist.genre}
            hits = len(wanted & song.said_of_it)
            if all(need <= words(said[field]) for field, need in must) and (hits or (must and not wanted)):
                found.append((hits, song))
        found.sort(key=lambda pair: -pair[0])
        return [song for _, song in found]
