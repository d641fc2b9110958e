"""``moodify hub enroll``, ``devices``, ``revoke`` and ``erase``: who may come in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from moodify.cli.hub_words import enrolment_line, opened
from moodify.cli.person import typed
from moodify.errors import EnrolmentRefused, NoSuchDevice
from moodify.hub.folder import hub_folder

if TYPE_CHECKING:
    from moodify.hub.port import Device

_LONGEST_KEY_FILE = 10_000


def enroll(path: Path | None, device: str, key: str, *, name: str | None) -> int:
    """Let a device in and print what is to be done there; return the exit code."""
    folder = hub_folder(path)
    with opened(folder) as (config, database):
        from moodify.hub.setup import shown_fingerprint

        enrolled = database.registry.enrol(device, _key_text(key), datetime.now(UTC), name=name)
        fingerprint = shown_fingerprint(folder, config)
    typer.echo(f"{_called(enrolled)} may come in now.")
    typer.echo(f"At the device, if that has not been done:  {enrolment_line(folder, config, fingerprint)}")
    return 0


def devices(path: Path | None, *, as_json: bool) -> int:
    """Print who was let in; return the exit code."""
    from moodify.cli.hub_status import online_devices

    folder = hub_folder(path)
    with opened(folder) as (_, database):
        found = database.registry.devices()
    online = online_devices(folder)
    if as_json:
        typer.echo(json.dumps({"devices": [_as_json(device, online) for device in found]}, ensure_ascii=False))
    elif not found:
        typer.echo("No device was let in yet. At a device run: moodify device enroll")
    else:
        rows = [("ID", "NAME", "STATE", "ENROLLED", "KEYS"), *(_row(device, online) for device in found)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def revoke(path: Path | None, device: str, *, yes: bool) -> int:
    """Shut a device out; return the exit code."""
    with opened(hub_folder(path)) as (_, database):
        found = database.registry.device(device)
        if found is None:
            raise NoSuchDevice(f"no device {device} was let in; moodify hub devices lists those that were")
        if found.revoked is not None:
            typer.echo(f"{_called(found)} was shut out on {found.revoked.astimezone():%Y-%m-%d %H:%M} already.")
            return 0
        question = f"This shuts {_called(found)} out: it is cut off at once, and what it said stays here. To take that away too: moodify hub erase {found.id}"
        if not yes and not typed("revoke", [question], otherwise="Nothing was changed"):
            return 1
        database.registry.revoke(device, datetime.now(UTC))
    typer.echo(f"{_called(found)} is shut out.")
    return 0


def erase(path: Path | None, device: str, *, yes: bool) -> int:
    """Take out a device and all that it said; return the exit code."""
    from moodify.hub.cache import open_states

    with opened(hub_folder(path)) as (config, database):
        found = database.registry.device(device)
        if found is None:
            raise NoSuchDevice(f"nothing of a device {device} is here; moodify hub devices lists those that are known")
        question = [
            f"This erases {_called(found)} here: the device, its keys, and all that it ever said.",
            "It can't be taken back, unless you have a backup (moodify hub backup FILE).",
        ]
        if not yes and not typed("erase", question, otherwise="Nothing was erased"):
            return 1
        events = database.registry.erase(device)
        if config.cache_url is not None:
            states = open_states(config.cache_url.get_secret_value(), config.states_ttl_s)
            states.forget(device)
            states.close()
    typer.echo(f"Erased: {_called(found)}, its keys, and {events} events.")
    typer.echo("Backups of this hub still have them, and the device its own history until it is erased there: moodify erase")
    return 0


def _key_text(key: str) -> str:
    """Return a key as it was given, or what is in the file of that name."""
    file = Path(key)
    try:
        if len(key) < 200 and file.is_file():  # noqa: PLR2004 - a path that a person typed
            with file.open("r", encoding="utf-8") as opened_file:
                return opened_file.read(_LONGEST_KEY_FILE)
    except (OSError, ValueError) as error:
        raise EnrolmentRefused(f"{key}: can't be read ({error}); give the key itself, which moodify device enroll prints on the device") from error
    return key


def _called(device: Device) -> str:
    return device.id if device.name == device.id else f"{device.name} ({device.id})"


def _state(device: Device, online: frozenset[str] | None) -> str:
    if device.revoked is not None:
        return "revoked"
    return "not known" if online is None else "online" if device.id in online else "offline"


def _row(device: Device, online: frozenset[str] | None) -> tuple[str, ...]:
    return device.id, "-" if device.name == device.id else device.name, _state(device, online), f"{device.enrolled.astimezone():%Y-%m-%d %H:%M}", str(len(device.keys))


def _as_json(device: Device, online: frozenset[str] | None) -> dict[str, object]:
    return {
        "id": device.id,
        "name": device.name,
        "state": _state(device, online),
        "enrolled": device.enrolled.isoformat(),
        "revoked": None if device.revoked is None else device.revoked.isoformat(),
        "keys": [{"kid": key.kid, "added": key.added.isoformat()} for key in device.keys],
    }
