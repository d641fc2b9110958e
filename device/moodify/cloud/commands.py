"""What may be asked for from afar (docs/mqtt.md): read with suspicion, done at most once."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

from moodify.cloud.executed import Executed
from moodify.cloud.port import Command
from moodify.cloud.restraint import Bucket
from moodify.config.model import MusicGoal
from moodify.types import FELT_MOODS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from moodify.cloud.mqtt import Received
    from moodify.cloud.port import Memory

#: A command above this many bytes is not carried out.
COMMAND_BYTES = 4096
#: One above this many is not even read for its id.
READ_BYTES = 65_536
GOALS: tuple[str, ...] = get_args(MusicGoal)
#: How long a mood from afar holds, in minutes.
MOOD_MINUTES = 60
MOOD_MINUTES_AT_MOST = 720
#: So many commands a minute are carried out, and so many at once: people at a dashboard need fewer, and each costs the card writes.
COMMANDS_PER_MINUTE = 30
COMMANDS_AT_ONCE = 10
#: What is said of one more.
TOO_MANY = f"too many commands: {COMMANDS_PER_MINUTE} a minute are carried out, {COMMANDS_AT_ONCE} at once; ask again in a while"
#: What is said of a command that a crash or a power cut came into.
BEGUN_BEFORE = "was begun before a restart; it is not done twice"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that asks for nothing to be done, and what to say to it."""

    id: str | None
    """Whom to answer; None where no id can be read."""
    body: Mapping[str, Any]
    """The answer: as before to a command that comes again, or an error with its reason."""

    @property
    def refusal(self) -> str | None:
        """Why nothing is done; None for a repeat that went well."""
        return self.body.get("error")


class CommandDesk:
    """Takes messages from the command topics. Belongs to the link's thread."""

    def __init__(self, allowed: Collection[str], memory: Memory, *, clock_trusted: Callable[[], bool], bucket: Bucket | None = None) -> None:
        """Take the names that the owner allows, where executed ids are kept, whether the system's date can be believed, and how many are carried out."""
        self._allowed = frozenset(allowed)
        self._clock_trusted = clock_trusted
        self._executed = Executed(memory)
        self._bucket = bucket or Bucket(COMMANDS_PER_MINUTE, COMMANDS_AT_ONCE)

    def take(self, name: str, message: Received, now: datetime | None = None) -> Command | Reply | None:
        """Read one message; a command is remembered before it is returned, so that a repeat does nothing.

        Args:
            name: the last part of the topic.
            message: what came.
            now: the system's date, timezone-aware; None asks for it.

        Returns:
            What to do, or what to say, or None where a command comes again that is under way: its answer will come.

        Raises:
            StoreBusy, StoreError: from the memory; nothing was taken, and the message may be given again.
        """
        try:
            body = _read(message.payload)
            command_id = _id(body)
        except ValueError as error:
            return Reply(None, _error(str(error)))
        # The first that holds is said: a retained command would come again with each connect, whatever it was answered before.
        if message.retained:
            return Reply(command_id, _error("a command must not be retained"))
        deed = self._executed.find(command_id)
        if deed is not None:
            if deed.answer is None and not deed.before:
                return None
            return Reply(command_id, deed.answer if deed.answer is not None else _error(BEGUN_BEFORE))
        try:
            command = Command(command_id, name, self._arguments(name, message, body, datetime.now(UTC) if now is None else now))
            if not self._bucket.take():
                raise ValueError(TOO_MANY)
        except ValueError as error:
            return Reply(command_id, _error(str(error)))
        self._executed.begin(command_id)
        return command

    def answered(self, command_id: str, body: Mapping[str, Any]) -> None:
        """Remember how a command ended, for when it is asked for again.

        Raises:
            StoreBusy, StoreError: from the memory.
        """
        self._executed.end(command_id, body)

    def _arguments(self, name: str, message: Received, body: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
        if len(message.payload) > COMMAND_BYTES:
            raise ValueError(f"larger than {COMMAND_BYTES} bytes")
        if name not in ARGUMENTS:
            raise ValueError(f"there is no command {_shown(name)}; there are {', '.join(ARGUMENTS)}")
        if name not in self._allowed:
            raise ValueError(f"the owner does not allow {name!r}; [link] commands lists what is allowed")
        if message.expiry_s is not None and time.monotonic() - message.arrived_s >= message.expiry_s:
            raise ValueError("expired before it could be carried out")
        expires = _expires(body)
        if expires is not None and expires <= now and self._clock_trusted():
            raise ValueError(f"expired at {expires.isoformat(timespec='seconds')}")
        return ARGUMENTS[name](body)


def _error(reason: str) -> Mapping[str, Any]:
    return {"status": "error", "error": reason}


def _read(payload: bytes) -> dict[str, Any]:
    if len(payload) > READ_BYTES:
        raise ValueError(f"larger than {READ_BYTES} bytes")
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - it is the message's value that is wrong
    return body


def _id(body: Mapping[str, Any]) -> str:
    value = body.get("id")
    # It becomes part of a topic.
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError("no id of 1 to 64 letters, digits, dots, underscores and hyphens")
    return value


def _expires(body: Mapping[str, Any]) -> datetime | None:
    value = body.get("expires")
    if value is None:
        return None
    try:
        expires = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f'"expires" must be a time as 2026-11-21T16:00:00+00:00, not {_shown(value)}') from error
    if expires.tzinfo is None:
        raise ValueError(f'"expires" must say its zone, as 2026-11-21T16:00:00+00:00 does, not {_shown(value)}')
    return expires


def _shown(value: object) -> str:
    # It goes into an answer and the log: short, and nothing but ASCII.
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _nothing(_body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


def _mood(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"mood": _one_of(body, "mood", tuple(mood.value for mood in FELT_MOODS)), "minutes": _whole(body, "minutes", 1, MOOD_MINUTES_AT_MOST, default=MOOD_MINUTES)}


def _volume(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"percent": _whole(body, "percent", 0, 100)}


def _goal(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"goal": _one_of(body, "goal", GOALS)}


def _one_of(body: Mapping[str, Any], key: str, words: tuple[str, ...]) -> str | None:
    if key not in body:
        raise ValueError(f'"{key}" is missing: one of {", ".join(words)}, or null')
    value = body[key]
    if value is None:
        return None
    if not isinstance(value, str) or value not in words:
        raise ValueError(f'"{key}" must be one of {", ".join(words)}, or null, not {_shown(value)}')
    return value


def _whole(body: Mapping[str, Any], key: str, least: int, most: int, *, default: int | None = None) -> int:
    value = body.get(key, default)
    if value is None and key not in body:
        raise ValueError(f'"{key}" is missing: a whole number from {least} to {most}')
    # True is an int to Python, and no number to anybody else.
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f'"{key}" must be a whole number from {least} to {most}, not {_shown(value)}')
    return value


#: What each command may say beside its id: from the message to :attr:`Command.args`; raises ValueError with a reason for a person.
ARGUMENTS: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    "rescan": _nothing,
    "pause": _nothing,
    "resume": _nothing,
    "privacy": _nothing,
    "mood": _mood,
    "volume": _volume,
    "goal": _goal,
    "diagnostics": _nothing,
}
