"""What one picture of a face says of its skin. The pixels stay with the caller."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from moodify.skin.card_finding import find_card
from moodify.skin.colour import redness, skin_light, tone
from moodify.skin.light import LUMINANCE, to_light
from moodify.skin.lighting import Lighting, lighting
from moodify.skin.measure import Measure
from moodify.skin.record import Trait
from moodify.skin.regions import Region, mask, polygons
from moodify.skin.shine import Highlights, highlights
from moodify.skin.texture import texture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from moodify.types import Landmarks

T_ZONE: Final = (Region.FOREHEAD, Region.NOSE, Region.CHIN)
CHEEKS: Final = (Region.RIGHT_CHEEK, Region.LEFT_CHEEK)
_PLAIN: Final = (Region.FOREHEAD, *CHEEKS)
"""Skin that is flat enough for texture and colour."""
_HALF_GLOSS: Final = 0.05
"""Light that highlights add to the T-zone beyond the cheeks', in parts of white, that gives 50; the scale's only free figure."""
_COVERED: Final = 0.5
"""Of the natural logarithm: skin whose red light is to its green 1.65 times what it is on the cheeks is hair, cloth or a shadow of another colour."""
_COVERED_DARK: Final = 1.2
"""Likewise of brightness: 3.3 times."""
_SPREAD_PX: Final = 3
"""Around a highlight its light fades out over some pixels."""


@dataclass(frozen=True, slots=True)
class Shot:
    """The measures of one picture."""

    oiliness: Measure
    texture: Measure
    redness: Measure
    tone: Measure
    gloss: Mapping[str, float]
    """Light that highlights add, in parts of white: of ``t_zone`` and ``cheeks``, where they could be measured."""
    lighting: Lighting
    card: int | None
    """Number of the card's print, where one was in view and could be used."""
    eyes_px: float

    def measure(self, trait: Trait) -> Measure:
        """Return what was measured of a trait."""
        return {Trait.OILINESS: self.oiliness, Trait.TEXTURE: self.texture, Trait.REDNESS: self.redness, Trait.TONE: self.tone}[trait]


def look_at(pixels: NDArray[np.uint8], landmarks: Landmarks) -> Shot:
    """Return what a picture says of a face that is fit to be looked at.

    Args:
        pixels: uint8 RGB (height, width, 3), sRGB.
        landmarks: of the face, in the picture's pixels.
    """
    card = find_card(pixels)
    eyes_px = math.dist(landmarks.right_eye, landmarks.left_eye)
    face, masks = _cut_out(pixels, landmarks)
    masks = _uncovered(face, masks)
    found = {region: highlights(face, inside, None if isinstance(card, str) else card.calibration) for region, inside in masks.items()}
    skin = [_without_highlights(masks[region], found[region]) for region in _PLAIN if region in masks]
    oiliness, gloss = _oiliness(masks, found)
    if isinstance(card, str):
        red = pale = Measure.missing(card)
    else:
        together = np.any(skin, axis=0) if skin else np.zeros(face.shape[:2], np.bool_)
        seen = skin_light(card.calibration.corrected(to_light(face[together])))
        few = Measure.missing("too little skin without shine or shade; turn towards an even light")
        red, pale = (few, few) if seen is None else (redness(seen), tone(seen))
    return Shot(
        oiliness=oiliness,
        texture=texture(face, skin, eyes_px),
        redness=red,
        tone=pale,
        gloss=gloss,
        lighting=lighting(face, masks),
        card=None if isinstance(card, str) else card.print_number,
        eyes_px=eyes_px,
    )


def _cut_out(pixels: NDArray[np.uint8], landmarks: Landmarks) -> tuple[NDArray[np.uint8], dict[Region, NDArray[np.bool_]]]:
    """Return the part of the picture that holds all regions, and their masks in it."""
    height, width = pixels.shape[:2]
    outlines = polygons(landmarks)
    corners = np.array([corner for outline in outlines.values() for corner in outline])
    x0, y0 = (int(max(0, at)) for at in np.floor(corners.min(axis=0)) - 2)
    x1, y1 = (int(min(end, at)) for end, at in zip((width, height), np.ceil(corners.max(axis=0)) + 2, strict=True))
    part = pixels[y0:y1, x0:x1]
    masks = {region: mask(outline, width, height)[y0:y1, x0:x1] for region, outline in outlines.items()}
    return part, masks


def _uncovered(face: NDArray[np.uint8], masks: dict[Region, NDArray[np.bool_]]) -> dict[Region, NDArray[np.bool_]]:
    """Return the regions that look like the cheeks' skin: a fringe, a beard, a mask or a hand is none."""
    light = {region: np.median(to_light(face[inside]), axis=0) for region, inside in masks.items() if inside.any()}
    cheeks = [light[region] for region in CHEEKS if region in light]
    if not cheeks:
        return {}
    like = np.mean(cheeks, axis=0)
    return {region: masks[region] for region, seen in light.items() if _alike(seen, like)}


def _alike(seen: NDArray[Any], like: NDArray[Any]) -> bool:
    seen, like = np.maximum(seen, 1e-3), np.maximum(like, 1e-3)
    redder = math.log(seen[0] / seen[1]) - math.log(like[0] / like[1])
    brighter = math.log(float(seen @ LUMINANCE) / float(like @ LUMINANCE))
    return abs(redder) < _COVERED and abs(brighter) < _COVERED_DARK


def _without_highlights(inside: NDArray[np.bool_], found: Highlights | Measure) -> NDArray[np.bool_]:
    """Return the region without pixels that mirror the light; empty where that could not be told."""
    if isinstance(found, Measure):
        return np.zeros_like(inside)
    return inside & ~cv2.dilate(found.where.astype(np.uint8), np.ones((_SPREAD_PX, _SPREAD_PX), np.uint8)).astype(np.bool_)


def _oiliness(masks: Mapping[Region, NDArray[np.bool_]], found: Mapping[Region, Highlights | Measure]) -> tuple[Measure, dict[str, float]]:
    """Return how much more the T-zone shines than the cheeks, and the gloss of both."""
    gloss = {}
    for name, regions in (("t_zone", T_ZONE), ("cheeks", CHEEKS)):
        seen = [(shining.gloss, np.count_nonzero(masks[region])) for region in regions if isinstance(shining := found.get(region), Highlights)]
        if seen:
            gloss[name] = float(np.average([each for each, _ in seen], weights=[pixels for _, pixels in seen]))
    if len(gloss) < 2:  # noqa: PLR2004 - both
        reasons = [measure.reason for measure in found.values() if isinstance(measure, Measure) and measure.reason]
        return Measure.missing(reasons[0] if reasons else "forehead, nose and chin, or the cheeks, are covered; free them"), gloss
    more = max(0.0, gloss["t_zone"] - gloss["cheeks"])
    return Measure.of(100 * more / (more + _HALF_GLOSS)), gloss
