"""Too little memory in the middle of a run: said in words, and no other failure is."""

import sys
import threading

import pytest

from moodify.cli import main
from moodify.errors import RetryLater


@pytest.fixture
def stacks_that_no_machine_has():
    before = threading.stack_size(1 << 60)
    yield
    threading.stack_size(before)


def test_a_thread_that_has_no_room_is_said_in_words(stacks_that_no_machine_has, monkeypatch, capsys):
    monkeypatch.setattr(sys.modules[main.__module__], "app", threading.Thread(target=print).start)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == RetryLater.exit_code
    assert capsys.readouterr().err == "moodify: there is not enough memory; end other programs, or restart the device, and try again\n"


def test_another_failure_is_not_called_want_of_memory(monkeypatch):
    thread = threading.Thread(target=print)
    thread.start()
    thread.join()
    monkeypatch.setattr(sys.modules[main.__module__], "app", thread.start)
    with pytest.raises(RuntimeError, match="threads can only be started once"):
        main()
