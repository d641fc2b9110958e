"""What looks for faces and what reads them, for whoever owns a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moodify.types import EmotionScores, Face, Image
    from moodify.vision.align import Framing


class Detector(Protocol):
    """Finds faces."""

    @property
    def accelerated(self) -> bool:
        """Whether XNNPACK runs it; without, it is about twenty times slower."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height in pixels that an image is brought to: what is smaller there than a few pixels is not found."""

    def faces(self, image: Image, detail: Image | None = None) -> tuple[Face, ...]:
        """Return the faces in ``image``, in its pixels, most confident first; empty where there is nobody.

        Args:
            image: what is looked at.
            detail: the same picture with more pixels, for a closer look at what may be a face; None where there is none.

        Raises:
            ModelError: the model fails while it runs.
        """


class Classifier(Protocol):
    """Reads the emotion on one face."""

    @property
    def accelerated(self) -> bool:
        """Whether XNNPACK runs it; without, it is about twenty times slower."""

    @property
    def framing(self) -> Framing:
        """How a face must lie in the crop."""

    def emotions(self, crop: NDArray[np.uint8]) -> EmotionScores:
        """Return calibrated scores for an aligned grey crop (side, side).

        Raises:
            ModelError: the model fails while it runs.
        """
