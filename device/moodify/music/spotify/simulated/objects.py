"""Songs, albums, playlists and devices as the Web API writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .catalogue import Album, Artist, Playlist, Song


#: Places in a page at which gaps and local files stand.
GAP_AT, LOCAL_AT = 1, 2


class Objects:
    """Writes the API's objects; ``base`` is the server's own address, for ``href``."""

    def __init__(self, base: str) -> None:
        """Take the address that ends with ``/v1``."""
        self.base = base
        self.gaps = False
        """Whether lists hold what is none any more: null in a song's place, a local file in a playlist."""

    def artist(self, artist: Artist) -> dict[str, Any]:
        """Return a SimplifiedArtistObject, which is all that ArtistObject still promises."""
        return self._named("artist", artist.id, artist.name)

    def album(self, album: Album, songs: Sequence[Song] | None = None) -> dict[str, Any]:
        """Return a SimplifiedAlbumObject, or with its songs an AlbumObject."""
        simple = {
            **self._named("album", album.id, album.name),
            "album_type": "album",
            "total_tracks": album.size,
            "available_markets": [],
            "images": [],
            "release_date": str(album.year),
            "release_date_precision": "year",
            "artists": [self.artist(album.artist)],
        }
        if songs is None:
            return simple
        tracks = self.page(f"albums/{album.id}/tracks", [self.track(song, simple=True) for song in songs], limit=50, offset=0, total=len(songs))
        return {**simple, "tracks": tracks, "copyrights": [], "external_ids": {}, "genres": [], "label": "Invented", "popularity": 0}

    def track(self, song: Song, *, simple: bool = False) -> dict[str, Any]:
        """Return a TrackObject, or a SimplifiedTrackObject."""
        track = {
            **self._named("track", song.id, song.title),
            "artists": [self.artist(song.album.artist)],
            "disc_number": 1,
            "track_number": song.number,
            "duration_ms": song.duration_ms,
            "explicit": False,
            "is_local": False,
            "is_playable": True,
        }
        return track if simple else {**track, "album": self.album(song.album), "external_ids": {}}

    def playlist(self, playlist: Playlist, *, full: bool = False) -> dict[str, Any]:
        """Return a SimplifiedPlaylistObject, or with its first rows a PlaylistObject."""
        value = {
            **self._named("playlist", playlist.id, playlist.name),
            "collaborative": False,
            "description": playlist.description,
            "images": [],
            "owner": {**self._named("user", playlist.owner, None), "display_name": playlist.owner},
            "public": playlist.public,
            "snapshot_id": str(playlist.version),
        }
        items = self.rows(playlist, limit=100, offset=0) if full else {"href": f"{self.base}/playlists/{playlist.id}/items", "total": len(playlist.songs)}
        return {**value, "items": items}

    def rows(self, playlist: Playlist, *, limit: int, offset: int) -> dict[str, Any]:
        """Return a page of a playlist's rows, each of which holds ``item``."""
        rows = [
            {"added_at": "2026-01-01T00:00:00Z", "added_by": self._named("user", playlist.owner, None), "is_local": False, "item": self.track(song)}
            for song in playlist.songs[offset : offset + limit]
        ]
        if self.gaps and len(rows) > LOCAL_AT:
            rows[LOCAL_AT].update(is_local=True, item=_local_file())
        return self.page(f"playlists/{playlist.id}/items", rows, limit=limit, offset=offset, total=len(playlist.songs), gap="item")

    def context(self, uri: str | None) -> dict[str, Any] | None:
        """Return a ContextObject."""
        if uri is None:
            return None
        _, kind, key = uri.split(":")
        return {"type": kind, "href": f"{self.base}/{kind}s/{key}", "external_urls": _outside(kind, key), "uri": uri}

    def page(self, path: str, items: list[Any], *, limit: int, offset: int, total: int, more: Callable[[int], str] | None = None, gap: str | None = None) -> dict[str, Any]:
        """Return a paging object.

        Args:
            path: below ``base``.
            items: of this page.
            limit: the longest page.
            offset: of its first item.
            total: items of all pages.
            more: writes the address of another offset; unset puts offset and limit behind the path.
            gap: as ``inside`` of :meth:`leave_gap`.
        """
        address = more or (lambda start: f"{self.base}/{path}?offset={start}&limit={limit}")
        self.leave_gap(items, gap)
        return {
            "href": address(offset),
            "items": items,
            "limit": limit,
            "next": address(offset + limit) if offset + limit < total else None,
            "offset": offset,
            "previous": address(max(offset - limit, 0)) if offset > 0 else None,
            "total": total,
        }

    def leave_gap(self, items: list[Any], inside: str | None) -> None:
        """Put null in an item's place, or in the place of what is ``inside`` it, where lists hold gaps."""
        if self.gaps and len(items) > GAP_AT:
            items[GAP_AT] = None if inside is None else {**items[GAP_AT], inside: None}

    def _named(self, kind: str, key: str, name: str | None) -> dict[str, Any]:
        value: dict[str, Any] = {"type": kind, "id": key, "uri": f"spotify:{kind}:{key}", "href": f"{self.base}/{kind}s/{key}", "external_urls": _outside(kind, key)}
        return value if name is None else {**value, "name": name}


def _outside(kind: str, key: str) -> dict[str, str]:
    return {"spotify": f"https://open.spotify.com/{kind}/{key}"}


def _local_file() -> dict[str, Any]:
    """Return a TrackObject for a file on the owner's computer, which has no id."""
    nowhere: dict[str, Any] = {"id": None, "href": None, "uri": None, "external_urls": {}}
    return {
        **nowhere,
        "type": "track",
        "uri": "spotify:local:The+Garage+Band:Rehearsals:Take+Nine:181",
        "name": "Take Nine",
        "artists": [{**nowhere, "type": "artist", "name": "The Garage Band"}],
        "disc_number": 0,
        "track_number": 0,
        "duration_ms": 181_000,
        "explicit": False,
        "is_local": True,
    }
