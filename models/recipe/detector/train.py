"""Trains the detector in stages: growing canvases, and between them a search for negatives that still look like faces.

At the same places the network puts boxes on cut-out faces, which the next stage is trained on too.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from recipe.detector import crops, data
from recipe.detector.loss import grid, loss
from recipe.detector.net import DetectorNet, flat
from recipe.detector.scenes import SceneBatches
from recipe.letterbox import letterbox
from recipe.stream import BatchStream
from recipe.training import Average, Checkpoint, Trained, bfloat16_is_fast, decay_groups, progress, rate, settle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from recipe.detector.data import Picture

_SAVE_EVERY = 250
_HARD_SCORE = 0.38
"""A negative with a cell above this score is hard."""


@dataclass(frozen=True)
class Stage:
    """So many steps on canvases of one size."""

    width: int
    height: int
    steps: int


@dataclass(frozen=True)
class Settings:
    """What a run is made of.

    Attributes:
        stages: in their order; hard negatives are sought, and cut-out faces boxed, before each but the first.
        batch: scenes a step.
        crops: cut-out faces used of each file.
        peak_rate: the highest learning rate.
        cooldown: the last steps, in which the learning rate falls.
        weight_decay: on kernels.
        average: decay of the weights' average.
        limit: pictures read of each source, for a quick run.
        seed: of everything.
    """

    stages: tuple[Stage, ...] = (
        Stage(192, 160, 2400),
        Stage(192, 160, 2600),
        Stage(320, 256, 1600),
        Stage(320, 256, 1600),
        Stage(320, 256, 2800),
    )
    batch: int = 64
    crops: int = 28000
    peak_rate: float = 4e-3
    cooldown: int = 2000
    weight_decay: float = 0.01
    average: float = 0.9985
    limit: int | None = None
    seed: int = 12


def train(folder: Path, work: Path, settings: Settings, threads: int = 1) -> Trained[DetectorNet]:
    """Train on ``folder`` (the data folder), keeping the checkpoint in ``work``."""
    begun, before = time.monotonic(), 0.0
    settle(threads, settings.seed)
    pictures, _ = data.load(folder, settings.limit)
    faces = crops.load(folder, settings.crops)
    total = sum(stage.steps for stage in settings.stages)
    net = DetectorNet()
    average = Average(net, settings.average)
    optimiser = torch.optim.AdamW(decay_groups(net, settings.weight_decay), lr=settings.peak_rate)
    checkpoint = Checkpoint(work / "detector.pt", asdict(settings))
    done, hard, boxes = 0, list[int](), np.full((len(faces), 4), np.nan, np.float32)
    if (state := checkpoint.load()) is not None:
        net.load_state_dict(state["net"])
        average.net.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        done, hard, boxes, before = state["step"], state["hard"], state["boxes"].numpy(), state["seconds"]
    net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    half = bfloat16_is_fast()
    begin, seconds = 0, before
    with progress() as bar:
        task = bar.add_task("detector", total=total, completed=done, note="")
        for number, stage in enumerate(settings.stages):
            end = begin + stage.steps
            if done >= end:
                begin = end
                continue
            if number and done == begin:
                hard = hard_negatives(average.net, pictures.negatives)
                boxes = crops.boxed(average.net, faces)
                bar.console.log(f"detector: {len(hard)} hard negatives of {len(pictures.negatives)}, a box on {np.isfinite(boxes[:, 0]).sum()} of {len(boxes)} cut-out faces")
            cells = grid(stage.width, stage.height)
            maker = SceneBatches(replace(pictures, crops=crops.pictures(faces, boxes)), settings.batch, stage.width, stage.height, hard)
            with BatchStream(maker, seed=settings.seed, start=done) as stream:
                for step in range(done, end):
                    batch = stream.take()
                    for group in optimiser.param_groups:
                        group["lr"] = rate(step, total, settings.peak_rate, warmup=min(500, total // 10 + 1), cooldown=settings.cooldown)
                    pixels = torch.from_numpy(batch["pixels"]).permute(0, 3, 1, 2).float()
                    with torch.autocast("cpu", torch.bfloat16, enabled=half):
                        outputs = net(pixels)
                    parts = loss(
                        cells,
                        flat(outputs),
                        torch.from_numpy(batch["boxes"]),
                        torch.from_numpy(batch["landmarks"]),
                        torch.from_numpy(batch["kinds"]),
                    )
                    optimiser.zero_grad(set_to_none=True)
                    sum(parts).backward()  # type: ignore[union-attr]
                    torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
                    optimiser.step()
                    average.update(net, step)
                    note = "loss " + " ".join(f"{part.item():.3f}" for part in parts)
                    if (step + 1) % _SAVE_EVERY == 0 or step + 1 == end:
                        bar.console.log(f"detector {step + 1}/{total} {note}")
                        checkpoint.save(
                            net=net.state_dict(),
                            average=average.net.state_dict(),
                            optimiser=optimiser.state_dict(),
                            step=step + 1,
                            hard=hard,
                            boxes=torch.from_numpy(boxes),
                            seconds=(seconds := before + time.monotonic() - begun),
                        )
                    bar.update(task, completed=step + 1, note=note)
            done = begin = end
    return Trained(average.net, seconds)


@torch.no_grad()
def hard_negatives(net: DetectorNet, negatives: Sequence[Picture]) -> list[int]:
    """Indices of the negatives in which ``net`` sees something."""
    net.eval()
    hard = []
    for i, picture in enumerate(negatives):
        canvas, _ = letterbox(picture.pixels)
        logits, _, _ = flat(net(torch.from_numpy(canvas)[None].permute(0, 3, 1, 2).float()))
        if float(logits.max().sigmoid()) > _HARD_SCORE:
            hard.append(i)
    return hard


def representative(pictures: data.Pictures, count: int, seed: int) -> list[np.ndarray]:
    """``count`` scenes ``[1, H, W, 3]`` to quantise with."""
    shape = DetectorNet.input_shape
    maker = SceneBatches(pictures, count, shape[2], shape[1], [])
    out = {name: np.zeros(field.shape, field.dtype) for name, field in maker.fields.items()}
    maker.fill(out, np.random.default_rng(seed))
    return list(out["pixels"][:, None])
