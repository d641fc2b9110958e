"""What is under way, on stderr: a line for each part, and a bar where one takes its time. Part of ``scripts/bench``."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ERRORS = Console(stderr=True)
#: Seconds between two looks at a bar that only time fills.
_STEP_S = 1.0


def begins(words: str) -> None:
    """Say what is measured from now on."""
    ERRORS.print(f"· {words}", style="dim", highlight=False)


@contextmanager
def bar(words: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar for as long as a ``with`` lasts; what is given is called after each of ``total`` steps. It draws only then: nothing runs beside what is measured."""
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERRORS, transient=True, auto_refresh=False, disable=not ERRORS.is_terminal) as progress:
        task = progress.add_task(words, total=total)
        progress.refresh()

        def step() -> None:
            progress.update(task, advance=1, refresh=True)

        yield step


def sleep_until(moment_s: float, words: str) -> None:
    """Sleep up to a moment of the monotonic clock, in seconds."""
    steps = max(0, round((moment_s - time.monotonic()) / _STEP_S))
    with bar(f"{words}, seconds", steps) as step:
        for left in reversed(range(steps)):
            time.sleep(max(0.0, moment_s - left * _STEP_S - time.monotonic()))
            step()
    time.sleep(max(0.0, moment_s - time.monotonic()))
