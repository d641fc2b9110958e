"""Network graphs written once and read twice: by PyTorch to train, by Keras to export.

A network is a ``Network`` whose ``graph`` speaks only to an ``Ops``. ``TorchOps`` runs the graph on tensors;
``recipe.export.KerasOps`` builds the same graph with the trained numbers, so the two cannot drift apart.

Everything here is what XNNPACK runs in int8 without leaving its delegate: convolution, depthwise convolution, ReLU, addition,
bilinear doubling, mean, fully connected.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import torch
from torch import nn
from torch.nn import functional

T = TypeVar("T")


M = TypeVar("M", bound=nn.Module)


def members(module: nn.Module, kind: type[M]) -> list[M]:
    """Return the parts of ``module`` that are of ``kind``, in their order."""
    return [part for part in module.children() if isinstance(part, kind)]


def known(tensor: torch.Tensor | None) -> torch.Tensor:
    """Return a tensor that PyTorch's types call optional and that is there by construction."""
    if tensor is None:
        raise TypeError("the layer was made without this tensor")
    return tensor


_SAME_PAD_EVEN = (0, 1, 0, 1)
"""What TensorFlow's SAME adds to a 3x3 convolution of stride 2 on an even size: one column right, one row below."""


class Block(nn.Module):
    """A convolution, its batch normalisation, and ReLU where asked for."""

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        groups: int = 1,
        relu: bool = True,
        norm: bool = True,
        input_scale: float = 1.0,
    ) -> None:
        """Make the block.

        Args:
            c_in: channels in.
            c_out: channels out.
            kernel: side of the square kernel, 1 or 3.
            stride: 1 or 2; with 2 the input's sides must be even.
            groups: 1, or ``c_in`` for a depthwise convolution.
            relu: whether ReLU follows.
            norm: whether batch normalisation follows; without it the convolution has a bias.
            input_scale: factor on the input, folded into the kernel on export (the stem takes pixels 0..255).
        """
        super().__init__()
        self.kernel, self.stride, self.groups, self.relu = kernel, stride, groups, relu
        self.input_scale = input_scale
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups, bias=not norm)
        self.norm = nn.BatchNorm2d(c_out) if norm else None
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)

    def folded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Kernel ``[out, in / groups, k, k]`` and bias ``[out]`` with normalisation and input scale folded in."""
        weight = self.conv.weight.detach().double() * self.input_scale
        if self.norm is None:
            return weight, known(self.conv.bias).detach().double()
        mean, var = known(self.norm.running_mean), known(self.norm.running_var)
        gain = self.norm.weight.detach().double() / torch.sqrt(var.double() + self.norm.eps)
        return weight * gain[:, None, None, None], self.norm.bias.detach().double() - mean.double() * gain

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block on ``x`` ``[N, C, H, W]``."""
        if self.input_scale != 1.0:
            x = x * self.input_scale
        if self.training and self.groups > 1 and self.kernel > 1 and self.stride > 1:
            # Every second place of stride 1 is the same sum, and in bfloat16 on a CPU PyTorch 2.13 has a quicker gradient for it.
            every = functional.conv2d(x, self.conv.weight, self.conv.bias, padding=self.kernel // 2, groups=self.groups)
            x = every[..., 1::2, 1::2].contiguous(memory_format=torch.channels_last)
        else:
            if self.kernel > 1 and self.stride > 1:
                x = functional.pad(x, _SAME_PAD_EVEN)
            x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return functional.relu(x) if self.relu else x


class Ops(Protocol[T]):
    """What a network's graph may ask for."""

    def conv(self, block: Block, x: T) -> T:
        """Run a convolution block."""

    def add(self, a: T, b: T) -> T:
        """Add two maps, then ReLU."""

    def double(self, x: T) -> T:
        """Double height and width, bilinearly."""

    def mean(self, x: T) -> T:
        """Mean over height and width."""

    def dropped(self, layer: nn.Dropout, x: T) -> T:
        """Drop features, in training only."""

    def dense(self, layer: nn.Linear, x: T) -> T:
        """Run a fully connected layer."""


class TorchOps:
    """The graph on PyTorch tensors ``[N, C, H, W]``."""

    def conv(self, block: Block, x: torch.Tensor) -> torch.Tensor:
        """Run a convolution block."""
        out: torch.Tensor = block(x)
        return out

    def add(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Add two maps, then ReLU."""
        return functional.relu(a + b)

    def double(self, x: torch.Tensor) -> torch.Tensor:
        """Double height and width, bilinearly, with half-pixel centres as TensorFlow has them."""
        return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        """Mean over height and width: ``[N, C]``."""
        return x.mean(dim=(2, 3))

    def dropped(self, layer: nn.Dropout, x: torch.Tensor) -> torch.Tensor:
        """Drop features, in training only."""
        out: torch.Tensor = layer(x)
        return out

    def dense(self, layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        """Run a fully connected layer on ``[N, C]``."""
        out: torch.Tensor = layer(x)
        return out


class Network(nn.Module):
    """A module whose forward pass is its graph on tensors."""

    input_shape: tuple[int, int, int, int]
    """N, H, W, C of the exported input."""

    def graph(self, x: T, ops: Ops[T]) -> dict[str, T]:
        """Outputs by name, from pixels 0..255."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Outputs by name for pixels 0..255 ``[N, C, H, W]``."""
        return self.graph(x, TorchOps())
