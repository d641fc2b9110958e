"""Finds the models that ship, or the owner's own, and holds them to their manifests."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from moodify.errors import CannotWork, ModelError
from moodify.vision.manifest import ClassifierManifest, DetectorManifest, parse, parse_classifier, parse_detector

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DETECTOR_MANIFEST: Final = "face_detector.json"
CLASSIFIER_MANIFEST: Final = "emotion.json"

MAX_BYTES: Final = 50_000_000
"""Of a model's file: a hundred times those that ship, and still what the smallest device can hold."""

_MAX_MANIFEST_BYTES: Final = 1_000_000
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


def manifests_of(folder: Path | None = None) -> tuple[Path, Path]:
    """Return where the manifests of detector and classifier are, or should be: in ``folder``, or where the models that ship are."""
    place = Path(str(resources.files(_SHIPPED))) if folder is None else folder
    return place / DETECTOR_MANIFEST, place / CLASSIFIER_MANIFEST


def require_models(path: Path, *, single: bool = False) -> None:
    """See that a path that somebody named leads to models; whether they are whole is not looked at.

    Args:
        path: of a folder with at least one of the two manifests.
        single: whether a model's own manifest, or its file, will do as well.

    Raises:
        CannotWork: it leads to none.
    """
    if any(manifest.is_file() for manifest in manifests_of(path)) or (single and path.suffix in {".json", ".tflite"} and path.is_file()):
        return
    what = "no model and no folder with models" if single else "no folder with models"
    files = f"{DETECTOR_MANIFEST} and {CLASSIFIER_MANIFEST}"
    raise CannotWork(f"{path} is {what}; name a folder that holds {files}{', or a .json or .tflite file' if single else ''}")


def read_manifest(file: Path) -> DetectorManifest | ClassifierManifest:
    """Read the manifest at ``file``, of a model of either task.

    Raises:
        ModelError: it can't be read, or is none.
    """
    return parse(*_read(file.parent, file.name))


def read_model(file: Path) -> ModelFile[DetectorManifest] | ModelFile[ClassifierManifest]:
    """Read the model of either task whose manifest is at ``file``.

    Raises:
        ModelError: a file is missing or is not what the manifest says.
    """
    manifest = read_manifest(file)
    if isinstance(manifest, DetectorManifest):
        return _model(file.parent, manifest)
    return _model(file.parent, manifest)


def _model(folder: Path | None, manifest: M) -> ModelFile[M]:
    where, content = _read(folder, manifest.file)
    manifest.check_file(where, content)
    return ModelFile(where, manifest, content)


def _read(folder: Path | None, name: str) -> tuple[str, bytes]:
    """Return what the file is called in messages, and its bytes."""
    file: Traversable = resources.files(_SHIPPED).joinpath(name) if folder is None else folder / name
    fix = "install moodify again" if folder is None else "put it there, or unset vision.models where that names this folder, to use the models that ship"
    most = MAX_BYTES if name.endswith(".tflite") else _MAX_MANIFEST_BYTES
    try:
        if isinstance(file, Path) and file.exists() and not file.is_file():
            raise ModelError(f"{file}: is not a file; {fix}")
        with file.open("rb") as stream:
            content: bytes = stream.read(most + 1)
    except OSError as error:
        raise ModelError(f"{file}: can't be read ({error.strerror}); {fix}") from error
    if len(content) > most:
        raise ModelError(f"{file}: has more than {most // 1_000_000} MB, too large for a {'model' if most == MAX_BYTES else 'manifest'} here; {fix}")
    return str(file), content
