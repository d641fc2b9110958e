"""``moodify hub status``: how a hub and its parts stand."""

from __future__ import annotations

import http.client
import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from moodify.cli.exits import ACT
from moodify.cli.hub_words import opened
from moodify.errors import MoodifyError, PersonMustAct, RetryLater
from moodify.hub.folder import hub_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from moodify.hub.config import HubConfig
    from moodify.hub.folder import HubFolder

_ANSWER_S = 5.0
_PAGE = 500
_EVENTS = 5
#: A certificate that ends within this is said to: each device has to be enrolled anew with another one.
_SOON = timedelta(days=30)


def status(path: Path | None, *, as_json: bool) -> int:
    """Print how the hub stands; return 0 where it works, else :data:`ACT`."""
    found = _hub(hub_folder(path))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(found)
    return ACT if found["act"] else 0


def online_devices(folder: HubFolder) -> frozenset[str] | None:
    """Return the ids of the devices that are online; None where the hub does not run or does not answer."""
    try:
        said = running(folder)
        return None if said is None else _online(folder, said)
    except MoodifyError:
        return None


def running(folder: HubFolder) -> dict[str, Any] | None:
    """Return what the hub that runs in a folder says of itself; None where none runs, also where one was killed."""
    from moodify.store.lock import is_held

    return folder.where() if is_held(folder.path) else None


def _hub(folder: HubFolder) -> dict[str, Any]:
    from moodify.hub.setup import configured

    config = configured(folder)
    act: list[str] = []
    said = running(folder)
    found: dict[str, Any] = {"folder": str(folder.path), "running": said is not None}
    if said is None:
        act.append("the hub does not run; start it: moodify hub serve")
    else:
        found |= {"since": said["since"], "processes": said["processes"], "mqtt": said["mqtt"], "api": said["api"]}
        try:
            found["parts"] = parts = _ask(folder, said, "/readyz")["parts"]
            act += [f"{name}: {trouble}" for name, trouble in parts.items() if trouble]
            found["online"] = sorted(_online(folder, said))
        except RetryLater as error:
            act.append(str(error))
    now = datetime.now(UTC)
    found["database"] = "as database_url in hub.toml says" if config.database_url is not None else str(folder.database)
    looks: list[Callable[[], dict[str, Any]]] = [lambda: _stored(folder, now), lambda: _certificate(folder, config, now, act)]
    for look in looks:
        try:
            found |= look()
        except (RetryLater, PersonMustAct) as error:
            act.append(str(error))
    found["act"] = list(dict.fromkeys(act))
    return found


def _stored(folder: HubFolder, now: datetime) -> dict[str, Any]:
    with opened(folder) as (_, database):
        return {
            "devices": sum(device.revoked is None for device in database.registry.devices()),
            "commands_waiting": len(database.commands.waiting(now)),
            "events": [{"device": event.device, "kind": event.kind, "at": event.at.isoformat()} for event in database.events.events(limit=_EVENTS)],
        }


def _certificate(folder: HubFolder, config: HubConfig, now: datetime, act: list[str]) -> dict[str, Any]:
    from moodify.cloud.certificates import Certificate
    from moodify.hub.setup import certificate_files, shown_fingerprint

    files = certificate_files(folder, config)
    # One that an appliance started beside itself has no certificate and does not encrypt.
    if files is None or not folder.config.exists():
        return {}
    fingerprint = shown_fingerprint(folder, config)
    expires = Certificate.from_pem(files[0].read_text("ascii")).expires
    if expires - now < _SOON:
        act.append(f"the certificate {files[0]} ends on {expires:%Y-%m-%d}; put another one there, and enrol the devices with it: moodify device enroll")
    return {"fingerprint": fingerprint, "certificate_until": expires.isoformat()}


def _online(folder: HubFolder, said: dict[str, Any]) -> frozenset[str]:
    online: set[str] = set()
    offset, total = 0, 1
    while offset < total:
        page = _ask(folder, said, f"/v1/devices?limit={_PAGE}&offset={offset}")
        online |= {device["id"] for device in page["devices"] if device["online"]}
        offset, total = offset + _PAGE, page["total"]
    return frozenset(online)


def _ask(folder: HubFolder, said: dict[str, Any], path: str) -> Any:
    """Return the API's answer.

    Raises:
        RetryLater: it gives none.
    """
    try:
        connection = _connection(said["api"])
    except OSError as error:
        raise RetryLater(f"the hub's certificate can't be read ({error}); look into the hub's log") from error
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {folder.local.read_text('ascii').strip()}"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status not in {http.HTTPStatus.OK, http.HTTPStatus.SERVICE_UNAVAILABLE}:
            raise RetryLater(f"the hub's API answers {answer.status} {answer.reason}; look into the hub's log")
        return json.loads(content)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise RetryLater(f"the hub's API gives no answer ({error}); look into the hub's log") from error
    finally:
        connection.close()


def _connection(api: dict[str, Any]) -> http.client.HTTPConnection:
    """Return a connection to the API of a hub on this machine, which shows the certificate that its folder names."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(api["host"], api["host"])  # noqa: S104 - it is the hub that listens there
    if api["certificate"] is None:
        return http.client.HTTPConnection(host, api["port"], timeout=_ANSWER_S)
    context = ssl.create_default_context(cafile=api["certificate"])
    # It is known by itself, whatever it is for and whoever has signed it.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return http.client.HTTPSConnection(host, api["port"], timeout=_ANSWER_S, context=context)


def _print(found: dict[str, Any]) -> None:
    rows: dict[str, str] = {"hub": f"runs in {found['folder']}" if found["running"] else f"does not run in {found['folder']}"}
    if found["running"]:
        mqtt, api = found["mqtt"], found["api"]
        rows["since"] = datetime.fromisoformat(found["since"]).astimezone().strftime("%Y-%m-%d %H:%M")
        rows["processes"] = ", ".join(f"{name} {number}" for name, number in found["processes"].items())
        rows["devices at"] = f"{mqtt['host']} port {mqtt['port']}, {'TLS' if mqtt['tls'] else 'not encrypted'}"
        rows["API at"] = f"{api['host']} port {api['port']}"
    if "fingerprint" in found:
        rows["fingerprint"] = found["fingerprint"]
    if "devices" in found:
        rows["devices"] = f"{found['devices']}, {len(found['online'])} online" if "online" in found else str(found["devices"])
        rows["commands"] = f"{found['commands_waiting']} waiting"
    rows["database"] = found["database"]
    for name, trouble in found.get("parts", {}).items():
        rows[f"  {name}"] = trouble or "ok"
    for name, value in rows.items():
        typer.echo(f"{name:<15}{value}")
    if found.get("events"):
        typer.echo("last events")
        for event in found["events"]:
            typer.echo(f"  {datetime.fromisoformat(event['at']).astimezone():%Y-%m-%d %H:%M:%S}  {event['device']}  {event['kind']}")
    for line in found["act"]:
        typer.echo(f"moodify: {line}", err=True)
