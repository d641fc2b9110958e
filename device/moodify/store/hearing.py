"""Orders to the speaker folded into the songs that were heard, as far as Moodify chose them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from moodify.types import Act, EventKind, OrderStatus

if TYPE_CHECKING:
    from moodify.store.feeling import Noticed


@dataclass(frozen=True, slots=True)
class Heard:
    """A song, or a part of one between two pauses. When it began and ended is worked out from orders and its length."""

    begins: datetime
    ends: datetime
    title: str
    artist: str
    mood: str | None
    """What it was chosen for."""
    reason: str | None
    """Why, as a person was told; None where that was not asked for."""
    resumed: bool = False
    """Whether it goes on with the song of an earlier one after a pause, and so was not chosen anew."""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "from": self.begins.isoformat(timespec="seconds"),
            "to": self.ends.isoformat(timespec="seconds"),
            "title": self.title,
            "artist": self.artist,
            "mood": self.mood,
            "reason": self.reason,
            "resumed": self.resumed,
        }


class _Song(NamedTuple):
    title: str
    artist: str
    length: timedelta | None
    """None for a playlist that was started as a whole: nobody knows when it ends."""
    mood: str | None
    reason: str | None


class _Playing(NamedTuple):
    song: _Song
    begins: datetime
    left: timedelta | None

    @property
    def ends(self) -> datetime | None:
        return None if self.left is None else self.begins + self.left


class Hearing:
    """Takes events in the order of time, and says at the end what was heard."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self._decided: dict[str, tuple[str | None, str | None]] = {}
        self._spans: list[tuple[datetime, datetime, _Song]] = []
        self._playing: _Playing | None = None
        self._paused: tuple[_Song, timedelta | None] | None = None
        self._next: _Song | None = None

    def take(self, noticed: Noticed) -> None:
        """Take the next event."""
        data, at = noticed.data, noticed.at
        if noticed.kind is EventKind.DECISION and data.get("order") is not None:
            self._decided[str(data["order"])] = (data.get("mood"), data.get("reason"))
        elif noticed.kind is EventKind.ORDER and data.get("status") == OrderStatus.DONE:
            self._follow(at)
            self._obey(str(data.get("act")), self._song(data), at)

    def between(self, begins: datetime, ends: datetime, *, reasons: bool) -> tuple[Heard, ...]:
        """Return what lies between two moments, the second of which is not in the future."""
        self._follow(ends)
        self._stop(ends)
        heard: list[Heard] = []
        before: _Song | None = None
        for begun, ended, song in self._spans:
            if ended > begins and begun < ends:
                heard.append(Heard(max(begun, begins), min(ended, ends), song.title, song.artist, song.mood, song.reason if reasons else None, song is before))
                before = song
        return tuple(heard)

    def _obey(self, act: str, song: _Song | None, at: datetime) -> None:
        match act:
            case Act.PLAY if song is not None:
                self._stop(at)
                self._paused, self._next = None, None
                self._begin(song, at)
            case Act.QUEUE if song is not None:
                self._next = song
                self._follow(at)
                if self._playing is None and self._paused is None:
                    # Behind a song that somebody else has chosen.
                    self._begin(song, at)
                    self._next = None
            case Act.SKIP:
                self._stop(at)
                self._paused = None
                if self._next is not None:
                    self._begin(self._next, at)
                    self._next = None
            case Act.PAUSE if self._playing is not None:
                playing = self._playing
                self._stop(at)
                self._paused = (playing.song, None if playing.left is None else playing.left - (at - playing.begins))
            case Act.RESUME if self._paused is not None:
                song, left = self._paused
                self._playing, self._paused = _Playing(song, at, left), None

    def _follow(self, at: datetime) -> None:
        """Let songs end by their length up to a moment, and what is queued begin behind them."""
        while self._playing is not None and (ended := self._playing.ends) is not None and ended <= at:
            self._stop(ended)
            if self._next is not None:
                self._begin(self._next, ended)
                self._next = None

    def _begin(self, song: _Song, at: datetime) -> None:
        self._playing = _Playing(song, at, song.length)

    def _stop(self, at: datetime) -> None:
        if self._playing is not None and self._playing.begins < at:
            self._spans.append((self._playing.begins, at, self._playing.song))
        self._playing = None

    def _song(self, data: Any) -> _Song | None:
        track = data.get("track")
        if track is None:
            return None
        mood, reason = self._decided.get(str(data.get("order")), (None, None))
        length_ms = int(track.get("duration_ms") or 0)
        return _Song(str(track["title"]), str(track["artist"]), timedelta(milliseconds=length_ms) if length_ms else None, mood, reason)
