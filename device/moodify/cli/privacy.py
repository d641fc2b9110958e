"""``moodify privacy``: closes the camera or opens it again, of an appliance that runs or of the next start, and says how it stands."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from moodify.config import find, load
from moodify.daemon.kept import PRIVACY_ASKED_KEY, PRIVACY_KEY, date_doubted, privacy_standing
from moodify.daemon.places import DATABASE, folder_of
from moodify.daemon.privacy import ByHand, Standing, after, standing
from moodify.errors import RetryLater
from moodify.store.lock import FolderLock, is_held

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.config import Config

#: An appliance that runs looks at least once a second for what it is asked; a busy one later.
ANSWER_S = 10.0
_LOOK_S = 0.05


def privacy(wish: str, config_file: Path | None, *, as_json: bool) -> int:
    """Do what is wished (``on``, ``off`` or ``status``) and print how privacy stands; return the exit code.

    Only the process that holds the folder changes what is kept: an appliance that runs is asked to.

    Raises:
        MoodifyError: the database can't be used, or the appliance does not answer.
    """
    config = load(find(config_file))
    folder = folder_of(config)
    if wish == "status":
        return _print(_standing(config, folder), runs=is_held(folder), as_json=as_json)
    on = wish == "on"
    runs = is_held(folder)
    if runs:
        _ask(folder, on=on)
    else:
        _set(config, folder, on=on)
    return _print(_standing(config, folder), runs=runs, as_json=as_json)


def _ask(folder: Path, *, on: bool) -> None:
    from moodify.store.settings import Settings

    wanted = {"on": on, "id": str(uuid.uuid4())}
    with Settings(folder / DATABASE) as settings:
        settings.put(PRIVACY_ASKED_KEY, wanted)
        deadline_s = time.monotonic() + ANSWER_S
        while settings.get(PRIVACY_ASKED_KEY) == wanted:
            if time.monotonic() >= deadline_s:
                raise RetryLater(f"Moodify runs and has not answered within {ANSWER_S:g} s; it does it as soon as it can, or press its button for 6 s", retry_after_s=ANSWER_S)
            time.sleep(_LOOK_S)


def _set(config: Config, folder: Path, *, on: bool) -> None:
    from moodify.store.prepare import prepare
    from moodify.store.settings import Settings

    with FolderLock(folder):
        prepare(folder / DATABASE)
        with Settings(folder / DATABASE) as settings:
            before = ByHand.from_json(settings.get(PRIVACY_KEY))
            wanted = after(before, config.privacy.hours, _now(), on=on, origin="command", doubtful=date_doubted(settings))
            settings.put(PRIVACY_KEY, wanted.as_json())


def _standing(config: Config, folder: Path) -> Standing:
    from moodify.store.settings import Settings

    path = folder / DATABASE
    if not path.exists() or not path.stat().st_size:
        return standing(ByHand(), config.privacy.hours, _now())
    with Settings(path) as settings:
        return privacy_standing(settings, config.privacy.hours, _now())


def _now() -> datetime:
    return datetime.now(UTC).astimezone()


def _print(stands: Standing, *, runs: bool, as_json: bool) -> int:
    if as_json:
        typer.echo(json.dumps({"on": stands.on, "why": stands.why, "runs": runs}))
        return 0
    why = f", {stands.why}" if stands.why else ""
    if stands.on:
        what = "the camera is closed, or closes within a moment: the light says when" if runs else "Moodify does not run, and starts with the camera closed"
    else:
        what = "the camera may look" if runs else "Moodify does not run; it opens the camera when it starts"
    typer.echo(f"Privacy is {'on' if stands.on else 'off'}{why}. {what[0].upper()}{what[1:]}.")
    return 0
