"""Run the faults and print the table; 0 where every one was survived and every promise kept, 1 where not, 2 where there is no such fault.

Ended by SIGINT or SIGTERM it leaves no process behind, prints what it has seen until then, and returns 128 and the signal's number.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from faults_week import week
from faults_week.fault import AnyFault, AnyGroup, Home, Outcome, Row
from faults_week.table import table_of, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FrameType

#: Width of the table where it goes to no terminal, in columns.
WIDTH = 200
ERRORS = Console(stderr=True)


class Ended(BaseException):
    """Somebody ends it."""

    def __init__(self, number: int) -> None:
        """Take the signal's number."""
        super().__init__(number)
        self.number = number


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


def together(these: Iterable[tuple[AnyGroup, list[AnyFault]]]) -> Iterator[list[tuple[AnyGroup, AnyFault]]]:
    """Give what may happen to one house: faults of groups that open the same, in the order of the first of them."""
    houses: dict[Any, list[tuple[AnyGroup, AnyFault]]] = {}
    for group, faults in these:
        houses.setdefault(group.open, []).extend((group, fault) for fault in faults)
    yield from houses.values()


def happen(these: Iterable[tuple[AnyGroup, AnyFault]]) -> Iterator[Row]:
    """Let faults happen to a house; where one goes wrong the next happens to another house. Whatever happens, no process is left behind."""
    waiting = list(these)
    while waiting:
        with tempfile.TemporaryDirectory(prefix="moodify-faults-", ignore_cleanup_errors=True) as folder:
            try:
                yield from _in_a_house(Path(folder), waiting)
            finally:
                end_all_of(Path(folder))


def _in_a_house(folder: Path, waiting: list[tuple[AnyGroup, AnyFault]]) -> Iterator[Row]:
    """Let those that wait happen until one goes wrong; each is taken from the list."""
    closing = ExitStack()
    group, fault = waiting[0]
    try:
        home = closing.enter_context(group.open(folder))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the table is to say
        waiting.pop(0)
        yield Row(group.name, fault.name, None, (f"the house did not open: {_said(error)}",), 0.0)
        return
    row = None
    try:
        while waiting and (row is None or not row.wrong):
            group, fault = waiting.pop(0)
            row = _one(group, fault, home).without(folder)
            yield row
    except BaseException:
        # Somebody ends it: nothing is waited for.
        end_all_of(folder)
        with suppress(Exception):
            closing.close()
        raise
    try:
        closing.close()
    except Exception as error:  # noqa: BLE001 - as above
        yield Row(group.name, "the end of the house", None, (_said(error),), 0.0)


def end_all_of(folder: Path) -> None:
    """Kill every process that lives in a folder: whose home it holds, or who was started with something of it."""
    holds = os.fsencode(folder)
    while pids := [pid for pid in _pids() if pid != os.getpid() and holds in _facts_of(pid)]:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _facts_of(pid: int) -> bytes:
    """Return the command line and environment of a process; nothing of one that has ended, or is another user's."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


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
    parser.add_argument("--quick", action="store_true", help="the ten of them that every change must pass")
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
    code = _let_happen(groups, options)
    sys.stdout.flush()
    if code > 1:
        # Ended while a house was being opened: that has threads that nobody ends any more.
        os._exit(code)
    return code


def _let_happen(groups: Sequence[AnyGroup], options: argparse.Namespace) -> int:
    """Let what is asked for happen, and print the table; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    rows: list[Row] = []
    began_s, ended = time.monotonic(), 0
    try:
        for these in together(chosen(groups, options.only, quick=options.quick)):
            for row in happen(these):
                rows.append(row)  # noqa: PERF402 - what was seen before somebody ends it is told
    except Ended as end:
        ended = 128 + end.number
    out = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    out.print(table_of(rows))
    wrong = sum(bool(row.wrong) for row in rows)
    out.print(f"{len(rows)} faults in {time.monotonic() - began_s:.0f} s; {wrong or 'none'} went wrong{', and it was ended before its time' if ended else ''}", highlight=False)
    if options.json is not None:
        write_json(options.json, rows)
    return ended or int(wrong > 0)


def _end(number: int, _frame: FrameType | None) -> None:
    # Once: the end is not ended.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise Ended(number)


if __name__ == "__main__":
    sys.exit(main())
