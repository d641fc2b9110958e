"""TFLite, and nothing of it outside: a model is loaded through its manifest and run on its own buffers."""

from __future__ import annotations

import logging
import math
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from moodify.errors import ModelError
from moodify.vision.xnnpack import Int8Delegate, library_of

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
        if found := mismatches(inputs, outputs, model.manifest):
            raise ModelError(f"{model.where}: {'; '.join(found)}; use the file that the manifest was written for")
        matched = [detail for output in model.manifest.outputs if (detail := _match(output, outputs)) is not None]
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
        return any(operation["op_name"] == "DELEGATE" for operation in self.operations())

    def operations(self) -> list[Mapping[str, Any]]:
        """Return the file's operations, and the delegate's where there is one: ``op_name``, and the tensors of ``inputs`` and ``outputs`` by index."""
        operations: list[Mapping[str, Any]] = self._interpreter._get_ops_details()  # noqa: SLF001 - there is no public way to ask
        return operations

    def tensors(self) -> dict[int, Mapping[str, Any]]:
        """Return the details of the file's tensors, ``name`` and ``shape`` among them, by index."""
        return {int(detail["index"]): detail for detail in self._interpreter.get_tensor_details()}


def load_library() -> None:
    """Load the TFLite that is installed, so that what comes after is the models' own time and memory.

    Raises:
        ModelError: no TFLite is installed.
    """
    _maker(1)


def _interpreter(where: str, content: bytes, threads: int) -> Any:
    make, options = _maker(threads)
    try:
        interpreter = make(model_content=content, num_threads=threads, **options)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{where}: is no model that this TFLite can run ({' '.join(str(error).split())}); install moodify again, or unset vision.models") from error
    return interpreter


def _maker(threads: int) -> tuple[Any, dict[str, Any]]:
    """Return the class of interpreters that is installed, and what it needs to run int8 with XNNPACK."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime import _pywrap_tensorflow_interpreter_wrapper as extension
            from tflite_runtime.interpreter import Interpreter
        except ImportError as error:
            raise ModelError(f"no TFLite runtime is installed ({error}): pip install ai-edge-litert, or on 32-bit ARM tflite-runtime==2.14.0 with numpy<2") from error
        library = library_of(extension)
        return Interpreter, {} if library is None else {"experimental_delegates": [Int8Delegate(library, threads)]}
    return Interpreter, {}


def mismatches(inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]], manifest: DetectorManifest | ClassifierManifest) -> list[str]:
    """Return what differs between a file's tensors and its manifest, a phrase for each; nothing where they fit.

    Args:
        inputs: as ``Interpreter.get_input_details`` gives them.
        outputs: as ``Interpreter.get_output_details`` gives them.
        manifest: what they should be.
    """
    found = [f"has {len(inputs)} inputs, expected 1"] if len(inputs) != 1 else _differences(f"input {manifest.input.name}", inputs[0], manifest.input)
    if len(outputs) != len(manifest.outputs):
        found.append(f"has {len(outputs)} outputs, the manifest lists {len(manifest.outputs)}")
    for expected in manifest.outputs:
        if (detail := _match(expected, outputs)) is None:
            there = ", ".join(f"{each['name']} {_shape(each)}" for each in outputs)
            found.append(f"has no single output {expected.name} {list(expected.shape)}, only {there}")
        else:
            found += _differences(f"output {expected.name}", detail, expected)
    return found


def _match(expected: OutputTensor, details: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Find an output by its name, or by its shape where a converter has renamed it."""
    named = [detail for detail in details if detail["name"] == expected.name]
    alike = named or [detail for detail in details if tuple(_shape(detail)) == expected.shape]
    return alike[0] if len(alike) == 1 else None


def _differences(what: str, detail: Mapping[str, Any], expected: InputTensor | OutputTensor) -> list[str]:
    scale, zero_point = detail["quantization"]
    pairs = (
        ("shape", _shape(detail), list(expected.shape)),
        ("dtype", np.dtype(detail["dtype"]).name, expected.dtype),
        ("zero_point", int(zero_point), expected.zero_point),
    )
    found = [f"{what} has {key} {there}, the manifest says {wanted}" for key, there, wanted in pairs if there != wanted]
    if not math.isclose(scale, expected.scale, rel_tol=_SCALE_TOLERANCE):
        found.append(f"{what} has scale {scale:.8g}, the manifest says {expected.scale:.8g}")
    return found


def _shape(detail: Mapping[str, Any]) -> list[int]:
    return [int(n) for n in detail["shape"]]
