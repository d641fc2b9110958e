"""What leaves of the looks at people's skin: the newest numbers of everybody who wants theirs to, as one retained state (docs/mqtt.md)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from moodify.daemon.skin_keeping import record_of
from moodify.errors import StoreBusy
from moodify.skin.record import Trait
from moodify.store.skin import SkinTables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from moodify.store.skin import Look

log = logging.getLogger(__name__)

STATE: Final = "skin"
#: Nothing is so private that it may stay published because the rest is too large to be sent: so many, those of the newest looks, fit in a state by far.
PEOPLE_AT_MOST: Final = 30
_SHOWN: Final = ("looked_at", "date_doubted", "skin_score", "skin_score_version", *(trait.value for trait in Trait), "confidence_score")


class SkinSharing:
    """Publishes it. Belongs to the conductor's thread.

    Whoever changes what is shared, on the page or with a command of another program, needs to tell nobody: that the database was changed is seen here.

    Args:
        database: the prepared one.
        publish: publishes a retained state where it differs from the last.
        house: closes the connection.

    Raises:
        StoreBusy, StoreError: the database can't be had.
    """

    def __init__(self, database: Path, publish: Callable[[str, Mapping[str, Any]], None], house: ExitStack) -> None:
        """Open the database; publish nothing yet."""
        self._tables = house.enter_context(SkinTables(database))
        self._publish = publish
        self._seen: int | None = None

    def tick(self) -> None:
        """Publish what is shared, at the first time and where the database has changed. Where it is locked that is done the next time.

        Raises:
            StoreError: the database can't be used.
        """
        try:
            version = self._tables.version()
            if version == self._seen:
                return
            shared = state_of(self._tables.shared())
        except StoreBusy as error:
            log.debug("what is shared of looks at skin is told later: %s", error)
            return
        # What changed after the number was read has another one.
        self._seen = version
        self._publish(STATE, shared)


def state_of(looks: Sequence[Look]) -> Mapping[str, Any]:
    """Return what is published: numbers by the id of the account, without names and addresses, and nothing of what is damaged; empty where there are none."""
    read = [(look.user, record) for look in looks if (record := record_of(look)) is not None]
    records = sorted(read, key=lambda each: each[1].looked_at)[-PEOPLE_AT_MOST:]
    if not records:
        return {}
    shown = {str(user): record.model_dump(mode="json", include=set(_SHOWN)) for user, record in records}
    return {"looks": dict(sorted(shown.items()))}
