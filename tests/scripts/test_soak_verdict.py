"""``scripts/soak``: what grows is told, and what does not is not."""

import importlib
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest

#: Grows by one step for each line that it reads, and answers each.
CHILD = """\
import os, sys, threading
held = []
wait = threading.Event()
for line in sys.stdin:
    for what in line.split():
        if what == "memory":
            held.append(bytearray(os.urandom(1 << 20)))
        elif what == "file":
            held.append(open(os.devnull))
        elif what == "thread":
            threading.Thread(target=wait.wait, daemon=True).start()
        elif what == "child":
            import subprocess
            held.append(subprocess.Popen([sys.executable, "-c", "import sys; held = bytearray(b'x' * (20 << 20)); sys.stdin.read()"], stdin=subprocess.PIPE))
    print("done", flush=True)
"""
STEPS = 36


@pytest.fixture
def module(project_root, monkeypatch):
    for folder in ("scripts", "tests"):
        monkeypatch.syspath_prepend(project_root / folder)
    return lambda name: importlib.import_module(f"soak_hours.{name}")


@pytest.fixture
def reading(module):
    return module("reading")


@pytest.fixture
def verdict(module):
    return module("verdict")


@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def step(words=""):
            process.stdin.write(f"{words}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"
            return process.pid

        yield step
        process.stdin.close()


def live(reading, child, words, *, database=None, each=lambda _number: None):
    """Read a process that does ``words`` at each step."""
    readings = []
    for number in range(STEPS):
        each(number)
        readings.append(reading.read(child(words), [] if database is None else [database]))
    return readings


def frames_of(readings, took_s=0.005):
    begins_s, ends_s = readings[0].at_s, readings[-1].at_s
    return [(at_s, at_s + took_s) for at_s in (begins_s + (ends_s - begins_s) * number / 200 for number in range(201))]


def wrong(verdict, readings, frames=None, events=0):
    found = verdict.judge(readings, frames_of(readings) if frames is None else frames, events, verdict.Bounds())
    return {finding.what for finding in found if finding.wrong}


def test_a_process_that_leaks_is_told_by_what_it_leaks(reading, verdict, child):
    child()
    assert wrong(verdict, live(reading, child, "memory file thread")) == {"daemon: RssAnon", "daemon: threads", "daemon: file descriptors"}


def test_a_process_that_stays_as_it_is_is_not(reading, verdict, child):
    child()
    assert wrong(verdict, live(reading, child, "")) == set()


def test_what_a_process_has_started_is_read_with_it(reading, child):
    alone = reading.tree(child())
    both = reading.tree(child("child"))
    assert set(alone) == {"daemon"}
    assert len(both) == 2
    assert sum(each.threads for each in both.values()) >= 2


def test_a_table_that_grows_by_more_than_what_happened_is_told(reading, verdict, child, tmp_path):
    file = tmp_path / "moodify.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("CREATE TABLE events (n INTEGER PRIMARY KEY)")
        database.execute("CREATE TABLE settings (key TEXT)")
        database.execute("CREATE TABLE codes (id TEXT)")

        def grow(number):
            database.execute("INSERT INTO events DEFAULT VALUES")
            database.execute("INSERT INTO codes VALUES (?)", [str(number)])

        readings = live(reading, child, "", database=file, each=grow)
    assert wrong(verdict, readings, events=STEPS) == {"rows of moodify.codes"}
    assert wrong(verdict, readings, events=5) == {"rows of moodify.codes", "rows of moodify.events"}


def test_frames_that_become_slower_are_told_but_not_where_the_whole_machine_did(reading, verdict, child):
    readings = [replace(each, probe_ms=1.0) for each in live(reading, child, "")]
    middle_s = (readings[0].at_s + readings[-1].at_s) / 2
    frames = [(taken_s, taken_s + (0.005 if taken_s < middle_s else 0.05)) for taken_s, _ in frames_of(readings)]
    assert wrong(verdict, readings, frames) == {"frame, taken to decided: p50"}
    busy = [replace(each, probe_ms=1.0 if each.at_s < middle_s else 10.0) for each in readings]
    assert wrong(verdict, busy, frames) == set()
    assert wrong(verdict, readings, frames[:3]) == {"frames that were seen through"}


def test_a_slope_comes_with_how_sure_it_is(verdict):
    at_s = list(range(0, 3600, 10))
    steady = verdict.slope(at_s, [50 + (number % 7) * 0.1 for number in range(len(at_s))])
    assert abs(steady.per_hour) < steady.spread + 0.05 < 0.5
    leaks = verdict.slope(at_s, [50 + second / 3600 * 12 + (second // 10 % 7) * 0.1 for second in at_s])
    assert abs(leaks.per_hour - 12) <= leaks.spread + 0.05 < 0.5


def remembering(reading, megabytes):
    """Readings of a daemon with so much memory, one in ten seconds."""
    return [reading.Reading(10.0 * number, {"daemon": reading.Process(mb + 80, mb, 13, 36, 0.1 * number)}, {}, {}, 1.0) for number, mb in enumerate(megabytes)]


def memory(verdict, readings):
    return next(each for each in verdict.judge(readings, frames_of(readings), 0, verdict.Bounds()) if each.what == "daemon: RssAnon")


def wobble(number):
    return number % 7 * 0.05


def test_what_goes_on_growing_is_told_from_what_grew_and_stands_and_both_are_wrong(reading, verdict):
    leaks = memory(verdict, remembering(reading, [98 + number * 0.025 + wobble(number) for number in range(360)]))
    filled = memory(verdict, remembering(reading, [98 + min(max(number - 60, 0), 120) * 0.05 + wobble(number) for number in range(360)]))
    assert (leaks.wrong, leaks.word) == (True, "GROWS")
    assert leaks.when.endswith("it goes on")
    assert (filled.wrong, filled.word) == (True, "GREW")
    assert filled.when == "most of it from minute 7 to 32 after the warm-up; it stands since"


def test_a_cache_that_fills_up_within_the_bound_is_kept_and_one_that_fills_by_more_is_not(reading, verdict):
    def by(mb):
        return memory(verdict, remembering(reading, [98 + min(number, 200) / 200 * mb + wobble(number) for number in range(360)]))

    assert (by(1.8).wrong, by(1.8).word, by(1.8).when) == (False, "kept", "")
    assert by(4.0).wrong


def test_memory_that_is_traced_is_not_judged_for_the_trace_holds_some_itself(module, reading, verdict, monkeypatch, capsys):
    readings = remembering(reading, [98 + number * 0.1 for number in range(360)])
    command = module("__main__")
    monkeypatch.setattr(command, "soak", lambda _length, bounds, _trace: command.Soaked(verdict.judge(readings, frames_of(readings), 0, bounds), (), readings, 0))
    monkeypatch.setattr(command.logging, "disable", lambda _level: None)
    monkeypatch.setattr(sys, "argv", ["scripts/soak", "--trace", "memory"])
    assert command.main() == 0
    assert "Memory is not judged" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["scripts/soak"])
    assert command.main() == 1
    assert "most of it from minute" in capsys.readouterr().out


@pytest.mark.parametrize(("late_s", "code"), [(0.09, 0), (0.4, 1)])
def test_within_half_a_minute_frames_may_be_held_up_by_what_begins_beside_them_but_not_wait_for_each_other(module, reading, verdict, monkeypatch, late_s, code):
    readings = remembering(reading, [98.0] * 9)
    ends_s = readings[-1].at_s
    frames = [(taken_s, taken_s + (0.03 if taken_s < ends_s / 2 else late_s)) for taken_s in (number / 200 * ends_s for number in range(201))]
    command = module("__main__")
    monkeypatch.setattr(command, "soak", lambda _length, bounds, _trace: command.Soaked(verdict.judge(readings, frames, 0, bounds), (), readings, 0))
    monkeypatch.setattr(command.logging, "disable", lambda _level: None)
    monkeypatch.setattr(sys, "argv", ["scripts/soak", "--quick"])
    assert command.main() == code


def test_what_shrinks_has_not_grown(verdict):
    assert verdict.growth(range(0, 3600, 10), [50 - number / 360 for number in range(360)]) is None


@pytest.mark.parametrize(("troubles", "code"), [((), 0), (("1 of 12 events that were acknowledged are not in the store",), 1)])
def test_what_went_wrong_is_the_exit_status(module, monkeypatch, tmp_path, capsys, troubles, code):
    command = module("__main__")
    spell = module("spells").Spell("speaker", "degraded", "the songs are spent", 160.0, 220.0)
    monkeypatch.setattr(command, "soak", lambda _length, _bounds, _trace: command.Soaked([], troubles, [], 12, [spell], begins_s=100.0))
    monkeypatch.setattr(command.logging, "disable", lambda _level: None)
    monkeypatch.setattr(sys, "argv", ["scripts/soak", "--quick", "--json", str(tmp_path / "soak.json")])
    assert command.main() == code
    told = json.loads((tmp_path / "soak.json").read_text())
    assert told["wrong"] == list(troubles)
    assert told["spells"][0]["part"] == "speaker"
    out = " ".join(capsys.readouterr().out.split())
    assert all(trouble in out for trouble in troubles)
    assert "Memory is judged over 18 s after a warm-up of 8 s" in out
    assert "the speaker was degraded from minute 1.0 to 2.0: the songs are spent" in out
