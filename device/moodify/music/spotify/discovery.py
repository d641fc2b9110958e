"""Hears Connect speakers on the home network by zeroconf (mDNS, RFC 6762) and asks them for their names.

A speaker announces ``_spotify-connect._tcp`` under a name that is often a number; what people call it is the ``remoteName``
that it tells over HTTP, as Spotify's eSDK and librespot do: ``GET <CPath>?action=getInfo``.
"""

from __future__ import annotations

import io
import json
import logging
import re
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from .radar import Heard, RadarDeaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from zeroconf import ServiceStateChange, Zeroconf

logger = logging.getLogger(__name__)

SERVICE = "_spotify-connect._tcp.local."
#: More announcements than a home has speakers are somebody's prank, and left out.
MOST_SPEAKERS = 32
#: Longest time, in seconds, that one speaker may take to say where it is, and again to say its name.
RESOLVE_S = 1.0
ASK_S = 1.0
#: A getInfo answer holds about 1 kB.
LONGEST_ANSWER = 16_384
#: No speaker's name is longer; Spotify's apps take fewer letters.
LONGEST_NAME = 100
#: Where a home's speakers are (RFC 1918, RFC 3927): nothing else is asked, whatever an announcement says.
HOME = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")))
#: An announcement must not smuggle anything into the request.
_PATH = re.compile(r"/[A-Za-z0-9._~%/-]{0,255}")


class ZeroconfRadar:
    """A :class:`~moodify.music.spotify.radar.SpeakerRadar` on the interfaces of this machine. Opens nothing before it listens.

    Args:
        interfaces: IPv4 addresses of those to listen on; unset takes all. On loopback alone, and only there, it asks loopback addresses
            for names: elsewhere that would let an announcement reach what else runs on this machine.
    """

    def __init__(self, *, interfaces: Sequence[str] | None = None) -> None:
        """Open nothing yet."""
        self._interfaces = None if interfaces is None else tuple(interfaces)
        self._homes = (IPv4Network("127.0.0.0/8"),) if self._interfaces and all(IPv4Address(each).is_loopback for each in self._interfaces) else HOME

    @contextmanager
    def listening(self) -> Iterator[Callable[[], Heard]]:
        """Listen for as long as the block lasts. Ends within :data:`RESOLVE_S` and :data:`ASK_S` after it.

        Raises:
            RadarDeaf: no interface to listen on.
        """
        # A few MB and some tenths of a second on a Pi, for what most homes never need.
        from zeroconf import Error, InterfaceChoice, IPVersion, ServiceBrowser, Zeroconf

        hearing = _Hearing(self._homes, foreign=(Error, OSError, RuntimeError, ValueError))
        with ExitStack() as opened:
            try:
                ears = Zeroconf(interfaces=InterfaceChoice.All if self._interfaces is None else list(self._interfaces), ip_version=IPVersion.V4Only)
                opened.callback(ears.close)
                browser = ServiceBrowser(ears, SERVICE, handlers=[hearing.changed])
            except (Error, OSError, RuntimeError, ValueError) as error:
                raise RadarDeaf(f"can't listen on the network which speakers are there ({error}); check the network") from error
            # Ended in reverse: what waits unheard is dropped, the browser's thread ends, the sockets close.
            opened.callback(browser.cancel)
            opened.callback(hearing.stop)
            yield hearing.names


class _Hearing:
    """What was heard while listening; zeroconf calls it on the browser's thread, where it may take its time."""

    def __init__(self, homes: tuple[IPv4Network, ...], foreign: tuple[type[Exception], ...]) -> None:
        self._homes, self._foreign = homes, foreign
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._stopped = threading.Event()

    def names(self) -> Heard:
        with self._lock:
            return frozenset(self._names.values())

    def stop(self) -> None:
        self._stopped.set()

    def changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change.name == "Removed":
            with self._lock:
                self._names.pop(name, None)
        elif not self._stopped.is_set() and self._note(name, name.removesuffix(f".{service_type}")):
            called = self._ask(zeroconf, service_type, name)
            if called is not None:
                # An announcement may still carry the name that a speaker had before its owner renamed it.
                self._note(name, called)

    def _note(self, announced: str, name: str) -> bool:
        with self._lock:
            room = announced in self._names or len(self._names) < MOST_SPEAKERS
            if room:
                self._names[announced] = _tidy(name)
            return room

    def _ask(self, zc: Zeroconf, type_: str, name: str) -> str | None:
        try:
            info = zc.get_service_info(type_, name, timeout=int(RESOLVE_S * 1000))
            if info is None or not info.port:
                return None
            path = _path_of(info.properties)
            for address in map(IPv4Address, info.parsed_addresses()):
                if any(address in home for home in self._homes):
                    return remote_name(str(address), info.port, path)
        except self._foreign as error:
            logger.debug("A speaker on the network does not tell its name: %s", error)
        return None


def remote_name(host: str, port: int, path: str = "/") -> str | None:
    """Ask a speaker for the name that people gave it; None where what answers is no speaker. Takes :data:`ASK_S` at most.

    Raises:
        OSError: nobody answers there, or not in time.
    """
    if _PATH.fullmatch(path) is None:
        return None
    deadline_s = time.monotonic() + ASK_S
    got = b""
    with socket.create_connection((host, port), timeout=ASK_S) as connection:
        connection.sendall(f"GET {path}?action=getInfo HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: application/json\r\nConnection: close\r\n\r\n".encode("ascii"))
        while len(got) < LONGEST_ANSWER:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError(f"{host}:{port} takes longer than {ASK_S} s")
            connection.settimeout(left_s)
            part = connection.recv(4096)
            got += part
            name = _name_in(got)
            if name is not None or not part:
                return name
    return None


def _name_in(answer: bytes) -> str | None:
    """Return the name in an HTTP answer, as far as it has arrived."""
    try:
        response = HTTPResponse(_Arrived(answer))  # type: ignore[arg-type]  # it is asked for makefile() alone
        response.begin()
        told = json.loads(response.read()) if response.status == HTTPStatus.OK else None
    except (HTTPException, ValueError, OSError, RecursionError):
        return None
    name = told.get("remoteName") if isinstance(told, dict) else None
    return (_tidy(name) or None) if isinstance(name, str) else None


class _Arrived:
    """Bytes in a socket's place."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def _path_of(properties: Mapping[bytes, bytes | None]) -> str:
    # Keys are of any case (RFC 6763, 6.4).
    paths = [value for key, value in properties.items() if key.lower() == b"cpath" and value]
    return paths[0].decode("ascii", "replace") if paths else "/"


def _tidy(name: str) -> str:
    """Return a stranger's text fit for a line that a person reads."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())[:LONGEST_NAME]
