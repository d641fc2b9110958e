"""Which camera to open, by the configuration's ``camera.source``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from moodify.errors import ConfigError, NoCamera

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from moodify.camera.port import Camera
    from moodify.config.model import CameraConfig

CHOICES = "auto, pi, usb, usb:N (N counts the USB cameras from 0), sample, or the path of a picture, a clip or a folder"


class CameraOpener:
    """Opens the camera that the configuration names, each time it is called.

    With ``auto`` it is the Pi's, else the first USB camera, else the sample where that is allowed; and once one was
    opened it stays with that kind, so that a camera that is unplugged is waited for and never replaced by portraits.
    """

    def __init__(self, config: CameraConfig, *, pace: float = 1.0, sample_allowed: bool = True, give_up: threading.Event | None = None) -> None:
        """Check the source.

        Args:
            config: the section ``[camera]``.
            pace: of a recording: 1 as it was, N so many times faster, 0 as fast as it is read.
            sample_allowed: whether ``auto`` may take the sample. Where the household's own music plays it may not: a
                camera that the kernel finds a little late would leave it to the portraits. ``sample`` by name always may.
            give_up: once it is set, a camera that takes its time to open is given up.

        Raises:
            ConfigError: the source is none of the choices.
        """
        self._config = config
        self._give_up = give_up
        self._sample_allowed = sample_allowed
        self._pace = pace
        self._path: Path | None = None
        self._kinds = self._choose(config.source)

    @property
    def recording(self) -> bool:
        """Whether the source is a picture, a clip or a folder, whose frames carry their own time and which ends."""
        return self._path is not None

    def __call__(self) -> Camera:
        """Open it.

        Raises:
            NoCamera: there is none of that kind.
            CameraLost: it is busy or does not answer.
            PictureError: the path is missing, or neither a picture nor a clip.
        """
        missing = []
        for kind in self._kinds:
            try:
                camera = kind()
            except NoCamera as error:
                missing.append(error)
                continue
            self._kinds = (kind,)
            return camera
        if len(missing) == 1:
            raise missing[0]
        reasons = "; ".join(str(error) for error in missing)
        raise NoCamera(f"no camera was found ({reasons}); connect a camera to the Pi's camera port or to a USB port, or name another one in camera.source")

    def _choose(self, source: str) -> tuple[Callable[[], Camera], ...]:
        auto = (self._pi, self._usb, self._sample) if self._sample_allowed else (self._pi, self._usb)
        named: dict[str, tuple[Callable[[], Camera], ...]] = {"auto": auto, "pi": (self._pi,), "usb": (self._usb,), "sample": (self._sample,)}
        if source in named:
            return named[source]
        kind, colon, number = source.partition(":")
        if kind == "usb" and colon and number.isdecimal():
            return (lambda: self._usb(int(number)),)
        try:
            path = Path(source).expanduser()
        except RuntimeError as error:
            raise ConfigError("camera", (f"source = {source!r} begins with a home that is not known here; give the whole path",)) from error
        # os.path's says False where a name is too long or its folder may not be searched.
        if "/" in source or (source and os.path.exists(path)):  # noqa: PTH110
            self._path = path
            return (lambda: self._recording(path),)
        raise ConfigError("camera", (f"source = {source!r} is no camera and no such file is here; choose {CHOICES}",))

    def _pi(self) -> Camera:
        from moodify.camera.apart import open_pi

        config = self._config
        return open_pi(width=config.width, height=config.height, detail_width=config.detail_width, fps=config.face_fps, timeout_s=config.timeout_s, give_up=self._give_up)

    def _usb(self, number: int = 0) -> Camera:
        from moodify.camera.v4l2 import UsbCamera

        config = self._config
        return UsbCamera(number, width=config.width, height=config.height, detail_width=config.detail_width, fps=config.face_fps, timeout_s=config.timeout_s)

    def _sample(self) -> Camera:
        from moodify.camera.sample import SampleCamera

        config = self._config
        return SampleCamera(width=config.width, height=config.height, detail_width=config.detail_width, fps=config.face_fps)

    def _recording(self, path: Path) -> Camera:
        from moodify.camera.files import Recording

        config = self._config
        return Recording(path, width=config.width, height=config.height, detail_width=config.detail_width, pace=self._pace, max_fps=config.face_fps)
