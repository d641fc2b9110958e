"""Scenes to train on: people at any distance in any room, pasted together from pictures, with what is not a face beside them.

Some scenes are one photograph nearly as the detector will see it, some one that is moved and scaled until a face has any size; the
others are rooms into which people and, with the same outlines, things are pasted, so that the outline of a paste says nothing. A small
face comes mostly with all of its picture: without hair, neck and shoulders it is a blob, and a detector that must find such blobs finds
wheels and knobs as well. All negatives are grey: some are coloured and some photographs are made grey, or colour would become a cue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from recipe.chance import chance
from recipe.detector import LANDMARKS
from recipe.detector.bared import Donors, bared
from recipe.detector.light import coloured, relit
from recipe.detector.rooms import Rooms
from recipe.detector.scene import Scene
from recipe.detector.things import badge, outline, shaded
from recipe.letterbox import PADDING
from recipe.stream import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recipe.detector.data import Picture, Pictures

MAX_FACES = 32
"""Boxes kept a scene."""

_SOURCES = (("people", 0.4), ("faces", 0.32), ("masks", 0.28))
_VIEWS = (("people", 0.32), ("faces", 0.14), ("masks", 0.54))
"""The same for photographs that are shown as they are: only streets and crowds have many people, at the distances they have."""
_CROPS_SHARE = 0.2
"""Share of the pasted faces that are cut out, once there are any."""
_CROPS_LARGEST = 60.0
"""Pixels: they are 48 pixels wide."""
_BARE = 3.0
"""How much more often a bare face in the street is drawn than a masked one: they are few."""
_UNMASKED = 0.75
"""Share of the street pictures in which bare faces take the place of masked ones."""
_DONORS = (("crops", 0.4), ("people", 0.4), ("faces", 0.2))
"""Where those bare faces are from: cut-out ones, once there are any, and pictures with surroundings."""
_BARE_PEOPLE = 0.6
"""Share of the people drawn that are surely bare, beside those that happen to be: half of the pictures show masks, a home hardly any."""
_FEATHER = 9
"""Pixels: a paste's edge is at most this soft."""
_AS_SEEN, _PHOTOGRAPHS, _GROUPS = 0.34, 0.16, 0.39
"""Shares of the scenes that are a photograph as it is, one moved and scaled, and several people pasted into a room; the rest has nobody."""
_LEAST_SIZE = 11.5
"""Pixels of the smallest faces that are sought: a face at 3 m. Smaller ones could not be read, and to learn them costs the others."""
_ZOOM, _ZOOM_CROWD = (0.75, 1.1), (0.75, 1.6)
"""Of a photograph as it is, against one that just fits; of a crowd, of which a part will do."""
_WHOLE = 0.55
"""Share of the pasted people that come with all of their picture."""
_UNFOCUSED = 0.12
"""Share of the pictures that are out of focus, as bystanders are."""
_CLOSE = 0.3
"""Share of the photographs whose face fills half of the height or more."""
_SHRINK = 0.7
"""Factor below which a picture is averaged, not sampled."""


class SceneBatches:
    """Batches of scenes (a ``BatchMaker``)."""

    def __init__(self, pictures: Pictures, batch: int, width: int, height: int, hard: list[int]) -> None:
        """Compose ``batch`` scenes of ``width`` by ``height`` at a time; ``hard`` are indices of hard negatives."""
        self.fields = {
            "pixels": Field((batch, height, width, 3), "uint8"),
            "boxes": Field((batch, MAX_FACES, 4), "float32"),
            "landmarks": Field((batch, MAX_FACES, 2 * len(LANDMARKS)), "float32"),
            "kinds": Field((batch, MAX_FACES), "uint8"),
        }
        self._composer = Composer(pictures, width, height, hard)

    def fill(self, out: Mapping[str, NDArray[Any]], rng: np.random.Generator) -> None:
        """Write one batch."""
        for i in range(len(out["kinds"])):
            scene = self._composer.scene(rng)
            out["pixels"][i] = scene.canvas
            count = min(len(scene.boxes), MAX_FACES)
            for name in ("boxes", "landmarks", "kinds"):
                out[name][i] = 0
            if count:
                out["boxes"][i, :count] = scene.boxes[:count]
                out["landmarks"][i, :count] = np.reshape(scene.landmarks[:count], (count, -1))
                out["kinds"][i, :count] = scene.kinds[:count]


