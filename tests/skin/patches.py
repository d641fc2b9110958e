"""Skin rendered for tests: a ball of it, lit by one lamp."""

import numpy as np

#: Light given back from the depth of the skin, linear RGB: light, tanned and dark.
LIGHT, TANNED, DARK = (0.60, 0.33, 0.24), (0.36, 0.18, 0.11), (0.13, 0.065, 0.042)
SIDE = 96


def a_patch(gloss=0.0, *, skin=LIGHT, exposure=1.0, lamp=(1.0, 1.0, 1.0), noise=0.0, roughness=24.0, seed=1):
    """Return uint8 RGB (96, 96, 3): Lambert's law for the depth, Blinn and Phong's lobe of strength ``gloss`` for the surface."""
    y, x = np.mgrid[-0.6 : 0.6 : SIDE * 1j, -0.6 : 0.6 : SIDE * 1j]
    normal = np.dstack((x, y, np.sqrt(1 - x**2 - y**2)))
    to_lamp, to_eye = np.array((0.3, -0.4, 0.866)), np.array((0.0, 0.0, 1.0))
    half = (to_lamp + to_eye) / np.linalg.norm(to_lamp + to_eye)
    depth = np.clip(normal @ to_lamp, 0, None)[..., None] * np.array(skin)
    surface = gloss * (np.clip(normal @ half, 0, None) ** roughness)[..., None]
    light = exposure * (depth + surface) * np.array(lamp)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.clip(light, 0, None) ** (1 / 2.4) - 0.055)
    grain = np.random.default_rng(seed).normal(0, noise, srgb.shape)
    return np.clip(np.rint(255 * srgb + grain), 0, 255).astype(np.uint8)


WHOLE = np.ones((SIDE, SIDE), np.bool_)
