"""Whether each measure follows its cause and nothing else: rendered faces, and pictures that are relit and resized."""

from __future__ import annotations

import itertools
import json
import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from moodify.errors import DataError
from moodify.skin.light import to_light, to_pixels
from moodify.skin.record import Trait
from moodify.skin.regions import unfit
from moodify.skin.rendering import Skin, View, render
from moodify.skin.shot import look_at
from moodify.types import Landmarks, Point

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from moodify.skin.shot import Shot

Levels = dict[Trait, float | None]

CAUSES: Final[Mapping[str, tuple[Trait, Sequence[float]]]] = {
    "oil": (Trait.OILINESS, (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6)),
    "roughness": (Trait.TEXTURE, (0.0, 0.01, 0.02, 0.04, 0.06, 0.09, 0.12)),
    "blood": (Trait.REDNESS, (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0)),
    "melanin": (Trait.TONE, (0.1, 0.3, 0.5, 0.8, 1.2, 1.7, 2.2)),
}
"""Attributes of :class:`moodify.skin.rendering.Skin`, the trait that should follow, and the steps, which are all that are tried."""
LOOKS: Final[Mapping[str, Sequence[dict[str, Any]]]] = {
    "exposure": [{"exposure": value} for value in (0.5, 0.7, 1.0, 1.2)],
    "lamp": [{"lamp": value} for value in ((1.0, 0.8, 0.55), (1.0, 1.0, 1.0), (0.8, 0.92, 1.0))],
    "direction of the light": [{"lamp_from": value} for value in ((0.15, -0.35, 0.92), (0.3, -0.3, 0.9), (-0.2, -0.5, 0.85), (0.0, 0.0, 1.0))],
    "noise": [{"noise": value} for value in (0.0, 1.0, 2.0, 4.0)],
    "blur": [{"blur_px": value} for value in (0.4, 0.8, 1.2, 1.6)],
    "pixels": [{"eyes_px": value} for value in (120.0, 140.0, 170.0, 210.0)],
    "pores' places": [{"seed": value} for value in (1, 2, 3, 4)],
}
"""Attributes of :class:`moodify.skin.rendering.View`, none of which should move any trait."""
TONES: Final = (0.1, 0.4, 0.8, 1.2, 1.7, 2.2)
_SKIN: Final = Skin(oil=0.3)
_VIEW: Final = View(card=0)
_ENLARGED: Final = (100.0, 125.0, 150.0)
"""Distance of the eyes that the data's pictures, nearly all of 60 to 75, are brought to."""


@dataclass(frozen=True, slots=True)
class Following:
    """How the traits move with a cause."""

    cause: str
    follows: Trait
    levels: tuple[tuple[float, Levels], ...]

    @property
    def is_monotonic(self) -> bool:
        """Whether the trait that should follow was always measured and goes one way all along."""
        values = [levels[self.follows] for _, levels in self.levels]
        if any(value is None for value in values):
            return False
        steps = [b - a for a, b in itertools.pairwise(value for value in values if value is not None)]
        return all(step > 0 for step in steps) or all(step < 0 for step in steps)

    def swing(self, trait: Trait) -> float:
        """Return how far a trait moves over all steps, in points; infinite where it was not always measured."""
        return _swing([levels[trait] for _, levels in self.levels])


def following(cause: str, *, skin: Skin = _SKIN, view: View = _VIEW) -> Following:
    """Render faces that differ in one cause alone, and measure them."""
    trait, steps = CAUSES[cause]
    return Following(cause, trait, tuple((step, levels_of(look_at(*render(replace(skin, **{cause: step}), view)))) for step in steps))


def unmoved(what: str, *, skin: Skin = _SKIN, view: View = _VIEW) -> dict[Trait, float]:
    """Return how far each trait moves when one face is looked at differently, in points."""
    seen = [levels_of(look_at(*render(skin, replace(view, **change)))) for change in LOOKS[what]]
    return {trait: _swing([levels[trait] for levels in seen]) for trait in Trait}


