"""Run the soak and print what grew; 0 where nothing did beyond its bound and nothing was lost, else 1."""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlencode

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from soak_hours import levers
from soak_hours.house import House
from soak_hours.reading import Reading, read
from soak_hours.spells import Spell, spells
from soak_hours.verdict import Bounds, Finding, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Width of the table where it goes to no terminal, in columns.
WIDTH = 150
ERRORS = Console(stderr=True)
#: Fewer readings tell nothing.
FEWEST = 6


@dataclass(frozen=True, slots=True)
class Length:
    """How long it takes, and what happens meanwhile."""

    seconds: float
    warm_s: float
    """From the first frame on nothing counts for so long: what is loaded at first use is loaded, and the allocator has found its size."""
    every_s: float
    """Between two readings."""
    visit_s: float
    """Between two times that somebody presses the button and reads the page."""
    play: str
    """Who comes and goes."""


QUICK = Length(26.0, 8.0, 0.4, 6.0, "astronaut:6 nobody:4 hopper:6 nobody:4")


def hours(number: float) -> Length:
    """Return a soak of so many hours: ten minutes of them, or a quarter, to warm up."""
    return Length(number * 3600, min(600.0, number * 900), 5.0, 30.0, "astronaut:40 nobody:20 hopper:35 nobody:25 astronaut:8 nobody:7")


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of it."""

    findings: Sequence[Finding]
    troubles: Sequence[str]
    """What went wrong besides: events that were lost, an end that was none."""
    readings: Sequence[Reading]
    events: int
    spells: Sequence[Spell] = ()
    """When a part was not well: what it did then explains what was measured."""
    begins_s: float = 0.0
    """When the warm-up was over, in seconds since 1970."""

    @property
    def wrong(self) -> list[str]:
        """What went wrong, in words."""
        grown = (f"{each.what} grew from {each.first} to {each.last} (bound {each.bound})" + (f", {each.when}" if each.when else "") for each in self.findings if each.wrong)
        return [*grown, *self.troubles]


def soak(length: Length, bounds: Bounds, trace: Path | None = None) -> Soaked:
    """Let the appliance live for a while; return what grew. ``trace``: where it writes what its memory consists of (:mod:`soak_hours.inside`)."""
    environment = {} if trace is None else {levers.INSIDE: str(trace.absolute()), levers.TRACE_FROM: str(length.warm_s)}
    # Frames come at five a second whoever is there; songs change as often as people do, which costs more requests an hour than a household's 300.
    camera = "idle_fps = 5.0\nface_fps = 5.0"
    music = "dwell_s = 3.0\nmax_changes = 100\nchange_window_s = 1.0\nfade_s = 0.0\nabsence_pause_s = 5.0\n[music.spotify]\nrequests_per_hour = 3600"
    with House(length.play, camera=camera, music=music, rest="[system]\nhealth_s = 30.0", environment=environment) as house:
        readings = _watch(house, length)
        troubles = []
        running = house.appliance.process.poll() is None
        if not running:
            troubles.append(f"it ended by itself with {house.appliance.process.returncode}: {house.appliance.log[-800:]}")
        elif house.viewer.ended:
            troubles.append("the page's stream broke off")
        if house.viewer.longest_silence_s > bounds.silence_s:
            troubles.append(f"the page's stream was silent for {house.viewer.longest_silence_s:.0f} s")
        if running and (code := house.end()):
            troubles.append(f"it ended with {code} when it was asked to: {house.appliance.log[-800:]}")
        troubles += house.lost()
        stamps = [datetime.fromisoformat(event["at"]).timestamp() for event in house.appliance.events]
        begins = time.time() - (time.monotonic() - readings[0].at_s) if readings else 0.0
        events = sum(stamp >= begins for stamp in stamps)
        if len(readings) < FEWEST:
            return Soaked([], [*troubles, f"only {len(readings)} readings were made"], readings, events)
        lasted_s = readings[-1].at_s - readings[0].at_s
        unwell = [each for each in spells(house.appliance.events, begins + lasted_s) if each.ends_s > begins]
        return Soaked(judge(readings, house.frames(), events, bounds), troubles, readings, events, unwell, begins)


def _watch(house: House, length: Length) -> list[Reading]:
    began_s = time.monotonic()
    readings: list[Reading] = []
    visit_due_s = began_s
    databases = [house.database, house.hub_database, *(file for file in house.data.glob("*.db") if file != house.database)]
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"), TimeRemainingColumn())
    with Progress(*columns, console=ERRORS, transient=True) as progress:
        task = progress.add_task("soak", total=length.seconds, words="")
        while (now_s := time.monotonic()) < began_s + length.seconds and house.appliance.process.poll() is None:
            if now_s >= visit_due_s:
                visit_due_s = now_s + length.visit_s
                _visit(house)
            reading = read(house.appliance.process.pid, databases)
            if now_s >= began_s + length.warm_s:
                readings.append(reading)
            progress.update(task, completed=now_s - began_s, words=_words(reading, len(house.appliance.events)))
            time.sleep(max(0.0, now_s + length.every_s - time.monotonic()))
    return readings


def _visit(house: House) -> None:
    """Press the button, and read what the page has, as somebody does who looks in."""
    now = datetime.now(UTC)
    span = urlencode({"from": (now - timedelta(hours=20)).isoformat(), "to": now.isoformat()})
    # A press may be answered with "not now"; an appliance that is gone is seen by whoever waits for it.
    with suppress(HTTPError, OSError):
        house.appliance.ask("/api/scan", "POST")
        for path in ("/api/now", "/api/events?limit=200", f"/api/history?{span}"):
            house.appliance.ask(path)


def _words(reading: Reading, events: int) -> str:
    daemon = reading.processes.get("daemon")
    return "" if daemon is None else f"RssAnon {daemon.rss_anon_mb:.1f} MB · RSS {daemon.rss_mb:.0f} MB · {daemon.threads} threads · {daemon.fds} fds · {events} events"


def table_of(soaked: Soaked) -> Table:
    """Return the table to print."""
    table = Table(pad_edge=False, title="The whole appliance; first and last third after the warm-up")
    for name, justify in (("what", "left"), ("first", "right"), ("last", "right"), ("slope, 95 %", "right"), ("bound", "left"), ("", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type] # each is one of rich's
    for each in soaked.findings:
        table.add_row(each.what, each.first, each.last, each.slope, each.bound, Text(each.word, "bold red" if each.wrong else ""))
    return table


def _method(length: Length, bounds: Bounds) -> str:
    """Say how memory is judged."""
    if bounds.mb == math.inf:
        return "Memory is not judged: the trace holds more and more itself. FILE.grown says which lines of code do."
    return (
        f"Memory is judged over {length.seconds - length.warm_s:.0f} s after a warm-up of {length.warm_s:.0f} s. It grows where even the lower end of its slope's interval "
        f"is above {bounds.mb_per_hour:g} MB/h, and the last third's median lies more than {bounds.mb:g} MB above the first's: a cache may fill up by less than that. "
        'What grows by more and then stands is told as "GREW" instead of "GROWS", and is as wrong: perhaps only what the house did just then is over.'
    )


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description="Let the whole appliance live with people coming and going, and see whether anything of it grows.")
    parser.add_argument("--hours", type=float, default=1.0, help="for how long (default: 1)")
    parser.add_argument("--quick", action="store_true", help="the half minute of it that every change must pass")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write findings and readings there as JSON too")
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="write there what the appliance's memory consists of, and to FILE.grown which lines of code hold more and more; costs memory itself",
    )
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    # Over half a minute a slope says nothing; what grows by some MB in it leaks. And what begins beside it on the machine, as where a change is judged,
    # holds up frames in one third and not in the other: only one that waits for the next is late by the house's fault.
    bounds = Bounds(mb=8.0, latency_ms=250.0) if options.quick else Bounds()
    if options.trace is not None:
        bounds = replace(bounds, mb=math.inf)
    length = QUICK if options.quick else hours(options.hours)
    soaked = soak(length, bounds, options.trace)
    out = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    out.print(table_of(soaked))
    out.print(_method(length, bounds), highlight=False)
    for spell in soaked.spells:
        out.print(f"In minutes after the warm-up, {spell.words(soaked.begins_s)}", highlight=False, markup=False)
    for each in soaked.wrong:
        out.print(each, style="bold red", highlight=False, markup=False)
    out.print(
        f"{len(soaked.readings)} readings, {soaked.events} events; {'nothing was lost and nothing grows' if not soaked.wrong else f'{len(soaked.wrong)} went wrong'}",
        highlight=False,
    )
    if options.json is not None:
        whole = {
            "wrong": soaked.wrong,
            "events": soaked.events,
            "findings": [asdict(each) for each in soaked.findings],
            "spells": [asdict(each) for each in soaked.spells],
            "readings": [asdict(each) for each in soaked.readings],
        }
        options.json.write_text(json.dumps(whole, ensure_ascii=False) + "\n", "utf-8")
    return int(bool(soaked.wrong))


if __name__ == "__main__":
    sys.exit(main())
