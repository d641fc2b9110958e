"""The process that holds the Pi's camera: ``python -m moodify.camera.driver``, started by :mod:`moodify.camera.apart`.

It is asked over a socket, with a byte for each frame that is wanted, and answers with one JSON object for each; other bytes, which
have no answer, hold the exposure and let go of it. The pixels lie in anonymous memory, which is sent along once as a file
descriptor. When nobody asks any more it gives the camera back and ends.
"""

from __future__ import annotations

import fcntl
import json
import logging
import mmap
import os
import signal
import socket
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from moodify.camera.pi import PiCamera
from moodify.errors import MoodifyError, NoCamera
from moodify.process import end_with, keep_memory_to_itself

if TYPE_CHECKING:
    from moodify.types import Frame

#: Its size stays, so that whoever reads it never reads past its end, and nobody but who made it can write there (linux/fcntl.h, since Linux 5.1).
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | 0x0010 | fcntl.F_SEAL_SEAL
#: What is asked for.
READ, HOLD, LET_GO = b"r", b"h", b"g"
#: The other side says when a frame is due.
_AS_ASKED_FPS = 1000.0


def main(picamera2: Any = None) -> None:
    """Open the camera and serve it until nobody asks; the arguments are the socket's number, who started it, and the options of :class:`PiCamera`.

    Args:
        picamera2: as for :class:`PiCamera`.
    """
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    keep_memory_to_itself()
    # A driver that hangs would not notice that whoever asked is gone.
    end_with(int(sys.argv[2]), signal.SIGKILL)
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        try:
            camera = PiCamera(fps=_AS_ASKED_FPS, picamera2=picamera2, **json.loads(sys.argv[3]))
        except MoodifyError as error:
            _answer(asked, _failure(error))
            return
        _answer(asked, {"is": "opened", "description": camera.description})
        wanted: SimpleQueue[bytes] = SimpleQueue()
        # On a thread of its own, so that a wait for a frame does not keep it from seeing the end.
        threading.Thread(target=_serve, args=(camera, asked, wanted), daemon=True).start()
        while request := asked.recv(1):
            wanted.put(request)
        camera.close()
    # Not by way of the interpreter's end, where libcamera's threads may still be at work.
    os._exit(0)


def _serve(camera: PiCamera, asked: socket.socket, wanted: SimpleQueue[bytes]) -> None:
    memory = Shared()
    while request := wanted.get():
        if request != READ:
            camera.hold_exposure(request == HOLD)
            continue
        try:
            frame = camera.read()
        except MoodifyError as error:
            _answer(asked, _failure(error))
            return
        if frame is not None:
            fds, answer = memory.put(frame)
            _answer(asked, answer, fds)


class Shared:
    """Memory that holds the newest frame, and no name: only who is handed its file descriptor has it."""

    def __init__(self) -> None:
        self._memory: mmap.mmap | None = None

    def put(self, frame: Frame) -> tuple[tuple[int, ...], dict[str, Any]]:
        """Write the frame; return the file descriptor where the memory is new, and what to say of the frame."""
        images = [frame.image] if frame.detail is None else [frame.image, frame.detail]
        size = sum(image.pixels.nbytes for image in images)
        fds: tuple[int, ...] = ()
        if self._memory is None or len(self._memory) < size:
            fds = (os.memfd_create("moodify-frame", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING),)
            os.ftruncate(fds[0], size)
            self._memory = mmap.mmap(fds[0], size)
            # After its own mapping, the only one that may write.
            fcntl.fcntl(fds[0], fcntl.F_ADD_SEALS, _SEALS)
        at = 0
        for image in images:
            np.frombuffer(self._memory, np.uint8, image.pixels.size, at).reshape(image.pixels.shape)[:] = image.pixels
            at += image.pixels.nbytes
        shapes = [(*image.pixels.shape, image.layout) for image in images]
        return fds, {"is": "frame", "t_s": frame.t_s, "sequence": frame.sequence, "images": shapes}


def _failure(error: MoodifyError) -> dict[str, Any]:
    return {"is": "none" if isinstance(error, NoCamera) else "lost", "why": str(error)}


def _answer(asked: socket.socket, what: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
    try:
        socket.send_fds(asked, [json.dumps(what).encode()], fds)
    except OSError as error:
        # Whoever asked is gone; the end of the requests says so as well.
        logging.getLogger(__name__).debug("nobody takes the answer: %s", error)
    finally:
        for fd in fds:
            os.close(fd)


if __name__ == "__main__":
    main()
