"""The whole appliance with everything on: start, idle, busy, memory, the page under load, events through to the hub, years of history. Part of ``scripts/bench``.

With everything on: page with a signed-in viewer on its event stream, a hub with its mosquitto beside, a Spotify over HTTP (simulated, in this process), button
and light on simulated pins. The camera is a painted play whose pictures the kernel holds: what a driver costs comes on top.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench_clients import Screen, under_load
from bench_history import write_history
from bench_progress import begins, sleep_until
from bench_rows import Row, quantile
from soak_hours.house import House
from soak_hours.reading import Process, tree

from moodify.daemon.places import DATABASE
from moodify.store.prepare import prepare
from moodify.store.store import Store
from moodify.types import Event, EventKind
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WHOLE, PAGE, EVENTS, HISTORY = "the whole daemon, everything on", "the page under load", "events", "history"
IDLE_AT_MOST, ANON_AT_MOST, HISTORY_AT_MOST = 3.0, 110.0, 200.0
#: People are there for so long first, then nobody is: so that all that is loaded at first use is loaded.
PEOPLE_S, SETTLE_S = 40.0, 12.0
#: Days of history by what they are called; five years with their leap day.
SPANS = (("a day", 1), ("a month", 30), ("a year", 365), ("five years", 1826))
#: Days that lie behind a week which ends yesterday.
WEEK_D = 8
SCREENS, LOAD_S = 8, 15.0
ASKED = 40


def whole(idle_s: float) -> list[Row]:
    """Start it, let people be there, then nobody, and read what it costs."""
    with _house(f"astronaut:{PEOPLE_S:.0f} nobody:3600") as house:
        pid, began_s = house.appliance.process.pid, house.frames()[0][0]
        first_frame_s, well_cpu_s = house.frames()[0][1] - house.started_s, tree(pid)["daemon"].cpu_s
        # Music plays, and the page has been read.
        house.appliance.ask("/api/scan", "POST")
        with Screen(house.appliance.page) as screen:
            for path in _paths(datetime.now(UTC)):
                screen.ask_ms(path)
        sleep_until(began_s + 15.0, "somebody is there, until all that is loaded at first use is loaded")
        busy = _spent(pid, began_s + PEOPLE_S - 3.0, "somebody is there, measured")
        frames = [(done_s - taken_s) * 1e3 for taken_s, done_s in house.frames() if taken_s > began_s + 15.0]
        sleep_until(began_s + PEOPLE_S + SETTLE_S, "nobody is there any more")
        idle = _spent(pid, time.monotonic() + idle_s, "nobody is there, measured")
        now = tree(pid)
    rows = [
        Row(
            WHOLE,
            "start_to_first_frame",
            "start of the process to the first frame decided on",
            first_frame_s,
            "s",
            f"CPU of the daemon until camera, speaker and link are well {well_cpu_s:.1f} s",
        ),
        Row(WHOLE, "idle_cpu", "idle, the daemon: nobody there, music plays, page open", idle["daemon"] * 100, "%", f"of one core, over {idle_s:.0f} s", IDLE_AT_MOST),
        *(Row(WHOLE, f"idle_cpu_{role}", f"idle, {role} beside it", share * 100, "%", "") for role, share in idle.items() if role != "daemon"),
        Row(
            WHOLE,
            "busy_cpu",
            "one person there, the daemon",
            busy["daemon"] * 100,
            "%",
            f"{len(frames)} frames, taken to decided {statistics.median(frames):.1f} / {quantile(frames, 0.99):.1f} ms (p50 / p99)",
        ),
    ]
    rows += _memory(now)
    return rows


def _memory(now: Mapping[str, Process]) -> Sequence[Row]:
    daemon = now["daemon"]
    everything = sum(each.rss_anon_mb for each in now.values())
    words = ", ".join(f"{role} {each.rss_anon_mb:.0f}" for role, each in now.items())
    return (
        Row(
            WHOLE, "rss_anon", "anonymous memory of the daemon (RssAnon)", daemon.rss_anon_mb, "MB", f"RSS {daemon.rss_mb:.0f} MB, of it up to 42 the painted play's", ANON_AT_MOST
        ),
        Row(WHOLE, "rss_anon_all", "anonymous memory of all its processes", everything, "MB", words),
        Row(WHOLE, "threads", "threads of the daemon", daemon.threads, ""),
    )


def page() -> list[Row]:
    """Let screens ask all at once, over a year of history."""
    with _house("astronaut:20 nobody:10", ready=lambda data: _lived(data, 365)) as house:
        paths = _paths(datetime.now(UTC))
        with Screen(house.appliance.page) as screen:
            alone = {path: [screen.ask_ms(path) for _ in range(ASKED)] for path in paths}
        before = tree(house.appliance.process.pid)["daemon"].cpu_s
        load = under_load(house.appliance.page, list(paths), screens=SCREENS, seconds=LOAD_S)
        after = tree(house.appliance.process.pid)["daemon"]
        if load.failed:
            raise SystemExit(f"bench: the page did not bear {SCREENS} screens: {load.failed[0]}")
    asked = sum(map(len, load.took_ms.values()))
    rows = [
        Row(
            PAGE,
            "page_requests",
            f"answers a second to {SCREENS} screens that ask without a pause",
            asked / LOAD_S,
            "/s",
            f"a year of history; CPU {(after.cpu_s - before) / asked * 1e3:.1f} ms each",
        )
    ]
    rows.append(Row(PAGE, "rss_anon_lived", "anonymous memory of the daemon after it (RssAnon)", after.rss_anon_mb, "MB", "", ANON_AT_MOST))
    for path, name in paths.items():
        took = load.took_ms[path]
        words = f"p99 {quantile(took, 0.99):.0f} ms; one screen alone {statistics.median(alone[path]):.1f} / {quantile(alone[path], 0.99):.1f} ms"
        rows.append(Row(PAGE, f"page_{name.replace(' ', '_')}", f"{name}: p50", statistics.median(took), "ms", words))
    return rows


@dataclass(frozen=True, slots=True)
class _Lived:
    """What an appliance with a past measured."""

    name: str
    """How long that is."""
    events: int
    size_mb: float
    first_s: float
    took_ms: Mapping[str, Sequence[float]]
    """By what was asked for."""
    cpu_ms: Mapping[str, float]
    """Of the daemon, for one answer."""
    rss_anon_mb: float
    recorded: float
    """Events a second."""

    def row(self, key: str, what: str, short: _Lived, at_most: float | None = None, rest: str = "") -> Row:
        """Return how long one of the answers takes, beside one out of a short past."""
        took, cpu_ms = self.took_ms[what], self.cpu_ms[what]
        words = f"p50 {quantile(took, 0.5):.1f} ms; CPU {cpu_ms:.1f} ms, {cpu_ms / max(short.cpu_ms[what], 0.01):.2f} × out of {short.name}{rest}"
        return Row(HISTORY, key, f"{what}, out of {self.name}: p99", quantile(took, 0.99), "ms", words, at_most)


def history() -> list[Row]:
    """Read the page's history over a day to five years of events, and record more."""
    rows: list[Row] = []
    day: _Lived | None = None
    # The week before yesterday is not there yet after a day.
    month: _Lived | None = None
    for name, days in SPANS:
        begins(f"{name} of history")
        lived = _measured(name, days)
        day = day or lived
        month = month or (lived if days > WEEK_D else None)
        key, at_most = f"history_{days}", HISTORY_AT_MOST if days == SPANS[-1][1] else None
        rows += [
            lived.row(key, "history of a day", day, at_most, f"; {lived.events:,} events, {lived.size_mb:,.0f} MB"),
            lived.row(f"{key}_week", "history of a week", month or lived, at_most),
            lived.row(f"{key}_events", "newest 200 events", day),
            Row(HISTORY, f"{key}_start", f"start to the first frame, over {name}", lived.first_s, "s", f"anonymous memory after all that {lived.rss_anon_mb:.0f} MB"),
            Row(HISTORY, f"{key}_store", f"to the store, 100 a transaction, behind {name}", lived.recorded, "/s", f"{lived.recorded / day.recorded:.2f} × behind a day"),
        ]
    return rows


