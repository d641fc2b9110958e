"""Draws what came out of the simulation: a curve of regret for each way to choose, with its 95 % band."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from moodify.errors import CannotWork, PersonMustAct
from moodify.music.simulation.trial import WAYS, Way, bands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from moodify.music.simulation.trial import Trial

#: Okabe & Ito's colours, which people with any colour vision can tell apart.
_COLOURS: Mapping[Way, str] = {"learned": "#0072B2", "chance": "#D55E00", "playlist": "#009E73"}
LABELS: Mapping[Way, str] = {"learned": "learned (Thompson sampling)", "chance": "by chance", "playlist": "a fixed playlist"}


def check_drawable(file: Path) -> None:
    """See that a picture can be drawn to a file, before minutes are spent on what it shows.

    Raises:
        PersonMustAct: matplotlib is not installed.
        CannotWork: the file is none that a picture can be written to.
    """
    try:
        import matplotlib as _  # noqa: F401, ICN001 - only whether it is there
    except ImportError:
        raise PersonMustAct(f"drawing needs matplotlib, which is not installed; run: {sys.executable} -m pip install 'matplotlib>=3.9,<4'") from None
    if file.suffix.lower() != ".png":
        raise CannotWork(f"{file}: curves are drawn as PNG; name a file that ends in .png")
    if not file.absolute().parent.is_dir():
        raise CannotWork(f"{file}: there is no folder {file.absolute().parent}; make it, or name another file")


def draw(trials: Sequence[Trial], file: Path) -> None:
    """Draw a panel for each archetype into a PNG file.

    Raises:
        PersonMustAct, CannotWork: as :func:`check_drawable`; or the file can't be written.
    """
    check_drawable(file)
    # Not pyplot: it would look for a screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(trials), 4.2), layout="constrained")
    axes = figure.subplots(1, len(trials), squeeze=False)[0]
    for axis, trial in zip(axes, trials, strict=True):
        _panel(axis, trial)
    axes[0].set_ylabel("regret: songs that would have been kept")
    axes[0].legend(loc="upper left", frameon=False)
    figure.suptitle("Regret over plays, mean and 95 % band over simulated households. They are equations, no people.")
    try:
        figure.savefig(file, dpi=120, format="png", metadata={"Software": None})
    except OSError as error:
        raise CannotWork(f"{file} can't be written: {error.strerror}; name another file") from error


def _panel(axis: Axes, trial: Trial) -> None:
    for way in WAYS:
        curves = trial.regret[way]
        plays = np.arange(1, curves.shape[1] + 1)
        low, high = bands(curves)
        axis.fill_between(plays, low, high, color=_COLOURS[way], alpha=0.2, linewidth=0)
        axis.plot(plays, curves.mean(axis=0), color=_COLOURS[way], label=LABELS[way])
    if trial.archetype.changes:
        axis.axvline(trial.regret["learned"].shape[1] / 2, color="grey", linestyle=":", linewidth=1)
    axis.set_title(f"{trial.archetype.name}\n{trial.archetype.said}", fontsize=10)
    axis.set_xlabel("plays")
    axis.set_xlim(left=0)
    axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
    axis.spines[["top", "right"]].set_visible(False)
