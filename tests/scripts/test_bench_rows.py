"""``scripts/bench``: targets are held to what was measured, somebody who waits sees how far it is, and the history that is read is one that the store could have written."""

import importlib
import io
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from rich.console import Console

from moodify.store.history import History
from moodify.store.looking_back import LookingBack
from moodify.store.store import Store


@pytest.fixture
def module(project_root, monkeypatch):
    monkeypatch.syspath_prepend(project_root / "scripts")
    return importlib.import_module


def row(module, value, at_most):
    return module("bench_rows").Row("a part", "key", "a figure", value, "ms", "", at_most)


@pytest.mark.parametrize(("value", "at_most", "met", "said"), [(3.0, 3.0, True, "≤ 3 ms: met"), (3.01, 3.0, False, "≤ 3 ms: MISSED"), (3.0, None, None, "")])
def test_a_target_stands_beside_its_figure_with_whether_it_is_met(module, capsys, value, at_most, met, said):
    figure = row(module, value, at_most)
    assert figure.met is met
    Console(width=100).print(module("bench_rows").table_of([figure], "a title"))
    shown = capsys.readouterr().out
    assert said in shown
    assert ("met" in shown or "MISSED" in shown) is (met is not None)
    assert module("bench_rows").as_json([figure])["key"]["met"] is met


@pytest.mark.parametrize(("arguments", "missed", "code"), [([], True, 0), (["--strict"], True, 1), (["--strict"], False, 0)])
def test_the_exit_status_says_nothing_of_speed_unless_it_is_asked_to(module, monkeypatch, capsys, arguments, missed, code):
    bench = module("bench")
    parts = {name: [] for name in ("vision", "whole", "page", "events", "history")}
    parts["whole"] = [row(module, 4.0 if missed else 2.0, 3.0)]
    fake = type(sys)("fake")
    for name, rows in parts.items():
        setattr(fake, name, lambda *_arguments, rows=rows: rows)
    monkeypatch.setitem(sys.modules, "bench_vision", fake)
    monkeypatch.setitem(sys.modules, "bench_whole", fake)
    monkeypatch.setattr(sys, "argv", ["scripts/bench", "--json", "--only", "whole", *arguments])
    assert bench.main() == code
    printed = capsys.readouterr()
    assert json.loads(printed.out)["key"]["met"] is not missed
    assert "part 1 of 1: the whole daemon" in printed.err


@pytest.fixture
def screen(module, monkeypatch):
    """What a terminal is sent while something is measured."""
    sent = io.StringIO()
    monkeypatch.setattr(module("bench_progress"), "ERRORS", Console(file=sent, force_terminal=True, width=80, _environ={"TERM": "xterm"}))
    return sent


def test_each_step_is_shown_as_it_is_over(module, screen):
    with module("bench_progress").bar("presses answered", 3) as step:
        assert "0/3" in screen.getvalue()
        step()
        assert "1/3" in screen.getvalue()
        step()
        assert "2/3" in screen.getvalue()


def test_a_wait_lasts_until_its_moment_and_is_seen_to_pass(module, screen):
    until_s = time.monotonic() + 1.2
    module("bench_progress").sleep_until(until_s, "nobody is there")
    assert time.monotonic() >= until_s
    assert "nobody is there" in screen.getvalue()


def test_a_log_gets_no_bars(module, monkeypatch, capsys):
    monkeypatch.setattr(module("bench_progress"), "ERRORS", Console(file=sys.stderr, force_terminal=False))
    with module("bench_progress").bar("presses answered", 1) as step:
        step()
    module("bench_progress").begins("part 1 of 1")
    assert capsys.readouterr().err.split("\n") == ["· part 1 of 1", ""]


def test_a_history_written_at_once_is_read_as_one_that_was_lived(module, tmp_path):
    until = datetime.now(UTC)
    file = tmp_path / "moodify.db"
    count = module("bench_history").write_history(file, 3, until)
    with History(file) as history:
        events = list(history.each())
    assert len(events) == count > 1000
    assert all(earlier.at <= later.at < until for earlier, later in pairwise(events))
    with LookingBack(file) as looking:
        day = looking.between(until - timedelta(days=2), until - timedelta(days=1), now=until, silence_s=660.0)
    assert len(day.felt) > 20
    assert len(day.heard) > 50
    assert day.unseen == ()
    with Store(file) as store:
        assert store.retain(1, now=until) > 500
