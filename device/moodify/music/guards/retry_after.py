"""How long a service asks to be left alone: the header Retry-After (RFC 9110, 10.2.3)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: What asks for longer is looked at again after a day: Spotify's quota has been seen to ask for 14 hours.
LONGEST_RETRY_S = 86_400.0


def retry_after_s(header: str | None) -> float | None:
    """Return the seconds that a header asks for, as a number or as an HTTP date, a day at most; None where it is missing or makes no sense."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            date = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_S) if math.isfinite(seconds) else None
