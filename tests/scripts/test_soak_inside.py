"""``scripts/soak --trace``: what the appliance's memory consists of; and when a part of it was not well."""

import gc
import importlib
import json
import sqlite3
import subprocess
import sys
import tracemalloc
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

BEGINS = datetime(2026, 5, 1, tzinfo=UTC)
#: Looks as often as it can, and holds more and more meanwhile.
TRACED = """\
import sys
from pathlib import Path
from soak_hours import inside
inside.EVERY_S = 0.01
file = Path(sys.argv[1])
inside.begin(file, 0.0)
held = []
while not file.with_name(file.name + ".grown").exists():
    held.append(bytearray(1000))
"""


@pytest.fixture
def module(project_root, monkeypatch):
    monkeypatch.syspath_prepend(project_root / "scripts")
    return lambda name: importlib.import_module(f"soak_hours.{name}")


@pytest.fixture
def unswept():
    """Nothing of what earlier tests have left is swept up meanwhile."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("unswept")
def test_pages_that_sqlite_keeps_and_blocks_that_python_holds_are_counted(module, tmp_path):
    look = module("inside").look
    with closing(sqlite3.connect(tmp_path / "pages.db")) as database:
        database.execute("CREATE TABLE pages (content BLOB)")
        before = look()
        held = [object() for _ in range(100_000)]
        database.executemany("INSERT INTO pages VALUES (?)", [[bytes(4000)]] * 200)
        after = look()
    # Of other threads some may be given back meanwhile.
    assert after.python_blocks - before.python_blocks > 0.9 * len(held)
    assert after.sqlite_bytes is None or after.sqlite_bytes - before.sqlite_bytes > 500_000


def test_what_is_held_longer_and_longer_is_told_by_its_place_and_garbage_is_not(module):
    inside = module("inside")
    tracemalloc.start()
    try:
        since = inside.snapshot()
        held = [bytearray(100_000) for _ in range(10)]
        garbage = {"blocks": [bytearray(100_000) for _ in range(30)]}
        garbage["itself"] = garbage
        del garbage
        told = inside.grown(since)
    finally:
        tracemalloc.stop()
    assert len(held) == 10
    assert told.startswith("+10")
    assert "held = [bytearray" in told
    assert "garbage" not in told


def test_the_lever_writes_looks_and_where_most_was_allocated(project_root, tmp_path):
    environment = {"PYTHONPATH": str(project_root / "scripts"), "PATH": ""}
    subprocess.run([sys.executable, "-c", TRACED, str(tmp_path / "memory")], env=environment, check=True, timeout=120)
    looks = [json.loads(line) for line in (tmp_path / "memory").read_text().splitlines()]
    assert looks[-1]["at_s"] > looks[0]["at_s"]
    assert "<string>" in (tmp_path / "memory.grown").read_text()


def told(part, at_s, state, message):
    return {"kind": part, "at": (BEGINS + timedelta(seconds=at_s)).isoformat(), "data": {"state": state, "message": message}}


def test_when_a_part_was_not_well_is_told_and_a_blink_does_not_end_it(module):
    spent = "300 requests are spent"
    events = [
        told("speaker", 0, "ok", "Spotify"),
        {"kind": "presence", "at": BEGINS.isoformat(), "data": {"people": 1}},
        told("speaker", 60, "degraded", f"{spent}; trying again in 51 min"),
        told("link", 90, "broken", "no broker"),
        told("link", 120, "ok", "connected"),
        told("speaker", 180.0, "ok", "Spotify"),
        told("speaker", 180.2, "degraded", f"{spent}; trying again in 49 min"),
    ]
    found = module("spells").spells(events, BEGINS.timestamp() + 600)
    assert [each.words(BEGINS.timestamp()) for each in found] == [
        f"the speaker was degraded from minute 1.0 to 10.0: {spent}",
        "the link was broken from minute 1.5 to 2.0: no broker",
    ]


def test_a_part_that_is_well_for_a_while_has_two_spells(module):
    events = [told("camera", at_s, state, "dark") for at_s, state in ((0, "degraded"), (10, "ok"), (20, "degraded"), (30, "ok"))]
    found = module("spells").spells(events, BEGINS.timestamp() + 60)
    assert [(each.begins_s - BEGINS.timestamp(), each.ends_s - BEGINS.timestamp()) for each in found] == [(0, 10), (20, 30)]
