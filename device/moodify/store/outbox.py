"""What waits to be sent; the link's :class:`moodify.cloud.port.Outbox`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.sqlite import transaction
from moodify.store.database import Connected, mapped
from moodify.types import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: SQLite's largest integer; what comes from outside may be larger.
LARGEST = 2**63 - 1


class Outbox(Connected):
    """Unsent summaries, oldest first, over the courier's own connection.

    What it forgets is committed without an fsync: where a power cut takes that back, a message is
    sent once more and absorbed as a repeat.
    """

    _durable = False

    def unsent(self, *, after: int = 0, limit: int = 20) -> Sequence[OutboxMessage]:
        """Return at most ``limit`` messages with ``seq`` above ``after``, oldest first.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        sql = "SELECT epoch, seq, items FROM outbox, outbox_state WHERE refused IS NULL AND seq > ? ORDER BY seq LIMIT ?"
        with mapped(self._path):
            rows = list(self._db.query(sql, [after, limit]))
        # The envelope holds nothing that changes: the same number always means the same bytes.
        return [OutboxMessage(row["epoch"], row["seq"], f'{{"v":1,"epoch":"{row["epoch"]}","seq":{row["seq"]},"items":{row["items"]}}}'.encode()) for row in rows]

    def delivered(self, epoch: str, ranges: Collection[tuple[int, int]]) -> None:
        """Forget messages that have arrived: of each ``(first, last)``, both included; of another epoch, none.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path), transaction(self._db):
            if epoch != self._db.execute("SELECT epoch FROM outbox_state").fetchone()[0]:
                return
            for first, last in ranges:
                if first <= LARGEST:
                    self._db.execute("DELETE FROM outbox WHERE seq BETWEEN ? AND ?", [max(first, 0), max(min(last, LARGEST), 0)])

    def refused(self, epoch: str, seq: int, reason: str) -> None:
        """Set one message aside that the broker will never take, so that it does not hold up the rest.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path), transaction(self._db):
            self._db.execute("UPDATE outbox SET refused = ? WHERE seq = ? AND ? = (SELECT epoch FROM outbox_state)", [reason, seq, epoch])

    def take_back(self) -> int:
        """Let what was set aside be offered again: another broker, or other limits there, may take it. Return how many messages that are.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path), transaction(self._db):
            return int(self._db.execute("UPDATE outbox SET refused = NULL WHERE refused IS NOT NULL").rowcount)

    def backlog(self) -> int:
        """Return how many messages wait.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path):
            return int(self._db.execute("SELECT count(*) FROM outbox WHERE refused IS NULL").fetchone()[0])
