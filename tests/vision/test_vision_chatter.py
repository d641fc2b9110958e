"""TFLite's greeting, and what else is written to stderr while an interpreter is made."""

import os
import sys
from contextlib import contextmanager

import pytest

from moodify.vision.chatter import CHATTER, without_chatter


def test_the_greeting_is_held_back_and_the_rest_is_passed_on(capfd):
    with without_chatter():
        os.write(2, b"before\n" + CHATTER + b" for CPU.\nafter\n")
    os.write(2, b"then\n")
    assert capfd.readouterr().err == "before\nafter\nthen\n"


def test_what_was_written_is_passed_on_where_something_fails(capfd):
    try:
        with without_chatter():
            os.write(2, b"why\n")
            raise ValueError
    except ValueError:
        os.write(2, b"then\n")
    assert capfd.readouterr().err == "why\nthen\n"


def test_without_a_stderr_nothing_is_held(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with without_chatter():
        held = True
    assert held


@contextmanager
def nobody_reads():
    """Let descriptor 2 be a pipe whose other end is closed."""
    before = os.dup(2)
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 2)
    os.close(writer)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def fail_with_words():
    with without_chatter():
        os.write(2, b"why\n")
        raise LookupError


def test_where_nobody_reads_stderr_any_more_that_is_no_failure_and_hides_none():
    with nobody_reads(), pytest.raises(BrokenPipeError):
        os.write(2, b"why\n")
    with nobody_reads(), pytest.raises(LookupError):
        fail_with_words()
