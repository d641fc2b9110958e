"""Enrolling at a hub from the page: which there are, what they show of themselves, and taking the one that a person vouches for."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

from moodify.cloud import enrolment
from moodify.cloud.announcing import find_hubs
from moodify.cloud.certificates import fetch, read_fingerprint, same_fingerprint
from moodify.cloud.identity import load_or_make
from moodify.daemon.places import DEVICE_KEY
from moodify.errors import CannotWork, LinkDown, LinkRefused, PersonMustAct

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.config.model import LinkConfig

#: How long to listen for hubs on the network, in seconds.
FIND_S = 5.0
_PORTS = range(1, 65_536)


def stands(link: LinkConfig, folder: Path) -> dict[str, Any]:
    """Return where summaries go, and the line that a person runs on a hub so that it lets this device in."""
    try:
        hub = enrolment.load(folder)
        broken = None
    except PersonMustAct as error:
        hub, broken = None, str(error)
    return {
        "enabled": link.enabled,
        "broker": link.host,
        "enrolled": None if hub is None else {"name": hub.name, "host": hub.host, "port": hub.port, "fingerprint": hub.certificate.fingerprint},
        "command": enrolment.hub_command(load_or_make(folder / DEVICE_KEY)),
        "message": broken,
    }


def look_for(address: str | None) -> dict[str, Any]:
    """Return ``name``, ``host``, ``port`` and ``fingerprint`` of the hub at an address, or of the first that is heard on the network.

    Raises:
        CannotWork: it is no address.
        LinkDown: no hub is heard, or nobody answers there.
        LinkRefused: what answers is no hub.
    """
    if address is not None:
        host, port = address_of(address.strip())
        return {"name": host, "host": host, "port": port, "fingerprint": fetch(host, port).fingerprint}
    hubs = find_hubs(FIND_S, enough=bool)
    if not hubs:
        raise LinkDown("no hub is heard on the network; start it there with moodify hub serve, or write its address")
    for hub in hubs:
        for at in hub.addresses:
            try:
                certificate = fetch(at, hub.port, timeout_s=FIND_S)
            except (LinkDown, LinkRefused):
                continue
            if same_fingerprint(certificate.fingerprint, hub.fingerprint):
                return {"name": hub.name, "host": at, "port": hub.port, "fingerprint": certificate.fingerprint}
    raise LinkDown(f"the hub {hubs[0].name} is heard on the network, but does not answer as it says; write its address, or look at the network")


def take(folder: Path, link: LinkConfig, host: str, port: int, fingerprint: str) -> str:
    """Take the hub at an address, whose fingerprint a person vouches for; return what to tell them.

    Raises:
        CannotWork: it is no fingerprint, or the hub is another.
        LinkDown, LinkRefused, PersonMustAct: as :func:`moodify.cloud.enrolment.enrol`.
    """
    hub = enrolment.enrol(folder, host, port, read_fingerprint(fingerprint), now=datetime.now(UTC))
    if link.host is not None:
        return f"This device belongs to the hub {hub.name}, but link.host = {link.host} in its configuration sends summaries there: take host out of [link]."
    return f"This device belongs to the hub {hub.name} now. It goes there now, and is let in once the line was run on the hub."


def address_of(text: str) -> tuple[str, int]:
    """Return host and port of ``HUB``, ``HUB:PORT``, ``[IPv6]:PORT`` or an IPv6 address alone.

    Raises:
        CannotWork: it is none of these.
    """
    if _is_ipv6(text):
        return text, enrolment.PORT
    match = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?", text) or re.fullmatch(r"([^\s:/@\[\]]+)(?::(\d+))?", text)
    port = enrolment.PORT if match is None or match[2] is None else int(match[2])
    if match is None or port not in _PORTS or (text.startswith("[") and not _is_ipv6(match[1])):
        raise CannotWork(f"{text!r} is no address of a hub; write its name or address, and its port where that is not {enrolment.PORT}: hub.home:{enrolment.PORT}")
    return match[1], port


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
