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
    from collections.abc import Mapping
    from pathlib import Path

    from moodify.music.simulation.trial import Band, Trial, Way

#: As wide as the table gets, which every terminal holds.
_WIDE = 80
#: How each way to choose is said.
_WAYS: Mapping[Way, str] = {"learned": "learned", "chance": "by chance", "playlist": "playlist"}
EXPLAINED = (
    "regret: songs that the best music for that household would have kept playing to their end, and this did not; less is better.\n"
    "95 % band: where the mean would lie, 95 times of 100, with other households of the same kind.\n"
    "kept: songs heard to their end.\n"
    "learning saves: regret less than by chance, or than a fixed playlist, in the same households; "
    "a band that holds 0 shows no difference."
)
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
    typer.echo(EXPLAINED)
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

    table = Table(title=f"Regret after {plays} plays, mean over {runs} households of each kind", title_justify="left")
    for heading in ("household", "music", "regret", "95 % band", "kept", "learning saves"):
        table.add_column(heading, justify="left" if heading in {"household", "music"} else "right", no_wrap=True)
    for trial in trials:
        for way in WAYS:
            total, saves = trial.total(way), "" if way == "learned" else _with_band(trial.saved(way))
            table.add_row(trial.archetype.name if way == WAYS[0] else "", _WAYS[way], _said(total, total.mean), _band(total), f"{trial.kept[way]:.0%}", saves)
        table.add_section()
    return table


def _with_band(band: Band) -> str:
    return f"{_said(band, band.mean)} ({_band(band)})"


def _band(band: Band) -> str:
    return f"{_said(band, band.low)} to {_said(band, band.high)}"


def _said(band: Band, value: float) -> str:
    digits = 0 if abs(band.mean) >= 10 else 1  # noqa: PLR2004 - two digits say enough
    # Nought has no sign for whoever reads it.
    return f"{round(value, digits) + 0.0:.{digits}f}"


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
