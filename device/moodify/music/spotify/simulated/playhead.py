"""What a speaker plays, has played and will play, as time goes on."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .catalogue import Song

#: As many as the service's own list of recent plays holds.
HISTORY = 50
#: What is played for less is no part of the history, as Spotify's guide to it says.
LISTENED_MS = 30_000


@dataclass(frozen=True, slots=True)
class Played:
    """A song that was played, wholly or for more than :data:`LISTENED_MS`."""

    song: Song
    ended_s: float
    context_uri: str | None


@dataclass
class Playhead:
    """A list, a place in it, a queue that goes first, and a position that moves as time passes."""

    playing: bool = False
    silent_since_s: float | None = None
    """Since when nothing sounds; None while it plays, and where nothing ever did."""
    context_uri: str | None = None
    repeat: str = "off"
    shuffle: bool = False
    queue: deque[Song] = field(default_factory=deque)
    history: deque[Played] = field(default_factory=lambda: deque(maxlen=HISTORY))
    song: Song | None = None
    _list: tuple[Song, ...] = ()
    _place: int = 0
    _position_ms: float = 0.0
    _as_of_s: float = 0.0

    @property
    def position_ms(self) -> int:
        """Position in the song, as of the last :meth:`advance`."""
        return int(self._position_ms)

    def advance(self, now_s: float) -> None:
        """Let the time pass until then; songs end, and the queue, then the list go on."""
        if self.playing:
            self._position_ms += max(now_s - self._as_of_s, 0.0) * 1000
        while self._over():
            left_ms = self._left_ms()
            self._go_on(ended_s=now_s - left_ms / 1000, by_itself=True)
            self._position_ms = left_ms if self.playing else 0.0
        self._as_of_s = now_s

    def start(self, songs: Sequence[Song], *, context_uri: str | None, place: int = 0, position_ms: int = 0) -> None:
        """Play a list from a place in it."""
        self._keep_history(self._as_of_s)
        self._list, self._place, self.context_uri = tuple(songs), place, context_uri
        if self.shuffle:
            # The song asked for comes first, the rest in an order that stays the same from run to run.
            first, rest = songs[place], [*songs[:place], *songs[place + 1 :]]
            random.Random(len(rest)).shuffle(rest)  # noqa: S311 - music, not secrets
            self._list, self._place = (first, *rest), 0
        self.song, self._position_ms = self._list[self._place], float(position_ms)
        self.resume()
        self.advance(self._as_of_s)

    def pause(self) -> None:
        """Stop where it is."""
        if self.playing:
            self.playing, self.silent_since_s = False, self._as_of_s

    def resume(self) -> None:
        """Go on where it stopped; nothing sounds where nothing ever played."""
        if self.song is not None:
            self.playing, self.silent_since_s = True, None

    def forget(self) -> None:
        """Know no song, list or queue any more."""
        self.pause()
        self.song, self._list, self._place, self._position_ms, self.context_uri = None, (), 0, 0.0, None
        self.queue.clear()

    def next(self) -> None:
        """Go to the next song of the queue, else of the list."""
        self._go_on(ended_s=self._as_of_s, by_itself=False)
        self._position_ms = 0.0

    def coming(self) -> list[Song]:
        """Return the queue and the rest of the list, as the service's queue shows them."""
        return [*self.queue, *self._list[self._place + 1 :]][:20]

    def _left_ms(self) -> float:
        return self._position_ms - (self.song.duration_ms if self.song is not None else 0)

    def _over(self) -> bool:
        return self.playing and self.song is not None and self._left_ms() >= 0

    def _keep_history(self, ended_s: float) -> None:
        if self.song is not None and self._position_ms > LISTENED_MS:
            self.history.append(Played(self.song, ended_s, self.context_uri))

    def _go_on(self, *, ended_s: float, by_itself: bool) -> None:
        self._keep_history(ended_s)
        if by_itself and self.repeat == "track":
            return
        if self.queue:
            self.song = self.queue.popleft()
        elif self._place + 1 < len(self._list):
            self._place += 1
            self.song = self._list[self._place]
        elif self._list:
            # At the end of its list the service stands at the list's start, and stops unless it repeats.
            self._place, self.song = 0, self._list[0]
            if self.repeat != "context":
                self._stop(ended_s)
        else:
            self._stop(ended_s)

    def _stop(self, at_s: float) -> None:
        self.playing, self.silent_since_s = False, at_s
