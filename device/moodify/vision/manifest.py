"""A model's manifest: what its file is, takes and gives, checked before the file is used."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from moodify.errors import ModelError
from moodify.types import Emotion, Landmarks, Point
from moodify.vision.align import Framing

if TYPE_CHECKING:
    from collections.abc import Mapping

DETECTOR_ROLES = ("objectness", "box", "landmarks")

_LONGEST_VALUE: Final = 60
"""Characters of a wrong value that a message repeats."""

Side = Annotated[int, Field(ge=8, le=4096)]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    # Other keys (metrics, data, licence) are for people and later readers.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class InputTensor(_Part):
    """The input: int8 values that are a pixel less 128, so that pixels go in without a float."""

    name: str
    shape: tuple[Literal[1], Side, Side, Literal[1, 3]]
    dtype: Literal["int8"]
    scale: Annotated[float, Field(ge=1, le=1)]
    zero_point: Literal[-128]
    colour: Literal["RGB", "GREY"]
    layout: Literal["NHWC"]

    @model_validator(mode="after")
    def _channels(self) -> Self:
        if self.shape[3] != {"RGB": 3, "GREY": 1}[self.colour]:
            msg = f"shape {list(self.shape)} does not have the channels of {self.colour}"
            raise ValueError(msg)
        return self


class OutputTensor(_Part):
    """One output, by its role."""

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: Literal["int8"]
    scale: Annotated[float, Field(gt=0)]
    zero_point: Annotated[int, Field(ge=-128, le=127)]
    stride: int | None = None
    """Input pixels for one cell, of a detector's outputs."""


class ConfirmSettings(_Part):
    """Which candidates are looked at again, closely: :mod:`moodify.vision.confirming`."""

    unsure_from: Annotated[float, Field(gt=0, lt=1)]
    """Confidence from which a candidate is worth it."""
    sure_from: Annotated[float, Field(gt=0, le=1)]
    """Confidence from which it is a face without."""
    window: Annotated[float, Field(ge=1.5, le=50)]
    """Height of what is looked at, in sides of the candidate; what the picture lacks of that is left grey."""
    weight: Annotated[float, Field(gt=0, lt=1)]
    """Of the closer look's logit in the mean of both."""
    most: Annotated[int, Field(ge=1, le=100)]
    """Candidates of a picture that are looked at again, the surest; the others keep their first answer."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.unsure_from >= self.sure_from:
            msg = f"unsure_from {self.unsure_from} is not below sure_from {self.sure_from}"
            raise ValueError(msg)
        return self


class DetectorSettings(_Part):
    """What turns a detector's outputs into faces."""

    score_threshold: Annotated[float, Field(gt=0, lt=1)]
    nms_iou: Probability
    max_faces: Annotated[int, Field(ge=1, le=1000)]
    confirm: ConfirmSettings | None = None
    """None where one look is all."""


class FramingSettings(_Part):
    """Where the landmarks lie in the crop."""

    landmarks: Annotated[list[tuple[float, float]], Field(min_length=5, max_length=5)]


class ClassifierSettings(_Part):
    """What turns logits into calibrated probabilities, and how the face must lie."""

    temperature: Annotated[float, Field(gt=0)]
    framing: FramingSettings


class _Manifest(_Part):
    format: Literal[1]
    name: str
    version: str
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+\.tflite$")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(gt=0, alias="bytes")]
    macs: Annotated[int, Field(gt=0)] | None = None
    """Multiply-accumulates of one run, as ``moodify models verify`` counts them."""
    input: InputTensor
    outputs: Annotated[list[OutputTensor], Field(min_length=1)]

    def check_file(self, where: str, content: bytes) -> None:
        """Hold the model's file to its size and hash.

        Args:
            where: name of the file, for the message.
            content: the file's bytes.

        Raises:
            ModelError: it is another file.
        """
        fix = "copy the model and its manifest again, both from one release"
        if len(content) != self.size:
            raise ModelError(f"{where}: has {len(content)} bytes, the manifest says {self.size}; {fix}")
        if (found := hashlib.sha256(content).hexdigest()) != self.sha256:
            raise ModelError(f"{where}: sha256 is {found}, the manifest says {self.sha256}; {fix}")


class _Task(_Part):
    task: Literal["face-detection", "emotion-classification"]


