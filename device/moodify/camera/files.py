"""A recording: one picture, a folder of pictures, or a clip."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from moodify.camera.base import Closing
from moodify.camera.pictures import frame_images, natural_key
from moodify.errors import CameraLost, NoCamera, PictureError
from moodify.pictures import SUFFIXES, begins_as_picture, quiet_opencv, read_picture, rgb_of
from moodify.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from moodify.types import Image

log = logging.getLogger(__name__)

#: Frame rates outside of this are a container's mistake; such a clip is taken for one of 25 frames per second.
_SANE_FPS = (1.0, 240.0)
_ASSUMED_FPS = 25.0


class Recording(Closing):
    """A picture, a folder or a clip as a camera whose frames carry their own time, from 0 s."""

    live = False

    def __init__(
        self,
        path: Path,
        *,
        width: int = 320,
        height: int = 240,
        detail_width: int = 1280,
        pace: float = 1.0,
        max_fps: float = 5.0,
        still_s: float = 2.0,
        still_fps: float = 5.0,
    ) -> None:
        """Open it, up to the first picture.

        Args:
            path: a picture, a clip, or a folder whose pictures are shown in natural order of their names.
            width: largest width of the detection image in pixels; the aspect is the picture's.
            height: largest height of it.
            detail_width: largest width of the detail.
            pace: 1 plays by the wall clock, N so many times faster, 0 as fast as it is read.
            max_fps: a clip of more frames per second is thinned out to this; those in between are not decoded.
            still_s: seconds that a still stands for.
            still_fps: frames per second that it gives meanwhile, so that smoothing over time works as it does live.

        Raises:
            PictureError: the path is missing, or the file can't be read or is neither a picture nor a clip.
            NoCamera: the folder can't be read, or has no picture that can.
        """
        self.description = str(path)
        self._within = (width, height)
        self._detail_width = detail_width
        self._pace = pace
        self._period_s = 1.0 / max_fps
        self._still_frames = max(1, round(still_s * still_fps))
        self._still_s = still_s
        self._sequence = 0
        self._started_s: float | None = None
        self._closed = threading.Event()
        self._reading = threading.Lock()
        self._clip: cv2.VideoCapture | None = None
        if _is_folder(path):
            self._frames = self._stills(_pictures(path))
        elif path.suffix.lower() in SUFFIXES or begins_as_picture(path):
            self._frames = self._stills(iter((read_picture(path),)))
        else:
            self._clip = _open_clip(path)
            self._frames = self._clip_frames(self._clip, path)

    def read(self) -> Frame | None:
        """Return the next frame when its time has come, or None at the end.

        Raises:
            CameraLost: it was closed.
            PictureError: the files of a folder can't be read any more, up to the last one.
        """
        with self._reading:
            found = None if self._closed.is_set() else next(self._frames, None)
        if found is not None:
            self._await_turn(found[0])
        if self._closed.is_set():
            raise CameraLost(f"{self.description} is closed; open it again")
        if found is None:
            return None
        t_s, (image, detail) = found
        frame = Frame(image, t_s, self._sequence, detail)
        self._sequence += 1
        return frame

    def set_rate(self, fps: float) -> None:
        """Do nothing: a recording has its own rate."""

    def hold_exposure(self, on: bool) -> None:  # noqa: FBT001 - the port's
        """Do nothing: a recording's light is what it was."""

    def close(self) -> None:
        """Give the file back."""
        self._closed.set()
        with self._reading:
            if self._clip is not None:
                self._clip.release()

    def _await_turn(self, t_s: float) -> None:
        if self._pace <= 0:
            return
        now_s = time.monotonic()
        if self._started_s is None:
            self._started_s = now_s - t_s / self._pace
        self._closed.wait(max(0.0, self._started_s + t_s / self._pace - now_s))

    def _stills(self, pictures: Iterator[Image]) -> Iterator[tuple[float, tuple[Image, Image | None]]]:
        for number, picture in enumerate(pictures):
            images = frame_images(picture.pixels, self._within, self._detail_width)
            for step in range(self._still_frames):
                yield self._still_s * (number + step / self._still_frames), images

    def _clip_frames(self, clip: cv2.VideoCapture, path: Path) -> Iterator[tuple[float, tuple[Image, Image | None]]]:
        fps = clip.get(cv2.CAP_PROP_FPS)
        if not (math.isfinite(fps) and _SANE_FPS[0] <= fps <= _SANE_FPS[1]):
            log.info("%s does not say its frame rate (%s); taking %s", path, fps, _ASSUMED_FPS)
            fps = _ASSUMED_FPS
        t_s, due_s, number = 0.0, 0.0, 0
        while clip.grab():
            told_s = clip.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # A time-stamp is believed only while it is ahead of the frame before, and by less than a long pause.
            t_s = 0.0 if number == 0 else told_s if t_s < told_s < t_s + 10.0 else t_s + 1.0 / fps
            number += 1
            if t_s < due_s - 0.5 / fps:
                continue
            due_s = max(due_s + self._period_s, t_s)
            done, bgr = clip.retrieve()
            if not done:
                log.warning("%s: the frame at %.2f s can't be decoded and is passed over", path, t_s)
                continue
            yield t_s, frame_images(rgb_of(np.asarray(bgr, np.uint8)), self._within, self._detail_width)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise PictureError(f"{path}: can't be looked at ({error.strerror}); check the path, and that this user may search its folders (chmod +x)") from error


