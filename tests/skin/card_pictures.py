"""The reference card as cameras see it, for tests."""

import cv2
import numpy as np

from moodify.skin.card import HEIGHT_MM, WIDTH_MM
from moodify.skin.light import to_pixels
from moodify.skin.rendering import card_light

PRINT = 2


def card_picture(px=2.2, *, turn=0.0, nod=0.0, roll=0.0, blur=0.6, lamp=(1, 1, 1), exposure=0.8, noise=1.0, power=1.0, mixing=None, shade=1.0, cover=None, seed=1):
    """Return uint8 RGB (480, 640, 3): the card turned in space, ``px`` pixels a millimetre, seen by a camera with a tone curve and primaries of its own."""
    card = card_light(PRINT, 8)
    card = card * np.linspace(shade, 1, card.shape[0])[:, None, None]
    if cover:
        card[tuple(slice(int(8 * low), int(8 * high)) for low, high in cover)] = 0.3
    height, width = card.shape[:2]
    corners = np.float32([(0, 0), (WIDTH_MM, 0), (WIDTH_MM, HEIGHT_MM), (0, HEIGHT_MM)]) - np.float32((WIDTH_MM / 2, HEIGHT_MM / 2))
    x, y = corners[:, 0] * np.cos(roll) - corners[:, 1] * np.sin(roll), corners[:, 0] * np.sin(roll) + corners[:, 1] * np.cos(roll)
    away = 900 / px + x * np.sin(turn) + y * np.sin(nod)
    seen = np.float32(np.column_stack((320 + 900 * x * np.cos(turn) / away, 240 + 900 * y * np.cos(nod) / away)))
    plane = cv2.getPerspectiveTransform(np.float32([(0, 0), (width, 0), (width, height), (0, height)]), seen)
    fine = cv2.warpPerspective(card.astype(np.float32), np.diag((3.0, 3.0, 1.0)) @ plane, (1920, 1440), flags=cv2.INTER_AREA, borderValue=(0.2, 0.15, 0.12))
    light = np.clip(cv2.resize(fine, (640, 480), interpolation=cv2.INTER_AREA), 0, 1)
    light = light @ np.array(mixing or np.eye(3)).T
    light = exposure * np.clip(light, 0, None) ** power * np.array(lamp)
    if blur:
        light = cv2.GaussianBlur(light, (0, 0), blur)
    return np.clip(np.rint(to_pixels(light) + np.random.default_rng(seed).normal(0, noise, light.shape)), 0, 255).astype(np.uint8)
