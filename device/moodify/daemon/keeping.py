"""What is kept, as the page reaches it: looked back at, told to somebody who helps, taken along, or erased."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, get_args, get_origin

from pydantic import BaseModel

from moodify.daemon import erasing
from moodify.daemon.data_backup import copied
from moodify.daemon.data_places import BACKING_UP, device_of
from moodify.daemon.diagnosis import plain
from moodify.daemon.places import DATABASE
from moodify.daemon.signals import Stop
from moodify.errors import MoodifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from moodify.config import Config
    from moodify.daemon.household import Household
    from moodify.daemon.signals import Signal
    from moodify.music.port import Requests

#: What went wrong lately: so far back, and so many events at most.
_LATELY: Final = timedelta(days=14)
_TROUBLES: Final = 200
_TEXT: Final = 200
_SET: Final = "(set)"


class RunningKeeping:
    """Implements :class:`moodify.web.keeping.Keeping`; each call opens what it needs anew.

    Args:
        folder: the data folder.
        configuration: the owner's file; None where there is none.
        household: what is configured, on the page too, and the sign-in to Spotify.
        requests: what was sent to Spotify; None where nothing plays.
        put: the conductor's queue.
    """

    def __init__(self, folder: Path, configuration: Path | None, household: Household, requests: Callable[[], Requests | None], put: Callable[[Signal], None]) -> None:
        """Open nothing yet."""
        self._folder, self._configuration, self._household, self._requests, self._put = folder, configuration, household, requests, put

    def look_back(self, begins: datetime, ends: datetime, *, reasons: bool) -> Mapping[str, Any]:
        """Return how it was between two moments."""
        from moodify.store.looking_back import LookingBack

        # One reading of the machine may be missed, and some seconds be late.
        silence_s = 2 * self._household.file.system.health_s + 60
        with LookingBack(self._folder / DATABASE) as looking:
            return looking.between(begins, ends, now=datetime.now(UTC), silence_s=silence_s, reasons=reasons).as_json()

    def spotify(self) -> Mapping[str, Any]:
        """Return how the sign-in stands, and what was asked with it."""
        status = self._household.spotify()
        requests = self._requests() if status.usable else None
        told = status.as_json()
        counted = None if requests is None else {"per_hour": requests.per_hour, "unasked": requests.unasked, "asked": requests.asked, "shut_s": round(requests.shut_s, 1)}
        return {name: told[name] for name in ("state", "usable", "ends", "days_left", "message")} | {"requests": counted}

    def diagnostics(self, diagnosis: Mapping[str, Any]) -> bytes:
        """Return what may be given to somebody who helps."""
        from moodify.store.looking_back import LookingBack

        now = datetime.now(UTC)
        with LookingBack(self._folder / DATABASE) as looking:
            troubles = looking.troubles(now - _LATELY, _TROUBLES)
        told = {
            "about": "Moodify's diagnostics: no keys, no passwords, no pictures, no moods, no songs, no names of people. Texts that an owner wrote are shown as (set).",
            "written": now.isoformat(timespec="seconds"),
            "appliance": {name: each for name, each in diagnosis.items() if name != "override"},
            "spotify": self._spotify(),
            "configuration": _configured(self._config()),
            "lately": [{"at": each.at.isoformat(timespec="seconds"), "kind": each.kind.value, **_of_event(each.data)} for each in troubles],
        }
        return json.dumps(_plainly(told), indent=1, ensure_ascii=False).encode(errors="replace")

    def back_up(self, out: BinaryIO) -> None:
        """Write a backup without keys, passwords and sessions."""
        from moodify.store import archive

        for left in self._folder.glob(f"{BACKING_UP}*"):
            # Of one that a power cut has ended.
            shutil.rmtree(left, ignore_errors=True)
        with copied(self._folder, self._configuration, self._folder, with_keys=False) as members:
            archive.pack(out, members, device=device_of(self._folder), keys=False)

    def erase(self) -> None:
        """End the run, and have the next one begin by erasing everything."""
        erasing.want(self._folder)
        self._put(Stop("everything is to be erased, as its owner asked on the page", again=True))

    def _spotify(self) -> Mapping[str, Any]:
        try:
            return self.spotify()
        except MoodifyError as error:
            # Somebody who helps wants to know that too.
            return {"error": str(error)}

    def _config(self) -> Config:
        try:
            return self._household.house_config()
        except MoodifyError:
            return self._household.file


def _configured(section: BaseModel) -> dict[str, Any]:
    """Return what was set in a section, where it is a number, a choice or a time of day."""
    return {name: _value(getattr(section, name), type(section).model_fields[name].annotation) for name in sorted(section.model_fields_set)}


def _value(value: object, annotation: object) -> Any:
    match value:
        case BaseModel():
            return _configured(value)
        case time():
            return value.isoformat(timespec="minutes")
        case tuple() | list() | dict():
            return f"({len(value)} set)"
    known = value is None or isinstance(value, int | float | Enum) or (isinstance(value, str) and value in _choices(annotation))
    return value if known else _SET


def _choices(annotation: object) -> frozenset[Any]:
    if get_origin(annotation) is Literal:
        return frozenset(get_args(annotation))
    return frozenset().union(*map(_choices, get_args(annotation)))


def _of_event(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in ("state", "message", "reasons") if name in data}


def _plainly(value: Any) -> Any:
    match value:
        case str():
            return plain(value, _TEXT)
        case dict():
            return {name: _plainly(each) for name, each in value.items()}
        case list() | tuple():
            return [_plainly(each) for each in value]
        case _:
            return value
