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

    from moodify.cloud.port import Credentials, Endpoint
    from moodify.config.model import LinkConfig

_POLL_S = 0.5
#: A broker that has not answered after so many seconds is said to be missing.
_ANSWER_S = 2.0


def listen(broker_file: Path | None, *, seconds: float | None, config_file: Path | None) -> int:
    """Print each event as one JSON line until Ctrl-C, or for some seconds; return the exit code.

    The broker is the one of ``broker_file``, else the configured one, else the appliance's private one.
    """
    from moodify.cloud.broker import ADDRESS_FILE
    from moodify.hub.listen import Listener

    config = load(find(config_file))
    if broker_file is None and config.link.host is not None:
        endpoint, credentials = _configured(config.link)
    else:
        endpoint, credentials = _private(broker_file if broker_file is not None else folder_of(config) / ADDRESS_FILE)
    until_s = None if seconds is None else time.monotonic() + seconds
    where = f"{endpoint.host}:{endpoint.port}"
    late_s = time.monotonic() + _ANSWER_S
    said = ""
    with Listener(endpoint, credentials) as listener:
        try:
            while until_s is None or time.monotonic() < until_s:
                for heard in listener.poll(_POLL_S):
                    typer.echo(json.dumps({"device": heard.device, "seq": heard.seq, **heard.event}, ensure_ascii=False))
                news = f"listening at {where}" if listener.subscribed else f"no broker answers at {where}; start the appliance (moodify run)" if time.monotonic() > late_s else said
                if news != said:
                    said = news
                    typer.echo(f"moodify: {news}", err=True)
        except KeyboardInterrupt:
            return 0
        return 0 if listener.subscribed else 1


def _configured(link: LinkConfig) -> tuple[Endpoint, Credentials]:
    from moodify.cloud.port import Credentials, Endpoint

    if link.username is None or link.password is None:
        raise PersonMustAct(
            f"a device's token may not read what devices send to {link.host}; set link.username and link.password of a user who may, in a file of its own for --config"
        )
    return Endpoint(str(link.host), link.port, tls=link.tls, ca_file=link.ca_file), Credentials(link.username, link.password.get_secret_value())


def _private(file: Path) -> tuple[Endpoint, Credentials]:
    from moodify.cloud.broker import OBSERVER
    from moodify.cloud.port import Credentials, Endpoint

    try:
        address = json.loads(file.read_text("utf-8"))
        return Endpoint(str(address["host"]), int(address["port"]), tls=False), Credentials(OBSERVER, None)
    except FileNotFoundError:
        raise PersonMustAct(f"{file}: there is no such file; start the appliance first (moodify run), or name its broker.json with --broker") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PersonMustAct(f"{file}: does not say where the broker listens ({error}); restart the appliance, which writes it anew") from None
