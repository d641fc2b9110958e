"""Faces for tests."""

import cmath

from moodify.types import Landmarks, Point

#: Looking straight on: eyes 100 pixels apart, the middle between them at (200, 150).
STRAIGHT = Landmarks(Point(150, 150), Point(250, 150), Point(200, 208), Point(165, 250), Point(235, 250))


def moved(face, *, factor=1 + 0j, offset=0j):
    """Return the face turned, zoomed and shifted: factor · (x + iy) + offset."""
    return Landmarks(*(Point(z.real, z.imag) for z in (factor * complex(*point) + offset for point in face)))


def tilted(face, radians):
    return moved(face, factor=cmath.rect(1, radians), offset=300 + 100j)
