"""How long somebody waits after wrong passwords."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

FREE_FAILURES: Final = 3
"""So many wrong passwords in a row cost nothing: people mistype."""
_FIRST_S: Final = 2.0
_LONGEST_S: Final = 900.0
"""Guessing for a whole day gets under 110 tries at one account, and an owner locked out by somebody else's guesses waits a quarter of an hour at most.

NIST SP 800-63B, 5.2.2 asks for at most 100 failures in a row and names growing waits as a way to keep owners in while keeping guessers out.
"""


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong passwords in a row for one account."""

    failures: int = 0
    last_failure: datetime | None = None
    """UTC; None where there was none since the last success."""


def delay_s(failures: int) -> float:
    """Return the seconds that must pass after the last of so many failures: 0, then 2 doubling to 900."""
    beyond = failures - FREE_FAILURES
    return 0.0 if beyond < 0 else min(_LONGEST_S, _FIRST_S * 2.0 ** min(beyond, 16))


def wait(tries: Tries, now: datetime) -> timedelta:
    """Return how long the next try has to wait at ``now`` (UTC); zero where it may be made at once.

    A failure in the future means that the clock was set back, so that its date says nothing: one try is let through,
    and its failure is dated by the new clock. Holding on to it would lock an owner out for as long as the clock was wrong.
    """
    if tries.last_failure is None or now < tries.last_failure:
        return timedelta()
    return max(timedelta(), tries.last_failure + timedelta(seconds=delay_s(tries.failures)) - now)
