"""What systemd is told: ready, alive, what we do, stopping. Silent where there is no systemd."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_log = logging.getLogger(__name__)

_PATIENCE_S: Final = 2.0
"""Longest wait for a service manager that does not read; what it is told of again and again may be lost."""


class Notifier:
    """Speaks sd_notify(3); safe from any thread.

    The shipped fake is the class itself with another ``send``: ``Notifier(send=lines.append)``.
    """

    def __init__(self, send: Callable[[str], object] | None = None, environ: Mapping[str, str] = os.environ) -> None:
        """Find the way to systemd.

        Args:
            send: takes one message as sd_notify writes it; None sends to where the service manager listens (``NOTIFY_SOCKET``);
                without one nothing is said.
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
    place = environ.get("NOTIFY_SOCKET")
    if not place:
        return None
    # systemd-python's own waits for a service manager that does not read, such as during a daemon-reload, and every thread with it: it keeps the
    # interpreter's lock. The words are the same, as sd_notify(3) describes them.
    address = "\0" + place[1:] if place.startswith("@") else place

    def send(message: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.settimeout(_PATIENCE_S)
            to.connect(address)
            to.sendall(message.encode())

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
