"""``moodify device show``, ``rotate`` and ``forget``: who this device is, another key, no hub any more."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from moodify.cli.person import require_owner
from moodify.config import find, load
from moodify.daemon.places import DEVICE_KEY, folder_of
from moodify.errors import CannotWork
from moodify.system.trust import clock_trusted

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.cloud.enrolment import Enrolment
    from moodify.config.model import LinkConfig


def show(config_file: Path | None, *, as_json: bool) -> int:
    """Print who this device is and where it goes; return the exit code."""
    from moodify.cloud import enrolment, identity, rotation
    from moodify.cloud.keys import enrolled_as, fingerprint_of

    config = load(find(config_file))
    folder, link = folder_of(config), config.link
    key = folder / DEVICE_KEY
    own = identity.load(key)
    hub = enrolment.load(folder)
    waiting, setback = rotation.pending(key), rotation.setback(key)
    found: dict[str, Any] = {
        "id": own.device,
        "kid": own.kid,
        "fingerprint": fingerprint_of(own.key.public_key()),
        "public_key": enrolled_as(own.device, own.key.public_key()),
        "goes_to": _goes_to(link, hub),
        "sign_in": {"how": "token", "audience": link.audience} if link.sign_in_file is None else {"how": "file", "file": str(link.sign_in_file)},
        "hub": None if hub is None else _as_json(hub),
        "delivery": enrolment.delivery_of(link).value,
        "rotation": {
            "pending": None if waiting is None else waiting.kid,
            "setback": None if setback is None else {"kid": setback.kid, "at": setback.at.isoformat(), "reason": setback.reason},
        },
    }
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(found, enrolment.hub_command(own))
    return 0


def rotate(config_file: Path | None) -> int:
    """Make the next key, unless one waits already; return the exit code."""
    from moodify.cloud import rotation
    from moodify.store.lock import is_held

    config = load(find(config_file))
    folder = folder_of(config)
    require_owner(folder)
    if config.link.sign_in_file is not None:
        raise CannotWork(
            "this device signs in with link.sign_in_file and not with its key, so there is nothing to change; to change the password, write the new one into that file"
        )
    waiting, new = rotation.begin(folder / DEVICE_KEY)
    if new:
        told = "within seconds, for Moodify is running" if is_held(folder) else "at the next start of Moodify"
        typer.echo(f"The next key {waiting.kid} is made. The hub is told {told}; once it has answered, this device signs in with that key.")
    else:
        typer.echo(f"The next key {waiting.kid} waits already until the hub knows it; nothing was changed.")
    return 0


def forget(config_file: Path | None) -> int:
    """Forget the hub; return the exit code."""
    from moodify.cloud import enrolment, identity

    config = load(find(config_file))
    folder = folder_of(config)
    require_owner(folder)
    if config.link.home_assistant and config.link.enabled:
        leave_home_assistant(config.link, folder)
    if not enrolment.forget(folder):
        typer.echo("This device belongs to no hub.")
        return 0
    typer.echo("This device belongs to no hub any more; its key, its id and what it has not sent stay.")
    typer.echo(f"So that the hub lets it in no more, run there:  moodify hub revoke {identity.load(folder / DEVICE_KEY).device}")
    typer.echo(when(folder))
    return 0


def leave_home_assistant(link: LinkConfig, folder: Path) -> None:
    """Have Home Assistant show this device no more.

    Raises:
        LinkDown, LinkRefused, PersonMustAct: the household's broker could not be told.
    """
    from moodify.cloud import identity
    from moodify.cloud.homeassistant import take_out
    from moodify.cloud.topics import Topics
    from moodify.daemon.linking import household_of
    from moodify.store.lock import is_held

    now = datetime.now(UTC)
    take_out(household_of(link, folder, lambda: clock_trusted(now)), Topics(identity.load(folder / DEVICE_KEY).device), link.home_assistant_prefix, now)
    typer.echo("Home Assistant shows this device no more.")
    if is_held(folder):
        typer.echo("Moodify is running and would show itself again at its next connect: set home_assistant = false in [link], and restart it.")
    else:
        typer.echo("So that it stays so, set home_assistant = false in [link] before the next start.")


def when(folder: Path) -> str:
    """Return from when on a change counts, for a person."""
    from moodify.store.lock import is_held

    if is_held(folder):
        return "Moodify is running: it counts from its next connect on, within the hour; to have it now, restart it, as with: sudo systemctl restart moodify"
    return "It counts from the next start of Moodify on."


def _goes_to(link: LinkConfig, hub: Enrolment | None) -> str:
    if not link.enabled:
        return "nowhere: link.enabled is false"
    if link.host is not None:
        return f"the broker {link.host}:{link.port}"
    if hub is not None:
        return f"the hub {hub.host}:{hub.port}"
    return "a hub of its own, beside it on this machine"


def _as_json(hub: Enrolment) -> dict[str, Any]:
    certificate = {"fingerprint": hub.certificate.fingerprint, "expires": hub.certificate.expires.isoformat()}
    return {"name": hub.name, "host": hub.host, "port": hub.port, "enrolled": hub.enrolled.isoformat(), **certificate}


def _print(found: dict[str, Any], for_the_hub: str) -> None:
    hub, rotation, sign_in = found["hub"], found["rotation"], found["sign_in"]
    setback = rotation["setback"]
    rows = {
        "id": found["id"],
        "key id": found["kid"],
        "fingerprint": found["fingerprint"],
        "next key": "" if rotation["pending"] is None else f"{rotation['pending']}, waits until the hub knows it",
        "not taken": "" if setback is None else f"{setback['kid']} on {setback['at'][:10]}: {setback['reason']}",
        "goes to": found["goes_to"],
        "signs in": f"with a token for {sign_in['audience']}" if sign_in["how"] == "token" else f"as {sign_in['file']} says",
        "arrived": "when the hub says that it is stored" if found["delivery"] == "hub" else "when the broker has it",
        "hub": "" if hub is None else f"{hub['name']} ({hub['host']}:{hub['port']}), since {hub['enrolled'][:10]}",
        "certificate": "" if hub is None else f"{hub['fingerprint']}, good until {hub['expires'][:10]}",
        "for the hub": for_the_hub,
    }
    for name, value in rows.items():
        if value:
            typer.echo(f"{name:<13}{value}")
