"""When a part of the appliance was not well, from the events it told: what it did then explains what was measured meanwhile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PARTS: Final = frozenset({"camera", "speaker", "link"})
_UNWELL: Final = frozenset({"degraded", "broken"})
#: A part that is well for less than this was tried and found as before.
BLINK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Spell:
    """A part was not well."""

    part: str
    state: str
    why: str
    """What it said, but for what is done about it."""
    begins_s: float
    """In seconds since 1970."""
    ends_s: float

    def words(self, since_s: float) -> str:
        """Return it as a line; minutes are counted from ``since_s``."""
        begins, ends = ((each - since_s) / 60 for each in (self.begins_s, self.ends_s))
        return f"the {self.part} was {self.state} from minute {begins:.1f} to {ends:.1f}: {self.why}"


def spells(events: Iterable[Mapping[str, Any]], ends_s: float) -> list[Spell]:
    """Return the spells in which a part was not well.

    Args:
        events: as ``moodify run --events`` prints them, in their order.
        ends_s: what has not ended by then, in seconds since 1970, ends there.
    """
    found: list[Spell] = []
    under_way: dict[str, Spell] = {}
    for event in events:
        part = str(event["kind"])
        if part not in _PARTS:
            continue
        at_s = datetime.fromisoformat(event["at"]).timestamp()
        state, why = str(event["data"]["state"]), re.split(r"; ", str(event["data"]["message"]))[0]
        before = under_way.get(part)
        if before is not None and (before.state, before.why) != (state, why):
            found.append(_ended(under_way.pop(part), at_s))
        if state in _UNWELL and part not in under_way:
            under_way[part] = Spell(part, state, why, at_s, at_s)
    found += [_ended(each, ends_s) for each in under_way.values()]
    return _without_blinks(found)


def _ended(spell: Spell, at_s: float) -> Spell:
    return Spell(spell.part, spell.state, spell.why, spell.begins_s, at_s)


def _without_blinks(found: Iterable[Spell]) -> list[Spell]:
    kept: list[Spell] = []
    for each in sorted(found, key=lambda spell: spell.begins_s):
        last = next(
            (index for index, other in enumerate(kept) if (other.part, other.state, other.why) == (each.part, each.state, each.why) and each.begins_s - other.ends_s < BLINK_S),
            None,
        )
        if last is None:
            kept.append(each)
        else:
            kept[last] = _ended(kept[last], each.ends_s)
    return kept