def _measured(name: str, days: int) -> _Lived:
    count: list[int] = []
    took: dict[str, list[float]] = {}
    cpu_ms: dict[str, float] = {}
    with _house("nobody:3600", ready=partial(_live, days, count)) as house:
        first_s = house.frames()[0][1] - house.started_s
        size_mb = house.database.stat().st_size / 1e6
        pid = house.appliance.process.pid
        with Screen(house.appliance.page) as screen:
            for path, what in _paths(datetime.now(UTC)).items():
                before = tree(pid)["daemon"].cpu_s
                took[what] = [screen.ask_ms(path) for _ in range(ASKED)]
                cpu_ms[what] = (tree(pid)["daemon"].cpu_s - before) / ASKED * 1e3
        rss_anon_mb = tree(pid)["daemon"].rss_anon_mb
        with Store(house.database) as store:
            recorded = _recorded(store, 5000, 100)
    return _Lived(name, count[0], size_mb, first_s, took, cpu_ms, rss_anon_mb, recorded)


def events(count: int) -> list[Row]:
    """Write events into a store, and let as many wait for the hub when the appliance starts."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / DATABASE
        prepare(file)
        with Store(file) as store:
            one, many = _recorded(store, 300, 1), _recorded(store, 10_000, 100)
    with _house("nobody:3600", ready=lambda data: _waiting(data, count), wait=False) as house:
        wait_until(lambda: _at_hub(house.hub_database) > 0, within_s=120, every_s=0.005, what="the first event at the hub")
        began_s, there = time.monotonic(), _at_hub(house.hub_database)
        wait_until(lambda: _at_hub(house.hub_database) >= count, within_s=300, every_s=0.005, what=f"{count} events at the hub")
        through = (count - there) / (time.monotonic() - began_s)
    return [
        Row(EVENTS, "store_one", "to the store, one a transaction, flushed to the disk", one, "/s"),
        Row(EVENTS, "store_many", "to the store, 100 a transaction", many, "/s"),
        Row(EVENTS, "to_hub", "from the outbox through broker and gate to the hub's database", through, "/s", f"{count} that waited, 5 a message"),
    ]


def _recorded(store: Store, count: int, together: int) -> float:
    batches = [[_event() for _ in range(together)] for _ in range(count // together)]
    began_s = time.monotonic()
    for batch in batches:
        store.record(batch)
    return count / (time.monotonic() - began_s)


def _waiting(data: Path, count: int) -> None:
    prepare(data / DATABASE)
    with Store(data / DATABASE) as store:
        for _ in range(count // 5):
            store.record([_event() for _ in range(5)])


def _event() -> Event:
    said: dict[str, Any] = {"mood": "happy", "confidence": 0.9, "valence": 0.7, "arousal": 0.4, "people": 2, "since": "", "asked": False}
    return Event(str(uuid.uuid4()), EventKind.MOOD, datetime.now(UTC), said)


def _at_hub(file: Path) -> int:
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as database:
        try:
            return int(database.execute("SELECT coalesce(max(n), 0) FROM events").fetchone()[0])
        except sqlite3.OperationalError:
            # It is only being made.
            return 0


def _live(days: int, count: list[int], data: Path) -> None:
    count.append(_lived(data, days))


def _lived(data: Path, days: int) -> int:
    return write_history(data / DATABASE, days, datetime.now(UTC) - timedelta(minutes=5))


def _paths(now: datetime) -> dict[str, str]:
    """Return what is asked for, and what it is called."""

    def back(ends: datetime, length: timedelta) -> str:
        return f"/api/history?from={quote((ends - length).isoformat())}&to={quote(ends.isoformat())}"

    day = timedelta(days=1)
    return {
        "/api/now": "now",
        "/api/events?limit=200": "newest 200 events",
        back(now, day): "history of a day",
        back(now - day, 7 * day): "history of a week",
        "/static/page.js": "a file of the page",
    }


def _house(play: str, *, ready: Callable[[Path], object] = lambda _data: None, wait: bool = True) -> House:
    # Years are kept for this, and a health reading is as often as by default.
    return House(play, rest="[store]\nretention_days = 3650", ready=ready, wait=wait)


def _spent(pid: int, until_s: float, words: str) -> dict[str, float]:
    """Return which share of one core each process of a tree has used from now until a moment."""
    before, began_s = tree(pid), time.monotonic()
    sleep_until(until_s, words)
    after, took_s = tree(pid), time.monotonic() - began_s
    return {role: (process.cpu_s - before[role].cpu_s) / took_s for role, process in after.items() if role in before}
