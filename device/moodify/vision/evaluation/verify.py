"""Whether a model is whole: its file, its manifest, and what both say of each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from moodify.errors import ModelError
from moodify.vision.models import CLASSIFIER_MANIFEST, DETECTOR_MANIFEST, read_manifest, read_model
from moodify.vision.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from moodify.vision.manifest import ClassifierManifest, DetectorManifest, InputTensor, OutputTensor

CONVOLUTIONS: Final = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
BUDGETS: Final[Mapping[str, tuple[int, int | None]]] = {"face-detection": (500_000, 80_000_000), "emotion-classification": (600_000, None)}
"""Bytes and multiply-accumulates up to which a model of each task runs well on the smallest device, a Raspberry Pi Zero 2 W."""

_TASKS: Final = {DETECTOR_MANIFEST: "face-detection", CLASSIFIER_MANIFEST: "emotion-classification"}
"""What the appliance looks for in the manifests that it opens by name."""
_COUNTED: Final = CONVOLUTIONS | {"FULLY_CONNECTED"}
"""Operations whose multiply-accumulates are counted; the rest of a model's work is small."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of one model."""

    manifest_file: Path
    manifest: DetectorManifest | ClassifierManifest | None = None
    macs: int | None = None
    """Multiply-accumulates of one run, counted from the file; None where it could not be loaded."""
    convolutions: int = 0
    undelegated: tuple[str, ...] = ()
    """Convolutions that XNNPACK does not run, by the names of their outputs."""
    problems: tuple[str, ...] = ()
    """Why the appliance would not use it."""
    warnings: tuple[str, ...] = ()
    """What it would use, but slowly."""

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        known = None if self.manifest is None else described(self.manifest)
        return {
            "manifest": str(self.manifest_file),
            "ok": not self.problems,
            **(known or {}),
            "macs": self.macs,
            "convolutions": self.convolutions,
            "undelegated_convolutions": list(self.undelegated),
            "problems": list(self.problems),
            "warnings": list(self.warnings),
        }


def verify(manifest_file: Path) -> Report:
    """Check the model whose manifest is at ``manifest_file``: what is wrong with it is in the report, never raised."""
    manifest: DetectorManifest | ClassifierManifest | None = None
    try:
        manifest = read_manifest(manifest_file)
        if manifest.task != (wanted := _TASKS.get(manifest_file.name, manifest.task)):
            raise ModelError(f"{manifest_file}: task is {manifest.task!r}, by its name it must be {wanted!r}; give each manifest the name that belongs to it")
        model = read_model(manifest_file)
        runtime = Runtime(model)
        # Black is a picture like any other: what can't run at all fails here and not in the living room.
        runtime.run(np.zeros(manifest.input.shape[1:], np.uint8))
    except ModelError as error:
        return Report(manifest_file, manifest, problems=(str(error),))
    operations = runtime.operations()
    tensors = runtime.tensors()
    macs = count_macs(operations, tensors)
    left = undelegated(operations, tensors)
    problems = [] if manifest.macs in {None, macs} else [f"{manifest_file}: macs is {manifest.macs}, the file has {macs}; write the manifest as the recipe in models/ does"]
    return Report(
        manifest_file,
        manifest,
        macs,
        sum(operation["op_name"] in CONVOLUTIONS for operation in operations),
        tuple(left),
        tuple(problems),
        tuple(_warnings(manifest, macs, len(left))),
    )


def count_macs(operations: list[Mapping[str, Any]], tensors: Mapping[int, Mapping[str, Any]]) -> int:
    """Return the multiply-accumulates of one run, of convolutions and fully connected layers.

    Args:
        operations: as :meth:`~moodify.vision.runtime.Runtime.operations` gives them.
        tensors: as :meth:`~moodify.vision.runtime.Runtime.tensors` gives them.
    """
    total = 0
    for operation in operations:
        if operation["op_name"] in _COUNTED:
            weights, out = (tensors[int(place)]["shape"] for place in (operation["inputs"][1], operation["outputs"][0]))
            # Weights are (out, rows, columns, in), of depthwise ones (1, rows, columns, out), of dense layers (out, in).
            each = weights[1:3] if operation["op_name"] == "DEPTHWISE_CONV_2D" else weights[1:]
            total += math.prod(int(n) for n in each) * math.prod(int(n) for n in out)
    return total


def undelegated(operations: list[Mapping[str, Any]], tensors: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Return the names of the convolutions that XNNPACK does not run; arguments as :func:`count_macs`."""
    taken = {int(place) for operation in operations if operation["op_name"] == "DELEGATE" for place in operation["inputs"]}
    return [str(tensors[int(op["outputs"][0])]["name"]) for op in operations if op["op_name"] in CONVOLUTIONS and int(op["inputs"][1]) not in taken]


def _warnings(manifest: DetectorManifest | ClassifierManifest, macs: int, left: int) -> list[str]:
    most_bytes, most_macs = BUDGETS[manifest.task]
    found = []
    if left:
        found.append(f"XNNPACK does not run {left} of its convolutions, so that it is slow")
    if manifest.size > most_bytes:
        found.append(f"{manifest.size:,} bytes are more than the {most_bytes:,} that suit the smallest device")
    if most_macs is not None and macs > most_macs:
        found.append(f"{macs:,} multiply-accumulates are more than the {most_macs:,} that suit the smallest device")
    return found


def described(manifest: DetectorManifest | ClassifierManifest) -> dict[str, Any]:
    """Return what a manifest says of its model, as JSON values."""
    return {
        "name": manifest.name,
        "version": manifest.version,
        "task": manifest.task,
        "file": manifest.file,
        "bytes": manifest.size,
        "sha256": manifest.sha256,
        "labels": list(manifest.labels),
        "input": _tensor(manifest.input) | {"colour": manifest.input.colour, "layout": manifest.input.layout},
        "outputs": [_tensor(output) | {"role": output.role} | ({} if output.stride is None else {"stride": output.stride}) for output in manifest.outputs],
        "postprocess": manifest.postprocess.model_dump(mode="json"),
    }


def _tensor(tensor: InputTensor | OutputTensor) -> dict[str, Any]:
    return {"name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.dtype, "scale": tensor.scale, "zero_point": tensor.zero_point}
