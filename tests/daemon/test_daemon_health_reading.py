"""The machine's health is read on one thread that lasts: the conductor starts none."""

import threading

import pytest

from moodify.daemon.running import HealthReader
from moodify.daemon.signals import HealthRead
from moodify.errors import StoreBusy
from waiting import wait_until


def health_threads():
    return [thread for thread in threading.enumerate() if thread.name == "health"]


@pytest.fixture
def told():
    return []


def test_each_wish_is_answered_from_the_same_thread_which_ends_with_it(tmp_path, told):
    # Of an earlier test one may still be ending.
    before, readers = set(health_threads()), set()

    def sign_in():
        readers.add(threading.current_thread())

    with HealthReader(tmp_path, told.append, sign_in) as health:
        for number in (1, 2, 3):
            health.read()
            wait_until(lambda: len(told) == number)  # noqa: B023 - it is waited for here
        (reader,) = readers
    assert all(isinstance(each, HealthRead) for each in told)
    wait_until(lambda: not reader.is_alive(), what="the end of the thread")
    assert set(health_threads()) <= before


def test_what_can_not_be_read_is_read_again_with_the_next_wish(tmp_path, told, caplog):
    asked = []

    def sign_in():
        asked.append(True)
        if len(asked) == 1:
            raise StoreBusy("the disk is full; free some space")

    with HealthReader(tmp_path, told.append, sign_in) as health:
        health.read()
        wait_until(lambda: "can't be read: the disk is full" in caplog.text, what="a word in the log")
        assert told == []
        health.read()
        wait_until(lambda: told, what="the reading")


class LastMoment(threading.Event):
    """Lets something happen at the last moment before a wish is taken down."""

    def __init__(self, happens):
        super().__init__()
        self._happens = happens

    def clear(self):
        self._happens()
        super().clear()


def test_an_end_at_the_moment_at_which_a_wish_is_taken_up_is_not_missed(tmp_path, told):
    before = set(health_threads())
    health = HealthReader(tmp_path, told.append)
    health._wanted = LastMoment(health.__exit__)
    with health:
        (reader,) = set(health_threads()) - before
        health.read()
        wait_until(lambda: not reader.is_alive(), what="the end of the thread")
