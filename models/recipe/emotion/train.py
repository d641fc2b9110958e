"""Trains a network on votes, a teacher's or people's: soft-label cross-entropy, AdamW, a cosine, averaged weights."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from recipe.emotion.augment import FaceBatches
from recipe.emotion.data import fingerprint
from recipe.emotion.net import WIDTHS, EmotionNet
from recipe.stream import BatchStream
from recipe.training import Average, Checkpoint, Trained, bfloat16_is_fast, decay_groups, progress, rate, settle

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.emotion.data import Faces

_SAVE_EVERY = 500


@dataclass(frozen=True)
class Settings:
    """What a run is made of.

    Attributes:
        epochs: how often, on average, a training face is seen.
        batch: faces a step.
        peak_rate: the highest learning rate.
        weight_decay: on kernels.
        average: decay of the weights' average.
        seed: of everything.
        widths: of the network.
    """

    epochs: float = 24.0
    batch: int = 128
    peak_rate: float = 2e-3
    weight_decay: float = 0.02
    average: float = 0.999
    seed: int = 11
    widths: tuple[int, ...] = WIDTHS


def train(faces: Faces, tune: Faces, checkpoint_file: Path, settings: Settings, threads: int = 1) -> Trained[EmotionNet]:
    """Train on ``faces``, keeping the checkpoint in ``checkpoint_file``.

    Args:
        faces: with their targets.
        tune: a half of the validation faces, whose accuracy is shown on the way; nothing is chosen by it.
        checkpoint_file: its name, without the ending, is the run's name.
        settings: of the run.
        threads: of PyTorch.
    """
    begun, before = time.monotonic(), 0.0
    settle(threads, settings.seed)
    name = checkpoint_file.stem
    steps = max(1, round(settings.epochs * len(faces) / settings.batch))
    net = EmotionNet(settings.widths)
    average = Average(net, settings.average)
    optimiser = torch.optim.AdamW(decay_groups(net, settings.weight_decay), lr=settings.peak_rate)
    checkpoint = Checkpoint(checkpoint_file, {**asdict(settings), "lessons": fingerprint(faces.pixels, faces.targets)})
    done = 0
    if (state := checkpoint.load()) is not None:
        net.load_state_dict(state["net"])
        average.net.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        done, before = state["step"], state["seconds"]
    seconds = before
    net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    maker = FaceBatches(faces, settings.batch)
    half = bfloat16_is_fast()
    with (
        progress() as bar,
        BatchStream(maker, seed=settings.seed, start=done) as stream,
    ):
        task = bar.add_task(name, total=steps, completed=done, note="")
        for step in range(done, steps):
            batch = stream.take()
            for group in optimiser.param_groups:
                group["lr"] = rate(step, steps, settings.peak_rate, warmup=min(300, steps // 10 + 1), cooldown=steps)
            pixels = torch.from_numpy(batch["pixels"]).float().contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                logits = net(pixels)["logits"].float()
            loss = functional.cross_entropy(logits, torch.from_numpy(batch["targets"]))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            average.update(net, step)
            note = f"loss {loss.item():.3f}"
            if (step + 1) % _SAVE_EVERY == 0 or step + 1 == steps:
                correct = np.mean(logits_of(average.net, tune.pixels).argmax(1) == tune.majority)
                note += f" · accuracy on the tuning half {correct:.4f}"
                bar.console.log(f"{name} {step + 1}/{steps} {note}")
                checkpoint.save(
                    net=net.state_dict(),
                    average=average.net.state_dict(),
                    optimiser=optimiser.state_dict(),
                    step=step + 1,
                    seconds=(seconds := before + time.monotonic() - begun),
                )
            bar.update(task, completed=step + 1, note=note)
    return Trained(average.net, seconds)


@torch.no_grad()
def logits_of(net: EmotionNet, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Float logits ``[N, 8]`` of faces ``[N, 48, 48]``."""
    net.eval()
    parts = [net(torch.from_numpy(part[:, None]).float())["logits"].numpy() for part in np.array_split(pixels, max(1, len(pixels) // 256))]
    return np.concatenate(parts)
