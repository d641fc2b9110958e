"""The figures drawn, as PNG: needs matplotlib, the extra ``plots``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from moodify.errors import PersonMustAct
from moodify.types import Emotion
from moodify.vision.evaluation.detector import SIZES
from moodify.vision.evaluation.metrics import BINS

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.vision.evaluation.detector import DetectorFigures
    from moodify.vision.evaluation.emotion import EmotionFigures

_SIZE_INCHES = (6.0, 5.0)


class Plotter:
    """Draws into a folder. Made before anything is measured, so that what is missing is said at once."""

    def __init__(self, folder: Path) -> None:
        """Make ``folder`` where it is missing.

        Raises:
            PersonMustAct: matplotlib is not installed, or the folder can't be made.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise PersonMustAct(f"drawing needs matplotlib; run: {sys.executable} -m pip install 'matplotlib>=3.9,<4', or leave --plots out") from error
        self._make: Any = Figure
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PersonMustAct(f"{folder}: can't be made ({error.strerror}); give another folder to --plots") from error

    def emotion(self, figures: EmotionFigures) -> list[Path]:
        """Draw the confusion matrix, the reliability diagram and risk against coverage; return the files.

        Raises:
            PersonMustAct: a file can't be written.
        """
        return [self._confusion(figures), self._reliability(figures), self._risk_coverage(figures)]

    def detector(self, figures: DetectorFigures) -> list[Path]:
        """Draw precision over recall by the faces' size, where people drew boxes; return the files.

        Raises:
            PersonMustAct: a file can't be written.
        """
        curves = [(size, curve) for size in SIZES if (curve := figures.curve(size)) is not None]
        if not curves:
            return []
        figure, axes = self._axes("Recall", "Precision", "Faces found, by their share of the long side")
        for size, curve in curves:
            axes.plot(curve.recall, curve.precision, label=f"from {size:.0%}: AP50 {curve.area:.3f}")
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        axes.legend(loc="lower left")
        return [self._save(figure, "precision_recall.png")]

    def _confusion(self, figures: EmotionFigures) -> Path:
        table = figures.table
        shares = table / np.maximum(table.sum(1, keepdims=True), 1)
        figure, axes = self._axes("Read as", "Labelled", f"{figures.accuracy.count} faces, {figures.accuracy.value:.1%} right")
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        names = [emotion.value for emotion in Emotion]
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(names)), names)
        for (row, column), count in np.ndenumerate(table):
            if count:
                axes.text(column, row, str(count), ha="center", va="center", fontsize=8, color="white" if shares[row, column] > 0.5 else "black")  # noqa: PLR2004 - half way to dark
        return self._save(figure, "confusion.png")

    def _reliability(self, figures: EmotionFigures) -> Path:
        calibration = figures.calibration
        figure, axes = self._axes("Confidence", "Share that is right", f"Reliability, expected calibration error {calibration.error:.3f}")
        used = calibration.counts > 0
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="dashed")
        axes.bar((np.flatnonzero(used) + 0.5) / BINS, calibration.accuracy[used], width=0.9 / BINS, alpha=0.5)
        axes.plot(calibration.confidence[used], calibration.accuracy[used], marker="o")
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        return self._save(figure, "reliability.png")

    def _risk_coverage(self, figures: EmotionFigures) -> Path:
        accuracies = figures.accuracies()
        share, accuracy = figures.judged
        figure, axes = self._axes("Coverage: share of faces that are judged", "Risk: share of them that is read wrong", "Risk against coverage")
        axes.plot(np.arange(1, len(accuracies) + 1) / len(accuracies), 1 - accuracies)
        axes.plot([share.value], [1 - accuracy.value], marker="o", color="black", linestyle="none", label=f"threshold {figures.threshold:g}")
        axes.set(xlim=(0, 1), ylim=(0, None))
        axes.legend(loc="upper left")
        return self._save(figure, "risk_coverage.png")

    def _axes(self, x: str, y: str, title: str) -> tuple[Any, Any]:
        figure = self._make(figsize=_SIZE_INCHES, layout="constrained")
        axes = figure.subplots()
        axes.set(xlabel=x, ylabel=y, title=title)
        return figure, axes

    def _save(self, figure: Any, name: str) -> Path:
        file = self._folder / name
        try:
            figure.savefig(file, dpi=120)
        except OSError as error:
            raise PersonMustAct(f"{file}: can't be written ({error.strerror}); give another folder to --plots") from error
        return file
