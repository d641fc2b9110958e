"""Prints what the models run on, as one JSON object: processor, versions, the models' own, and whether XNNPACK runs each."""

from __future__ import annotations

import ctypes
import json
import platform
import re
import sys
from importlib.metadata import version

from moodify.config.model import VisionConfig
from moodify.vision.chatter import without_chatter
from moodify.vision.eyes import open_models
from moodify.vision.models import read_classifier, read_detector

_AT_HWCAP = 16
"""Of getauxval(3)."""
_HWCAP_ASIMDDP = 1 << 20
"""The bit for SDOT and UDOT in Linux's arch/arm64/include/uapi/asm/hwcap.h."""


def dot_product() -> bool | None:
    """Return whether an ARM processor has instructions for dot products of int8; None on another."""
    if platform.machine() != "aarch64":
        return None
    getauxval = ctypes.CDLL(None).getauxval
    getauxval.restype = ctypes.c_ulong
    return bool(getauxval(ctypes.c_ulong(_AT_HWCAP)) & _HWCAP_ASIMDDP)


def main() -> None:
    """Print the facts."""
    with without_chatter():
        detector, classifier = open_models(VisionConfig())
    facts = {
        "machine": platform.machine(),
        "dot_product": dot_product(),
        "python": platform.python_version(),
        "versions": {re.sub(r"[-_.]+", "-", name).lower(): version(name) for name in ("moodify", "numpy", "opencv-python-headless", "ai-edge-litert")},
        "models": {model.manifest.name: model.manifest.version for model in (read_detector(), read_classifier())},
        "xnnpack": {"face_detector": detector.accelerated, "emotion": classifier.accelerated},
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
