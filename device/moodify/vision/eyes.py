"""Turns a frame into what can be said of it: gate, detector, quality and classifier in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2

from moodify.types import NotJudged, Observation, SeenFace
from moodify.vision.align import Aligner
from moodify.vision.boxes import Zoom
from moodify.vision.closer import SecondLook
from moodify.vision.gate import MotionGate
from moodify.vision.quality import QualityGate

if TYPE_CHECKING:
    from moodify.config.model import VisionConfig
    from moodify.types import Box, Face, Frame, Image, Landmarks
    from moodify.vision.port import Classifier, Detector

_LINGER_S: Final = 3.0
"""After a movement, faces are looked for as long as this: whoever came in may turn round and stand still."""


class Eyes:
    """What the appliance sees with. For one thread at a time; of one frame nothing is used for the next but where something moved, and the gate's average of 80 by 60."""

    def __init__(self, detector: Detector, classifier: Classifier, config: VisionConfig) -> None:
        self._detector = detector
        self._second = SecondLook(detector)
        self._judge = Judge(classifier, config)
        self._gate = MotionGate(config.motion_threshold)
        self._still_check_s = config.still_check_s
        self._somebody = False
        self._looked_s = float("-inf")
        self._moved_s = float("-inf")
        self._where: Box | None = None

    def see(self, frame: Frame, *, closely: bool = False) -> Observation:
        """Look at ``frame``.

        Args:
            frame: of any layout; faces are cropped from its ``detail`` where it has one.
            closely: look for faces even if nothing moved, as after a press of the button.

        Returns:
            The faces in pixels of ``frame.image``. Empty without a search when nothing has moved lately, nobody was there
            and the last search is less than ``still_check_s`` ago.

        Raises:
            ModelError: a model fails while it runs.
        """
        motion = self._gate.look(frame.image)
        if motion.moved:
            self._moved_s = frame.t_s
            self._where = motion.region or self._where
        faces: tuple[SeenFace, ...] = ()
        if closely or self._worth_a_search(frame.t_s):
            found = self._find(frame)
            faces = tuple(self._judge.judge(frame, face) for face in found)
            self._somebody, self._looked_s = bool(faces), frame.t_s
        return Observation(frame.t_s, faces, moved=motion.moved, brightness=motion.brightness, width=frame.image.width, height=frame.image.height)

    def _find(self, frame: Frame) -> tuple[Face, ...]:
        """Look at the whole picture and, where nobody is found, at where something moved or somebody was seen last."""
        found = self._detector.faces(frame.image, frame.detail)
        if not found and self._where is not None:
            found = self._second.faces(frame, self._where)
        if found:
            self._where = found[0].box
        elif not self._lingers(frame.t_s):
            self._where = None
        return found

    def _lingers(self, t_s: float) -> bool:
        return 0 <= t_s - self._moved_s <= _LINGER_S

    def _worth_a_search(self, t_s: float) -> bool:
        # A recording that starts again goes back in time.
        overdue = not 0 <= t_s - self._looked_s < self._still_check_s
        return self._somebody or self._lingers(t_s) or overdue


class Judge:
    """Reads one face: quality first, then the emotion."""

    def __init__(self, classifier: Classifier, config: VisionConfig) -> None:
        self._classifier = classifier
        self._aligner = Aligner(classifier.framing)
        self._quality = QualityGate(config)
        self._confidence = config.confidence_threshold

    def judge(self, frame: Frame, face: Face) -> SeenFace:
        """Return the face with its scores, or with the reason why there is no judgement.

        A face below the confidence threshold has both.

        Raises:
            ModelError: the classifier fails while it runs.
        """
        image, box, landmarks = _sharpest(frame, face)
        if (reason := self._quality.of_place(box, landmarks)) is not None:
            return SeenFace(face, None, reason)
        crop = self._aligner.crop(image, landmarks)
        if (reason := self._quality.of_crop(crop)) is not None:
            return SeenFace(face, None, reason)
        scores = self._classifier.emotions(crop)
        return SeenFace(face, scores, None if scores.confidence >= self._confidence else NotJudged.NOT_CONFIDENT)


def open_eyes(config: VisionConfig) -> Eyes:
    """Load the models and return eyes that see with them.

    Raises:
        ModelError: a model is missing, is not what its manifest says, or there is no TFLite.
    """
    detector, classifier = open_models(config)
    return Eyes(detector, classifier, config)


def open_models(config: VisionConfig) -> tuple[Detector, Classifier]:
    """Load the detector and the classifier; errors as :func:`open_eyes`.

    Sets OpenCV to one thread, for the whole process: pictures here are so small that a pool of threads costs more than it
    saves, and the models have their own.
    """
    from moodify.vision.classifier import TfliteClassifier
    from moodify.vision.confirming import open_detector
    from moodify.vision.models import read_classifier, read_detector

    cv2.setNumThreads(1)
    detector = open_detector(read_detector(config.models), threshold=config.detection_threshold, threads=config.threads)
    return detector, TfliteClassifier(read_classifier(config.models), threads=config.threads or 1)


def _sharpest(frame: Frame, face: Face) -> tuple[Image, Box, Landmarks]:
    """Return the picture with the most pixels, and the face in its pixels."""
    if frame.detail is None:
        return frame.image, face.box, face.landmarks
    zoom = Zoom.into(frame.detail, frame.image)
    return frame.detail, zoom.box(face.box), zoom.landmarks(face.landmarks)
