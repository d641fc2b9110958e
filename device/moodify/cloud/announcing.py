"""Says on the home network where a page or a hub is, and finds hubs there: zeroconf (mDNS and DNS-SD, RFC 6762 and 6763).

What is announced is anybody's word: good for an offer to a person, never for whom to trust. It holds what everybody may know: an id, a
fingerprint, the version.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import TYPE_CHECKING, Self

from moodify import __version__
from moodify.cloud.certificates import read_fingerprint
from moodify.errors import CannotWork, RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from zeroconf import ServiceInfo, ServiceStateChange, Zeroconf

logger = logging.getLogger(__name__)

PAGE = "_moodify._tcp.local."
HUB = "_moodify-hub._tcp.local."
#: How often it is looked whether this machine's addresses have changed, or tried again where it did not work, in seconds.
LOOK_S = 30.0
#: Longest wait for the last word, in seconds.
END_S = 3.0
#: More announcements than a home has hubs are somebody's prank, and left out.
MOST_HUBS = 32
#: Longest time, in seconds, that one hub may take to say where it is.
RESOLVE_S = 1.0
#: Longest label (RFC 1035, 2.3.4), and so longest name of a service, in bytes.
_LONGEST_NAME = 63
_LOOPBACK = IPv4Network("127.0.0.0/8")
#: Where a home's machines are (RFC 1918, RFC 3927).
_HOME = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")))


class NetworkDeaf(RetryLater):
    """The home network can't be listened to now."""


@dataclass(frozen=True, slots=True)
class FoundHub:
    """A hub that says on the network that it is one."""

    name: str
    addresses: tuple[str, ...]
    """Where it may be reached, at least one; some may lead nowhere from here."""
    port: int
    fingerprint: str
    """What it says of its certificate; whether that is so shows when it is connected to."""


def announce_page(host: str, port: int, device: str, name: str, *, encrypted: bool) -> Announcer:
    """Return an announcer of a device's page: ``host`` is the address that the page listens on, ``name`` is for people, ``encrypted`` makes it https."""
    said = {"id": device, "version": __version__, "scheme": "https" if encrypted else "http"}
    return Announcer(PAGE, host, port, _label(name, device), f"{device}.local.", said)


def announce_hub(host: str, port: int, name: str, fingerprint: str) -> Announcer:
    """Return an announcer of a hub's gate: ``host`` is the address that it listens on, ``fingerprint`` its certificate's."""
    return Announcer(HUB, host, port, _label(name, _mark(fingerprint)), f"moodify-hub-{_mark(fingerprint)}.local.", {"fingerprint": fingerprint, "version": __version__})


class Announcer:
    """Says on the network that something is here, for as long as the block lasts.

    It does so on a thread of its own and never raises: nothing waits for a network that may come later, and without one only the
    announcement is missing. It is heard where the service is: one that listens on loopback is announced there alone.
    """

    def __init__(self, service: str, host: str, port: int, name: str, server: str, properties: Mapping[str, str]) -> None:
        """Announce nothing yet. Made by :func:`announce_page` and :func:`announce_hub`."""
        self._service = service
        self._host = host
        self._port = port
        self._name = name
        self._server = server
        self._properties = dict(properties)
        self._ended = threading.Event()
        self._heard = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
        self._told = False

    @property
    def heard(self) -> bool:
        """Whether it is announced now."""
        return self._heard.is_set()

    def __enter__(self) -> Self:
        """Begin, and return self at once."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Take it back, waiting for that :data:`END_S` at most."""
        self._ended.set()
        self._thread.join(END_S)

    def _run(self) -> None:
        # A few MB and some tenths of a second on a Pi, on this thread alone.
        from zeroconf import Error

        while not self._ended.is_set():
            try:
                self._announce()
            except (Error, OSError, RuntimeError, ValueError) as error:
                if not self._told:
                    logger.warning("%s is not announced on the network: %s; it is tried again", self._name, str(error) or type(error).__name__)
                self._told = True
                self._ended.wait(LOOK_S)

    def _announce(self) -> None:
        from zeroconf import IPVersion, ServiceInfo, Zeroconf

        interfaces, addresses = _where(self._host)
        if not addresses:
            raise OSError("this machine has no address yet")
        info = ServiceInfo(self._service, f"{self._name}.{self._service}", self._port, properties=self._properties, server=self._server, parsed_addresses=addresses)
        voice = Zeroconf(interfaces=interfaces, ip_version=IPVersion.V4Only)
        try:
            # The name is this one's own by the id or fingerprint in it: to probe for others of the same takes a second.
            voice.register_service(info, cooperating_responders=True)
            self._heard.set()
            self._told = False
            # An address from the home's router may change.
            while not self._ended.wait(LOOK_S) and _where(self._host)[1] == addresses:
                pass
            voice.unregister_service(info)
        finally:
            self._heard.clear()
            voice.close()


