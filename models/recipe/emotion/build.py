"""From data to ``emotion.tflite``, its manifest and its card."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe import cards, manifest
from recipe.chain import in_rooms, measure_framing
from recipe.detector import data as detector_data
from recipe.detector.decode import Int8Net
from recipe.emotion import LABELS, data
from recipe.emotion.augment import FaceBatches
from recipe.emotion.evaluate import CONFIDENCE, evaluate
from recipe.emotion.teach import lessons
from recipe.emotion.train import Settings, logits_of, train
from recipe.export import to_int8
from recipe.litert import Model, verify
from recipe.metrics import Share, softmax

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.emotion.data import Faces
    from recipe.emotion.net import EmotionNet
    from recipe.training import Trained

VERSION = "2026.11.3"
MAX_BYTES = 600_000


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    Attributes:
        settings: of the training.
        calibration: faces to quantise with.
        framing: training faces that the framing is measured on.
        framing_least: of them, those in which the detector must see a face.
        rooms: validation faces that are pasted into rooms for the chain, at each size.
        limit: detector pictures read for rooms.
    """

    settings: Settings = field(default_factory=Settings)
    calibration: int = 500
    framing: int = 3000
    framing_least: int = 500
    rooms: int = 400
    limit: int | None = None


QUICK = Plan(Settings(epochs=0.25), calibration=40, framing=120, framing_least=0, rooms=30, limit=60)
_SIDES = (32, 48, 64, 96)
"""Pixels of a face's crop in a 320x256 frame."""


def build(folder: Path, work: Path, out: Path, soft_labels: Path, plan: Plan, threads: int) -> dict[str, Any]:
    """Train, quantise, measure and describe the classifier; gives the manifest.

    The detector must be in ``out`` already: the framing is measured with it. ``soft_labels`` are the teachers' (``models/teach``).
    """
    tune, _ = data.validation(folder)
    trained = train(lessons(folder, soft_labels), tune, work / "emotion.pt", plan.settings, threads)
    return finish(trained, folder, out, plan, taught=soft_labels.is_file())


def finish(trained: Trained[EmotionNet], folder: Path, out: Path, plan: Plan, *, taught: bool) -> dict[str, Any]:
    """What comes after training; ``taught``: whether by teachers too."""
    net, seconds = trained
    content = to_int8(net, _representative(data.training(folder), plan))
    halves = data.validation(folder)
    right = np.concatenate([logits_of(net, half.pixels).argmax(1) == half.majority for half in halves])
    return _describe(
        content, Share(int(right.sum()), len(right)).as_dict(), folder, out, plan, version=VERSION, recipe={**asdict(plan.settings), "taught": taught, "seconds": round(seconds)}
    )


def measure(folder: Path, out: Path, plan: Plan) -> dict[str, Any]:
    """Measure and describe the file in ``out`` anew; gives the manifest.

    The figure from before quantisation is kept: it needs the weights from before quantisation.
    """
    content, earlier = manifest.shipped(out, "emotion")
    plan = replace(plan, settings=replace(plan.settings, seed=earlier["recipe"]["seed"]))
    return _describe(content, earlier["metrics"]["accuracy_float"], folder, out, plan, version=earlier["version"], recipe=earlier["recipe"])


def _describe(content: bytes, before: dict[str, Any], folder: Path, out: Path, plan: Plan, *, version: str, recipe: dict[str, Any]) -> dict[str, Any]:
    detector_content, detector_manifest = manifest.shipped(out, "face_detector")
    threshold = detector_manifest["postprocess"]["score_threshold"]
    detector = Int8Net(Model(detector_content))
    model = verify(content, max_bytes=MAX_BYTES)
    training = data.training(folder)
    tuning, reporting = data.validation(folder)
    copied = np.concatenate([data.near_copies(half, training) for half in (tuning, reporting)])
    temperature, figures = evaluate(model, tuning, reporting, copied)
    figures["accuracy_float"] = before
    order = np.random.default_rng(plan.settings.seed).permutation(len(training))[: plan.framing]
    framing, measured = measure_framing(detector, training.pixels[order], plan.framing_least)
    _, held = detector_data.load(folder, plan.limit)

    def classify(crop: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.asarray(softmax(model.run(crop[None, ..., None])[0] / np.float32(temperature))[0], np.float64)

    figures["chain"] = [
        in_rooms(
            detector,
            classify,
            framing,
            reporting.pixels[: plan.rooms],
            reporting.majority[: plan.rooms],
            held.negatives,
            side,
            threshold,
        )
        for side in _SIDES
    ]
    written = manifest.write(
        out,
        "emotion",
        content,
        model,
        {model.outputs[0].shape: ("logits", None)},
        {
            "version": version,
            "task": "emotion-classification",
            "colour": "GREY",
            "labels": list(LABELS),
            "postprocess": {
                "temperature": round(temperature, 4),
                "confidence_threshold": CONFIDENCE,
                "framing": {"landmarks": np.round(framing, 2).tolist(), "measured_on": measured},
            },
            "metrics": figures,
            "data": manifest.sources(["ferplus", *(["unlabelled"] if recipe.get("taught") else [])]),
            "recipe": recipe,
        },
    )
    cards.write_emotion(out, written)
    return written


def _representative(training: Faces, plan: Plan) -> list[NDArray[np.uint8]]:
    """Augmented training faces ``[1, 48, 48, 1]``: dark and bright ones stretch the ranges as they will in use."""
    maker = FaceBatches(training, plan.calibration)
    out = {name: np.zeros(field.shape, field.dtype) for name, field in maker.fields.items()}
    maker.fill(out, np.random.default_rng(plan.settings.seed))
    return list(out["pixels"].transpose(0, 2, 3, 1)[:, None])
