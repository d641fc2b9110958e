"""TFLite, and nothing of it outside: a model is loaded through its manifest and run on its own buffers."""

from __future__ import annotations

import logging
import math
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from moodify.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from moodify.vision.manifest import ClassifierManifest, DetectorManifest, InputTensor, OutputTensor
    from moodify.vision.models import ModelFile

_log = logging.getLogger(__name__)

_SIGN: Final = np.uint8(0x80)
_SCALE_TOLERANCE: Final = 1e-5
"""Manifests are written in decimal, files hold float32."""


def threads_for(asked: int) -> int:
    """Return how many threads a model gets: what was ``asked``, or for 0 half of the cores that the process may use.

    The models are so small that a second thread gains little; the other half is left to the camera and the rest.
    """
    return asked or max(1, len(os.sched_getaffinity(0)) // 2)


class Runtime:
    """One model in an interpreter. For one thread at a time."""

    def __init__(self, model: ModelFile[DetectorManifest] | ModelFile[ClassifierManifest], threads: int = 0) -> None:
        """Load ``model``.

        Args:
            model: the file and its manifest.
            threads: how many may run it; 0 chooses by the number of cores.

        Raises:
            ModelError: no TFLite is installed, the file is no model, or its tensors are not those of the manifest.
        """
        self._where = model.where
        self._interpreter = _interpreter(model.where, model.content, threads_for(threads))
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        _check_input(model.where, inputs, model.manifest.input)
        matched = [_match(model.where, output, outputs) for output in model.manifest.outputs]
        self._input: Callable[[], NDArray[np.int8]] = self._interpreter.tensor(inputs[0]["index"])
        self._shape = model.manifest.input.shape
        self._outputs = [(self._interpreter.tensor(detail["index"]), np.empty(output.shape, np.int8)) for detail, output in zip(matched, model.manifest.outputs, strict=True)]
        if not self.delegated():
            _log.warning("%s runs without XNNPACK and so about twenty times slower; a hidden /proc/cpuinfo can be the reason", model.where)

    def run(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.int8], ...]:
        """Run the model.

        Args:
            pixels: (height, width, channels) of the input.

        Returns:
            The outputs in the manifest's order; the same buffers at every call.

        Raises:
            ModelError: the interpreter failed.
        """
        # int8 is the pixel less 128, which is the pixel with its highest bit turned; the view must be gone when the model runs.
        np.bitwise_xor(pixels.reshape(self._shape), _SIGN, out=self._input().view(np.uint8))
        try:
            self.invoke()
        except RuntimeError as error:
            raise ModelError(f"{self._where}: fails while it runs ({error}); install moodify again, or unset vision.models") from error
        for view, buffer in self._outputs:
            np.copyto(buffer, view())
        return tuple(buffer for _, buffer in self._outputs)

    def invoke(self) -> None:
        """Run the model on what its input holds, and nothing else: what a measurement compares with.

        Raises:
            RuntimeError: the interpreter failed.
        """
        self._interpreter.invoke()

    def delegated(self) -> bool:
        """Return whether XNNPACK runs the model's operations."""
        operations = self._interpreter._get_ops_details()  # noqa: SLF001 - there is no public way to ask
        return any(operation["op_name"] == "DELEGATE" for operation in operations)


def _interpreter(where: str, content: bytes, threads: int) -> Any:
    make = _maker()
    try:
        interpreter = make(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{where}: is no model that this TFLite can run ({' '.join(str(error).split())}); install moodify again, or unset vision.models") from error
    return interpreter


def _maker() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError as error:
            raise ModelError(f"no TFLite runtime is installed ({error}): pip install ai-edge-litert, or on 32-bit ARM tflite-runtime==2.14.0 with numpy<2") from error
    return Interpreter


def _check_input(where: str, details: Sequence[Mapping[str, Any]], expected: InputTensor) -> None:
    if len(details) != 1:
        raise ModelError(f"{where}: has {len(details)} inputs, expected 1; use the file that the manifest was written for")
    _check_tensor(where, f"input {expected.name}", details[0], expected)


def _match(where: str, expected: OutputTensor, details: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Find an output by its name, or by its shape where a converter has renamed it."""
    named = [detail for detail in details if detail["name"] == expected.name]
    alike = named or [detail for detail in details if tuple(int(n) for n in detail["shape"]) == expected.shape]
    if len(alike) != 1:
        found = ", ".join(f"{detail['name']} {[int(n) for n in detail['shape']]}" for detail in details)
        raise ModelError(f"{where}: has no single output {expected.name} {list(expected.shape)}, only {found}; use the file that the manifest was written for")
    _check_tensor(where, f"output {expected.name}", alike[0], expected)
    return alike[0]


def _check_tensor(where: str, what: str, detail: Mapping[str, Any], expected: InputTensor | OutputTensor) -> None:
    scale, zero_point = detail["quantization"]
    pairs = (
        ("shape", [int(n) for n in detail["shape"]], list(expected.shape)),
        ("dtype", np.dtype(detail["dtype"]).name, expected.dtype),
        ("zero_point", int(zero_point), expected.zero_point),
    )
    for key, found, wanted in pairs:
        if found != wanted:
            raise ModelError(f"{where}: {what} has {key} {found}, the manifest says {wanted}; use the file that the manifest was written for")
    if not math.isclose(scale, expected.scale, rel_tol=_SCALE_TOLERANCE):
        raise ModelError(f"{where}: {what} has scale {scale:.8g}, the manifest says {expected.scale:.8g}; use the file that the manifest was written for")
