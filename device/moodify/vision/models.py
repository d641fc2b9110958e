"""Finds the models that ship, or the owner's own, and holds them to their manifests."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from moodify.errors import ModelError
from moodify.vision.manifest import ClassifierManifest, DetectorManifest, parse_classifier, parse_detector

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

DETECTOR_MANIFEST: Final = "face_detector.json"
CLASSIFIER_MANIFEST: Final = "emotion.json"

_SHIPPED = "moodify.models"

M = TypeVar("M", DetectorManifest, ClassifierManifest)


@dataclass(frozen=True, slots=True)
class ModelFile(Generic[M]):
    """A model that has been read and is the file that its manifest means; its tensors are checked when it is loaded."""

    where: str
    """Name of the model's file, for messages."""
    manifest: M
    content: bytes


def read_detector(folder: Path | None = None) -> ModelFile[DetectorManifest]:
    """Read the face detector from ``folder``, or the one that ships.

    Raises:
        ModelError: a file is missing or is not what the manifest says.
    """
    where, text = _read(folder, DETECTOR_MANIFEST)
    return _model(folder, parse_detector(where, text))


def read_classifier(folder: Path | None = None) -> ModelFile[ClassifierManifest]:
    """Read the emotion classifier from ``folder``, or the one that ships.

    Raises:
        ModelError: a file is missing or is not what the manifest says.
    """
    where, text = _read(folder, CLASSIFIER_MANIFEST)
    return _model(folder, parse_classifier(where, text))


def _model(folder: Path | None, manifest: M) -> ModelFile[M]:
    where, content = _read(folder, manifest.file)
    manifest.check_file(where, content)
    return ModelFile(where, manifest, content)


def _read(folder: Path | None, name: str) -> tuple[str, bytes]:
    """Return what the file is called in messages, and its bytes."""
    file: Traversable = resources.files(_SHIPPED).joinpath(name) if folder is None else folder / name
    try:
        return str(file), file.read_bytes()
    except OSError as error:
        fix = "install moodify again" if folder is None else "put it there, or unset vision.models to use the models that ship"
        raise ModelError(f"{file}: can't be read ({error.strerror}); {fix}") from error
