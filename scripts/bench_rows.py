"""One line of ``scripts/bench``'s table, and the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Row:
    """A figure."""

    section: str
    key: str
    """Its name in JSON."""
    what: str
    """For a person."""
    value: float
    unit: str
    beside: str = ""
    """What it is to be seen beside: a ratio within the same run, or what is included."""
    at_most: float | None = None
    """The target; None where there is none."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return None if self.at_most is None else self.value <= self.at_most


def table_of(rows: Sequence[Row], title: str) -> Table:
    """Return the table to print."""
    table = Table(title=title, pad_edge=False)
    for name in ("what", "measured", "beside it", "target"):
        table.add_column(name, justify="right" if name == "measured" else "left")
    section = None
    for row in rows:
        if row.section != section:
            section = row.section
            table.add_section()
            table.add_row(Text(section, "bold"), "", "", "")
        table.add_row(f"  {row.what}", f"{said(row.value)} {row.unit}", row.beside, _target(row))
    return table


def as_json(rows: Sequence[Row]) -> dict[str, object]:
    """Return the rows as JSON values, by key."""
    return {row.key: {"value": row.value, "unit": row.unit, "at_most": row.at_most, "met": row.met} for row in rows}


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of them lies: of less than a hundred the largest is the 99th percentile."""
    ordered = sorted(values)
    return ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1]


def said(value: float) -> str:
    """Return a number with three digits that count."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 3)}f}"


def _target(row: Row) -> Text:
    if row.at_most is None:
        return Text("")
    return Text(f"≤ {row.at_most:g} {row.unit}: met") if row.met else Text(f"≤ {row.at_most:g} {row.unit}: MISSED", "bold red")
