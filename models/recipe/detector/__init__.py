"""The face detector: one shot, anchor-free, 320x256, with five landmarks."""

WIDTH, HEIGHT = 320, 256
"""The exported input in pixels."""

STRIDES = (8, 16, 32)
"""Pixels a cell, level by level."""

LANDMARKS = ("right eye", "left eye", "nose", "right mouth corner", "left mouth corner")
"""In the order of the output; right is the person's right."""

MIRRORED = (1, 0, 2, 4, 3)
"""Where each landmark of a mirrored picture is found: what was the right eye is the left one then."""
