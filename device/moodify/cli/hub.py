"""``moodify hub listen``: prints what devices send, each event once."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import typer

from moodify.config import find, load
from moodify.daemon.places import folder_of
from moodify.errors import PersonMustAct

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.cloud.port import Endpoint

_POLL_S = 0.5


def listen(broker_file: Path | None, *, seconds: float | None, config_file: Path | None) -> int:
    """Print each event as one JSON line until Ctrl-C, or for some seconds; return the exit code."""
    from moodify.cloud.port import Credentials
    from moodify.hub.listen import Listener

    file = broker_file if broker_file is not None else folder_of(load(find(config_file))) / "broker.json"
    until_s = None if seconds is None else time.monotonic() + seconds
    with Listener(_endpoint(file), Credentials("observer", None)) as listener:
        try:
            while until_s is None or time.monotonic() < until_s:
                for heard in listener.poll(_POLL_S):
                    typer.echo(json.dumps({"device": heard.device, "seq": heard.seq, **heard.event}, ensure_ascii=False))
        except KeyboardInterrupt:
            return 0
    return 0


def _endpoint(file: Path) -> Endpoint:
    from moodify.cloud.port import Endpoint

    try:
        address = json.loads(file.read_text("utf-8"))
        return Endpoint(str(address["host"]), int(address["port"]), tls=False)
    except FileNotFoundError:
        raise PersonMustAct(f"{file}: there is no such file; start the appliance first (moodify run), or name its broker.json with --broker") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PersonMustAct(f"{file}: does not say where the broker listens ({error}); restart the appliance, which writes it anew") from None
