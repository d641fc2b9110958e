"""Which Connect speakers are on the home network: the port, and a simulated one with levers."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from moodify.errors import RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

Heard = frozenset[str]


class RadarDeaf(RetryLater):
    """The home network can't be listened to now, so that who is on it is not known."""


class SpeakerRadar(Protocol):
    """Listens who says on the home network that it is a Connect speaker. It costs nothing while nobody listens.

    What it hears is anybody's word: good for a hint to a person, never for where an order goes.
    """

    def listening(self) -> AbstractContextManager[Callable[[], Heard]]:
        """Listen for as long as the block lasts; what the block gets returns, at once, the names heard so far.

        A speaker is heard by the name that people gave it; one that does not tell it, by that of its announcement.

        Raises:
            RadarDeaf: there is nothing to listen on. Raised as the block begins.
        """


class SimulatedRadar:
    """A home network of speakers that appear, leave and are renamed; its methods may be called from any thread."""

    def __init__(self, *names: str) -> None:
        """Take the speakers that are there."""
        self._lock = threading.Lock()
        self._names = set(names)
        self._deaf = False
        self._ears = 0
        self.listened = 0
        """How often somebody listened."""

    @property
    def on(self) -> bool:
        """Whether somebody listens now."""
        with self._lock:
            return self._ears > 0

    def appear(self, name: str) -> None:
        """Join the network."""
        with self._lock:
            self._names.add(name)

    def leave(self, name: str) -> None:
        """Lose power or network."""
        with self._lock:
            self._names.discard(name)

    def rename(self, name: str, to: str) -> None:
        """Get another name from its owner."""
        with self._lock:
            self._names.discard(name)
            self._names.add(to)

    def deafen(self) -> None:
        """Lose the network that it listens on."""
        with self._lock:
            self._deaf = True

    @contextmanager
    def listening(self) -> Iterator[Callable[[], Heard]]:
        """Hear who is there."""
        with self._lock:
            self.listened += 1
            if self._deaf:
                raise RadarDeaf("the network can't be listened to (simulated); check it")
            self._ears += 1
        try:
            yield self._heard
        finally:
            with self._lock:
                self._ears -= 1

    def _heard(self) -> Heard:
        with self._lock:
            return frozenset(self._names)
