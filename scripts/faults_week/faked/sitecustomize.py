"""Lets Python run under libfaketime, which answers the sleep that ``time.sleep`` asks for, until a moment of the monotonic clock, with an error."""

import select
import time


def _sleep(seconds: float) -> None:
    select.select((), (), (), seconds)


time.sleep = _sleep
