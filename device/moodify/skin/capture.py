"""The guided capture: looks at frames, says what to do next, and takes three shots. Pure: the clock is the frames' own.

A frame's pixels are not kept beyond the call that gets it, whether it becomes a shot or not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from moodify.skin.lighting import lighting
from moodify.skin.pixels import in_sharpest, sharpest, to_rgb
from moodify.skin.regions import MIN_EYES_PX, mask, polygons, unfit
from moodify.skin.shot import look_at
from moodify.skin.summing import SHOTS
from moodify.types import NotJudged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moodify.skin.shot import Shot
    from moodify.types import Face, Frame, Landmarks

_OTHER: Final = 0.4
"""Area of a second face, of the first one's, from which it may be the one that is meant."""
_STILL_S: Final = 0.5
_STILL: Final = 0.04
"""How far the eyes may move between frames, in their distance."""
_BETWEEN_S: Final = 1.0
"""Between shots, so that they differ by more than noise."""
_GONE_S: Final = 1.0
"""Without a face for so long, somebody may have left."""
_GOOD_LIGHT: Final = 0.5
_SHARP: Final = 0.015
"""Variance of the Laplacian of the face at a fixed size, over that of its brightness: Pech-Pacheco et al., "Diatom autofocusing in
brightfield microscopy", ICPR 2000. On 121 unmasked faces of the data its median is 0.036, and
0.016 once they are blurred by 2 % of the distance of the eyes, which hides texture."""
_SHARP_SIDE: Final = 96
PATIENCE_S: Final = 60.0


class Step(StrEnum):
    """What a person has to do next; each has its sentence in :data:`SAY`."""

    COME_INTO_VIEW = "come into view"
    ALONE = "alone"
    COME_CLOSER = "come closer"
    STEP_BACK = "step back"
    LOOK_STRAIGHT = "look straight"
    MORE_LIGHT = "more light"
    LESS_LIGHT = "less light"
    EVEN_LIGHT = "even light"
    HOLD_STILL = "hold still"
    SHARPER = "sharper"
    DONE = "done"
    GAVE_UP = "gave up"


SAY: Final = {
    Step.COME_INTO_VIEW: "Come into view of the camera.",
    Step.ALONE: "One person at a time: ask the others to step aside.",
    Step.COME_CLOSER: "Come closer.",
    Step.STEP_BACK: "Step back a little, until your whole face is in the picture.",
    Step.LOOK_STRAIGHT: "Look straight into the camera.",
    Step.MORE_LIGHT: "It is too dark: turn on a light, or turn towards the window.",
    Step.LESS_LIGHT: "It is too bright: turn away from the lamp or the sun.",
    Step.EVEN_LIGHT: "One side of your face is darker: turn until light falls evenly.",
    Step.HOLD_STILL: "Hold still.",
    Step.SHARPER: "The picture is blurred: hold still, and wipe the lens if that does not help.",
    Step.DONE: "Done. Thank you.",
    Step.GAVE_UP: "That did not work this time. Start again when face and light can stay as they are for a few seconds.",
}
_UNFIT: Final = {NotJudged.TOO_SMALL: Step.COME_CLOSER, NotJudged.TURNED_AWAY: Step.LOOK_STRAIGHT}


@dataclass(frozen=True, slots=True)
class Guidance:
    """What to do next."""

    step: Step
    taken: int
    """Shots so far, of :data:`moodify.skin.summing.SHOTS`."""
    hold_exposure: bool
    """Whether exposure and white balance should stay as they are now, where the camera can."""

    @property
    def say(self) -> str:
        """What to do, for a person."""
        return SAY[self.step]

    @property
    def is_over(self) -> bool:
        """Whether no more frames are wanted."""
        return self.step in {Step.DONE, Step.GAVE_UP}


