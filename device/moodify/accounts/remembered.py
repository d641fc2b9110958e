"""Who was signed in a moment ago: each request asks, and a database need not answer each time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from moodify.accounts.port import Kept
    from moodify.accounts.session import Session
    from moodify.accounts.user import User

#: What another process has ended is noticed after so many seconds; what this one ends, at once.
REMEMBER_S: Final = 2.0
_AT_MOST: Final = 1000


class Remembered:
    """Sessions and their users as they were read at most two seconds ago. Safe from any thread."""

    def __init__(self, kept: Kept, now_s: Callable[[], float]) -> None:
        """Take where they are kept, and a clock that only goes forward, in seconds."""
        self._kept = kept
        self._now_s = now_s
        self._entries: dict[UUID, tuple[float, Session, User]] = {}
        self._forgotten = 0
        self._lock = threading.Lock()

    def look(self, session_id: UUID) -> tuple[Session, User] | None:
        """Return a session and its user, over or not; None where there is none.

        Raises:
            StoreBusy: they can't be read now.
            StoreError: they can't be used.
        """
        now_s = self._now_s()
        with self._lock:
            entry = self._entries.get(session_id)
            forgotten = self._forgotten
        if entry is not None and now_s - entry[0] <= REMEMBER_S:
            return entry[1:]
        session = self._kept.session(session_id)
        user = None if session is None else self._kept.by_id(session.user_id)
        if session is None or user is None:
            return None
        with self._lock:
            if len(self._entries) >= _AT_MOST:
                self._entries.clear()
            # What was ended since it was read must not be remembered as it was.
            if forgotten == self._forgotten:
                self._entries[session_id] = now_s, session, user
        return session, user

    def forget(self, *, user_id: UUID | None = None, session_id: UUID | None = None) -> None:
        """Read a user's sessions, or one session, anew at the next look."""
        with self._lock:
            self._forgotten += 1
            self._entries = {of: entry for of, entry in self._entries.items() if of != session_id and entry[2].id != user_id}

    def forget_all(self) -> None:
        """Read everything anew."""
        with self._lock:
            self._forgotten += 1
            self._entries.clear()
