"""A thread of the hub's that an error ends is not missed in silence."""

import threading

from moodify.hub.minding import deaths


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
