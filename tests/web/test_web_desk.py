"""The thread that asks the accounts: where it dies, another one takes its place."""

import asyncio
import ctypes
import sys
import threading

import pytest

from moodify.web.desk import Desk
from moodify.web.problems import Problem
from waiting import wait_until


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.close()


def kill(thread):
    """Let a worker's thread die at its next step, as for want of memory."""
    # Not in the middle of handing over its last answer, where an executor passes over what goes wrong.
    wait_until(lambda: sys._current_frames()[thread.ident].f_code.co_name == "_worker", what="its being idle")
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(MemoryError))


def test_where_the_thread_that_is_asked_dies_all_who_wait_are_told_to_try_again_and_another_thread_answers(desk):
    async def ask():
        first = await desk.ask(threading.current_thread)
        kill(first)
        refused = await asyncio.gather(*(desk.ask(threading.current_thread) for _ in range(3)), return_exceptions=True)
        return first, refused, await desk.ask(threading.current_thread), await desk.ask(threading.current_thread)

    first, refused, second, again = asyncio.run(asyncio.wait_for(ask(), 60))
    assert [(type(each), each.status) for each in refused] == [(Problem, 503)] * 3
    assert not first.is_alive()
    assert second is again is not first


def test_what_a_question_raises_is_its_answer_and_ends_no_thread(desk):
    def fail():
        raise LookupError("nobody")

    async def ask():
        first = await desk.ask(threading.current_thread)
        with pytest.raises(LookupError, match="nobody"):
            await desk.ask(fail)
        return first, await desk.ask(threading.current_thread)

    first, second = asyncio.run(asyncio.wait_for(ask(), 60))
    assert first is second
