"""Lets the real picamera2 run on libcamera's virtual camera, in the root of ``scripts/appliance/camera.sh`` and nowhere else.

A ``.pth`` file imports it at each start of Python there. Once picamera2 is imported it changes that in three places:

- frame buffers come from anonymous memory, for a container has no DMA heap;
- NV12 is described to libcamera as two planes, on which its virtual camera insists;
- the virtual camera can't list raw modes.
"""

from __future__ import annotations

import importlib.machinery
import mmap
import os
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

#: libcamera's virtual camera has none; picamera2 takes the sensor's size from the largest.
RAW_MODES = [{"format": "SRGGB10", "size": (1280, 960)}]


class MemoryAllocator:
    """Frame buffers of anonymous memory, with what picamera2 asks of an allocator."""

    def __init__(self) -> None:
        self._fds: list[int] = []
        self._buffers: dict[Any, list[Any]] = {}
        self.mapped_buffers: dict[Any, mmap.mmap] = {}
        self.sync = Sync

    def allocate(self, libcamera_config: Any, _camera_config: Any) -> None:
        """Make the buffers of each stream."""
        import libcamera

        self.close()
        self._buffers, self.mapped_buffers = {}, {}
        for config in libcamera_config:
            luma = config.stride * config.size.height
            self._buffers[config.stream] = []
            for _ in range(config.buffer_count):
                # By this name sensor.c knows a frame.
                fd = os.memfd_create("virtual-camera")
                os.ftruncate(fd, config.frame_size)
                self._fds.append(fd)
                planes = [libcamera.FrameBuffer.Plane(), libcamera.FrameBuffer.Plane()]
                for plane, offset, length in zip(planes, (0, luma), (luma, luma // 2), strict=True):
                    plane.fd, plane.offset, plane.length = fd, offset, length
                buffer = libcamera.FrameBuffer(planes)
                self._buffers[config.stream].append(buffer)
                self.mapped_buffers[buffer] = mmap.mmap(fd, config.frame_size)

    def buffers(self, stream: Any) -> list[Any]:
        """Return the buffers of a stream."""
        return self._buffers[stream]

    def acquire(self, buffers: Any) -> None:
        """Note nothing: the memory stays for as long as it is mapped."""

    def release(self, buffers: Any) -> None:
        """Note nothing."""

    def close(self) -> None:
        """Close the file descriptors; libcamera has its own."""
        while self._fds:
            os.close(self._fds.pop())


class Sync:
    """Gives a buffer's memory; memory that is no device's needs no synchronisation."""

    def __init__(self, allocator: MemoryAllocator, buffer: Any, _write: Any) -> None:
        self._memory = allocator.mapped_buffers[buffer]

    def __enter__(self) -> mmap.mmap:
        return self._memory

    def __exit__(self, *_: object) -> None:
        pass

    def get_buffer(self) -> mmap.mmap:
        """Return the memory."""
        return self._memory


class NamesOfFormats:
    """Stands for the screen library's table of pixel formats."""

    def __getattr__(self, name: str) -> str:
        return name


class Finder:
    """Finds picamera2 as ever, and changes it once it is there."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, _target: types.ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        """Return picamera2's specification with a loader that changes it; None for any other module."""
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name == "picamera2" else None
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_change(module: Any) -> None:
            # Screens are of no use here, and their library is not installed.
            screens: Any = types.ModuleType("pykms")
            screens.PixelFormat = NamesOfFormats()
            sys.modules.setdefault("pykms", screens)
            run(module)
            module.picamera2.DmaAllocator = MemoryAllocator
            module.Picamera2._get_raw_modes = lambda _self: RAW_MODES  # noqa: SLF001 - there is no other place for it

        spec.loader.exec_module = run_and_change  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, Finder)