class DetectorManifest(_Manifest):
    """The manifest of a face detector."""

    task: Literal["face-detection"]
    labels: Annotated[list[Literal["face"]], Field(min_length=1, max_length=1)]
    postprocess: DetectorSettings

    @model_validator(mode="after")
    def _levels(self) -> Self:
        _, height, width, _ = self.input.shape
        found = sorted((output.stride or 0, output.role) for output in self.outputs)
        strides = sorted({stride for stride, _ in found})
        if strides[0] <= 0 or found != sorted((stride, role) for stride in strides for role in DETECTOR_ROLES):
            msg = f"outputs: each stride needs the roles {', '.join(DETECTOR_ROLES)} once, not {found}"
            raise ValueError(msg)
        for output in self.outputs:
            stride = output.stride or 1
            wanted = (1, -(-height // stride), -(-width // stride), {"objectness": 1, "box": 4, "landmarks": 10}[output.role])
            if output.shape != wanted:
                msg = f"outputs: {output.role} of stride {stride} has shape {list(output.shape)}, expected {list(wanted)}"
                raise ValueError(msg)
        if self.input.colour != "RGB":
            msg = "input: colour is GREY, a detector takes RGB"
            raise ValueError(msg)
        return self


class ClassifierManifest(_Manifest):
    """The manifest of an emotion classifier."""

    task: Literal["emotion-classification"]
    labels: list[str]
    postprocess: ClassifierSettings

    @model_validator(mode="after")
    def _logits(self) -> Self:
        expected = [emotion.value for emotion in Emotion]
        if self.labels != expected:
            msg = f"labels: {', '.join(self.labels)} are not the eight emotions in their order: {', '.join(expected)}"
            raise ValueError(msg)
        _, height, width, _ = self.input.shape
        if self.input.colour != "GREY" or height != width:
            msg = f"input: {self.input.colour} {height}x{width} is not a square GREY crop"
            raise ValueError(msg)
        if [(output.role, output.shape) for output in self.outputs] != [("logits", (1, len(expected)))]:
            msg = f"outputs: expected one with role logits and shape [1, {len(expected)}]"
            raise ValueError(msg)
        right_eye, left_eye, nose, *mouth = self.postprocess.framing.landmarks
        upright = right_eye[0] < left_eye[0] and all(eye[1] < nose[1] < corner[1] for eye in (right_eye, left_eye) for corner in mouth)
        if not upright or any(not 0 <= value <= height for point in self.postprocess.framing.landmarks for value in point):
            msg = f"postprocess.framing.landmarks: {self.postprocess.framing.landmarks} is no upright face inside {width}x{height} pixels, the person's right eye first"
            raise ValueError(msg)
        return self

    @property
    def framing(self) -> Framing:
        """How a face must lie in the crop."""
        points = [Point(x, y) for x, y in self.postprocess.framing.landmarks]
        return Framing(self.input.shape[1], Landmarks(*points))


def parse(where: str, text: str | bytes) -> DetectorManifest | ClassifierManifest:
    """Read the manifest of a model of either task; arguments and errors as :func:`parse_detector`."""
    try:
        task = _Task.model_validate_json(text).task
    except ValidationError as error:
        raise _refusal(where, error) from error
    return parse_detector(where, text) if task == "face-detection" else parse_classifier(where, text)


def parse_detector(where: str, text: str | bytes) -> DetectorManifest:
    """Read a detector's manifest.

    Args:
        where: name of the file, for messages.
        text: JSON.

    Raises:
        ModelError: naming the key, its value and what is expected.
    """
    try:
        return DetectorManifest.model_validate_json(text)
    except ValidationError as error:
        raise _refusal(where, error) from error


def parse_classifier(where: str, text: str | bytes) -> ClassifierManifest:
    """Read a classifier's manifest; arguments and errors as :func:`parse_detector`."""
    try:
        return ClassifierManifest.model_validate_json(text)
    except ValidationError as error:
        raise _refusal(where, error) from error


def _refusal(where: str, error: ValidationError) -> ModelError:
    problems = "; ".join(problem(detail) for detail in error.errors(include_url=False))
    return ModelError(f"{where}: {problems}. Write the manifest as the recipe in models/ does, or unset vision.models to use the models that ship")


def problem(detail: Mapping[str, object]) -> str:
    """Return what one of pydantic's errors says, with its key and value, in one line."""
    location = detail["loc"]
    key = ".".join(str(part) for part in location) if isinstance(location, tuple) else ""
    message = str(detail["msg"]).removeprefix("Value error, ")
    if not key:
        return message
    if detail["type"] == "missing":
        return f"{key} is missing"
    value = repr(detail["input"])
    return f"{key} is {value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + '…'}: {message}"
