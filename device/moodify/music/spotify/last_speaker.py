"""Which speaker orders went to last, kept over a restart: one that sleeps is in no list, and only an order to its id wakes it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from moodify.errors import StoreBusy
from moodify.music.notes import NoteFile
from moodify.types import Speaker

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

FILE = "spotify-speaker.json"
#: Key in the file.
SPEAKER = "speaker"
#: An id becomes part of a request's address.
_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
_LONGEST_NAME = 200


class LastSpeaker:
    """The id and the name of the speaker that was there last. A stale id costs one request."""

    def __init__(self, folder: Path | None) -> None:
        """Read what was kept in a folder; None keeps nothing."""
        self._notes = None if folder is None else NoteFile(folder / FILE)
        self.speaker = None if self._notes is None else _speaker(self._notes.get(SPEAKER))
        """As it was kept; None where nothing was."""
        self._kept = self.speaker

    def keep(self, there: Speaker) -> None:
        """Keep a speaker that is there; written only where it is another one, or has another id or name."""
        if self._notes is None or (self._kept is not None and (self._kept.id, self._kept.name) == (there.id, there.name)):
            return
        # Where it can't be written, a try at each order would only wear the card out.
        self._kept = there
        try:
            self._notes.put(SPEAKER, {"id": there.id, "name": there.name})
        except StoreBusy as error:
            logger.warning("After a restart %s can't be woken while it sleeps: %s", there.name, error)


def _speaker(kept: object) -> Speaker | None:
    if not isinstance(kept, dict):
        return None
    key, name = kept.get("id"), kept.get("name")
    if not isinstance(key, str) or not isinstance(name, str) or _ID.fullmatch(key) is None or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        return None
    return Speaker(key, name, active=False)
