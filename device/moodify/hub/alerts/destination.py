"""Where a webhook may go.

Whoever may write a URL here makes the hub send a request, from inside the home's network. So it goes to public addresses, over HTTPS, and
to private ones only where the hub's configuration (a file, which no page can write) lists them; never to this machine, to what it only has a link to
(169.254.0.0/16 holds the metadata of cloud machines), or to many at once, unless these are listed too. A name is looked up once, at each try, and the request
goes to the address that was looked at: a name that answers otherwise the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from moodify.errors import CannotWork, PersonMustAct, RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

URL_AT_MOST: Final = 2000
_PORTS: Final = {"https": 443, "http": 80}
#: IPv6 that stands for IPv4 (RFC 6052): whatever is behind it, it is not looked at as what it says.
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL, taken apart."""

    scheme: str
    host: str
    """Name or address, IPv6 without brackets, in ASCII."""
    port: int
    path: str
    """With the query."""

    @property
    def host_header(self) -> str:
        """What stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The URL without what may be a secret in it."""
        return f"{self.scheme}://{self.host_header}/…"


def read(url: str) -> Destination:
    """Take a URL apart.

    Raises:
        CannotWork: it is none that a webhook can have.
    """
    if len(url) > URL_AT_MOST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise CannotWork(f"a webhook's URL has at most {URL_AT_MOST} ASCII characters without spaces; write it as https://host/path")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise CannotWork("this is no URL; write it as https://host/path") from None
    if parts.scheme not in _PORTS or not host:
        raise CannotWork("a webhook's URL begins with https://, or with http:// for one at home; write it as https://host/path")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise CannotWork("a webhook's URL holds no user name, password or #; each message is signed instead, see docs/hub.md")
    if port == 0:
        raise CannotWork("a webhook's port is from 1 to 65535; correct it")
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    return Destination(parts.scheme, host, port or _PORTS[parts.scheme], path)


def resolve(destination: Destination, allowed: Sequence[Network], *, look_up: Callable[[str, int], Sequence[str]] | None = None) -> Address:
    """Return the one address that a request may go to now.

    Args:
        destination: where to.
        allowed: networks that are listed in the hub's configuration.
        look_up: asked for a name's addresses; the system's resolver where it is None.

    Raises:
        RetryLater: the name can't be looked up.
        PersonMustAct: it may not go there.
    """
    found = [_plain(address) for address in (look_up or _look_up)(destination.host, destination.port)]
    if not found:
        raise RetryLater(f"no address is known of {destination.host}; look whether the name is right, it is tried again")
    for address in found:
        if not _is_listed(address, allowed):
            # One public address among private ones is how a guard like this is got round.
            _check_public(destination, address)
    return found[0]


def _check_public(destination: Destination, address: Address) -> None:
    if not address.is_global or address.is_multicast or (isinstance(address, ipaddress.IPv6Address) and (address in _TRANSLATED or address.sixtofour or address.teredo)):
        raise PersonMustAct(f"{destination.host} is at {address}, which is no public address; list it under webhook_networks in hub.toml if the hub may send there")
    if destination.scheme != "https":
        raise PersonMustAct(f"{destination.host} is at a public address, and http:// would show the message to everybody on the way; write https://")


def _is_listed(address: Address, allowed: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in allowed)


def _plain(text: str) -> Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def _look_up(host: str, port: int) -> Sequence[str]:
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise RetryLater(f"the name {host} can't be looked up ({type(error).__name__}); look whether it is right, it is tried again") from None
