"""How good the classifier is, on faces that it was not trained on.

The temperature is fitted after quantisation on one half of the validation faces. Calibration, and risk against coverage, are reported
on the other half; accuracy, which nothing was tuned for, on both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.emotion import LABELS
from recipe.metrics import Share, calibration_error, confusion, f1, fit_temperature, softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.emotion.data import Faces
    from recipe.litert import Model

CONFIDENCE = 0.7
"""Chance of the top emotion from which the appliance judges a face."""
_ENOUGH = 30
"""Pictures that a class needs for its F1 to count in the mean."""
_COVERAGES = (0.5, 0.7, 0.9, 1.0)


def int8_logits(model: Model, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits ``[N, 8]`` of faces ``[N, 48, 48]``."""
    return np.concatenate([model.run(face[None, ..., None])[0] for face in pixels])


def evaluate(model: Model, tuning: Faces, reporting: Faces, copied: NDArray[np.bool_]) -> tuple[float, dict[str, Any]]:
    """The temperature and all figures.

    Args:
        model: the int8 file.
        tuning: the half for the temperature.
        reporting: the other.
        copied: which of both halves' faces have a near copy among the training faces.
    """
    tuned, reported = int8_logits(model, tuning.pixels), int8_logits(model, reporting.pixels)
    temperature = fit_temperature(tuned, tuning.majority)
    labels = np.concatenate([tuning.majority, reporting.majority])
    predicted = np.concatenate([tuned, reported]).argmax(1)
    right = predicted == labels
    table = confusion(predicted, labels, len(LABELS))
    counts = table.sum(1)
    scores = f1(table)
    enough = counts >= _ENOUGH
    chances = softmax(reported / np.float32(temperature))
    top, hit = chances.max(1), chances.argmax(1) == reporting.majority
    judged = top >= CONFIDENCE
    order = np.argsort(-top, kind="stable")
    figures = {
        "accuracy": Share(int(right.sum()), len(right)).as_dict(),
        "accuracy_without_near_copies": Share(int(right[~copied].sum()), int((~copied).sum())).as_dict(),
        "accuracy_reporting_half": Share(int(hit.sum()), len(hit)).as_dict(),
        "macro_f1": round(float(scores[enough].mean()), 4),
        "macro_f1_classes": [label for label, e in zip(LABELS, enough, strict=True) if e],
        "ece": round(calibration_error(chances, reporting.majority), 4),
        "ece_count": len(hit),
        "judged_share": Share(int(judged.sum()), len(judged)).as_dict(),
        "judged_accuracy": Share(int((hit & judged).sum()), int(judged.sum())).as_dict(),
        "risk_coverage": [{"coverage": c, "accuracy": round(float(hit[order[: max(1, round(c * len(order)))]].mean()), 4)} for c in _COVERAGES],
        "per_class": {label: {**Share(int(table[i, i]), int(counts[i])).as_dict(), "f1": round(float(scores[i]), 4)} for i, label in enumerate(LABELS)},
        "confusion": table.tolist(),
    }
    return temperature, figures
