"""What the link needs from the database; :mod:`moodify.store` implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One summary to send: the events of one transaction, unchanged however often it is offered."""

    epoch: str
    """UUID of the outbox; a new one when the database is made anew."""
    seq: int
    """Counts up from 1 within an epoch, without gaps but for what was dropped for want of room."""
    payload: bytes
    """JSON: ``{"v": 1, "epoch": …, "seq": …, "items": [event, …]}``."""


class Outbox(Protocol):
    """Unsent summaries, oldest first. Used by one thread, over a connection of its own."""

    def unsent(self, *, after: int = 0, limit: int = 20) -> Sequence[OutboxMessage]:
        """Return at most ``limit`` messages with ``seq`` above ``after``, oldest first."""

    def delivered(self, epoch: str, seq: int) -> None:
        """Forget one message that has arrived."""

    def refused(self, epoch: str, seq: int, reason: str) -> None:
        """Set one message aside that the broker will never take, so that it does not hold up the rest."""

    def backlog(self) -> int:
        """Return how many messages wait."""
