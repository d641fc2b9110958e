"""The manifest beside each model: what the runtime checks before it loads the file."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from recipe.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from recipe.litert import Model, Tensor

FORMAT = 1

_LINE = 100
"""Characters that a list may take on one line."""


def write(
    folder: Path,
    name: str,
    content: bytes,
    model: Model,
    roles: Mapping[tuple[int, ...], tuple[str, int | None]],
    rest: Mapping[str, Any],
) -> dict[str, Any]:
    """Write the model and its manifest into ``folder``.

    Args:
        folder: where they go.
        name: of both files, without their endings.
        content: the ``.tflite`` file.
        model: the same, loaded.
        roles: role and stride of each output, by its shape.
        rest: ``version``, ``task``, ``colour``, ``labels``, ``postprocess``, ``metrics``, ``data`` and ``recipe`` (the settings of the training).

    Returns:
        The manifest.
    """
    outputs = sorted(model.outputs, key=lambda tensor: (roles[tensor.shape][1] or 0, roles[tensor.shape][0]))
    manifest = {
        "format": FORMAT,
        "name": name,
        "version": rest["version"],
        "task": rest["task"],
        "file": f"{name}.tflite",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "macs": model.macs(),
        "input": {**_described(model.input), "colour": rest["colour"], "layout": "NHWC"},
        "outputs": [_output(tensor, *roles[tensor.shape]) for tensor in outputs],
        "labels": rest["labels"],
        "postprocess": rest["postprocess"],
        "metrics": rest["metrics"],
        "data": rest["data"],
        "recipe": rest["recipe"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.tflite").write_bytes(content)
    (folder / f"{name}.json").write_text(dumps(manifest))
    return manifest


def read(folder: Path, name: str) -> dict[str, Any]:
    """The manifest ``name`` in ``folder``.

    Raises:
        RecipeError: it is not there.
    """
    file = folder / f"{name}.json"
    if not file.is_file():
        raise RecipeError(f"{file} is missing: run the recipe for this model first, with --only detector or --only emotion")
    manifest: dict[str, Any] = json.loads(file.read_text())
    return manifest


def shipped(folder: Path, name: str) -> tuple[bytes, dict[str, Any]]:
    """The model ``name`` in ``folder`` and its manifest.

    Raises:
        RecipeError: one of them is not there, or the manifest is of another file.
    """
    manifest = read(folder, name)
    file = folder / f"{name}.tflite"
    if not file.is_file():
        raise RecipeError(f"{file} is missing: restore it, or run the recipe for this model first")
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
        raise RecipeError(f"{folder / name}.json is the manifest of another file than {file.name}: restore the two together, or run the recipe anew")
    return content, manifest


def dumps(manifest: Mapping[str, Any]) -> str:
    """JSON with short lists on one line, so that a change shows as few lines."""
    return _indented(manifest, 0) + "\n"


def _indented(value: Any, depth: int) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or (len(flat) + 2 * depth < _LINE and depth):
        return flat
    pad, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        inner = [f"{pad}{json.dumps(key)}: {_indented(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner) + f"\n{end}}}"
    return "[\n" + ",\n".join(f"{pad}{_indented(item, depth + 1)}" for item in value) + f"\n{end}]"


def _described(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
    }


def _output(tensor: Tensor, role: str, stride: int | None) -> dict[str, Any]:
    place: dict[str, Any] = {"index": tensor.index, "role": role}
    if stride is not None:
        place["stride"] = stride
    return {**place, **_described(tensor)}


def sources(names: Sequence[str]) -> list[dict[str, str]]:
    """Data and licences, by name, for manifests and cards."""
    return [SOURCES[name] for name in names]


SOURCES: dict[str, dict[str, str]] = {
    "ferplus": {
        "name": "FER2013 pictures with FER+ votes",
        "use": "training (usage Training) and validation (usage PublicTest)",
        "licence": "votes: MIT (Microsoft FER+); pictures: from the web, ICML 2013 challenge, released for research",
    },
    "unlabelled": {
        "name": "Crops of people of LFW (repository muxspace/facial_expressions)",
        "use": "training, by the teachers' answers alone",
        "licence": "repository Apache-2.0; pictures: from the news",
    },
    "people": {
        "name": "People with and without masks (repositories chandrikadeb7/Face-Mask-Detection and prajnasb/observations)",
        "use": "training and validation, split by picture; boxes and landmarks by the detector YuNet",
        "licence": "repository MIT; pictures: from the web",
    },
    "faces": {
        "name": "Frames of YouTube Faces (repository udacity/P1_Facial_Keypoints)",
        "use": "training and validation, split by identity; boxes and landmarks by the detector YuNet",
        "licence": "repository MIT; frames: released for research",
    },
    "masks": {
        "name": "Street and crowd pictures with masks",
        "use": "training and validation, split by picture; boxes by people, no landmarks",
        "licence": "none stated with the data; pictures: from the web",
    },
    "cut-out": {
        "name": "Cut-out faces: FER2013 (usage Training) and people of LFW (repository muxspace/facial_expressions)",
        "use": "training, pasted into scenes and in the place of masked faces; boxes by the network itself",
        "licence": "FER2013: from the web, released for research; LFW crops: repository Apache-2.0, pictures from the news",
    },
    "negatives": {
        "name": "Grey pictures without faces",
        "use": "backgrounds, false positives",
        "licence": "none stated with the data",
    },
}
