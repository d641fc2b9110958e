"""What may be put into a column, of what others send: both databases must take it, and give it back as it was."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moodify.errors import CannotWork

if TYPE_CHECKING:
    from collections.abc import Mapping

#: An event may take so many bytes as JSON; a device sends one above 64 kB alone.
EVENT_AT_MOST = 256 * 1024
#: What a column for numbers holds.
LARGEST = 2**63 - 1

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def is_name(value: object) -> bool:
    """Return whether something can be an id, an epoch or a kind: 1 to 64 of ``A-Z a-z 0-9 . _ -``."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_number(value: object) -> bool:
    """Return whether something can be a message's number."""
    return isinstance(value, int) and 0 < value <= LARGEST


def readable(text: str, *, at_most: int) -> str:
    """Return what of a text a person can read, shortened: neither database takes every character."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:at_most])


def as_json(value: Mapping[str, Any], *, at_most: int = EVENT_AT_MOST) -> str:
    """Return JSON in ASCII.

    Raises:
        CannotWork: it is too large, or nothing that JSON can say.
    """
    try:
        found = json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise CannotWork(f"its data are no JSON ({error}); update Moodify on the device") from error
    if len(found) > at_most:
        raise CannotWork(f"it takes {len(found)} bytes, and at most {at_most} are kept; update Moodify on the device")
    return found


def moment(value: object) -> datetime:
    """Return the time that a text says, in UTC.

    Raises:
        CannotWork: it is none, or has no zone.
    """
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CannotWork("its time can't be read; update Moodify on the device") from error
    raise CannotWork("it has no time with a zone; update Moodify on the device")
