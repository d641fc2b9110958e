"""From trained PyTorch weights to the int8 file that ships: the same graph in Keras, converted by TensorFlow Lite."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recipe.errors import ExportError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from torch import nn

    from recipe.graph import Block, Network

_MAP = 4
"""Axes of a map; logits have two."""
_FLOAT_TOLERANCE = 1e-3
"""Largest difference that the float graphs may show, relative to the output's range."""


class KerasOps:
    """The graph on Keras tensors ``[N, H, W, C]``, with a network's trained numbers."""

    def __init__(self) -> None:
        """Load Keras, which is slow and only needed here."""
        import keras

        self.layers: Any = keras.layers

    def conv(self, block: Block, x: Any) -> Any:
        """A convolution block, normalisation folded."""
        weight, bias = (array.float().numpy() for array in block.folded())
        common = {
            "strides": block.stride,
            "padding": "same",
            "activation": "relu" if block.relu else None,
        }
        if block.groups > 1:
            layer = self.layers.DepthwiseConv2D(block.kernel, **common)
            kernel = weight.transpose(2, 3, 0, 1)
        else:
            layer = self.layers.Conv2D(weight.shape[0], block.kernel, **common)
            kernel = weight.transpose(2, 3, 1, 0)
        out = layer(x)
        layer.set_weights([kernel, bias])
        return out

    def add(self, a: Any, b: Any) -> Any:
        """Add two maps, then ReLU."""
        return self.layers.ReLU()(self.layers.Add()([a, b]))

    def double(self, x: Any) -> Any:
        """Double height and width, bilinearly."""
        return self.layers.UpSampling2D(2, interpolation="bilinear")(x)

    def mean(self, x: Any) -> Any:
        """Mean over height and width."""
        return self.layers.GlobalAveragePooling2D()(x)

    def dropped(self, layer: nn.Dropout, x: Any) -> Any:  # noqa: ARG002 - nothing is dropped after training
        """Nothing is dropped after training."""
        return x

    def dense(self, layer: nn.Linear, x: Any) -> Any:
        """A fully connected layer."""
        out_layer = self.layers.Dense(layer.out_features)
        out = out_layer(x)
        out_layer.set_weights([layer.weight.detach().numpy().T, layer.bias.detach().numpy()])
        return out


def to_int8(net: Network, representative: Iterable[NDArray[np.uint8]]) -> bytes:
    """Quantise ``net`` after training.

    Args:
        net: the trained network.
        representative: pictures of the input's shape ``[1, H, W, C]`` that show the range of every activation. An all-black and
            an all-white one are added, so that the input's range is exactly 0..255: scale 1, zero point -128.

    Returns:
        The ``.tflite`` file, with int8 inputs and outputs.

    Raises:
        ExportError: the Keras graph does not give what the PyTorch graph gives.
    """
    import keras
    import tensorflow as tf

    net = net.float().cpu().eval()
    pictures = [np.asarray(p, np.float32) for p in representative]
    shape = net.input_shape
    inputs = keras.Input(shape[1:], batch_size=1)
    outputs = net.graph(inputs, KerasOps())
    model = keras.Model(inputs, outputs)
    _compare(net, model, pictures[0])

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    extremes = [np.zeros(shape, np.float32), np.full(shape, 255, np.float32)]
    converter.representative_dataset = lambda: ([picture] for picture in [*extremes, *pictures])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    # Keras lists every variable on stdout, the converter warns of statistics that it has just gathered.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        return bytes(converter.convert())


@torch.no_grad()
def _compare(net: Network, model: Any, picture: NDArray[np.float32]) -> None:
    ours = net(torch.from_numpy(picture).permute(0, 3, 1, 2).contiguous())
    theirs = model(picture, training=False)
    for name, tensor in ours.items():
        expected = tensor.permute(0, 2, 3, 1).numpy() if tensor.ndim == _MAP else tensor.numpy()
        error = np.abs(expected - theirs[name].numpy()).max() / max(1.0, np.abs(expected).max())
        if error > _FLOAT_TOLERANCE:
            raise ExportError(f"Keras and PyTorch differ by {error:.2g} in {name}: compare graph.py with export.py")
