"""A thread of the hub's that works over a line to its mosquitto, and says how it is."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodify.hub.line import Line

logger = logging.getLogger(__name__)


class Worker(ABC):
    """Turns until it is closed."""

    def __init__(self, name: str, line: Line) -> None:
        """Take the name of the thread, also in the log, and the line, which it closes at its end."""
        self._name = name
        self._line = line
        self._store_trouble: str | None = None
        """Why the database can't be used now."""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    @property
    def trouble(self) -> str | None:
        """Why it can't do its work now; None while it can. For any thread."""
        if not self.alive:
            return "it does not run"
        return self._store_trouble or self._line.trouble

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, once what it holds is done where that works at once; safe to call twice and before :meth:`start`."""
        self._closing.set()
        self._line.wake()
        if self._thread.ident is None:
            self._line.close()
        else:
            self._thread.join()

    @abstractmethod
    def _turn(self) -> None:
        """Do what there is to do, and wait for more for a while."""

    def _finish(self) -> None:  # noqa: B027 - most have nothing left
        """Do what is left, at the end."""

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._turn()
            self._finish()
        except Exception:
            # Nothing that a device says may come here. If it does, the hub is not ready, and says so.
            logger.exception("%s ended", self._name)
        finally:
            self._line.close()
