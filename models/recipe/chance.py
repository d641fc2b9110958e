"""Coins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def chance(rng: np.random.Generator, share: float) -> bool:
    """Say yes in ``share`` of the cases."""
    return bool(rng.random() < share)
