"""The looks at people's skin as the page, the terminal and an export reach them."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from moodify.errors import NotPermitted
from moodify.skin.record import FaceRecord
from moodify.store.database import DAMAGE
from moodify.store.skin import SkinTables
from moodify.web.skin_port import KeptLook, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

    from moodify.store.skin import Allowed, Look


log = logging.getLogger(__name__)

#: Of a look whose date is good: a Moodify that does not know the word, as one that is gone back to, reads no record that has it.
_UNSAID: Final = {"date_doubted"}


class RunningSkinKeeping:
    """Implements :class:`moodify.web.skin_port.SkinKeeping`; each call opens the database anew.

    Args:
        database: the prepared one.
        now: the time, in UTC.
    """

    def __init__(self, database: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open nothing yet."""
        self._database, self._now = database, now

    def standing(self, user: UUID) -> Standing:
        """Return what a person allows."""
        with SkinTables(self._database) as tables:
            return _standing_of(tables.allowed(user))

    def opt_in(self, user: UUID) -> Standing:
        """Allow looks."""
        with SkinTables(self._database) as tables:
            return _standing_of(tables.allow(user, self._now()))

    def opt_out(self, user: UUID) -> None:
        """Allow no looks any more, and erase those that are kept."""
        with SkinTables(self._database) as tables:
            tables.forbid(user)

    def share(self, user: UUID, *, on: bool) -> Standing:
        """Let the newest look leave over MQTT, or not."""
        with SkinTables(self._database) as tables:
            if not tables.share(user, on=on):
                raise _not_opted_in()
            return _standing_of(tables.allowed(user))

    def looks(self, user: UUID) -> Sequence[KeptLook]:
        """Return a person's looks, the oldest first."""
        with SkinTables(self._database) as tables:
            looks = tables.looks(user)
        return tuple(_readable(looks))

    def keep(self, user: UUID, record: FaceRecord) -> KeptLook:
        """Keep a look."""
        with SkinTables(self._database) as tables:
            look = tables.keep(user, record.looked_at, record.model_dump_json(exclude=None if record.date_doubted else _UNSAID))
        if look is None:
            raise _not_opted_in()
        return KeptLook(look.id, record)

    def remove(self, user: UUID, look: UUID) -> bool:
        """Erase one of a person's looks."""
        with SkinTables(self._database) as tables:
            return tables.remove(user, look)

    def exported(self, user: UUID) -> dict[str, Any]:
        """Return all of it that is kept of a person, by the name that an export has for it; JSON."""
        with SkinTables(self._database) as tables:
            allowed, looks = tables.everything(user)
        # As it is kept: what this program can't read is its person's all the same.
        return {
            "skin": {
                "opted_in": None if allowed is None else allowed["opted_in_at"],
                "shared": allowed is not None and bool(allowed["shared"]),
                "looks": [{"id": look["id"], "record": _plain(look["record"])} for look in looks],
            }
        }


def record_of(look: Look) -> FaceRecord | None:
    """Return what a look says; None where it is damaged, or a newer Moodify wrote it."""
    try:
        return FaceRecord.model_validate_json(look.record)
    except ValidationError:
        return None


def _readable(looks: Iterable[Look]) -> Iterator[KeptLook]:
    for look in looks:
        record = record_of(look)
        if record is None:
            log.warning("A damaged look at somebody's skin is passed over: %s", look.id)
        else:
            yield KeptLook(look.id, record)


def _plain(text: Any) -> Any:
    try:
        return json.loads(text)
    except DAMAGE:
        return str(text)


def _standing_of(allowed: Allowed | None) -> Standing:
    return Standing(None, shared=False) if allowed is None else Standing(allowed.since, shared=allowed.shared)


def _not_opted_in() -> NotPermitted:
    return NotPermitted('you have not allowed looks at your skin; opt in first, on the page under "Your skin"')
