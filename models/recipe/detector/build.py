"""From data to ``face_detector.tflite``, its manifest and its card."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from recipe import cards, manifest
from recipe.detector import HEIGHT, STRIDES, WIDTH, data
from recipe.detector.confirm import CONFIRM
from recipe.detector.decode import MAX_FACES, NMS_IOU, FloatNet, Int8Net, find
from recipe.detector.evaluate import Matched, ap50, evaluate, tuning
from recipe.detector.levels import level
from recipe.detector.train import Settings, Stage, representative, train
from recipe.export import to_int8
from recipe.litert import verify

if TYPE_CHECKING:
    from pathlib import Path

    from recipe.detector.net import DetectorNet
    from recipe.training import Trained

VERSION = "2026.11.7"
MAX_BYTES = 500_000
MAX_MACS = 80_000_000


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    Attributes:
        settings: of the training.
        calibration: scenes to quantise with.
    """

    settings: Settings = field(default_factory=Settings)
    calibration: int = 300


QUICK = Plan(Settings(stages=(Stage(192, 160, 12), Stage(192, 160, 6)), batch=16, limit=60, crops=100), calibration=20)


def build(folder: Path, work: Path, out: Path, plan: Plan, threads: int) -> dict[str, Any]:
    """Train, quantise, measure and describe the detector; gives the manifest."""
    return finish(train(folder, work, plan.settings, threads), folder, out, plan)


def finish(trained: Trained[DetectorNet], folder: Path, out: Path, plan: Plan) -> dict[str, Any]:
    """What comes after training."""
    net, seconds = trained
    kept, held = data.load(folder, plan.settings.limit)
    level(net, [*kept.negatives, *tuning(held.negatives)])
    content = to_int8(net, representative(kept, plan.calibration, plan.settings.seed))
    unquantised = FloatNet(net)
    before = round(ap50([Matched(p, find(unquantised, p.pixels)) for p in held.masks], 0.1), 4)
    return _describe(content, held, before, out, version=VERSION, recipe={**asdict(plan.settings), "seconds": round(seconds)})


def measure(folder: Path, out: Path, plan: Plan) -> dict[str, Any]:
    """Measure and describe the file in ``out`` anew, on what was held out when it was trained; gives the manifest.

    The figure from before quantisation is kept: it needs the weights from before quantisation.
    """
    content, earlier = manifest.shipped(out, "face_detector")
    held_out = {**data.HELD_OUT, "masks": earlier["metrics"]["held_out"]["masks"]}
    _, held = data.load(folder, plan.settings.limit, held_out)
    return _describe(content, held, earlier["metrics"]["ap50_float_0.10"], out, version=earlier["version"], recipe=earlier["recipe"])


def _describe(content: bytes, held: data.Pictures, before: float, out: Path, *, version: str, recipe: dict[str, Any]) -> dict[str, Any]:
    model = verify(content, max_bytes=MAX_BYTES, max_macs=MAX_MACS)
    threshold, figures = evaluate(Int8Net(model), held)
    figures["held_out"] = {source: len(getattr(held, source)) for source in data.HELD_OUT}
    figures["ap50_float_0.10"] = before
    roles: dict[tuple[int, ...], tuple[str, int | None]] = {
        (1, HEIGHT // stride, WIDTH // stride, channels): (role, stride) for stride in STRIDES for role, channels in (("objectness", 1), ("box", 4), ("landmarks", 10))
    }
    written = manifest.write(
        out,
        "face_detector",
        content,
        model,
        roles,
        {
            "version": version,
            "task": "face-detection",
            "colour": "RGB",
            "labels": ["face"],
            "postprocess": {"score_threshold": threshold, "nms_iou": NMS_IOU, "max_faces": MAX_FACES, "confirm": CONFIRM},
            "metrics": figures,
            "data": manifest.sources(["people", "faces", "masks", "negatives", *(["cut-out"] if recipe.get("crops") else [])]),
            "recipe": recipe,
        },
    )
    cards.write_detector(out, written)
    return written
