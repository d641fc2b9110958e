"""Run the faults and print the table; 0 where every one was survived and every promise kept, 1 where not, 2 where there is no such fault."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from faults_week import week
from faults_week.fault import AnyFault, AnyGroup, Home, Outcome, Row
from faults_week.table import table_of, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Width of the table where it goes to no terminal, in columns.
WIDTH = 200
ERRORS = Console(stderr=True)


def chosen(groups: Sequence[AnyGroup], only: Sequence[str], *, quick: bool) -> Iterator[tuple[AnyGroup, list[AnyFault]]]:
    """Give the groups with those of their faults that are asked for.

    Args:
        groups: all there are.
        only: names of groups or faults; none: all.
        quick: whether only the quick cut is asked for.
    """
    for group in groups:
        faults = [fault for fault in group.faults if (fault.quick or not quick) and (not only or group.name in only or fault.name in only)]
        if faults:
            yield group, faults


def happen(group: AnyGroup, faults: Sequence[AnyFault]) -> Iterator[Row]:
    """Let faults happen to a house; where one goes wrong the next happens to another house."""
    waiting = list(faults)
    while waiting:
        with tempfile.TemporaryDirectory(prefix="moodify-faults-") as folder:
            closing = ExitStack()
            try:
                home = closing.enter_context(group.open(Path(folder)))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what the table is to say
                yield Row(group.name, waiting.pop(0).name, None, (f"the house did not open: {_said(error)}",), 0.0)
                continue
            row = None
            try:
                while waiting and (row is None or not row.wrong):
                    row = _one(group, waiting.pop(0), home)
                    yield row
            except BaseException:
                # Somebody ends it: nothing is left behind.
                closing.close()
                raise
            try:
                closing.close()
            except Exception as error:  # noqa: BLE001 - as above
                yield Row(group.name, "the end of the house", None, (_said(error),), 0.0)


def _one(group: AnyGroup, fault: AnyFault, home: Home) -> Row:
    ERRORS.print(f"· {group.name}: {fault.name}", style="dim", highlight=False)
    began_s = time.monotonic()
    outcome: Outcome | None = None
    wrong: list[str] = []
    try:
        outcome = fault.act(home)
    except Exception as error:  # noqa: BLE001 - as above
        wrong.append(_said(error))
    try:
        wrong += home.broken()
    except Exception as error:  # noqa: BLE001 - as above
        wrong.append(f"its promises could not be looked at: {_said(error)}")
    for each in wrong:
        ERRORS.print(f"  WRONG: {each}", style="bold red", highlight=False, markup=False)
    return Row(group.name, fault.name, outcome, tuple(wrong), round(time.monotonic() - began_s, 1))


def _said(error: BaseException) -> str:
    return f"{error}" if isinstance(error, AssertionError) and str(error) else f"{type(error).__name__}: {error}"


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="scripts/faults", description="Break the appliance in every way that is known, and see what it does.")
    parser.add_argument("--only", action="append", default=[], metavar="GROUP|NAME", help="only this group or fault; may be given more than once")
    parser.add_argument("--quick", action="store_true", help="the two minutes that every change must pass")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there as JSON too")
    parser.add_argument("--list", action="store_true", help="name all faults and do nothing")
    options = parser.parse_args()
    groups = week.groups()
    if options.list:
        for group in groups:
            for fault in group.faults:
                print(f"{group.name:12}{fault.name}{'  (quick)' if fault.quick else ''}")  # noqa: T201 - it is what is asked for
        return 0
    known = {group.name for group in groups} | {fault.name for group in groups for fault in group.faults}
    if unknown := [name for name in options.only if name not in known]:
        parser.error(f"there is no group and no fault named {', '.join(unknown)}; --list names them")
    rows: list[Row] = []
    began_s = time.monotonic()
    for group, faults in chosen(groups, options.only, quick=options.quick):
        rows += happen(group, faults)
    out = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    out.print(table_of(rows))
    wrong = sum(bool(row.wrong) for row in rows)
    out.print(f"{len(rows)} faults in {time.monotonic() - began_s:.0f} s; {wrong or 'none'} went wrong", highlight=False)
    if options.json is not None:
        write_json(options.json, rows)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
