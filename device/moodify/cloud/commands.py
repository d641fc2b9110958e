"""What may be asked for from afar: read with suspicion, done at most once."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moodify.cloud.port import Command

if TYPE_CHECKING:
    from collections.abc import Collection

    from moodify.cloud.port import Memory

#: A command above this many bytes is not read.
COMMAND_BYTES = 4096
#: So many executed ids are remembered; a broker repeats a message within minutes, not after hundreds of commands.
REMEMBERED_IDS = 200
_KEY = "link.executed"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that is not carried out, and why."""

    reason: str
    id: str | None
    """Whom to answer; None where no id can be read."""


class CommandDesk:
    """Takes messages from the command topics. Belongs to the link's thread."""

    def __init__(self, allowed: Collection[str], memory: Memory) -> None:
        """Take the names that the owner allows, and where executed ids are kept."""
        self._allowed = frozenset(allowed)
        self._memory = memory

    def take(self, name: str, payload: bytes, *, retained: bool) -> Command | Rejected:
        """Read one message; a command is remembered before it is returned, so that a repeat does nothing.

        Its ``id`` is all that is read of it.
        """
        try:
            command_id = _uuid(_read(payload).get("id"))
        except ValueError as error:
            return Rejected(str(error), None)
        if command_id is None:
            return Rejected("no id that is a UUID", None)
        executed = self._memory.get(_KEY, [])
        if retained:
            return Rejected("a command must not be retained", command_id)
        if name not in self._allowed:
            return Rejected(f"the owner does not allow {name!r}; [link] commands lists what is allowed", command_id)
        if command_id in executed:
            return Rejected("this id was carried out before", command_id)
        self._memory.put(_KEY, [*executed, command_id][-REMEMBERED_IDS:])
        return Command(command_id, name)


def _read(payload: bytes) -> dict[str, Any]:
    if len(payload) > COMMAND_BYTES:
        raise ValueError(f"larger than {COMMAND_BYTES} bytes")
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - it is the message's value that is wrong
    return body


def _uuid(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        parsed = uuid.UUID(value)
    except ValueError:
        return None
    # It becomes part of a topic: only the plain form is taken.
    return value if str(parsed) == value else None
