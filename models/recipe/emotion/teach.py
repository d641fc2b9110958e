"""The teachers: bigger networks on the same split, and what they say of every face, kept as numbers.

The student learns from people's votes and from the teachers' mean answer together (Hinton et al. 2015, "Distilling the Knowledge in
a Neural Network"), on the voted faces and on those that nobody voted on. The answers are small enough to be kept beside the models,
so that the student can be trained without the teachers: ``models/teach`` makes them anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from recipe.emotion import LABELS, data
from recipe.emotion.data import Faces
from recipe.emotion.train import Settings, logits_of, train
from recipe.errors import RecipeError
from recipe.metrics import softmax
from recipe.training import progress

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.emotion.net import EmotionNet

FILE = "soft_labels.npz"
MAX_BYTES = 2_000_000
_STEPS = 255
"""A chance is kept as so many parts of one."""
_VOTES_SHARE = 0.4
"""How much of a target is the ten people's; the rest is the teachers'."""
_PART = 1024


@dataclass(frozen=True)
class Plan:
    """The ensemble.

    Attributes:
        seeds: one for each teacher.
        settings: of each teacher's training.
        limit: faces that are answered for, for a quick run.
    """

    seeds: tuple[int, ...] = (21, 22)
    settings: Settings = field(default_factory=lambda: Settings(epochs=12.0, widths=(32, 64, 128, 256)))
    limit: int | None = None


QUICK = Plan(seeds=(21, 22), settings=Settings(epochs=0.05, widths=(8, 16, 16, 16)), limit=200)


def teach(folder: Path, work: Path, out: Path, plan: Plan, threads: int) -> dict[str, float]:
    """Train the teachers on ``folder`` (the data folder) and write their answers to ``out``.

    Returns:
        Accuracy on the tuning half of the validation faces: of each teacher, and of their mean.
    """
    faces = data.training(folder)
    tune, _ = data.validation(folder)
    nets = [train(faces, tune, work / f"teacher-{seed}.pt", replace(plan.settings, seed=seed), threads).net for seed in plan.seeds]
    said = {f"teacher-{seed}": _said([net], tune.pixels) for seed, net in zip(plan.seeds, nets, strict=True)}
    said["mean"] = np.mean(list(said.values()), axis=0)
    extra = data.unlabelled(folder)
    answers = {name: _answers(nets, pixels[: plan.limit], name) for name, pixels in (("voted", faces.pixels), ("unlabelled", extra))}
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / FILE,
        labels=np.array(LABELS),
        voted=answers["voted"],
        voted_sha256=np.array(data.fingerprint(faces.pixels[: plan.limit])),
        unlabelled=answers["unlabelled"],
        unlabelled_sha256=np.array(data.fingerprint(extra[: plan.limit])),
    )
    if (size := (out / FILE).stat().st_size) > MAX_BYTES:
        raise RecipeError(f"{out / FILE} has {size} bytes, more than {MAX_BYTES}: keep fewer faces or coarser numbers")
    return {name: float(np.mean(chances.argmax(1) == tune.majority)) for name, chances in said.items()}


def lessons(folder: Path, soft_labels: Path) -> Faces:
    """What the student is trained on: voted faces with the votes and the teachers' answers mixed, and the others with the answers alone.

    Without the file ``soft_labels`` these are the votes alone.

    Raises:
        RecipeError: ``soft_labels`` was made from other faces.
    """
    if not soft_labels.is_file():
        return data.training(folder)
    faces, extra = data.training(folder), data.unlabelled(folder)
    with np.load(soft_labels) as archive:
        kept = {name: np.asarray(archive[name]) for name in ("voted", "unlabelled")}
        prints = {name: str(archive[f"{name}_sha256"]) for name in kept}
        labels = tuple(str(label) for label in archive["labels"])
    pixels = {"voted": faces.pixels[: len(kept["voted"])], "unlabelled": extra[: len(kept["unlabelled"])]}
    for name, part in pixels.items():
        if prints[name] != data.fingerprint(part) or labels != LABELS:
            raise RecipeError(f"{soft_labels} was made from other faces ({name}): make it anew with models/teach")
    answers = {name: _chances(parts) for name, parts in kept.items()}
    voted = faces.pick(np.arange(len(faces)) < len(answers["voted"]))
    mixed = np.float32(_VOTES_SHARE) * voted.targets + np.float32(1 - _VOTES_SHARE) * answers["voted"]
    return Faces(
        np.concatenate([voted.pixels, pixels["unlabelled"]]),
        np.concatenate([mixed, answers["unlabelled"]]).astype(np.float32),
        np.concatenate([voted.majority, np.full(len(answers["unlabelled"]), -1)]),
    )


def _answers(nets: list[EmotionNet], pixels: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """The ensemble's chances ``[N, 8]`` for ``pixels``, in parts of 255."""
    parts = []
    with progress() as bar:
        task = bar.add_task(f"answers, {name} faces", total=len(pixels), note="")
        for start in range(0, len(pixels), _PART):
            parts.append(_said(nets, pixels[start : start + _PART]))
            bar.update(task, advance=len(parts[-1]))
    return np.rint(np.concatenate(parts) * _STEPS).astype(np.uint8)


def _said(nets: list[EmotionNet], pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean chances ``[N, 8]`` over the networks and both mirror images."""
    both = (pixels, np.ascontiguousarray(pixels[:, :, ::-1]))
    return np.asarray(np.mean([softmax(logits_of(net, view)) for net in nets for view in both], axis=0), np.float64)


def _chances(parts: NDArray[np.uint8]) -> NDArray[np.float32]:
    chances = parts.astype(np.float32)
    return np.asarray(chances / np.maximum(chances.sum(1, keepdims=True), 1), np.float32)
