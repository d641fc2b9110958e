"""The speaker as a look-up sees it: between two requests it lets an order go first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.music.port import Shelves
    from moodify.types import Track


class OrderWaitsError(Exception):
    """An order has come: the look-up ends here and is begun again after it. No error of the project's, so that nobody takes it for an answer."""


class Polite:
    """:class:`~moodify.music.port.Shelves` whose reads raise :class:`OrderWaitsError` where an order waits."""

    def __init__(self, shelves: Shelves, order_waits: Callable[[], bool]) -> None:
        """Take the speaker, and what tells whether an order waits."""
        self._shelves = shelves
        self._order_waits = order_waits

    def search(self, text: str, *, limit: int = 10) -> tuple[Track, ...]:
        """As the speaker's."""
        return self._read.search(text, limit=limit)

    def tracks_of(self, uri: str, *, limit: int = 50) -> tuple[Track, ...]:
        """As the speaker's."""
        return self._read.tracks_of(uri, limit=limit)

    def liked(self, *, limit: int = 200) -> tuple[Track, ...]:
        """As the speaker's."""
        return self._read.liked(limit=limit)

    def top(self, *, limit: int = 100) -> tuple[Track, ...]:
        """As the speaker's."""
        return self._read.top(limit=limit)

    def recent(self, *, limit: int = 50) -> tuple[Track, ...]:
        """As the speaker's."""
        return self._read.recent(limit=limit)

    @property
    def _read(self) -> Shelves:
        if self._order_waits():
            raise OrderWaitsError
        return self._shelves
