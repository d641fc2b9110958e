"""Runs an int8 file as the appliance does, and says what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from recipe.errors import ExportError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True)
class Tensor:
    """An input or output of a file: its place in the list of details, name, shape and quantisation."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


class Model:
    """One int8 file, loaded."""

    def __init__(self, file: Path | bytes, threads: int = 1) -> None:
        """Load ``file``, a path or the file's bytes."""
        source = {"model_content": file} if isinstance(file, bytes) else {"model_path": str(file)}
        self._interpreter: Any = Interpreter(num_threads=threads, **source)
        self._interpreter.allocate_tensors()
        self.input = _tensors(self._interpreter.get_input_details())[0]
        self.outputs = _tensors(self._interpreter.get_output_details())
        self._in = self._interpreter.get_input_details()[0]["index"]
        self._out = [detail["index"] for detail in self._interpreter.get_output_details()]

    def run(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """The outputs as real numbers, for pixels ``[1, H, W, C]``."""
        self._interpreter.set_tensor(self._in, (pixels ^ np.uint8(0x80)).view(np.int8))
        self._interpreter.invoke()
        return [
            (self._interpreter.get_tensor(index).astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale) for index, tensor in zip(self._out, self.outputs, strict=True)
        ]

    def undelegated(self) -> list[str]:
        """Convolutions that XNNPACK does not run, by the name of their output."""
        operations = self._interpreter._get_ops_details()  # noqa: SLF001 - the only way to see the delegate
        taken: set[int] = set()
        for operation in operations:
            if operation["op_name"] == "DELEGATE":
                taken.update(int(i) for i in operation["inputs"])
        names = {d["index"]: d["name"] for d in self._interpreter.get_tensor_details()}
        return [str(names[int(operation["outputs"][0])]) for operation in operations if operation["op_name"] in _CONVOLUTIONS and int(operation["inputs"][1]) not in taken]

    def macs(self) -> int:
        """Multiply-accumulates of one invoke, counted from the convolutions and dense layers in the file."""
        shapes = {d["index"]: d["shape"] for d in self._interpreter.get_tensor_details()}
        total = 0
        for operation in self._interpreter._get_ops_details():  # noqa: SLF001 - the only list of operations
            name = operation["op_name"]
            if name in (*_CONVOLUTIONS, "FULLY_CONNECTED"):
                weight, out = shapes[int(operation["inputs"][1])], shapes[int(operation["outputs"][0])]
                per_output = int(np.prod(weight[1:3] if name == "DEPTHWISE_CONV_2D" else weight[1:]))
                total += per_output * int(np.prod(out))
        return total


def verify(content: bytes, *, max_bytes: int, max_macs: int | None = None) -> Model:
    """Load ``content`` and hold it to the contract with the runtime.

    Raises:
        ExportError: it breaks the contract.
    """
    model = Model(content)
    if (model.input.dtype, model.input.scale, model.input.zero_point) != ("int8", 1.0, -128):
        raise ExportError(f"the input is {model.input}, not int8 with scale 1 and zero point -128: add 0 and 255 to the sample")
    if any(tensor.dtype != "int8" for tensor in model.outputs):
        raise ExportError("an output is not int8: set inference_output_type")
    if left := model.undelegated():
        raise ExportError(f"XNNPACK does not run {', '.join(left)}: use only the operations of graph.py")
    if len(content) > max_bytes:
        raise ExportError(f"{len(content)} bytes are more than {max_bytes}: make the network narrower")
    if max_macs is not None and model.macs() > max_macs:
        raise ExportError(f"{model.macs()} multiply-accumulates are more than {max_macs}: make the network narrower")
    return model


def _tensors(details: list[dict[str, Any]]) -> list[Tensor]:
    return [
        Tensor(
            index=i,
            name=str(detail["name"]),
            shape=tuple(int(n) for n in detail["shape"]),
            dtype=np.dtype(detail["dtype"]).name,
            scale=float(detail["quantization"][0]),
            zero_point=int(detail["quantization"][1]),
        )
        for i, detail in enumerate(details)
    ]
