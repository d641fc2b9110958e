"""What the vision part takes of memory, measured in a process of its own.

That process runs this module: ``python -m moodify.vision.evaluation.memory [FOLDER]``. TFLite's Python interface does not say
how large its arenas are, and XNNPACK has memory of its own. So the anonymous memory of the process (RssAnon: what can't be dropped and read
again from a file) is read after each step; what a part adds is its weights as XNNPACK packs them, its tensor arena, and its buffers here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from moodify.errors import ModelError

_STATUS: Final = Path("/proc/self/status")
_TIMEOUT_S: Final = 60.0
_PARTS: Final = ("detector", "classifier", "rest")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that each part adds, after it has run."""

    detector: int
    classifier: int
    rest: int
    """Motion gate, alignment and crop."""

    @property
    def total(self) -> int:
        """Of all parts."""
        return self.detector + self.classifier + self.rest

    def as_json(self) -> dict[str, int | str]:
        """Return the parts' bytes, and how they were measured."""
        return {**{f"{part}_bytes": getattr(self, part) for part in _PARTS}, "total_bytes": self.total, "measured": "RssAnon of a process of its own"}


def measure(folder: Path | None) -> Memory | None:
    """Measure the models of ``folder``, or those that ship; None on a system that does not tell (no /proc).

    Raises:
        ModelError: the models can't be loaded or run.
    """
    if not _STATUS.exists():
        return None
    # -P: a folder named moodify where this was started is another package.
    command = [sys.executable, "-P", "-m", __name__, *([str(folder.resolve())] if folder else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{folder or 'the models that ship'}: their memory could not be measured within {_TIMEOUT_S:.0f} s; try again when the machine is less busy") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"{folder or 'the models that ship'}: can't be loaded and run ({last}); put working models there, or unset vision.models")
    return Memory(**json.loads(done.stdout))


def _anonymous_bytes() -> int:
    (line,) = (line for line in _STATUS.read_text("ascii").splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


def _main() -> None:
    from moodify.config.model import VisionConfig
    from moodify.types import Frame, Image, PixelLayout
    from moodify.vision.classifier import TfliteClassifier
    from moodify.vision.confirming import open_detector
    from moodify.vision.eyes import Eyes
    from moodify.vision.models import read_classifier, read_detector
    from moodify.vision.runtime import load_library

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    load_library()
    # The picture is the camera's, so it is made before the count begins.
    frame = Frame(Image(np.random.default_rng(0).integers(0, 256, (720, 640), np.uint8), PixelLayout.I420), 0.0, 0)
    steps = [_anonymous_bytes()]
    detector = open_detector(read_detector(folder))
    detector.faces(frame.image)
    steps.append(_anonymous_bytes())
    classifier = TfliteClassifier(read_classifier(folder))
    side = classifier.framing.side
    classifier.emotions(np.zeros((side, side), np.uint8))
    steps.append(_anonymous_bytes())
    Eyes(detector, classifier, VisionConfig()).see(frame, closely=True)
    steps.append(_anonymous_bytes())
    sys.stdout.write(json.dumps({part: after - before for part, before, after in zip(_PARTS, steps[:-1], steps[1:], strict=True)}))


if __name__ == "__main__":
    _main()
