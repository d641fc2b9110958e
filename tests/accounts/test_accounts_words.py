"""Labels of sessions, the window after the button, and guesses at what has no account."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from clocks import MovedClock

from moodify.accounts.label import label_of
from moodify.accounts.lockout import Guesses, in_words
from moodify.accounts.session import shown
from moodify.accounts.window import Window
from moodify.errors import NotPermitted, TooManyTries


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", "Safari on Mac"),
        ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0 Mobile/15E148 Safari/604.1", "Chrome on iPad"),
        ("Mozilla/5.0 Firefox/128.0", "Firefox"),
        ("python-requests/2.32", "a program"),
        ("", "a program"),
        (None, "a program"),
    ],
)
def test_a_browser_is_called_what_people_call_it(header, label):
    assert label_of(header) == label


@pytest.mark.parametrize(("label", "kept"), [("  Firefox \n on\tLinux ", "Firefox on Linux"), ("\x00\x1b[31m", "[31m"), ("\u202e", "a program"), ("", "a program")])
def test_a_label_is_one_readable_line(label, kept):
    assert shown(label) == kept


def test_a_window_is_for_one_use():
    window = Window(MovedClock().now_s)
    window.open(300)
    with window.use(), pytest.raises(NotPermitted), window.use():
        pass
    with pytest.raises(NotPermitted):
        window.check()


def test_a_use_that_fails_leaves_the_window_open_for_the_rest_of_its_time():
    clock = MovedClock()
    window = Window(clock.now_s)
    window.open(300)
    clock.pass_by(seconds=100)
    with pytest.raises(ZeroDivisionError), window.use():
        _ = 1 / 0
    assert window.left_s == 200


def test_a_window_that_was_opened_anew_meanwhile_stays_as_it_was_opened():
    window = Window(MovedClock().now_s)
    window.open(10)

    def fail():
        with window.use():
            window.open(300)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert window.left_s == 300


def test_of_many_uses_at_once_one_is_let_through():
    window, ready = Window(MovedClock().now_s), threading.Barrier(8)
    window.open(300)

    def use(_):
        ready.wait()
        try:
            with window.use():
                return True
        except NotPermitted:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(use, range(8))) == 1


def test_guesses_are_forgotten_oldest_first_and_never_grow_without_end():
    clock = MovedClock()
    guesses = Guesses(clock.now_s)
    for _ in range(3):
        guesses.count("ada")
    with pytest.raises(TooManyTries):
        guesses.count("ada")
    for number in range(1000):
        guesses.count(f"somebody {number}")
    assert len(guesses._tries) == 500
    guesses.count("ada")


def test_who_is_guessed_at_is_not_forgotten_for_others():
    guesses = Guesses(MovedClock().now_s)
    for _ in range(3):
        guesses.count("ada")
    for number in range(1000):
        guesses.count(f"somebody {number}")
        with pytest.raises(TooManyTries):
            guesses.count("ada")


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 second"), (2, "2 seconds"), (119, "119 seconds"), (120, "2 minutes"), (899.5, "15 minutes")])
def test_a_wait_is_told_as_people_say_it(seconds, words):
    assert in_words(seconds) == words
