"""The table: fault, what was seen, time to recover, who must act."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from faults_week.fault import Row


def table_of(rows: Sequence[Row]) -> Table:
    """Return the table to print."""
    table = Table(show_lines=False, pad_edge=False, expand=True)
    table.add_column("fault", ratio=5)
    table.add_column("seen, in its own words", ratio=11)
    table.add_column("recovered", justify="right", min_width=9)
    table.add_column("who must act", ratio=5)
    table.add_column("promises", ratio=3)
    group = None
    for row in rows:
        if row.group != group:
            group = row.group
            table.add_section()
            table.add_row(Text(group, "bold"))
        table.add_row(Text(f"  {row.name}"), *_cells(row))
    return table


def _cells(row: Row) -> tuple[Text, Text, Text, Text]:
    kept = Text("kept") if not row.wrong else Text("; ".join(row.wrong), "bold red")
    if row.outcome is None:
        return Text("?"), Text("never", "bold red"), Text("?"), kept
    outcome = row.outcome
    recovered = "" if outcome.recovered_s is None else f"{outcome.recovered_s:.1f} s"
    return Text(outcome.seen), Text(recovered), Text(outcome.who_must or "nobody"), kept


def write_json(file: Path, rows: Sequence[Row]) -> None:
    """Write the rows as a JSON list."""
    file.write_text(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False) + "\n", "utf-8")
