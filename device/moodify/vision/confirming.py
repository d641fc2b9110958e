"""A closer look at what may be a face: at a candidate that the first look is unsure of, at another size.

The first look brings the whole picture to the detector's 320 pixels, where a far face has about a dozen, and a knob may look like one. Cut
out and enlarged, the one looks more like a face and the other less, so both answers together tell them apart at a lower cost than a
larger network would. What is so near that there is no room about it is brought to one size as well, mostly a smaller one: a look from a
step back, with grey where the picture ends. What both bring is measured in docs/models.md.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from moodify.types import Face
from moodify.vision.boxes import Zoom, as_array, moved, overlaps, window
from moodify.vision.detector import TfliteDetector, suppress
from moodify.vision.pixels import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moodify.types import Image
    from moodify.vision.manifest import ConfirmSettings, DetectorManifest, DetectorSettings
    from moodify.vision.models import ModelFile

_SAME: Final = 0.3
"""IoU from which the closer look's face is the candidate's: the boxes of far faces are a few pixels wide."""


class ConfirmingDetector:
    """A :class:`~moodify.vision.port.Detector` that looks again, closely, before it believes what it is unsure of. For one thread at a time."""

    def __init__(self, detector: TfliteDetector, settings: DetectorSettings, *, threshold: float) -> None:
        """Take what looks.

        Args:
            detector: gives candidates; its own threshold is at most ``threshold`` and that of what is unsure.
            settings: of its manifest. Without ``confirm`` there is one look alone.
            threshold: confidence from which a face counts, from 0 to 1.
        """
        self._detector = detector
        self._confirm = settings.confirm
        self._nms_iou = settings.nms_iou
        self._most = settings.max_faces
        self._threshold = threshold
        self._part = Part()

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height in pixels that an image is brought to."""
        return self._detector.input_size

    @property
    def accelerated(self) -> bool:
        """Whether XNNPACK runs it."""
        return self._detector.accelerated

    def faces(self, image: Image, detail: Image | None = None) -> tuple[Face, ...]:
        """Return the faces in ``image``, in its pixels, most confident first.

        Args:
            image: what is looked at.
            detail: the same picture with more pixels, to look closer at; None takes ``image``.

        Raises:
            ModelError: the model fails while it runs.
        """
        found = self._detector.faces(image)
        if self._confirm is not None and any(_unsure(face, self._confirm) for face in found):
            found = self._confirmed(found, image, detail or image, self._confirm)
        return tuple(face for face in found if face.confidence >= self._threshold)

    def _confirmed(self, found: Iterable[Face], image: Image, detail: Image, confirm: ConfirmSettings) -> tuple[Face, ...]:
        left, faces = confirm.most, []
        for face in found:
            if _unsure(face, confirm) and left:
                left -= 1
                closer = self._closer(face, image, detail, confirm)
                if closer is not None:
                    faces.append(closer)
            else:
                faces.append(face)
        # Two candidates may turn out to be one face.
        kept = suppress(as_array(face.box for face in faces), np.array([face.confidence for face in faces], np.float32), iou=self._nms_iou, most=self._most)
        return tuple(faces[i] for i in kept)

    def _closer(self, face: Face, image: Image, detail: Image, confirm: ConfirmSettings) -> Face | None:
        """Return ``face`` as both looks together see it; None where the second one sees none."""
        zoom = Zoom.into(detail, image)
        box, (width, height) = zoom.box(face.box), self.input_size
        side = max(box.width, box.height)
        if side < 1:
            return face
        tall = confirm.window * side
        wide = tall * width / height
        part, x, y = self._part.of(detail, window(detail, (box.x0 + box.x1 - wide) / 2, (box.y0 + box.y1 - tall) / 2, wide, tall))
        # Enlarged to fill the input, a window that ends with the picture would be nearly the same picture again, and say nearly the same.
        seen = [moved(each, x, y, zoom) for each in self._detector.faces(part, None if tall <= detail.height else height / tall)]
        shared = overlaps(as_array(each.box for each in seen), as_array([face.box]))[:, 0]
        best = max((each for each, share in zip(seen, shared, strict=True) if share >= _SAME), key=lambda each: each.confidence, default=None)
        if best is None:
            return None
        return Face(best.box, best.landmarks, mean_of_logits(face.confidence, best.confidence, confirm.weight))


def open_detector(model: ModelFile[DetectorManifest], *, threshold: float | None = None, threads: int = 0) -> ConfirmingDetector:
    """Load ``model`` as the appliance looks with it.

    Args:
        model: the file and its manifest.
        threshold: confidence from which a face counts, from 0 to 1; None takes the manifest's.
        threads: as for :class:`~moodify.vision.runtime.Runtime`.

    Raises:
        ModelError: as :class:`~moodify.vision.runtime.Runtime`.
    """
    settings = model.manifest.postprocess
    counts = settings.score_threshold if threshold is None else threshold
    candidates = counts if settings.confirm is None else min(counts, settings.confirm.unsure_from)
    return ConfirmingDetector(TfliteDetector(model, threshold=candidates, threads=threads), settings, threshold=counts)


def mean_of_logits(first: float, closer: float, weight: float) -> float:
    """Return the chance whose logit is the mean of those of two chances; ``weight`` is the second one's, from 0 to 1."""
    return 1 / (1 + math.exp(-((1 - weight) * _logit(first) + weight * _logit(closer))))


def _logit(chance: float) -> float:
    inside = min(max(chance, 1e-6), 1 - 1e-6)
    return math.log(inside / (1 - inside))


def _unsure(face: Face, confirm: ConfirmSettings) -> bool:
    return confirm.unsure_from <= face.confidence < confirm.sure_from
