"""The emotion classifier: an aligned crop to calibrated probabilities, valence and arousal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from moodify.types import Emotion, EmotionScores
from moodify.vision.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from moodify.vision.align import Framing
    from moodify.vision.manifest import ClassifierManifest
    from moodify.vision.models import ModelFile

AFFECT: Final[Mapping[Emotion, tuple[float, float]]] = {
    Emotion.NEUTRAL: (0.0, 0.0),
    Emotion.HAPPINESS: (0.81, 0.51),
    Emotion.SURPRISE: (0.40, 0.67),
    Emotion.SADNESS: (-0.63, -0.27),
    Emotion.ANGER: (-0.51, 0.59),
    Emotion.DISGUST: (-0.60, 0.35),
    Emotion.FEAR: (-0.64, 0.60),
    Emotion.CONTEMPT: (-0.55, 0.41),
}
"""Valence and arousal of each emotion, from -1 to 1: places in the plane of Russell, "A circumplex model of affect",
Journal of Personality and Social Psychology 39 (1980).

People's ratings of pleasure and arousal for "happy", "surprised", "sad", "angry", "disgusted" and "fearful" are those of Russell
and Mehrabian, "Evidence for a three-factor theory of emotions", Journal of Research in Personality 11 (1977). Neither study has
contempt: it stands where "annoyed" does in figure 4 of Russell (1980). Neutral is the origin.
"""

_EMOTIONS: Final = tuple(Emotion)
_PLANE: Final = np.array([AFFECT[emotion] for emotion in _EMOTIONS])


class TfliteClassifier:
    """A :class:`~moodify.vision.port.Classifier` on a TFLite model. For one thread at a time."""

    def __init__(self, model: ModelFile[ClassifierManifest], *, threads: int = 1) -> None:
        """Load ``model``; arguments and errors as :class:`~moodify.vision.runtime.Runtime`."""
        self.runtime = Runtime(model, threads)
        self._framing = model.manifest.framing
        output, temperature = model.manifest.outputs[0], model.manifest.postprocess.temperature
        # One product: dequantised and divided by the temperature. The zero point drops out of a softmax.
        self._factor = output.scale / temperature

    @property
    def framing(self) -> Framing:
        """How a face must lie in the crop."""
        return self._framing

    @property
    def accelerated(self) -> bool:
        """Whether XNNPACK runs it."""
        return self.runtime.delegated()

    def emotions(self, crop: NDArray[np.uint8]) -> EmotionScores:
        """Return calibrated scores for an aligned grey crop (side, side)."""
        (logits,) = self.runtime.run(crop)
        return scores_of(logits.ravel().astype(np.float64) * self._factor)


def scores_of(logits: NDArray[np.float64] | Sequence[float]) -> EmotionScores:
    """Return probabilities, valence and arousal for eight calibrated logits in the order of :class:`Emotion`.

    Valence and arousal are the means of :data:`AFFECT` under the probabilities.
    """
    powers = np.exp(np.asarray(logits) - np.max(logits))
    probabilities = powers / powers.sum()
    valence, arousal = probabilities @ _PLANE
    return EmotionScores(dict(zip(_EMOTIONS, probabilities.tolist(), strict=True)), float(valence), float(arousal))
