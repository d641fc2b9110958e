"""Faces as a camera in a living room would show them: shifted, turned, dark, blurred, partly hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from recipe.chance import chance
from recipe.emotion import LABELS, SIDE
from recipe.stream import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.emotion.data import Faces

_RARE_POWER = 0.35
"""Exponent of a class's inverse frequency in the sampling: 0 is as found, 1 is equal shares."""
_RARE_CAP = 4.0
"""A picture is drawn at most this many times as often as a neutral one."""


class FaceBatches:
    """Augmented batches of faces (a ``BatchMaker``)."""

    def __init__(self, faces: Faces, batch: int) -> None:
        """Draw batches of ``batch`` from ``faces``, the rare emotions more often."""
        self.fields = {
            "pixels": Field((batch, 1, SIDE, SIDE), "uint8"),
            "targets": Field((batch, len(LABELS)), "float32"),
        }
        self._faces = faces
        share = faces.targets.mean(0)
        weight = np.minimum((share.max() / np.maximum(share, 1e-6)) ** _RARE_POWER, _RARE_CAP)
        chance = faces.targets @ weight
        self._cumulative = np.cumsum(chance / chance.sum())

    def fill(self, out: Mapping[str, NDArray[Any]], rng: np.random.Generator) -> None:
        """Write one batch."""
        size = len(out["targets"])
        index = np.minimum(np.searchsorted(self._cumulative, rng.random(size)), len(self._faces) - 1)
        for slot, i in enumerate(index):
            out["pixels"][slot, 0] = augment(self._faces.pixels[i], rng)
        out["targets"][:] = self._faces.targets[index]


def augment(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Another view of ``face`` ``[48, 48]``."""
    image = _moved(face, rng)
    if chance(rng, 0.25):
        image = _coarse(image, rng)
    light = image.astype(np.float32)
    light = _lit(light, rng)
    if chance(rng, 0.3):
        light += rng.normal(0.0, rng.uniform(2.0, 10.0), light.shape)
    if chance(rng, 0.3):
        _hide(light, rng)
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


def _moved(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Flip, turn, zoom, stretch and shift, as far as an alignment on five landmarks errs, and a bit further."""
    angle = np.deg2rad(rng.normal(0.0, 7.0))
    scale = np.exp(rng.normal(0.0, 0.08))
    stretch = np.exp(rng.normal(0.0, 0.04))
    mirror = -1.0 if chance(rng, 0.5) else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([mirror * scale * stretch, scale / stretch])
    centre = (SIDE - 1) / 2
    shift = rng.normal(0.0, 1.8, 2)
    offset = np.array([centre, centre]) - matrix @ np.array([centre, centre]) + shift
    border = cv2.BORDER_REPLICATE if chance(rng, 0.7) else cv2.BORDER_CONSTANT
    warped = cv2.warpAffine(
        face,
        np.column_stack([matrix, offset]),
        (SIDE, SIDE),
        flags=cv2.INTER_LINEAR,
        borderMode=border,
    )
    return np.asarray(warped, np.uint8)


def _coarse(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A face that was small, out of focus, moving, or sharpened by the camera."""
    kind = ("small", "unfocused", "moving", "sharpened")[int(rng.integers(4))]
    if kind == "small":
        side = int(rng.integers(18, 40))
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        back = cv2.INTER_LINEAR if chance(rng, 0.7) else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=back), np.uint8)
    if kind == "unfocused":
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.6)), np.uint8)
    if kind == "moving":
        length = int(rng.integers(2, 5))
        kernel = np.full((1, length) if chance(rng, 0.5) else (length, 1), 1 / length, np.float32)
        return np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)
    soft = cv2.GaussianBlur(image, (0, 0), 1.2)
    return np.asarray(cv2.addWeighted(image, 1.8, soft, -0.8, 0), np.uint8)


def _lit(light: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Gamma, contrast, brightness, and at times a lamp at one side."""
    if chance(rng, 0.6):
        light = np.float32(255.0) * (light / np.float32(255.0)) ** np.float32(np.exp(rng.normal(0.0, 0.35)))
    if chance(rng, 0.6):
        mean = light.mean()
        light = (light - mean) * np.float32(np.exp(rng.normal(0.0, 0.25))) + mean + np.float32(rng.normal(0.0, 18.0))
    if chance(rng, 0.25):
        angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.7)
        axis = np.linspace(-1, 1, SIDE, dtype=np.float32)
        ramp = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
        light = light * (1 + depth * ramp / np.sqrt(2)).astype(np.float32)
    if chance(rng, 0.1):
        light = light * np.float32(rng.uniform(0.15, 0.5))
    return light


def _hide(light: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Cover a rectangle: a hand, a cup, hair."""
    height, width = rng.integers(6, 20, 2)
    top, left = rng.integers(0, SIDE - height), rng.integers(0, SIDE - width)
    fill: Any = rng.uniform(0, 255)
    if chance(rng, 0.5):
        fill = rng.uniform(0, 255, (height, width))
    light[top : top + height, left : left + width] = fill
