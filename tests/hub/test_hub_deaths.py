"""A thread of the hub's that an error ends is not missed in silence."""

import threading
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from moodify.hub.minding import deaths
from waiting import wait_until


def fail():
    raise LookupError("a fault of this test")


def run(name, target):
    thread = threading.Thread(target=target, name=name)
    thread.start()
    thread.join()


def test_who_dies_of_an_error_is_named_and_who_ends_is_not(caplog):
    before = threading.excepthook
    with deaths() as died:
        run("good", lambda: None)
        assert list(died) == []
        run("retention", fail)
        assert list(died) == ["retention"]
    assert threading.excepthook is before
    assert "the hub's retention ended unexpectedly" in caplog.text
    assert "a fault of this test" in caplog.text


def test_who_ends_the_interpreter_is_nobody_that_died():
    with deaths() as died:
        run("leaving", lambda: (_ for _ in ()).throw(SystemExit))
    assert list(died) == []


class ForgottenMeanwhile(dict):
    """When counts are over; whoever counts forgets one just as the library goes through them."""

    def keys(self):
        found = list(super().keys())
        self.clear()
        return found


def test_a_sweep_of_who_counts_that_fails_ends_no_hub(caplog):
    limit, storage = RateLimitItemPerSecond(5), MemoryStorage()
    wait_until(lambda: not storage.timer.is_alive(), what="the end of its first sweep")
    storage.expirations = ForgottenMeanwhile(somebody=time.time())
    limiter = FixedWindowRateLimiter(storage)
    with deaths() as died:
        limiter.hit(limit, "one")
        wait_until(lambda: "KeyError" in caplog.text, what="a sweep that fails")
        wait_until(lambda: not storage.timer.is_alive(), what="the end of it")
        assert list(died) == []
        failed = storage.timer
        limiter.hit(limit, "one")
        assert storage.timer is not failed
        wait_until(lambda: not storage.timer.is_alive(), what="the end of the next one")
