"""Faces rendered with known skin, to find out what the measures follow and what they don't. Nobody's face: an egg with painted features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from moodify.skin.card import HEIGHT_MM, MARKER_MM, PATCHES, WIDTH_MM, marker_corners_mm, marker_ids, patch_corners_mm
from moodify.skin.light import to_light, to_pixels
from moodify.types import Landmarks, Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

EYES_MM: Final = 63.0
#: Height of the mouth below the eyes, in distances of the eyes.
_MOUTH: Final = 1.02
#: Light that skin without melanin gives back, linear sRGB, and what a unit of melanin and of blood takes of its logarithm: blood takes
#: green most, melanin the more the shorter the wave (Anderson and Parrish, "The optics of human skin", Journal of Investigative Dermatology 77, 1981).
_BASE: Final = np.array((0.68, 0.46, 0.37))
_MELANIN: Final = np.array((0.60, 0.85, 1.10))
_BLOOD: Final = np.array((0.03, 0.45, 0.28))
_GRID_MM: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Skin:
    """What is known of a rendered face: the causes that the measures look for."""

    melanin: float = 0.4
    """0.1 is very light, 2.2 very dark."""
    blood: float = 0.3
    """0 to 1."""
    roughness: float = 0.04
    """Root mean square contrast of pores and lines, in parts of the skin's light."""
    oil: float = 0.1
    """Strength of the film's mirror on forehead, nose and chin: light at the middle of a highlight, of the lamp's white."""
    cheek_oil: float = 0.02

    @property
    def light(self) -> NDArray[np.float64]:
        """Return what the skin gives back of white light: (3,)."""
        return np.asarray(_BASE * np.exp(-self.melanin * _MELANIN - self.blood * _BLOOD))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a rendered face is looked at."""

    eyes_px: float = 140.0
    exposure: float = 1.0
    lamp: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Colour of the light, as the camera shows it: its white balance is part of it."""
    lamp_from: tuple[float, float, float] = (0.15, -0.35, 0.92)
    """Right, down, towards the camera."""
    noise: float = 1.0
    """Standard deviation, in steps of 8 bits."""
    blur_px: float = 0.6
    seed: int = 1
    card: int | None = None
    """Number of the print that is held beside the chin."""


def render(skin: Skin, view: View) -> tuple[NDArray[np.uint8], Landmarks]:
    """Return a picture, uint8 RGB (height, width, 3), of a face that looks straight at the camera, and its landmarks."""
    px = view.eyes_px / EYES_MM
    width, height = int((210 if view.card is None else 330) * px) // 2 * 2, int(280 * px) // 2 * 2
    x, y = ((axis + 0.5) / px for axis in np.meshgrid(np.arange(width), np.arange(height)))
    x, y = x - 105, y - 115  # millimetres from the middle between the eyes
    normal, on_face = _shape(x, y)
    to_lamp = np.array(view.lamp_from) / np.linalg.norm(view.lamp_from)
    half = to_lamp + np.array((0, 0, 1))
    diffuse = 0.25 + 0.75 * np.clip(normal @ to_lamp, 0, None)
    lobe = np.clip(normal @ (half / np.linalg.norm(half)), 0, None) ** 40
    albedo = skin.light * np.exp(skin.roughness * _grain(x, y, view.seed))[..., None]
    albedo = np.where(_features(x, y)[..., None], np.array((0.06, 0.03, 0.03)), albedo)
    film = np.where(_in_t_zone(x, y), skin.oil, skin.cheek_oil) * lobe
    light = albedo * diffuse[..., None] + film[..., None]
    light = np.where(on_face[..., None], light, np.array((0.12, 0.13, 0.15)))
    if view.card is not None:
        light = _with_card(light, view.card, px, 0.25 + 0.75 * to_lamp[2])
    light = light * np.array(view.lamp) * view.exposure
    if view.blur_px:
        light = cv2.GaussianBlur(light, (0, 0), view.blur_px)
    noise = np.random.default_rng(view.seed + 1).normal(0, view.noise, light.shape)
    pixels = np.clip(np.rint(to_pixels(light) + noise), 0, 255).astype(np.uint8)
    return pixels, _landmarks(px)


