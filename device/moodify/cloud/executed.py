"""Which commands were carried out, and how they ended: what is asked for twice is done once."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.cloud.port import Memory

#: So many commands are remembered; a broker, or a hub, repeats a message within minutes or hours, not after hundreds of commands.
REMEMBERED = 200
_SLOT = "link.command.{}"
#: A command a second would take ages to get there.
_LAST_PLACE = 2**53


@dataclass(frozen=True, slots=True)
class Deed:
    """A command that was begun."""

    answer: Mapping[str, Any] | None
    """What was said of it; None while nothing was."""
    before: bool
    """Whether it was begun before this start: then nobody works at it any more."""


class Executed:
    """A ring of :data:`REMEMBERED` values in the memory, so that a command writes little. Belongs to the link's thread."""

    def __init__(self, memory: Memory) -> None:
        """Take where they are kept; they are read when the first command comes."""
        self._memory = memory
        self._deeds: dict[str, Deed] = {}
        self._places: dict[str, int] = {}
        self._next: int | None = None

    def find(self, command_id: str) -> Deed | None:
        """Return what is known of a command; None where it is new.

        Raises:
            StoreBusy, StoreError: from the memory.
        """
        self._load()
        return self._deeds.get(command_id)

    def begin(self, command_id: str) -> None:
        """Remember that a command is begun; it is on the disk when this returns.

        Raises:
            StoreBusy, StoreError: from the memory; it is not begun then.
        """
        place = self._load()
        self._keep(place, command_id, None)
        for forgotten in [other for other, at in self._places.items() if at == place - REMEMBERED]:
            del self._places[forgotten], self._deeds[forgotten]
        self._places[command_id] = place
        self._deeds[command_id] = Deed(None, before=False)
        self._next = place + 1

    def end(self, command_id: str, answer: Mapping[str, Any]) -> None:
        """Remember what is said of a command; the first answer stands, and of one that is not remembered nothing is.

        Raises:
            StoreBusy, StoreError: from the memory.
        """
        self._load()
        deed = self._deeds.get(command_id)
        if deed is not None and deed.answer is None:
            self._keep(self._places[command_id], command_id, answer)
            self._deeds[command_id] = Deed(answer, before=deed.before)

    def _load(self) -> int:
        if self._next is None:
            for place, command_id, answer in sorted(filter(None, (_read(self._memory.get(_SLOT.format(slot))) for slot in range(REMEMBERED))), key=itemgetter(0)):
                self._places[command_id] = place
                self._deeds[command_id] = Deed(answer, before=True)
            self._next = max(self._places.values(), default=-1) + 1
        return self._next

    def _keep(self, place: int, command_id: str, answer: Mapping[str, Any] | None) -> None:
        self._memory.put(_SLOT.format(place % REMEMBERED), {"n": place, "id": command_id, "answer": answer})


def _read(kept: object) -> tuple[int, str, Mapping[str, Any] | None] | None:
    match kept:
        case {"n": int(place), "id": str(command_id), "answer": (None | dict()) as answer} if 0 <= place <= _LAST_PLACE:
            return place, command_id, answer
    # Nothing, or damaged: that one command could be carried out again.
    return None
