"""Waiting for what happens elsewhere, with a deadline."""

import time


def wait_until(condition, *, within_s=15.0, what="it", every_s=0.01):
    """Return what a condition gives as soon as that is true; fail after the deadline, saying ``what`` (a text, or what gives one)."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what() if callable(what) else what} did not happen within {within_s} s"
        time.sleep(every_s)
    return value
