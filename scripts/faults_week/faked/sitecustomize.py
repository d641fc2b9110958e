"""Lets Python run under libfaketime, which answers the sleep that ``time.sleep`` asks for, until a moment of the monotonic clock, with an error."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    select.select((), (), (), float(seconds))


time.sleep = _sleep
