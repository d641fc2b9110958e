"""The detector's network: depthwise-separable blocks, a top-down neck, three levels of heads.

Boxes are linear left-top-right-bottom distances in strides, not exponentials, and box and landmarks leave as separate tensors:
both keep plain post-training int8 accurate, because every tensor has one kind of number in one range.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from recipe.detector import HEIGHT, LANDMARKS, STRIDES, WIDTH
from recipe.graph import Block, Network, Ops, known, members

T = TypeVar("T")

_STEM = 16
_STAGES = (((16, 1),), ((32, 2), (32, 1)), ((64, 2), (64, 1), (64, 1)), ((128, 2), (128, 1)), ((160, 2), (160, 1), (160, 1), (160, 1)))
"""(channels, stride) of each separable block; the last three stages end at strides 8, 16 and 32. Depth is cheapest at the end, and
sees more of what surrounds a face."""
_NECK = 64
_PRIOR = -4.6
"""Bias of the objectness at the start: one cell in a hundred."""


class Separable(nn.Module):
    """A depthwise 3x3, then a pointwise convolution, both with ReLU."""

    def __init__(self, c_in: int, c_out: int, stride: int = 1) -> None:
        """Make it."""
        super().__init__()
        self.depthwise = Block(c_in, c_in, 3, stride, groups=c_in)
        self.pointwise = Block(c_in, c_out, 1)

    def graph(self, x: T, ops: Ops[T]) -> T:
        """Run it."""
        return ops.conv(self.pointwise, ops.conv(self.depthwise, x))


class Head(nn.Module):
    """What one level says of each cell."""

    def __init__(self) -> None:
        """Make it."""
        super().__init__()
        self.shared = Separable(_NECK, _NECK)
        self.objectness = Block(_NECK, 1, 1, relu=False, norm=False)
        self.box = Block(_NECK, 4, 1, relu=False, norm=False)
        self.landmarks = Block(_NECK, 2 * len(LANDMARKS), 1, relu=False, norm=False)
        for block in (self.objectness, self.box, self.landmarks):
            nn.init.normal_(block.conv.weight, std=0.01)
        nn.init.constant_(known(self.objectness.conv.bias), _PRIOR)
        nn.init.constant_(known(self.box.conv.bias), 1.5)

    def graph(self, x: T, ops: Ops[T]) -> dict[str, T]:
        """Objectness, box and landmarks."""
        x = self.shared.graph(x, ops)
        return {
            "objectness": ops.conv(self.objectness, x),
            "box": ops.conv(self.box, x),
            "landmarks": ops.conv(self.landmarks, x),
        }


class DetectorNet(Network):
    """Objectness, boxes and landmarks at strides 8, 16 and 32 from a colour picture."""

    input_shape = (1, HEIGHT, WIDTH, 3)

    def __init__(self) -> None:
        """Make it."""
        super().__init__()
        self.stem = Block(3, _STEM, stride=2, input_scale=1 / 255)
        self.stages = nn.ModuleList()
        width = _STEM
        widths = []
        for stage in _STAGES:
            blocks = nn.ModuleList()
            for channels, stride in stage:
                blocks.append(Separable(width, channels, stride))
                width = channels
            self.stages.append(blocks)
            widths.append(width)
        self.lateral = nn.ModuleList(Block(w, _NECK, 1, relu=False) for w in widths[-len(STRIDES) :])
        self.smooth = Separable(_NECK, _NECK)
        self.heads = nn.ModuleList(Head() for _ in STRIDES)

    def graph(self, x: T, ops: Ops[T]) -> dict[str, T]:
        """Outputs named ``objectness8`` … ``landmarks32`` from RGB pixels 0..255."""
        x = ops.conv(self.stem, x)
        maps = []
        for stage in self.stages:
            for block in members(stage, Separable):
                x = block.graph(x, ops)
            maps.append(x)
        fine, middle, coarse = (ops.conv(lateral, m) for lateral, m in zip(members(self.lateral, Block), maps[-len(STRIDES) :], strict=True))
        middle = self.smooth.graph(ops.add(middle, ops.double(coarse)), ops)
        fine = ops.add(fine, ops.double(middle))
        out = {}
        for stride, head, level in zip(STRIDES, members(self.heads, Head), (fine, middle, coarse), strict=True):
            out.update({f"{role}{stride}": tensor for role, tensor in head.graph(level, ops).items()})
        return out


def flat(outputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Objectness ``[N, cells]``, boxes ``[N, cells, 4]`` and landmarks ``[N, cells, 10]`` over all levels, finest first."""

    def rows(role: str) -> torch.Tensor:
        return torch.cat([outputs[f"{role}{s}"].float().permute(0, 2, 3, 1).flatten(1, 2) for s in STRIDES], dim=1)

    return rows("objectness")[..., 0], rows("box"), rows("landmarks")