def _landmarks(px: float) -> Landmarks:
    places = ((-EYES_MM / 2, 0), (EYES_MM / 2, 0), (0, 0.6 * _MOUTH * EYES_MM), (-25, _MOUTH * EYES_MM), (25, _MOUTH * EYES_MM))
    return Landmarks(*(Point((105 + x) * px, (115 + y) * px) for x, y in places))


def _shape(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the surface's direction (height, width, 3), and which pixels are of the face: an egg with a nose."""
    across, along = x / 78, (y - 25) / 112
    inside = across**2 + along**2
    depth = 75 * np.sqrt(np.maximum(1 - inside, 0.02)) + 16 * np.exp(-((x / 10) ** 2) - ((y - 30) / 22) ** 2)
    step = float(x[0, 1] - x[0, 0])
    down, right = np.gradient(depth, step)
    normal = np.dstack((-right, -down, np.ones_like(x)))
    length = np.linalg.norm(normal, axis=2, keepdims=True)
    return np.asarray(normal / length), np.asarray(inside < 0.97)  # noqa: PLR2004 - its edge


def _in_t_zone(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    return np.asarray((y < -20) | (np.abs(x) < 14) | (y > 80))  # noqa: PLR2004 - brows and lip


def _features(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Return which pixels are eyes, brows or lips."""
    side = np.abs(x)
    eyes = ((side - EYES_MM / 2) / 13) ** 2 + (y / 5) ** 2 < 1
    brows = ((side - EYES_MM / 2) / 18) ** 2 + ((y + 16) / 3) ** 2 < 1
    lips = (x / 26) ** 2 + ((y - _MOUTH * EYES_MM) / 6) ** 2 < 1
    return np.asarray(eyes | brows | lips)


def _grain(x: NDArray[Any], y: NDArray[Any], seed: int) -> NDArray[Any]:
    """Return a field of pores and lines fixed to the face, of mean 0 and deviation 1 where it is seen sharply."""
    side = round(340 / _GRID_MM)
    white = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    field = np.sum([cv2.GaussianBlur(white, (0, 0), size / _GRID_MM) * size for size in (0.5, 0.9, 1.6)], axis=0)
    fine = np.asarray(field - cv2.GaussianBlur(field, (0, 0), 4 / _GRID_MM), np.float32)
    fine /= fine.std()
    at_x, at_y = (np.asarray((axis + 170) / _GRID_MM, np.float32) for axis in (x, y))
    step = float(x[0, 1] - x[0, 0]) / _GRID_MM
    # A pixel gathers the light of all of its area.
    gathered = cv2.blur(fine, (max(1, round(step)),) * 2)
    return np.asarray(cv2.remap(gathered, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def card_light(print_number: int, px: float) -> NDArray[np.float32]:
    """Return the card as light, seen straight on at ``px`` pixels a millimetre: (height, width, 3)."""
    pixels = np.full((round(HEIGHT_MM * px), round(WIDTH_MM * px), 3), 250, np.uint8)
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    for number, corners in zip(marker_ids(print_number), marker_corners_mm(), strict=True):
        left, top = (round(float(at) * px) for at in corners[0])
        side = round(MARKER_MM * px)
        pixels[top : top + side, left : left + side] = cv2.aruco.generateImageMarker(dictionary, number, side)[..., None]
    for patch, corners in zip(PATCHES, patch_corners_mm(0), strict=True):
        cv2.fillConvexPoly(pixels, np.rint(corners * px).astype(np.int32), patch.srgb)
    return to_light(pixels)


def _with_card(light: NDArray[Any], number: int, px: float, brightness: float) -> NDArray[Any]:
    card = cv2.resize(card_light(number, 4), None, fx=px / 4, fy=px / 4, interpolation=cv2.INTER_AREA) * brightness
    top, left = int(100 * px), light.shape[1] - card.shape[1] - int(4 * px)
    shown = light.copy()
    shown[top : top + card.shape[0], left : left + card.shape[1]] = card
    return shown
