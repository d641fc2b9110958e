"""The emotion classifier's network: a small residual net, 40 million multiply-accumulates a face."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from recipe.emotion import LABELS, SIDE
from recipe.graph import Block, Network, Ops, members

T = TypeVar("T")

WIDTHS = (16, 32, 64, 128)
"""Channels at 48, 24, 12 and 6 pixels: most of the bytes are where the maps are small."""


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        """Make it for ``width`` channels."""
        super().__init__()
        self.first = Block(width, width)
        self.second = Block(width, width, relu=False)

    def graph(self, x: T, ops: Ops[T]) -> T:
        """ReLU(x + f(x))."""
        return ops.add(x, ops.conv(self.second, ops.conv(self.first, x)))


class EmotionNet(Network):
    """Logits of eight emotions from a grey face."""

    input_shape = (1, SIDE, SIDE, 1)

    def __init__(self, widths: tuple[int, ...] = WIDTHS, dropout: float = 0.3) -> None:
        """Make it; ``widths`` as :data:`WIDTHS`, ``dropout`` is on the pooled features and is gone after training."""
        super().__init__()
        stem, *rest = widths
        self.stem = Block(1, stem, input_scale=1 / 255)
        self.down = nn.ModuleList(Block(a, b, stride=2) for a, b in zip(widths, rest, strict=False))
        self.deep = nn.ModuleList(Residual(width) for width in rest)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], len(LABELS))

    def graph(self, x: T, ops: Ops[T]) -> dict[str, T]:
        """Logits ``[N, 8]`` from pixels 0..255."""
        x = ops.conv(self.stem, x)
        for down, deep in zip(members(self.down, Block), members(self.deep, Residual), strict=True):
            x = deep.graph(ops.conv(down, x), ops)
        return {"logits": ops.dense(self.head, ops.dropped(self.drop, ops.mean(x)))}
