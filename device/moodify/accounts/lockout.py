"""How long somebody waits after wrong passwords."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from moodify.errors import TooManyTries

if TYPE_CHECKING:
    from collections.abc import Callable

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


def delay_s(failures: int, *, longest_s: float = _LONGEST_S) -> float:
    """Return the seconds that must pass after the last of so many failures: 0, then 2 doubling to ``longest_s``."""
    beyond = failures - FREE_FAILURES
    return 0.0 if beyond < 0 else min(longest_s, _FIRST_S * 2.0 ** min(beyond, 16))


def wait(tries: Tries, now: datetime, *, longest_s: float = _LONGEST_S) -> timedelta:
    """Return how long the next try has to wait at ``now`` (UTC); zero where it may be made at once.

    A failure in the future means that the clock was set back, so that its date says nothing: one try is let through,
    and its failure is dated by the new clock. Holding on to it would lock an owner out for as long as the clock was wrong.
    """
    if tries.last_failure is None or now < tries.last_failure:
        return timedelta()
    return max(timedelta(), tries.last_failure + timedelta(seconds=delay_s(tries.failures, longest_s=longest_s)) - now)


def refuse_early(tries: Tries, now: datetime, *, longest_s: float = _LONGEST_S) -> None:
    """Return if the next try may be made.

    Raises:
        TooManyTries: it has to wait; says for how long.
    """
    left_s = wait(tries, now, longest_s=longest_s).total_seconds()
    if left_s > 0:
        raise TooManyTries(f"too many wrong tries; wait {in_words(left_s)} and try again", retry_after_s=math.ceil(left_s))


def in_words(seconds: float) -> str:
    """Return a wait as a person says it, rounded up."""
    whole = math.ceil(seconds)
    if whole < 2 * 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    return f"{math.ceil(whole / 60)} minutes"


class Guesses:
    """Wrong tries at what has no account to count them at: codes, and addresses that nobody has. Gone with the process; safe from any thread.

    An address that nobody has must make wait like one that somebody has, or the wait would tell which are which.
    """

    _AT_MOST = 500

    def __init__(self, now_s: Callable[[], float], *, longest_s: float = _LONGEST_S) -> None:
        """Take a clock that only goes forward, in seconds, and the longest wait."""
        self._now_s = now_s
        self._longest_s = longest_s
        self._tries: dict[str, Tries] = {}
        self._lock = threading.Lock()

    def count(self, what: str) -> None:
        """Count a try as wrong before it is looked at; :meth:`forget` takes that back.

        Raises:
            TooManyTries: it has to wait, and was not counted.
        """
        now = datetime.fromtimestamp(self._now_s(), UTC)
        with self._lock:
            tries = self._tries.pop(what, Tries())
            self._tries[what] = tries
            refuse_early(tries, now, longest_s=self._longest_s)
            self._tries[what] = Tries(tries.failures + 1, now)
            if len(self._tries) > self._AT_MOST:
                del self._tries[next(iter(self._tries))]

    def forget(self, what: str) -> None:
        """Forget wrong tries after a right one."""
        with self._lock:
            self._tries.pop(what, None)
