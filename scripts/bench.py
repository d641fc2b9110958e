"""What ``scripts/bench`` measures, in one run: a ratio or a figure beside its target says more than its milliseconds on a machine that does other things too."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench_progress import begins
from bench_rows import Row, as_json, quantile, table_of
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PRESS, HUB = "a press of the button, camera warm", "devices on a hub"
LIGHT_AT_MOST = 100.0
#: Width of the table where it goes to no terminal, in columns.
WIDTH = 190


def presses(count: int) -> list[Row]:
    """Press the button of a running appliance with a warm camera, and read when light, decision and order came."""
    command = [sys.executable, str(Path(__file__).with_name("bench_press.py")), "--presses", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    figures = json.loads(done.stdout) if done.returncode == 0 else {}
    if not all(len(values) == count for values in figures.values()) or not figures:
        raise SystemExit("bench: presses of the button were not answered. Try: python scripts/bench_press.py")
    rows = []
    for key, words, at_most in (("light", "the light", LIGHT_AT_MOST), ("decision", "the decision", None), ("order", "the order, taken by the simulated speaker", None)):
        took = figures[f"press_to_{key}"]
        rows.append(Row(PRESS, f"press_to_{key}", f"press to {words}: p99", quantile(took, 0.99), "ms", f"p50 {quantile(took, 0.5):.1f} ms, of {count} presses", at_most))
    return rows


def hub(devices: Sequence[int]) -> list[Row]:
    """Put simulated devices on a hub."""
    command = [sys.executable, str(Path(__file__).with_name("bench_hub.py")), "--json", "--messages", "5000", "--devices", *map(str, devices)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit("bench: the hub was not measured. Try: scripts/bench hub")
    return [
        Row(
            HUB,
            f"hub_{number}",
            f"{int(number):,} devices: events a second to commit",
            figures["hub"]["events_per_s"],
            "/s",
            f"{figures['hub']['connects_per_s']:,.0f} connects/s, {figures['hub']['connects_per_s'] / figures['mosquitto']['connects_per_s']:.2f} × a mosquitto's alone; "
            f"{figures['hub']['memory_mb']:.0f} MB with its mosquitto",
        )
        for number, figures in json.loads(done.stdout).items()
    ]


def main() -> int:
    """Measure and print."""
    from bench_vision import vision
    from bench_whole import events, history, page, whole

    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="turns of 10 calls each (default: 100)")
    parser.add_argument("--presses", type=int, default=30, help="presses of the button (default: 30)")
    parser.add_argument("--idle", type=float, default=60.0, metavar="S", help="seconds over which the idle appliance is measured (default: 60)")
    parser.add_argument("--devices", type=int, nargs="+", default=[10, 100, 1000], metavar="N", help="how many devices on a hub (default: 10 100 1000)")
    sections: dict[str, tuple[str, Callable[[argparse.Namespace], list[Row]]]] = {
        "stages": ("each stage from camera to order, and faces in a frame", lambda options: vision(options.rounds)),
        "press": ("presses of the button, some seconds each", lambda options: presses(options.presses)),
        "whole": ("the whole daemon, busy and idle", lambda options: whole(options.idle)),
        "page": ("the page under load, over a year of history", lambda _options: page()),
        "events": ("events to the store, and through to the hub", lambda _options: events(5000)),
        "history": ("a day to five years of history", lambda _options: history()),
        "hub": ("devices on a hub", lambda options: hub(options.devices)),
    }
    parser.add_argument("--only", action="append", choices=list(sections), help="only this part of it; may be given more than once")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--strict", action="store_true", help="end with 1 where a target is missed")
    options = parser.parse_args()
    chosen = [section for name, section in sections.items() if not options.only or name in options.only]
    rows: list[Row] = []
    for number, (words, measure) in enumerate(chosen, start=1):
        begins(f"part {number} of {len(chosen)}: {words}")
        rows += measure(options)
    if options.json:
        sys.stdout.write(json.dumps(as_json(rows)) + "\n")
    else:
        out = Console() if sys.stdout.isatty() else Console(width=WIDTH)
        out.print(table_of(rows, f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; load {os.getloadavg()[0]:.1f} at the end"))
    missed = [row.what for row in rows if row.met is False]
    if missed:
        Console(stderr=True).print(f"missed: {'; '.join(missed)}", highlight=False)
    return int(options.strict and bool(missed))


if __name__ == "__main__":
    sys.exit(main())