def over_tones(melanin: float) -> dict[str, float]:
    """Return what a skin tone makes of the same causes: levels at rest, points that shine and redness gain, and spread by noise in a dimmer light."""
    at_rest = replace(_SKIN, melanin=melanin)
    noisy = [levels_of(look_at(*render(at_rest, replace(_VIEW, noise=3.0, exposure=0.7, seed=seed)))) for seed in range(1, 6)]
    levels = levels_of(look_at(*render(at_rest, _VIEW)))
    oily = levels_of(look_at(*render(replace(at_rest, oil=0.5), _VIEW)))
    red = levels_of(look_at(*render(replace(at_rest, blood=0.7), _VIEW)))
    bare = levels_of(look_at(*render(at_rest, replace(_VIEW, card=None))))
    figures = {
        "melanin": melanin,
        **{str(trait): _number(levels[trait]) for trait in Trait},
        "oiliness_level without a card": _number(bare[Trait.OILINESS]),
        "shine gained": _number(oily[Trait.OILINESS]) - _number(levels[Trait.OILINESS]),
        "redness gained": _number(red[Trait.REDNESS]) - _number(levels[Trait.REDNESS]),
    }
    return figures | {f"{trait} by noise": statistics.pstdev(_number(each[trait]) for each in noisy) for trait in Trait}


def levels_of(shot: Shot) -> Levels:
    """Return the levels of a shot, None where one was not measured."""
    return {trait: shot.measure(trait).value for trait in Trait}


def repeated(data: Path, *, most: int = 60) -> tuple[dict[str, float], int]:
    """Relight and resize pictures of people, and return how far that moves shine and texture, in points, and the number of pictures.

    The median over the pictures of the standard deviation over what was done to each, and for comparison that between the pictures.
    The pictures are enlarged to what the measures ask for, so what is repeated is an interpolated face, not finer skin.

    Args:
        data: folder with ``detection/people``.
        most: pictures that are looked at.

    Raises:
        DataError: the pictures are not there.
    """
    within: dict[Trait, list[float]] = {Trait.OILINESS: [], Trait.TEXTURE: []}
    between: dict[Trait, list[float]] = {Trait.OILINESS: [], Trait.TEXTURE: []}
    count = 0
    for pixels, landmarks in itertools.islice(_pictures(data), most):
        count += 1
        levels = [levels_of(look_at(changed, moved)) for changed, moved in _changed(pixels, landmarks)]
        for trait, spreads in within.items():
            values = [value for each in levels if (value := each[trait]) is not None]
            if len(values) > 1:
                spreads.append(statistics.stdev(values))
                between[trait].append(statistics.median(values))
    figures = {f"{trait} within": statistics.median(spreads) for trait, spreads in within.items() if spreads}
    return figures | {f"{trait} between": statistics.stdev(levels) for trait, levels in between.items() if len(levels) > 1}, count


def _pictures(data: Path) -> Iterator[tuple[NDArray[np.uint8], Landmarks]]:
    """Yield the unmasked faces that are fit to be looked at."""
    index = data / "detection" / "people.jsonl"
    try:
        lines = index.read_text().splitlines()
    except OSError as error:
        raise DataError(f"{index} can't be read ({error.strerror}); give the folder of the data, or leave --data out") from None
    for line in lines:
        record = json.loads(line)
        if record.get("masked") or len(record["teacher"]) != 1:
            continue
        landmarks = Landmarks(*(Point(float(x), float(y)) for x, y in np.reshape(record["teacher"][0][5:], (5, 2))))
        if unfit(landmarks) is None and (pixels := cv2.imread(str(data / "detection" / "people" / record["file"]))) is not None:
            yield np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8), landmarks


def _changed(pixels: NDArray[np.uint8], landmarks: Landmarks) -> Iterator[tuple[NDArray[np.uint8], Landmarks]]:
    """Yield a picture in other sizes and lights: darker, warmer, and lit a little from a side."""
    apart = math.dist(landmarks.right_eye, landmarks.left_eye)
    for eyes_px in _ENLARGED:
        factor = eyes_px / apart
        resized = np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
        moved = Landmarks(*(Point(point.x * factor, point.y * factor) for point in landmarks))
        side = np.linspace(0.85, 1.0, resized.shape[1], dtype=np.float32)[None, :, None]
        for light in (np.ones(3), np.full(3, 0.7), np.array((0.95, 0.85, 0.7)), side):
            yield to_pixels(to_light(resized) * light), moved


def _swing(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return max(known) - min(known) if len(known) == len(values) else math.inf


def _number(value: float | None) -> float:
    return math.nan if value is None else value
