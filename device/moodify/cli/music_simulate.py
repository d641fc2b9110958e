"""``moodify music simulate``: compares ways to choose music over simulated households."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.music.simulation.trial import Band, Trial

#: Wide enough for the table where nobody's terminal has to hold it.
_WIDE = 140
NOTICE = "Households here are equations, no people: this shows that the learning works as written, not that anybody will like it."


def simulate(*, runs: int, plays: int, seed: int, out: Path | None, as_json: bool) -> int:
    """Run the comparison, print it, and draw its curves where a file is named; return the exit code.

    Raises:
        PersonMustAct: a picture is wanted and matplotlib is not installed.
        CannotWork: the picture can't be written.
    """
    from moodify.music.simulation.drawing import check_drawable, draw

    if out is not None:
        check_drawable(out)
    trials = _trials(runs, plays, seed)
    if out is not None:
        draw(trials, out)
    if as_json:
        data = {"runs": runs, "plays": plays, "seed": seed, "notice": NOTICE, "archetypes": {trial.archetype.name: _as_json(trial) for trial in trials}}
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return 0
    Console(width=None if sys.stdout.isatty() else _WIDE).print(_table(trials, runs, plays))
    typer.echo("learning saves: against chance, in the same households. kept: share of songs heard to their end, learned/by chance/playlist.")
    typer.echo("\n".join(f"{trial.archetype.name}: {trial.archetype.said}" for trial in trials))
    typer.echo(NOTICE)
    if out is not None:
        typer.echo(f"Curves: {out}")
    return 0


def _trials(runs: int, plays: int, seed: int) -> list[Trial]:
    from moodify.music.simulation.households import ARCHETYPES
    from moodify.music.simulation.trial import try_out

    trials: list[Trial] = []
    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("simulating", total=len(ARCHETYPES) * runs)
        for archetype in ARCHETYPES.values():
            progress.update(task, description=archetype.name)
            for trial in try_out(archetype, runs=runs, plays=plays, seed=seed):
                if trial is None:
                    progress.advance(task)
                else:
                    trials.append(trial)
    return trials


def _table(trials: list[Trial], runs: int, plays: int) -> Table:
    from moodify.music.simulation.trial import WAYS

    table = Table(title=f"Regret after {plays} plays, in songs that would have been kept\nmean (95 % band) over {runs} households of each kind")
    for heading in ("household", "learned", "by chance", "playlist", "learning saves", "kept"):
        table.add_column(heading, justify="left" if heading == "household" else "right", no_wrap=True)
    for trial in trials:
        table.add_row(trial.archetype.name, *(_said(trial.total(way)) for way in WAYS), _said(trial.saved("chance")), "/".join(f"{trial.kept[way]:.0%}" for way in WAYS))
    return table


def _said(band: Band) -> str:
    digits = 0 if abs(band.mean) >= 10 else 1  # noqa: PLR2004 - two digits say enough
    return f"{band.mean:.{digits}f} ({band.low:.{digits}f} to {band.high:.{digits}f})"


def _as_json(trial: Trial) -> dict[str, Any]:
    return {
        "said": trial.archetype.said,
        "has_taste": trial.archetype.has_taste,
        "regret": {way: _band_as_json(trial.total(way)) for way in trial.regret},
        "kept": {way: round(share, 4) for way, share in trial.kept.items()},
        "saved_against": {way: _band_as_json(trial.saved(way)) for way in trial.regret if way != "learned"},
    }


def _band_as_json(band: Band) -> dict[str, float]:
    return {"mean": round(band.mean, 3), "low": round(band.low, 3), "high": round(band.high, 3)}