class Capture:
    """Takes the shots of one look. Give it frames until it is over."""

    def __init__(self) -> None:
        self._shots: list[Shot] = []
        self._began_s: float | None = None
        self._ended_s: float | None = None
        self._step = Step.COME_INTO_VIEW
        self._eyes: tuple[float, float] | None = None
        self._still_since_s: float | None = None
        self._shot_s = -math.inf
        self._seen_s = -math.inf

    @property
    def shots(self) -> tuple[Shot, ...]:
        """What was measured so far; no pixels."""
        return tuple(self._shots)

    @property
    def duration_s(self) -> float:
        """From the first frame to the last that was looked at, on the clock of the frames; 0 before the first."""
        return 0.0 if self._began_s is None or self._ended_s is None else self._ended_s - self._began_s

    def look(self, frame: Frame, faces: Sequence[Face]) -> Guidance:
        """Look at a frame with the faces that were found in it, take a shot if all is well, and say what to do next."""
        if self._step in {Step.DONE, Step.GAVE_UP}:
            return self._guidance(self._step)
        self._began_s = frame.t_s if self._began_s is None else self._began_s
        self._ended_s = frame.t_s
        step = self._next(frame, faces)
        if step is not Step.DONE and self.duration_s > PATIENCE_S:
            step = Step.GAVE_UP
        return self._guidance(step)

    def _guidance(self, step: Step) -> Guidance:
        self._step = step
        return Guidance(step, len(self._shots), hold_exposure=step is Step.HOLD_STILL)

    def _next(self, frame: Frame, faces: Sequence[Face]) -> Step:
        placed = _whose(faces)
        if isinstance(placed, Step):
            self._moved()
            self._forget_who_left(placed, frame.t_s)
            return placed
        self._seen_s = frame.t_s
        landmarks = in_sharpest(placed, frame)
        rgb = to_rgb(sharpest(frame))
        wrong = _place(landmarks, rgb.shape[1], rgb.shape[0]) or _light(rgb, landmarks)
        if wrong:
            self._moved()
            return wrong
        if not self._is_still(landmarks, frame.t_s):
            return Step.HOLD_STILL
        if _sharpness(rgb, landmarks) < _SHARP:
            return Step.SHARPER
        if frame.t_s - self._shot_s >= _BETWEEN_S:
            self._shots.append(look_at(rgb, landmarks))
            self._shot_s = frame.t_s
        return Step.DONE if len(self._shots) == SHOTS else Step.HOLD_STILL

    def _forget_who_left(self, step: Step, t_s: float) -> None:
        """Begin anew where somebody else may come into view next: no face is told from another here."""
        if step is Step.ALONE or t_s - self._seen_s > _GONE_S:
            self._shots.clear()
            self._shot_s = -math.inf

    def _moved(self) -> None:
        self._eyes = self._still_since_s = None

    def _is_still(self, landmarks: Landmarks, t_s: float) -> bool:
        """Return whether the eyes have been where they are for long enough."""
        eyes = ((landmarks.right_eye.x + landmarks.left_eye.x) / 2, (landmarks.right_eye.y + landmarks.left_eye.y) / 2)
        apart = math.dist(landmarks.right_eye, landmarks.left_eye)
        if self._eyes is None or self._still_since_s is None or math.dist(eyes, self._eyes) > _STILL * apart:
            self._still_since_s = t_s
        self._eyes = eyes
        return t_s - self._still_since_s >= _STILL_S


def _whose(faces: Sequence[Face]) -> Face | Step:
    by_size = sorted(faces, key=lambda face: face.box.area, reverse=True)
    if not by_size:
        return Step.COME_INTO_VIEW
    if len(by_size) > 1 and by_size[1].box.area > _OTHER * by_size[0].box.area:
        return Step.ALONE
    return by_size[0]


def _place(landmarks: Landmarks, width: int, height: int) -> Step | None:
    """Return what is wrong with where the face is, or None."""
    apart = math.dist(landmarks.right_eye, landmarks.left_eye)
    why = unfit(landmarks)
    if why is not None:
        return _UNFIT[why]
    corners = np.array([corner for outline in polygons(landmarks).values() for corner in outline])
    if (corners < 0).any() or (corners > (width, height)).any():
        # Near enough, it is too near; else it is at the picture's edge.
        return Step.STEP_BACK if apart > 2 * MIN_EYES_PX else Step.COME_INTO_VIEW
    return None


def _light(rgb: NDArray[np.uint8], landmarks: Landmarks) -> Step | None:
    """Return what is wrong with the light on the face, or None."""
    height, width = rgb.shape[:2]
    light = lighting(rgb, {region: mask(outline, width, height) for region, outline in polygons(landmarks).items()})
    if light.bright_enough < _GOOD_LIGHT:
        return Step.MORE_LIGHT
    if min(light.not_too_bright, light.not_cut_off) < _GOOD_LIGHT:
        return Step.LESS_LIGHT
    return Step.EVEN_LIGHT if light.even < _GOOD_LIGHT else None


def _sharpness(rgb: NDArray[np.uint8], landmarks: Landmarks) -> float:
    """Return the fine detail of the middle of the face, from the eyes to the mouth."""
    points = np.array(landmarks)
    apart = math.dist(landmarks.right_eye, landmarks.left_eye)
    low, high = points.min(axis=0) - 0.4 * apart, points.max(axis=0) + 0.4 * apart
    x0, y0, x1, y1 = (max(0, int(at)) for at in (*low, *high))
    grey = cv2.resize(cv2.cvtColor(rgb[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY), (_SHARP_SIDE, _SHARP_SIDE), interpolation=cv2.INTER_AREA)
    _, detail = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))
    _, contrast = cv2.meanStdDev(grey)
    return float(detail[0, 0]) ** 2 / (float(contrast[0, 0]) ** 2 + 1)
