import os
import queue
import termios
import time

import pytest

from moodify.panel.keys import Keys
from moodify.panel.port import Press


@pytest.fixture
def terminal():
    ours, theirs = os.openpty()
    yield ours, theirs
    for handle in (ours, theirs):
        try:
            os.close(handle)
        except OSError:
            continue


def lflags(handle):
    return termios.tcgetattr(handle)[3]


def test_keys_stand_in_for_the_button(terminal):
    ours, theirs = terminal
    pressed = queue.Queue()
    with Keys(pressed.put, handle=theirs):
        os.write(ours, b"sxNpvq ")
        told = [pressed.get(timeout=30) for _ in range(6)]
    assert told == [Press.SCAN, Press.NEXT, Press.PAUSE, Press.PRIVACY, Press.QUIT, Press.SCAN]
    assert pressed.empty()


def test_the_terminal_is_put_back_as_it_was_even_after_an_error(terminal):
    _, theirs = terminal
    before = termios.tcgetattr(theirs)

    def fail():
        with Keys(lambda _press: None, handle=theirs):
            assert not lflags(theirs) & (termios.ECHO | termios.ICANON)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert termios.tcgetattr(theirs) == before


def test_ctrl_c_keeps_its_meaning(terminal):
    _, theirs = terminal
    with Keys(lambda _press: None, handle=theirs):
        assert lflags(theirs) & termios.ISIG


def test_closing_twice_is_safe_and_ends_the_thread(terminal):
    _, theirs = terminal
    keys = Keys(lambda _press: None, handle=theirs)
    assert keys.active
    keys.close()
    keys.close()
    assert not keys.active


def test_nothing_is_read_where_there_is_no_terminal():
    reading, writing = os.pipe()
    with Keys(lambda _press: None, handle=reading) as keys:
        assert not keys.active
        os.write(writing, b"q")
    assert os.read(reading, 1) == b"q"
    os.close(reading)
    os.close(writing)


def test_a_terminal_that_goes_away_ends_the_keys_quietly(terminal):
    ours, theirs = terminal
    keys = Keys(lambda _press: None, handle=theirs)
    os.close(ours)
    deadline = time.monotonic() + 30
    while keys.active:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    keys.close()
