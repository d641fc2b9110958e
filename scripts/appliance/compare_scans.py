"""Holds what `moodify scan --json` printed on one processor to what it printed on another.

    compare_scans.py MODELS OURS THEIRS      MODELS: the folder with the models' manifests; exits with 1 where they differ by more than int8 may

Two processors round an int8 product differently, where their instructions do. What may follow, and no more:

* the same pictures, the same faces in them, and of each the same emotion, or the same reason for none;
* boxes and landmarks within one step of the model's output at its coarsest stride, in pixels of the picture, or within 1 pixel where that is more;
* confidences and probabilities within one step of the logit: a step s moves a probability by s/4 at most, where the logistic curve is steepest.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_ROUNDING_PX: Final = 0.1
"""Lengths are printed to a tenth, so that two which are a hundredth apart may be printed a tenth apart."""
_ROUNDING: Final = 1e-4
_STEEPEST: Final = 0.25
"""The slope of the logistic function at its middle."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What two processors may differ by. Lengths are in pixels of the detector's input, the rest are probabilities."""

    input_size: tuple[int, int]
    box_px: float
    landmark_px: float
    confidence: float
    probability: float

    def length(self, step_px: float, width: int, height: int) -> float:
        """Return a step of the input in pixels of a picture that was brought to it whole, 1 at least."""
        return max(1.0, step_px / min(self.input_size[0] / width, self.input_size[1] / height)) + _ROUNDING_PX


@dataclass(frozen=True, slots=True)
class Finding:
    """The largest difference of one kind in one picture, and what it may be."""

    picture: str
    what: str
    difference: float
    allowed: float

    @property
    def holds(self) -> bool:
        """Whether it is no more than it may be."""
        return self.difference <= self.allowed

    def __str__(self) -> str:
        """One line for a person."""
        return f"  {'ok' if self.holds else 'NO':2}  {self.picture:20} {self.what:14} differ by {self.difference:.4f}, may by {self.allowed:.4f}"


def tolerance(detector: dict[str, Any], classifier: dict[str, Any]) -> Tolerance:
    """Return what the models' manifests allow."""

    def coarsest(role: str) -> float:
        return max(float(output["scale"] * output["stride"]) for output in detector["outputs"] if output["role"] == role)

    _, height, width, _ = detector["input"]["shape"]
    objectness = max(output["scale"] for output in detector["outputs"] if output["role"] == "objectness")
    logit = classifier["outputs"][0]["scale"] / classifier["postprocess"]["temperature"]
    return Tolerance((width, height), coarsest("box"), coarsest("landmarks"), objectness * _STEEPEST + _ROUNDING, logit * _STEEPEST + _ROUNDING)


def compare(ours: dict[str, Any], theirs: dict[str, Any], allowed: Tolerance) -> list[Finding]:
    """Return the findings over all pictures of two scans.

    Raises:
        ValueError: they are not of the same pictures.
    """
    one, other = ([(Path(each["picture"]).name, each["width"], each["height"]) for each in scan["pictures"]] for scan in (ours, theirs))
    if one != other or not one:
        raise ValueError(f"these are scans of different pictures: {one} and {other}")
    return [finding for a, b in zip(ours["pictures"], theirs["pictures"], strict=True) for finding in _of_picture(a, b, allowed)]


def _of_picture(a: dict[str, Any], b: dict[str, Any], allowed: Tolerance) -> list[Finding]:
    name, size = Path(a["picture"]).name, (a["width"], a["height"])
    counts = Finding(name, "faces", abs(len(a["faces"]) - len(b["faces"])), 0)
    if not counts.holds:
        return [counts]
    # Two of like confidence may come in the other order; where they lie tells which is which.
    pairs = list(zip(*(sorted(each["faces"], key=lambda face: face["box"]) for each in (a, b)), strict=True))
    said = sum((x["emotion"], x["not_judged"]) != (y["emotion"], y["not_judged"]) for x, y in pairs)
    findings = [
        counts,
        Finding(name, "judgements", said, 0),
        Finding(name, "boxes", max((_apart(x["box"], y["box"]) for x, y in pairs), default=0), allowed.length(allowed.box_px, *size)),
        Finding(name, "landmarks", max((_apart(_points(x), _points(y)) for x, y in pairs), default=0), allowed.length(allowed.landmark_px, *size)),
        Finding(name, "confidences", max((abs(x["confidence"] - y["confidence"]) for x, y in pairs), default=0), allowed.confidence),
    ]
    read = [(x["emotions"], y["emotions"]) for x, y in pairs if x["emotions"] and y["emotions"]]
    if read:
        findings.append(Finding(name, "probabilities", max(abs(x[emotion] - y[emotion]) for x, y in read for emotion in x), allowed.probability))
    return findings


def _points(face: dict[str, Any]) -> list[float]:
    return [value for point in face["landmarks"].values() for value in point]


def _apart(a: list[float], b: list[float]) -> float:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def main(arguments: list[str]) -> int:
    """Print the findings; return 1 where one does not hold."""
    models, ours, theirs = map(Path, arguments)
    detector, classifier, one, other = (json.loads(file.read_text("utf-8")) for file in (models / "face_detector.json", models / "emotion.json", ours, theirs))
    findings = compare(one, other, tolerance(detector, classifier))
    sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    return 0 if all(finding.holds for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
