"""Somebody before the camera whose skin is known: a rendered face, which is nobody's, in a room."""

import cv2
import numpy as np

from moodify.skin.rendering import Skin, View, render


def room_with_somebody(eyes_px=100):
    """Return what a camera sees of somebody who sits before it: RGB, uint8 (height, width, 3)."""
    face, _ = render(Skin(), View(eyes_px=eyes_px))
    room = np.full((face.shape[0] * 3 // 2, face.shape[0] * 2, 3), (95, 100, 108), np.uint8)
    top, left = (room.shape[0] - face.shape[0]) // 2, (room.shape[1] - face.shape[1]) // 2
    room[top : top + face.shape[0], left : left + face.shape[1]] = face
    return room


def recording_of_somebody(folder, pictures):
    """Write a recording of somebody who holds still, two seconds a picture; return its folder."""
    folder.mkdir()
    first = folder / "0.png"
    assert cv2.imwrite(str(first), room_with_somebody()[:, :, ::-1])
    for number in range(1, pictures):
        (folder / f"{number}.png").symlink_to(first)
    return folder
