"""What systemd is told: ready, alive, what we do, stopping. Silent where there is no systemd."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_log = logging.getLogger(__name__)


class Notifier:
    """Speaks sd_notify(3) through systemd-python; safe from any thread.

    The shipped fake is the class itself with another ``send``: ``Notifier(send=lines.append)``.
    """

    def __init__(self, send: Callable[[str], object] | None = None, environ: Mapping[str, str] = os.environ) -> None:
        """Find the way to systemd.

        Args:
            send: takes one message as sd_notify writes it; None takes systemd-python's where the service manager listens
                (``NOTIFY_SOCKET``) and the package is installed, else nothing is said.
            environ: the service manager's settings: ``NOTIFY_SOCKET``, ``WATCHDOG_USEC``, ``WATCHDOG_PID``.
        """
        self._send = send if send is not None else _systemd(environ)
        self._watchdog_s = _watchdog_s(environ)
        self._status: str | None = None

    @property
    def listening(self) -> bool:
        """Whether somebody is told at all."""
        return self._send is not None

    @property
    def watchdog_s(self) -> float | None:
        """Seconds within which :meth:`alive` must be called or the daemon is ended; None without a watchdog. Call it at half of that."""
        return self._watchdog_s if self.listening else None

    def starting_takes(self, seconds: float) -> None:
        """Say that the start takes up to so many seconds more, counted from now."""
        self._tell(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def ready(self, status: str = "") -> None:
        """Say that the start is over."""
        self._tell("READY=1" if not status else f"READY=1\nSTATUS={_one_line(status)}")

    def alive(self) -> None:
        """Feed the watchdog."""
        if self.watchdog_s is not None:
            self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Say in one line what the daemon does, for ``systemctl status``; a repetition is not sent."""
        if text != self._status:
            self._status = text
            self._tell(f"STATUS={_one_line(text)}")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if self._send is None:
            return
        try:
            self._send(message)
        except OSError as error:
            # A service manager that is restarting itself is no reason to stop the music.
            _log.warning("systemd was not told %s: %s", message.partition("=")[0], error)


def _systemd(environ: Mapping[str, str]) -> Callable[[str], object] | None:
    if not environ.get("NOTIFY_SOCKET"):
        return None
    try:
        from systemd.daemon import notify
    except ImportError:
        _log.warning("systemd waits for a notification, but systemd-python is not installed; run: %s -m pip install 'systemd-python>=235'", sys.executable)
        return None
    send: Callable[[str], object] = notify
    return send


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    # As sd_watchdog_enabled(3): the settings are inherited, and WATCHDOG_PID says whom they are for.
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    usec = environ.get("WATCHDOG_USEC", "")
    return int(usec) / 1e6 if usec.isdecimal() and int(usec) > 0 else None


def _one_line(text: str) -> str:
    # A line break would begin another assignment.
    return " ".join(text.split())
