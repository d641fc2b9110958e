import io
import logging
import os
import sys

import pytest
from rich.console import Console
from rich.live import Live

from moodify.system.journal import set_up_logging, under_systemd
from moodify.system.redact import MASK, RedactingFilter

_NAMES = ("", "urllib3", "spotipy", "paho", "uvicorn", "httpx")


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, levels = list(root.handlers), {name: logging.getLogger(name).level for name in _NAMES}
    yield
    logging.captureWarnings(capture=False)
    for handler in list(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _journals_stderr():
    stat = os.fstat(2)
    return {"INVOCATION_ID": "0" * 32, "JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}


def test_lines_go_to_stderr_without_systemd(capsys):
    set_up_logging("info", environ={})
    logging.getLogger("moodify.test").info("The camera is open")
    assert "INFO    moodify.test: The camera is open" in capsys.readouterr().err


def test_a_second_set_up_replaces_the_first(capsys):
    set_up_logging("info", environ={})
    set_up_logging("warning", environ={})
    logging.getLogger("moodify.test").info("quiet")
    logging.getLogger("moodify.test").warning("once")
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "spotipy.client", "paho.mqtt", "uvicorn.error", "httpx"])
def test_third_parties_are_never_below_info(name, capsys):
    set_up_logging("debug", environ={})
    logging.getLogger(name).debug("a whole answer")
    logging.getLogger("moodify.test").debug("ours")
    assert capsys.readouterr().err.splitlines()[0].endswith("moodify.test: ours")


def test_third_parties_follow_a_stricter_level():
    set_up_logging("error", environ={})
    assert not logging.getLogger("urllib3").isEnabledFor(logging.WARNING)


def test_secrets_of_third_parties_are_masked(capsys):
    set_up_logging("info", environ={})
    logging.getLogger("spotipy.client").info("headers %s", {"Authorization": "Bearer BQDx-abcdefgh"})
    written = capsys.readouterr().err
    assert "BQDx" not in written
    assert MASK in written


def test_lines_go_above_a_live_view_on_its_console():
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    set_up_logging("info", console=console, environ={})
    with Live("the live view", console=console, auto_refresh=False):
        logging.getLogger("moodify.test").info("The camera is [open]")
    assert "The camera is [open]" in written.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")


def test_only_a_stderr_that_the_journal_reads_counts_as_systemd():
    assert under_systemd(_journals_stderr())
    assert not under_systemd({"INVOCATION_ID": "0" * 32})
    assert not under_systemd({**_journals_stderr(), "JOURNAL_STREAM": "1:1"})


def test_under_systemd_the_journal_s_own_handler_is_used():
    journal = pytest.importorskip("systemd.journal", reason="systemd-python is not installed (extra: systemd)")
    handler = set_up_logging("info", environ=_journals_stderr())
    assert isinstance(handler, journal.JournalHandler)
    assert any(isinstance(each, RedactingFilter) for each in handler.filters)


def test_under_systemd_without_its_package_lines_carry_priorities(monkeypatch):
    monkeypatch.setitem(sys.modules, "systemd.journal", None)
    handler = set_up_logging("info", environ=_journals_stderr())
    record = logging.LogRecord("moodify.x", logging.WARNING, __file__, 1, "one\ntwo", (), None)
    assert handler.format(record) == "<4>moodify.x: one\n<4>two"
