"""What ``moodify check`` finds of a part."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a part is."""

    OK = "ok"
    DEGRADED = "degraded"
    """Works less well, or heals by itself."""
    BROKEN = "broken"
    """Stays so until somebody does what the message says."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check."""

    verdict: Verdict
    message: str
