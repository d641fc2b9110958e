"""What both training loops share: speed settings, averaged weights, the schedule, checkpoints, progress."""

from __future__ import annotations

import copy
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import cv2
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from recipe.graph import Network


N = TypeVar("N", bound="Network")


def settle(threads: int, seed: int) -> None:
    """Fix PyTorch's seed and threads; OpenCV gets one, because its pool does not outlive the fork of a worker."""
    cv2.setNumThreads(1)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)


def bfloat16_is_fast() -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere training stays in float32."""
    return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 - there is no public question


class Trained(NamedTuple, Generic[N]):
    """The averaged network, and how long its training took in seconds, all sittings together."""

    net: N
    seconds: float


class Average(Generic[N]):
    """An exponential moving average of a network's weights and statistics, which is what gets exported."""

    def __init__(self, net: N, decay: float) -> None:
        """Average with ``decay`` at full length; the first steps forget faster."""
        self.net = copy.deepcopy(net).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, net: N, step: int) -> None:
        """Take in the weights after ``step`` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mine, theirs in zip(self.net.state_dict().values(), net.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)


def rate(step: int, steps: int, peak: float, warmup: int, cooldown: int) -> float:
    """Learning rate: a linear start, ``peak``, and over the last ``cooldown`` steps half a cosine down to a hundredth of it.

    The long level part lets a run be made longer without changing what it has done (Hägele et al. 2024, "Scaling Laws and
    Compute-Optimal Training Beyond Fixed Training Durations").
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    along = max(0.0, (step - (steps - cooldown)) / max(1, cooldown))
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * along)))


def decay_groups(net: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Parameters for the optimiser: weight decay on kernels only, not on biases and normalisation."""
    kernels = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


class Checkpoint:
    """Where a run stands, in one file that is replaced whole."""

    def __init__(self, file: Path, settings: dict[str, Any]) -> None:
        """Keep it in ``file``; a checkpoint of other ``settings`` is set aside."""
        self.file, self.settings = file, settings

    def load(self) -> dict[str, Any] | None:
        """The state to resume from, or None to start anew."""
        if not self.file.is_file():
            return None
        state: dict[str, Any] = torch.load(self.file, weights_only=True)
        if state["settings"] == self.settings:
            return state
        aside = self.file.with_name(f"{self.file.stem}-{datetime.fromtimestamp(self.file.stat().st_mtime, UTC):%Y%m%dT%H%M%S}{self.file.suffix}")
        self.file.replace(aside)
        Console(stderr=True).print(f"{self.file} is of other settings or lessons: it is kept as {aside.name}, and training starts anew", soft_wrap=True, highlight=False)
        return None

    def save(self, **state: Any) -> None:
        """Replace the checkpoint."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        partial = self.file.with_suffix(".partial")
        torch.save({"settings": self.settings, **state}, partial)
        partial.replace(self.file)


def progress() -> Progress:
    """A progress bar with a free text for the loss."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
