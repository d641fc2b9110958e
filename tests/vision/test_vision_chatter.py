"""TFLite's greeting, and what else is written to stderr while an interpreter is made."""

import os
import sys

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
