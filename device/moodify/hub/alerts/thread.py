"""A thread of the alerts' that can be ended at any moment, and says how it is."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Final

_STOP_S: Final = 5.0


class AlertThread(ABC):
    """Runs between :meth:`start` and :meth:`close`."""

    def __init__(self, name: str) -> None:
        """Take the thread's name."""
        self._trouble: str | None = None
        self._end = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    @property
    def trouble(self) -> str | None:
        """Why it can't do its work now; None while it can. For any thread."""
        return self._trouble if self.alive else "it does not run"

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, at the latest after what is under way; safe to call twice, and before :meth:`start`."""
        self._end.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)

    @abstractmethod
    def _run(self) -> None:
        """Do the work until :attr:`_end` is set; set :attr:`_trouble` meanwhile."""