def find_hubs(timeout_s: float, *, enough: Callable[[Sequence[FoundHub]], bool] = lambda _found: False, interfaces: Sequence[str] | None = None) -> tuple[FoundHub, ...]:
    """Return the hubs that are heard on the network within ``timeout_s``, by name; none of them is trusted for it.

    Args:
        timeout_s: how long to listen.
        enough: told what was heard, says whether to stop before that.
        interfaces: IPv4 addresses of those to listen on; unset takes all. Only on loopback alone do loopback addresses count.

    Raises:
        NetworkDeaf: there is no interface to listen on.
    """
    from zeroconf import Error, InterfaceChoice, IPVersion, ServiceBrowser, Zeroconf

    here = interfaces is not None and all(IPv4Address(each) in _LOOPBACK for each in interfaces)
    hearing = _Hearing((_LOOPBACK,) if here else _HOME, foreign=(Error, OSError, RuntimeError, ValueError))
    until_s = time.monotonic() + timeout_s
    try:
        ears = Zeroconf(interfaces=InterfaceChoice.All if interfaces is None else list(interfaces), ip_version=IPVersion.V4Only)
        try:
            browser = ServiceBrowser(ears, HUB, handlers=[hearing.changed])
            while (left_s := until_s - time.monotonic()) > 0 and not enough(hearing.hubs()):
                hearing.wait(left_s)
            browser.cancel()
        finally:
            ears.close()
    except (Error, OSError, RuntimeError, ValueError) as error:
        raise NetworkDeaf(f"can't listen on the network for hubs ({error}); check the network, or name the hub: moodify device enroll HUB") from error
    return hearing.hubs()


class _Hearing:
    """What was heard while listening; zeroconf calls it on the browser's thread, where it may take its time."""

    def __init__(self, homes: tuple[IPv4Network, ...], foreign: tuple[type[Exception], ...]) -> None:
        self._homes, self._foreign = homes, foreign
        self._news = threading.Condition()
        self._hubs: dict[str, FoundHub] = {}

    def hubs(self) -> tuple[FoundHub, ...]:
        with self._news:
            return tuple(sorted(self._hubs.values(), key=lambda hub: (hub.name, hub.addresses, hub.port)))

    def wait(self, timeout_s: float) -> None:
        with self._news:
            self._news.wait(timeout_s)

    def changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        found = None if state_change.name == "Removed" else self._resolve(zeroconf, service_type, name)
        with self._news:
            if found is None:
                self._hubs.pop(name, None)
            elif name in self._hubs or len(self._hubs) < MOST_HUBS:
                self._hubs[name] = found
            self._news.notify_all()

    def _resolve(self, zeroconf: Zeroconf, service_type: str, name: str) -> FoundHub | None:
        try:
            info = zeroconf.get_service_info(service_type, name, timeout=int(RESOLVE_S * 1000))
            return None if info is None else self._read(info, name.removesuffix(f".{service_type}"))
        except self._foreign as error:
            logger.debug("a hub on the network does not say where it is: %s", error)
        except CannotWork as error:
            logger.debug("a hub on the network does not say who it is: %s", error)
        return None

    def _read(self, info: ServiceInfo, name: str) -> FoundHub | None:
        # Keys are of any case (RFC 6763, 6.4).
        said = {key.lower(): value for key, value in info.properties.items() if value}
        fingerprint = read_fingerprint(said.get(b"fingerprint", b"").decode("ascii", "replace"))
        near = tuple(str(address) for address in map(ip_address, info.parsed_addresses()) if any(address in home for home in self._homes))
        return FoundHub(_tidy(name).removesuffix(f" {_mark(fingerprint)}"), near, info.port, fingerprint) if near and info.port else None


def _where(host: str) -> tuple[list[str], list[str]]:
    """Return the interfaces to speak on, and the addresses to tell, of what listens on ``host``."""
    import ifaddr

    addresses = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    everywhere = [address for address in addresses if IPv4Address(address) not in _LOOPBACK]
    try:
        own = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return everywhere, everywhere
    if own.is_unspecified:
        return everywhere, everywhere
    if own.is_loopback:
        return ["127.0.0.1"], [str(own)]
    return ([str(own)] if isinstance(own, IPv4Address) else everywhere), [str(own)]


def _mark(fingerprint: str) -> str:
    return fingerprint.rpartition(":")[2][:12]


def _label(name: str, mark: str) -> str:
    """Return a service's name: what people call it, and what makes it the only one of that name."""
    return f"{_tidy(name).encode()[: _LONGEST_NAME - len(mark) - 1].decode(errors='ignore')} {mark}".strip()


def _tidy(name: str) -> str:
    """Return a stranger's text fit for a line that a person reads."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
