"""``moodify hub listen``: prints what devices send, each event once."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from moodify.config import find, load
from moodify.daemon.places import folder_of
from moodify.errors import PersonMustAct
from moodify.hub.folder import HubFolder, hub_folder

if TYPE_CHECKING:
    from moodify.cloud.port import Credentials, Endpoint
    from moodify.config import Config

_POLL_S = 0.5
#: A broker that has not answered after so many seconds is said to be missing.
_ANSWER_S = 2.0


def listen(path: Path | None, *, seconds: float | None, config_file: Path | None) -> int:
    """Print each event as one JSON line until Ctrl-C, or for some seconds; return the exit code.

    It listens at the hub of ``path``, else at the household's broker where one is configured, else at this machine's hub, else at the appliance's own.
    """
    from moodify.cloud.opening import where
    from moodify.hub.listen import Listener

    config = load(find(config_file))
    endpoint, credentials = _household(config) if path is None and config.link.host is not None else _hub(path, config)
    until_s = None if seconds is None else time.monotonic() + seconds
    late_s = time.monotonic() + _ANSWER_S
    said = ""
    with Listener(endpoint, credentials) as listener:
        try:
            while until_s is None or time.monotonic() < until_s:
                for heard in listener.poll(_POLL_S):
                    typer.echo(json.dumps({"device": heard.device, "seq": heard.seq, **heard.event}, ensure_ascii=False))
                news = said
                if listener.subscribed:
                    news = f"listening at {where(endpoint)}"
                elif time.monotonic() > late_s:
                    news = f"nobody answers at {where(endpoint)}; start the hub (moodify hub serve) or the appliance (moodify run)"
                if news != said:
                    said = news
                    typer.echo(f"moodify: {news}", err=True)
        except KeyboardInterrupt:
            return 0
        return 0 if listener.subscribed else 1


def _household(config: Config) -> tuple[Endpoint, Credentials]:
    from moodify.cloud.passwords import SignInFile
    from moodify.cloud.port import Endpoint

    link = config.link
    if link.sign_in_file is None:
        raise PersonMustAct(
            f"a device's token may not read what devices send to {link.host}; for a household's own broker set link.sign_in_file, for a hub run this beside it with --folder"
        )
    return Endpoint(str(link.host), link.port, tls=link.tls, ca_file=link.ca_file), SignInFile(link.sign_in_file).credentials(datetime.now(UTC))


def _hub(path: Path | None, config: Config) -> tuple[Endpoint, Credentials]:
    from moodify.cloud.port import Credentials, Endpoint
    from moodify.daemon.hub_beside import FOLDER
    from moodify.hub.mosquitto import OBSERVER

    folders = [hub_folder(path)] if path is not None else [hub_folder(None), HubFolder(folder_of(config) / FOLDER)]
    for folder in folders:
        if (said := folder.where()) is not None:
            try:
                return Endpoint("", 0, tls=False, socket=Path(said["socket"])), Credentials(OBSERVER, None)
            except (KeyError, TypeError) as error:
                raise PersonMustAct(f"{folder.address}: does not say where the hub listens ({error}); restart the hub, which writes it anew") from error
    raise PersonMustAct(
        f"no hub runs in {' or in '.join(str(folder.path) for folder in folders)}; start one (moodify hub serve) or the appliance (moodify run), or name another with --folder"
    )