class Composer:
    """Makes scenes."""

    def __init__(self, pictures: Pictures, width: int, height: int, hard: list[int]) -> None:
        """Compose from ``pictures``."""
        self._pictures, self._width, self._height = pictures, width, height
        self._rooms = Rooms(pictures, [pictures.negatives[i] for i in hard])
        self._usable = {name: [p for p in getattr(pictures, name) if (~p.ignored).any()] for name, _ in _SOURCES}
        self._bare_people = [p for p in self._usable["people"] if p.bare.any()]
        self._donors = Donors([(getattr(pictures, name), share) for name, share in _DONORS])
        weight = np.array([_BARE if p.bare.any() else 1.0 for p in self._usable["masks"]])
        self._street = np.cumsum(weight / max(weight.sum(), 1e-9))

    def scene(self, rng: np.random.Generator) -> Scene:
        """One scene."""
        scene = Scene(self._rooms.background(self._width, self._height, rng))
        kind = rng.random()
        things, faces = 0, 0
        if kind < _AS_SEEN:
            self._view(scene, rng)
            if chance(rng, 0.3):
                things, faces = int(rng.integers(0, 2)), int(rng.integers(0, 3))
        elif kind < _AS_SEEN + _PHOTOGRAPHS:
            self._photograph(scene, rng)
            things, faces = int(rng.integers(0, 2)), int(rng.integers(0, 4))
        elif kind < _AS_SEEN + _PHOTOGRAPHS + _GROUPS:
            things, faces = int(rng.integers(0, 3)), int(rng.integers(2, 8))
        else:
            things = int(rng.integers(0, 4))
        for is_face in rng.permutation([True] * faces + [False] * things):
            if is_face:
                self._person(scene, rng)
            else:
                self._thing(scene, rng)
        scene.canvas = relit(scene.canvas, rng)
        return scene

    def _positive(self, rng: np.random.Generator, sources: tuple[tuple[str, float], ...] = _SOURCES) -> tuple[Picture, int]:
        """A picture and one of its sure faces."""
        name = sources[int(np.searchsorted(np.cumsum([share for _, share in sources]), rng.random()))][0]
        pictures = self._usable[name]
        if name == "masks":
            picture = pictures[min(int(np.searchsorted(self._street, rng.random())), len(pictures) - 1)]
            bare = _BARE
            if self._donors and chance(rng, _UNMASKED):
                picture, bare = bared(picture, self._donors, rng), 1.0
            weight = np.where(picture.ignored, 0.0, np.where(picture.masked, 1.0, bare))
            return picture, int(rng.choice(len(weight), p=weight / weight.sum()))
        if name == "people" and self._bare_people and chance(rng, _BARE_PEOPLE):
            pictures = self._bare_people
        picture = pictures[int(rng.integers(len(pictures)))]
        return picture, int(rng.choice(np.flatnonzero(~picture.ignored)))

    def _size(self, rng: np.random.Generator, largest: float) -> float:
        """A face's size in pixels: every octave alike, the small ones somewhat more."""
        low, high = np.log(_LEAST_SIZE), np.log(max(largest, 2 * _LEAST_SIZE))
        return float(np.exp(low + (high - low) * rng.random() ** 1.35))

    def _move(
        self,
        picture: Picture,
        face: int,
        size: float,
        rng: np.random.Generator,
        turn: float,
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64], bool]:
        """Where ``face`` lands: (pixels shrunk for the warp, its matrix, the matrix of the full picture, mirrored)."""
        box = picture.boxes[face].astype(np.float64)
        scale = min(size / np.sqrt(np.prod(box[2:] - box[:2])), 4.0)
        angle = np.deg2rad(rng.normal(0.0, turn))
        mirrored = chance(rng, 0.5)
        spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = scale * spin @ np.diag([-1.0 if mirrored else 1.0, 1.0])
        target = rng.uniform([0, 0], [self._width, self._height])
        margin = 0.5 * size
        if chance(rng, 0.9):  # the whole face is in the scene
            limits = np.array([self._width, self._height], np.float64)
            target = np.where(limits > 2 * margin, rng.random(2) * (limits - 2 * margin) + margin, limits / 2)
        matrix = np.column_stack([linear, target - linear @ (box[:2] + box[2:]) / 2])
        pixels, shrunk = picture.pixels, matrix
        if scale < _SHRINK and chance(rng, 0.9):
            height, width = (max(2, round(n * scale)) for n in picture.pixels.shape[:2])
            pixels = np.asarray(cv2.resize(picture.pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
            ratio = np.array([picture.pixels.shape[1] / width, picture.pixels.shape[0] / height])
            shrunk = matrix @ np.block([[np.diag(ratio), ((ratio - 1) / 2)[:, None]], [np.zeros((1, 2)), np.ones((1, 1))]])
        if chance(rng, _UNFOCUSED):
            zoom = np.sqrt(abs(np.linalg.det(shrunk[:, :2])))
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.02, 0.07) * size / zoom), np.uint8)
        return pixels, shrunk, matrix, mirrored

    def _view(self, scene: Scene, rng: np.random.Generator) -> None:
        """Put a photograph on the canvas nearly as the appliance will: all or most of it, upright, at times on a blank ground."""
        picture, _ = self._positive(rng, _VIEWS)
        height, width = picture.pixels.shape[:2]
        scale = min(self._width / width, self._height / height) * float(np.exp(rng.uniform(*np.log(_ZOOM_CROWD if len(picture.boxes) > 1 else _ZOOM))))
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        pixels = np.asarray(cv2.resize(picture.pixels, size, interpolation=how), np.uint8)
        if chance(rng, _UNFOCUSED):
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.5)), np.uint8)
        if chance(rng, 0.5):
            scene.canvas[:] = PADDING
        mirrored = chance(rng, 0.5)
        spare = np.array([self._width, self._height]) - size
        corner = rng.uniform(np.minimum(spare, 0), np.maximum(spare, 0) + 1e-6)
        angle = np.deg2rad(rng.normal(0.0, 4.0)) if chance(rng, 0.5) else 0.0
        spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = spin @ np.diag([-1.0 if mirrored else 1.0, 1.0])
        middle = corner + np.array(size) / 2
        shown = np.column_stack([linear, middle - linear @ (np.array(size) / 2)])
        self._blend(scene, pixels, np.full(pixels.shape[:2], 255, np.uint8), shown, rng)
        stretch = np.diag([size[0] / width, size[1] / height])
        scene.put(picture, np.column_stack([linear @ stretch, shown[:, 2]]), self._alpha, mirrored=mirrored)

    def _photograph(self, scene: Scene, rng: np.random.Generator) -> None:
        """Put a whole picture on the canvas."""
        picture, face = self._positive(rng)
        size = rng.uniform(0.5, 1.05) * self._height if chance(rng, _CLOSE) else self._size(rng, 0.95 * self._height)
        pixels, shrunk, matrix, mirrored = self._move(picture, face, size, rng, 6.0)
        mask = np.full(pixels.shape[:2], 255, np.uint8)
        self._blend(scene, pixels, mask, shrunk, rng)
        scene.put(picture, matrix, self._alpha, mirrored=mirrored)

    def _person(self, scene: Scene, rng: np.random.Generator) -> None:
        """Paste one face with some of its surroundings."""
        cut_out = bool(self._pictures.crops) and chance(rng, _CROPS_SHARE)
        whole = chance(rng, _WHOLE)
        if cut_out:
            picture, face = self._pictures.crops[int(rng.integers(len(self._pictures.crops)))], 0
            size = self._size(rng, _CROPS_LARGEST)
        else:
            picture, face = self._positive(rng)
            size = self._size(rng, 0.6 * self._height)
        pixels, shrunk, matrix, mirrored = self._move(picture, face, size, rng, 4.0 if whole else 12.0)
        ratio = pixels.shape[1] / picture.pixels.shape[1]
        if whole:
            mask = np.full(pixels.shape[:2], 255, np.uint8)
        else:
            x0, y0, x1, y1 = picture.boxes[face] * ratio
            margin = rng.uniform(0.12, (1.0, 0.9, 1.0, 2.0)) * np.array([x1 - x0, y1 - y0, x1 - x0, y1 - y0])
            mask = outline((x0 - margin[0], y0 - margin[1], x1 + margin[2], y1 + margin[3]), pixels.shape, rng)
        if cut_out and chance(rng, 0.7):
            pixels = coloured(np.ascontiguousarray(pixels), rng)
        self._blend(scene, pixels, mask, shrunk, rng)
        scene.put(picture, matrix, self._alpha, mirrored=mirrored)

    def _thing(self, scene: Scene, rng: np.random.Generator) -> None:
        """Paste something that is not a face, with the outline and size of one."""
        pixels = self._rooms.faceless(rng)
        size = self._size(rng, 0.6 * self._height) * rng.uniform(1.0, 1.6)
        height, width = pixels.shape[:2]
        side = rng.uniform(0.3, 1.0) * min(height, width)
        aspect = rng.uniform(0.8, 1.5)
        w, h = side / np.sqrt(max(aspect, 1.0)), side * min(aspect, 1.0)
        x0, y0 = rng.uniform(0, width - w), rng.uniform(0, height - h)
        mask = outline((x0, y0, x0 + w, y0 + h), pixels.shape, rng)
        scale = size / side
        target = rng.uniform([0, 0], [self._width, self._height])
        matrix = np.column_stack([np.eye(2) * scale, target - scale * np.array([x0 + w / 2, y0 + h / 2])])
        if scale < _SHRINK:
            small = (max(2, round(width * scale)), max(2, round(height * scale)))
            pixels = np.asarray(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA), np.uint8)
            mask = np.asarray(cv2.resize(mask, small, interpolation=cv2.INTER_AREA), np.uint8)
            matrix = np.column_stack([np.eye(2), matrix[:, 2]])
        if chance(rng, 0.4):
            (shaded if chance(rng, 0.5) else badge)(pixels, rng)
        self._blend(scene, pixels, mask, matrix, rng)

    def _blend(
        self,
        scene: Scene,
        pixels: NDArray[np.uint8],
        mask: NDArray[np.uint8],
        matrix: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> None:
        """Warp ``pixels`` onto the canvas through ``mask``; leaves the paste's opacity in ``_alpha``."""
        self._alpha = np.zeros((self._height, self._width), np.float32)
        left, top, right, bottom = cv2.boundingRect(mask)
        corners = np.array([[left, top], [left + right, top], [left, top + bottom], [left + right, top + bottom]])
        moved = corners @ matrix[:, :2].T + matrix[:, 2]
        x0, y0 = np.maximum(np.floor(moved.min(0)).astype(int) - _FEATHER, 0)
        x1, y1 = np.minimum(np.ceil(moved.max(0)).astype(int) + _FEATHER, [self._width, self._height])
        if x1 <= x0 or y1 <= y0:
            return
        inner = matrix - np.array([[0, 0, x0], [0, 0, y0]])
        size = (int(x1 - x0), int(y1 - y0))
        warped = cv2.warpAffine(pixels, inner, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shown = cv2.warpAffine(mask, inner, size, flags=cv2.INTER_LINEAR)
        if chance(rng, 0.5):
            shown = cv2.blur(shown, (int(rng.integers(2, _FEATHER)),) * 2)
        self._alpha[y0:y1, x0:x1] = shown.astype(np.float32) / np.float32(255.0)
        scene.cover(self._alpha)
        if chance(rng, 0.5):
            gain = np.exp(rng.normal(0.0, 0.15, 3)) * np.exp(rng.normal(0.0, 0.15))
            warped = cv2.multiply(warped, np.array([*gain, 1.0]))
        alpha = cv2.merge([shown, shown, shown])
        under = np.ascontiguousarray(scene.canvas[y0:y1, x0:x1])
        scene.canvas[y0:y1, x0:x1] = cv2.add(
            cv2.multiply(warped, alpha, scale=1 / 255),
            cv2.multiply(under, cv2.bitwise_not(alpha), scale=1 / 255),
        )
