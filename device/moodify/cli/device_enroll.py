"""``moodify device enroll``: shows the line that lets this device in at a hub, and takes the hub that a person vouches for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.cli.exits import INTERRUPTED
from moodify.cli.person import open_terminal, require_owner
from moodify.config import find, load
from moodify.daemon.places import DEVICE_KEY, folder_of
from moodify.errors import CannotWork, LinkDown, LinkRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from moodify.cloud.announcing import FoundHub
    from moodify.cloud.certificates import Certificate
    from moodify.config.model import LinkConfig
    from moodify.music.spotify.terminal import Terminal

#: Lines that stand with the drawing.
_BELOW = 6


def enroll(config_file: Path | None, hub: str | None, *, fingerprint: str | None) -> int:
    """Show this device to a person and take the hub that they mean; return the exit code."""
    from moodify.cloud import enrolment
    from moodify.cloud.certificates import read_fingerprint
    from moodify.cloud.identity import load_or_make
    from moodify.daemon.enrolling import address_of

    config = load(find(config_file))
    folder = folder_of(config)
    require_owner(folder)
    wanted = None if fingerprint is None else read_fingerprint(fingerprint)
    named = None if hub is None else address_of(hub)
    terminal = open_terminal()
    _show(terminal, enrolment.hub_command(load_or_make(folder / DEVICE_KEY)))
    if wanted is None and not terminal.typed:
        raise CannotWork("nobody is here to compare the hub's fingerprint; give it as moodify hub status shows it on the hub: moodify device enroll HUB --fingerprint sha256:…")
    try:
        name, host, port, seen = _at(*named) if named is not None else _found(terminal, wanted)
        vouched = wanted if wanted is not None else _vouched(terminal, seen, f"{host}:{port}")
    except (KeyboardInterrupt, EOFError) as end:
        if isinstance(end, KeyboardInterrupt):
            terminal.tell()
        terminal.tell("Ended; this device belongs where it did.")
        return INTERRUPTED
    if vouched is None:
        terminal.tell("It was not taken; this device belongs where it did.")
        return 1
    made = enrolment.enrol(folder, host, port, vouched, name=name, now=datetime.now(UTC))
    terminal.tell(f"This device belongs to the hub {made.name} ({made.host}:{made.port}) now. There, run the line above, if that has not been done.")
    terminal.tell(_next_step(config.link, folder))
    return 0


def _show(terminal: Terminal, command: str) -> None:
    from moodify.music.spotify import qr

    terminal.tell("So that the hub lets this device in, run there:")
    terminal.tell()
    terminal.tell(f"  {command}")
    terminal.tell()
    if terminal.size is not None:
        columns, lines = qr.size(command)
        if columns <= terminal.size[0] and lines + _BELOW <= terminal.size[1]:
            for line in qr.lines(command):
                terminal.tell(line)
            terminal.tell()


def _at(host: str, port: int) -> tuple[str | None, str, int, Certificate]:
    from moodify.cloud.certificates import fetch

    return None, host, port, fetch(host, port)


def _found(terminal: Terminal, wanted: str | None) -> tuple[str | None, str, int, Certificate]:
    """Return the hub on the network that is meant: the one with the fingerprint, or the one that is chosen."""
    from moodify.cloud.announcing import find_hubs
    from moodify.daemon.enrolling import FIND_S

    terminal.tell("Listening for hubs on the network …")
    hubs = find_hubs(FIND_S, enough=lambda heard: any(each.fingerprint == wanted for each in heard))
    if wanted is not None:
        hubs = tuple(each for each in hubs if each.fingerprint == wanted)
    if not hubs:
        which = "no hub" if wanted is None else "no hub with this fingerprint"
        raise LinkDown(f"{which} is heard on the network; start it there with moodify hub serve, or name it: moodify device enroll HUB --fingerprint sha256:…")
    chosen = hubs[0] if wanted is not None else _chosen(terminal, hubs)
    return _reached(chosen)


def _chosen(terminal: Terminal, hubs: Sequence[FoundHub]) -> FoundHub:
    for number, each in enumerate(hubs, 1):
        terminal.tell(f"  {number}  {each.name} ({each.addresses[0]}:{each.port})")
    if len(hubs) == 1:
        return hubs[0]
    hint = f"Type a number from 1 to {len(hubs)}, or end with Ctrl-C."
    while True:
        answer = terminal.ask("Which one? ", hint=hint)
        if answer is not None and answer.isdecimal() and 0 < int(answer) <= len(hubs):
            return hubs[int(answer) - 1]
        terminal.tell(hint)


def _reached(hub: FoundHub) -> tuple[str | None, str, int, Certificate]:
    """Return it at the first of its addresses where the link would take it from here.

    Raises:
        LinkDown: it is at none of them.
        LinkRefused: its certificate is good for none of them.
    """
    from moodify.cloud.certificates import fetch, same_fingerprint
    from moodify.cloud.enrolment import try_out
    from moodify.daemon.enrolling import FIND_S

    refused: LinkRefused | None = None
    for address in hub.addresses:
        try:
            certificate = fetch(address, hub.port, timeout_s=FIND_S)
            # What it said of itself on the network need not be so; then it is no hub that anybody could vouch for.
            if same_fingerprint(certificate.fingerprint, hub.fingerprint):
                try_out(address, hub.port, certificate)
                return hub.name, address, hub.port, certificate
        except LinkRefused as error:
            refused = error
        except LinkDown:
            continue
    raise refused or LinkDown(
        f"the hub {hub.name} does not answer as it says at {', '.join(hub.addresses)}, port {hub.port}; look at the network, or name it: moodify device enroll HUB"
    )


def _vouched(terminal: Terminal, seen: Certificate, where: str) -> str | None:
    terminal.tell(f"What answers at {where} has the fingerprint")
    terminal.tell()
    terminal.tell(f"  {seen.fingerprint}")
    terminal.tell()
    answer = terminal.ask("Type yes if moodify hub status shows the same on the hub itself, or no: ")
    return seen.fingerprint if answer is not None and answer.casefold() in {"yes", "y"} else None


def _next_step(link: LinkConfig, folder: Path) -> str:
    from moodify.cli.device import when

    if link.host is not None:
        return f"But link.host = {link.host} says that it goes there: take host and what belongs to it out of [link], so that it goes to the hub."
    if not link.enabled:
        return "But link.enabled is false, so it sends nothing: set it to true."
    return when(folder)
