"""Which cell answers for which face, and what its answer costs.

Assignment: a cell answers for the smallest face whose centre is near it and whose size belongs to the cell's level. Objectness is
learned with the quality focal loss (Li et al. 2020, "Generalized Focal Loss"): the target of a cell that answers is a measure of how
well its box fits, and how well beside the other cells of the same face (as in Feng et al. 2021, "TOOD"): each face has one cell that is
meant to be sure, however small the face is, and its neighbours leave the box to it. Boxes: distance-IoU loss (Zheng et al. 2020).
Landmarks: absolute error in units of the face's size, where they are known.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.nn import functional

from recipe.detector import STRIDES
from recipe.detector.scene import FACE, IGNORED

_RANGES = {8: (0.0, 36.0), 16: (24.0, 84.0), 32: (64.0, 1e9)}
"""Sizes (square root of the area, pixels) that a level answers for; they overlap, so that no size falls between two."""
_LEAST_RADIUS, _SHARE_RADIUS, _MOST_RADIUS = 0.75, 0.28, 2.0
"""How far from a face's centre a cell may be: this share of the face's size, within these many strides.
At least 0.55 strides are needed for every face to have a cell."""
_NEIGHBOURS = 2.0
"""Exponent of a cell's overlap beside the best overlap on the same face."""
_OBJECTNESS_WEIGHT, _BOX_WEIGHT, _LANDMARK_WEIGHT = 2.0, 2.0, 5.0
"""The objectness loss fades as it is learned, the distances of the others do not: at the same weight they would have the network to themselves."""


class Grid(NamedTuple):
    """All cells of a picture, finest level first."""

    centres: torch.Tensor
    """``[C, 2]``, pixels."""
    strides: torch.Tensor
    """``[C]``, pixels."""


def grid(width: int, height: int) -> Grid:
    """The cells of a picture of ``width`` by ``height``."""
    centres, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        centres.append((torch.stack([x, y], dim=-1).reshape(-1, 2) + 0.5) * stride)
        strides.append(torch.full((len(centres[-1]),), float(stride)))
    return Grid(torch.cat(centres), torch.cat(strides))


def decode(cells: Grid, box: torch.Tensor) -> torch.Tensor:
    """Corners ``[N, C, 4]`` in pixels from distances ``[N, C, 4]`` in strides."""
    reach = box * cells.strides[:, None]
    return torch.cat([cells.centres - reach[..., :2], cells.centres + reach[..., 2:]], dim=-1)


def assign(cells: Grid, boxes: torch.Tensor, kinds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Say for each cell which face it answers for, and whether its objectness counts.

    Args:
        cells: ``C`` cells.
        boxes: ``[N, G, 4]`` in pixels.
        kinds: ``[N, G]``.

    Returns:
        ``[N, C]`` index of the face or -1, and ``[N, C]`` whether the cell counts.
    """
    sides = boxes[..., 2:] - boxes[..., :2]
    size = sides.clamp(min=1e-3).prod(-1).sqrt()
    middle = (boxes[..., 2:] + boxes[..., :2]) / 2
    low = torch.tensor([_RANGES[int(s)][0] for s in cells.strides])
    high = torch.tensor([_RANGES[int(s)][1] for s in cells.strides])
    offset = (cells.centres[None, :, None] - middle[:, None]).abs()  # N, C, G, 2
    stride = cells.strides[None, :, None]
    radius = (_SHARE_RADIUS * size[:, None]).clamp(min=0).maximum(_LEAST_RADIUS * stride).minimum(_MOST_RADIUS * stride)
    fits = (size[:, None] >= low[None, :, None]) & (size[:, None] < high[None, :, None])
    near = (offset < radius[..., None]).all(-1) & fits & (kinds == FACE)[:, None]
    area = torch.where(near, size[:, None], torch.inf)
    smallest, face = area.min(-1)
    face = torch.where(torch.isfinite(smallest), face, -1)
    hidden = ((offset < sides[:, None] / 2).all(-1) & (kinds == IGNORED)[:, None]).any(-1)
    return face, ~hidden | (face >= 0)


def overlap(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """IoU ``[M]`` and distance penalty ``[M]`` of boxes ``[M, 4]`` and ``[M, 4]``."""
    inner = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    area = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1)
    around = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    apart = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2).square().sum(-1)
    return inner / (area - inner + 1e-6), apart / (around.square().sum(-1) + 1e-6)


def loss(
    cells: Grid,
    outputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    boxes: torch.Tensor,
    landmarks: torch.Tensor,
    kinds: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Losses of objectness, box and landmarks.

    Args:
        cells: ``C`` cells.
        outputs: of ``net.flat``.
        boxes: ``[N, G, 4]`` pixels.
        landmarks: ``[N, G, 10]`` pixels, NaN where unknown.
        kinds: ``[N, G]``.
    """
    logits, box, marks = outputs
    most = max(1, int((kinds > 0).sum(1).max()))  # rows after a scene's last face are empty
    boxes, landmarks, kinds = boxes[:, :most], landmarks[:, :most], kinds[:, :most]
    face, counts = assign(cells, boxes, kinds)
    scene, cell = torch.nonzero(face >= 0, as_tuple=True)
    which = face[scene, cell]
    truth = boxes[scene, which]
    found = decode(cells, box)[scene, cell]
    iou, apart = overlap(found, truth)
    quality = torch.zeros_like(logits)
    fit = iou.detach().clamp(0.1, 1.0)
    owner = scene * boxes.shape[1] + which
    best = torch.zeros(boxes.shape[0] * boxes.shape[1]).scatter_reduce(0, owner, fit, "amax")[owner]
    quality[scene, cell] = best.sqrt() * (fit / best) ** _NEIGHBOURS
    weight = (quality - logits.sigmoid().detach()).square()
    objectness = functional.binary_cross_entropy_with_logits(logits, quality, reduction="none") * weight
    number = max(1, len(scene))
    points = landmarks[scene, which].reshape(-1, 5, 2)
    size = (truth[:, 2:] - truth[:, :2]).prod(-1).clamp(min=1.0).sqrt()
    guess = marks[scene, cell].reshape(-1, 5, 2) * cells.strides[cell][:, None, None] + cells.centres[cell][:, None]
    error = (guess - points).abs().mean((1, 2)) / size
    known = ~torch.isnan(error)
    return (
        _OBJECTNESS_WEIGHT * (objectness * counts).sum() / quality.sum().clamp(min=1.0),
        _BOX_WEIGHT * (1 - iou + apart).sum() / number,
        _LANDMARK_WEIGHT * torch.where(known, error, 0.0).sum() / max(1, int(known.sum())),
    )
