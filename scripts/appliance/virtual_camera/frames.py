"""Draws what the virtual camera sees: the sample's portraits, as files 0.jpg, 1.jpg and so on.

.venv/bin/python scripts/appliance/virtual_camera/frames.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from moodify.camera.sample import SampleCamera

SIZE = (1280, 960)
FPS = 15
#: libcamera decodes all of them when a program asks for its cameras, and repeats them.
SECONDS = 4
#: The portrait is there as a whole, and stays.
FROM_S = 3.0

folder = Path(sys.argv[1])
with SampleCamera() as sample:
    for number in range(FPS * SECONDS):
        # There and back, so that nothing jumps where they begin again.
        t_s = FROM_S + min(number, FPS * SECONDS - number) / FPS
        picture = cv2.resize(cv2.cvtColor(sample.render(t_s), cv2.COLOR_RGB2BGR), SIZE)
        cv2.imwrite(str(folder / f"{number}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
