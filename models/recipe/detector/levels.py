"""Makes one score mean the same at every level.

The levels see different numbers of cells and different things: most false faces are small ones, on the finest level, while a coarse
level is hardly ever wrong and yet no surer. With one threshold for all, the finest level's mistakes would cost large faces. So each
level's objectness is shifted, after training, until so many negatives as it is allowed score one half or more on it; only the bias of the
last convolution changes. The training negatives count too: the few of the tuning half alone would leave it to chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from recipe.detector import STRIDES
from recipe.detector.net import Head
from recipe.graph import known, members
from recipe.letterbox import letterbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recipe.detector.data import Picture
    from recipe.detector.net import DetectorNet

_ONE_IN = {8: 170, 16: 450, 32: 250}
"""Negatives that may share one false face on a level, by its stride; all levels together have about one in a hundred. The finest has
most of them, because its faces are the hardest to tell: chosen on pictures that were trained on, as what costs recall nowhere much."""
_MOST = 2.0
"""No level is shifted further than this, in logits: a quick run's network knows nothing yet."""


@torch.no_grad()
def level(net: DetectorNet, negatives: Sequence[Picture]) -> dict[int, float]:
    """Shift the objectness of ``net``, in place; gives the shift of each level in logits, by stride.

    Args:
        net: the trained network.
        negatives: those that were trained on and the half of the others that is tuned on; nothing is reported on them.
    """
    net.float().eval()
    best: dict[int, list[float]] = {stride: [] for stride in STRIDES}
    for picture in negatives:
        canvas, _ = letterbox(picture.pixels)
        out = net(torch.from_numpy(canvas)[None].permute(0, 3, 1, 2).float())
        for stride in STRIDES:
            best[stride].append(float(out[f"objectness{stride}"].max()))
    shifts = {}
    for stride, head in zip(STRIDES, members(net.heads, Head), strict=True):
        ranked = np.sort(best[stride])[::-1]
        # Between the last that may be wrong and the first that may not.
        allowed = len(ranked) // _ONE_IN[stride]
        edge = float(ranked[max(0, allowed - 1) : allowed + 1].mean())
        shifts[stride] = float(np.clip(-edge, -_MOST, _MOST))
        known(head.objectness.conv.bias).add_(shifts[stride])
    return shifts