def _files_of(folder: Path) -> list[Path]:
    try:
        return [entry for entry in sorted(folder.iterdir(), key=lambda entry: natural_key(entry.name)) if entry.is_file()]
    except OSError as error:
        raise NoCamera(f"{folder} can't be read ({error.strerror}); let this user read and search it (chmod +rx), or name another folder") from error


def _pictures(folder: Path) -> Iterator[Image]:
    """Return the pictures of a folder; the first is read now, so that a folder without any is refused at once."""
    names = _files_of(folder)
    others = [entry.name for entry in names if entry.suffix.lower() not in SUFFIXES]
    if others:
        log.info("%s: %d files are no pictures and are skipped (%s)", folder, len(others), ", ".join(others[:5]))
    pictures = _readable([entry for entry in names if entry.suffix.lower() in SUFFIXES])
    try:
        first = next(pictures, None)
    except PictureError as error:
        raise NoCamera(str(error)) from error
    if first is None:
        raise NoCamera(f"{folder} has no picture that can be read; put JPEG or PNG files into it, or name another folder")
    return _chain(first, pictures)


def _chain(first: Image, rest: Iterator[Image]) -> Iterator[Image]:
    yield first
    yield from rest


def _readable(paths: list[Path]) -> Iterator[Image]:
    """Give those that can be read.

    Raises:
        PictureError: at the end, where the disk gave none of the last ones: the folder is gone, not the recording over.
    """
    missed = 0
    for path in paths:
        try:
            picture = read_picture(path)
        except PictureError as error:
            log.warning("skipped: %s", error)
            # A file that is there and no picture is a file's own fault.
            missed = missed + 1 if isinstance(error.__cause__, OSError) else 0
        else:
            missed = 0
            yield picture
    if missed:
        raise PictureError(f"{paths[-1].parent}: the last {missed} of {len(paths)} pictures can't be read (the log names each); put them back, check their disk, and start again")


def _open_clip(path: Path) -> cv2.VideoCapture:
    try:
        empty = path.stat().st_size == 0
    except OSError as error:
        raise PictureError(f"{path}: can't be read ({error.strerror}); check the path and the disk") from error
    if empty:
        raise PictureError(f"{path} is empty; give a picture, a clip or a folder of pictures")
    # FFmpeg would print its opinion of a broken file straight to stderr; -8 is AV_LOG_QUIET.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    with quiet_opencv():
        # FFmpeg alone: OpenCV's reader of numbered pictures takes any name with a digit for a pattern.
        clip = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        # Much that is no clip opens all the same; only a first frame tells.
        if not (clip.isOpened() and clip.grab()):
            clip.release()
            raise PictureError(f"{path} is neither a picture nor a clip that can be read; give a JPEG, a PNG or an MP4")
        clip.release()
        return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
