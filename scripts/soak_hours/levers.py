"""``moodify`` before a painted play, which notes how long each frame took: ``python -m soak_hours.levers run …``.

Where ``MOODIFY_STAGE`` names a file of :func:`soak_hours.stage.paint`, ``camera.source = "sample"`` shows the play of ``MOODIFY_STAGE_PLAY``. For each frame
two numbers are appended to the file that ``MOODIFY_STAGE_LOG`` names (:data:`RECORD`): when it was taken, and when the conductor had decided what follows
from it, in seconds of the machine's monotonic clock. Where ``MOODIFY_STAGE_INSIDE`` names a file, :mod:`soak_hours.inside` writes there what the memory
consists of; what blocks are for is traced once ``MOODIFY_STAGE_TRACE_FROM`` seconds are over.
"""

from __future__ import annotations

import os
import struct
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moodify import cli
from moodify.camera.opening import CameraOpener
from moodify.daemon.conductor import Conductor
from soak_hours import inside
from soak_hours.stage import StagedCamera, read_play

if TYPE_CHECKING:
    from moodify.types import Observation

STAGE, PLAY, LOG = "MOODIFY_STAGE", "MOODIFY_STAGE_PLAY", "MOODIFY_STAGE_LOG"
INSIDE, TRACE_FROM = "MOODIFY_STAGE_INSIDE", "MOODIFY_STAGE_TRACE_FROM"
RECORD = struct.Struct("dd")


def _put_on_stage(file: Path) -> None:
    play = read_play(os.environ[PLAY])
    opener: Any = CameraOpener
    opener._sample = lambda self: StagedCamera(file, play, self._config.face_fps)  # noqa: SLF001 - it is opened in that method's place


def _note_frames(file: Path) -> None:
    conductor: Any = Conductor
    seen = conductor._seen  # noqa: SLF001 - what is timed
    out = file.open("ab", buffering=0)

    def timed(self: Conductor, observation: Observation) -> None:
        seen(self, observation)
        out.write(RECORD.pack(observation.t_s, time.monotonic()))

    conductor._seen = timed  # noqa: SLF001 - likewise


if __name__ == "__main__":
    _put_on_stage(Path(os.environ[STAGE]))
    _note_frames(Path(os.environ[LOG]))
    if INSIDE in os.environ:
        inside.begin(Path(os.environ[INSIDE]), float(os.environ[TRACE_FROM]))
    sys.argv[0] = "moodify"
    cli.main()
