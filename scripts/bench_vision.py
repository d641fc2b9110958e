"""Each stage from the camera's buffer to the order, in turns within one run; and how the frame path grows with faces. Part of ``scripts/bench``."""

from __future__ import annotations

import math
import random
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from bench_progress import bar
from bench_rows import Row
from soak_hours.stage import LARGE, SMALL, i420

from moodify.camera.planes import unpack_planes
from moodify.camera.sample import SampleCamera
from moodify.config import Config
from moodify.mood.tracker import MoodTracker
from moodify.music.candidates import CandidatePool
from moodify.music.policy import Policy
from moodify.music.situation import Situation
from moodify.music.song import Candidate
from moodify.music.spotify.factory import open_player
from moodify.types import Frame, Image, Mood, MoodReading, PixelLayout, Playback, Track
from moodify.vision.classifier import TfliteClassifier
from moodify.vision.detector import TfliteDetector
from moodify.vision.evaluation.memory import measure
from moodify.vision.eyes import Eyes, Judge, open_models
from moodify.vision.gate import MotionGate
from moodify.vision.models import read_detector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from moodify.config.model import VisionConfig
    from moodify.vision.port import Classifier, Detector

#: Calls of one kind in a row, each timed by itself: what it needs is in the processor's caches by the second.
BLOCK = 10
STAGES, FACES = "each stage, one face", "faces in a frame"
#: Of the sum of its invokes; the issue's.
FRAME_PATH_AT_MOST = 1.6
#: A frame holds two rows of four.
MOST_FACES = 8


@dataclass(frozen=True, slots=True)
class Took:
    """What a call takes, in milliseconds: the quickest of many, for what else the machine does only adds to it."""

    wall_ms: float
    cpu_ms: float
    """Of all threads of the process; ratios rest on it, for nobody else's time is in it."""

    def __add__(self, other: Took) -> Took:
        """Return what both take, one after the other."""
        return Took(self.wall_ms + other.wall_ms, self.cpu_ms + other.cpu_ms)

    def __mul__(self, times: float) -> Took:
        """Return what it takes so many times."""
        return Took(self.wall_ms * times, self.cpu_ms * times)

    def __truediv__(self, other: Took) -> float:
        """Return how many times as much CPU time it takes."""
        return self.cpu_ms / other.cpu_ms


def time_in_turns(what: str, calls: dict[str, Callable[[], object]], rounds: int, block: int = BLOCK) -> dict[str, Took]:
    """Return what a call takes for each name, measured in turns; ``what`` they are is said meanwhile."""
    quickest = {name: Took(math.inf, math.inf) for name in calls}
    with bar(what, rounds) as step:
        for _ in range(rounds):
            for name, call in calls.items():
                for _ in range(block):
                    began_s, began_cpu_s = time.perf_counter(), time.process_time()
                    call()
                    took = Took((time.perf_counter() - began_s) * 1e3, (time.process_time() - began_cpu_s) * 1e3)
                    quickest[name] = Took(min(took.wall_ms, quickest[name].wall_ms), min(took.cpu_ms, quickest[name].cpu_ms))
            step()
    return quickest


def frame_of(rgb: NDArray[np.uint8], t_s: float = 0.0) -> Frame:
    """Return a picture as a Pi's two streams give it: 320×240 I420, and 640×480 beside it."""
    return Frame(Image(i420(rgb, SMALL), PixelLayout.I420), t_s, 0, Image(i420(rgb, LARGE), PixelLayout.I420))


def crowd(people: int) -> Frame:
    """Return a frame with so many faces, each a seventh of its width; 1 to :data:`MOST_FACES`."""
    with SampleCamera(astronaut_s=25.0, hopper_s=25.0, nobody_s=8.0) as sample:
        person, room = sample.render(10.0), sample.render(29.0)
    width, height = LARGE[0] // 4, LARGE[1] // 2
    one = cv2.resize(person[:, LARGE[0] // 4 : LARGE[0] * 3 // 4], (width, height), interpolation=cv2.INTER_AREA)
    picture = cv2.resize(room, LARGE)
    for number in range(people):
        row, column = divmod(number, 4)
        picture[row * height : (row + 1) * height, column * width : (column + 1) * width] = one
    return frame_of(np.asarray(picture, np.uint8))


def vision(rounds: int) -> list[Row]:
    """Time the models, each stage, and frames with one face to eight."""
    cv2.setNumThreads(1)
    config = Config()
    detector, classifier = open_models(config.vision)
    # The invoke alone is timed on an interpreter of its own, of the same model and as many threads.
    alone = TfliteDetector(read_detector(config.vision.models), threads=config.vision.threads)
    if not isinstance(classifier, TfliteClassifier):
        raise SystemExit("bench: the models that ship are measured; unset vision.models")
    alone.runtime.run(np.zeros((alone.input_size[1], alone.input_size[0], 3), np.uint8))
    classifier.emotions(np.full((48, 48), 128, np.uint8))
    with tempfile.TemporaryDirectory() as folder, open_player(config.music.model_copy(update={"speaker": "simulated"}), Path(folder)) as opened:
        calls = _stages(config, detector, classifier) | {"detector_invoke": alone.runtime.invoke, "classifier_invoke": classifier.runtime.invoke}
        measured = time_in_turns("each stage", calls, rounds)
        song = next(iter(opened.player.search("happy", limit=1)))
        with opened.player.asked():
            # Each is a request over HTTP on loopback: fewer of them say enough.
            measured |= time_in_turns("orders", {"order": lambda: opened.player.play(song.uri)}, max(rounds // 5, 5), block=2)
    invokes = measured["detector_invoke"] + measured["classifier_invoke"]
    rows = [Row(STAGES, key, words, measured[key].wall_ms, "ms", f"{measured[key] / invokes:.2f} × the two invokes") for key, words in _WORDS]
    chain = measured["capture"] + measured["frame_path"] + measured["mood"] + measured["decision"] + measured["order"]
    rows.append(Row(STAGES, "chain", "capture to order: those of one frame, one after the other", chain.wall_ms, "ms", f"{chain / invokes:.2f} × the two invokes"))
    beyond = measured["frame_path"] / invokes
    rows.append(Row(STAGES, "frame_path_ratio", "frame path, as a multiple of its two invokes", beyond, "×", "as all ratios of this part: by CPU time", FRAME_PATH_AT_MOST))
    if (memory := measure(None)) is not None:
        rows.append(Row(STAGES, "vision_memory", "memory of the vision part: arenas, weights, buffers", memory.total / 2**20, "MB", "RssAnon"))
    return rows + _crowds(detector, classifier, alone, config.vision, max(rounds // 4, 5))


_WORDS = (
    ("detector_invoke", "detector's invoke alone, 320×256 int8"),
    ("classifier_invoke", "classifier's invoke alone, 48×48 int8"),
    ("capture", "capture: two streams out of the camera's buffers"),
    ("gate", "motion gate: all there is while nobody moves"),
    ("faces", "faces: scale, invoke, decode"),
    ("emotion", "emotion: quality, crop, invoke"),
    ("frame_path", "whole frame path: gate, faces, emotion, from 320×240 I420"),
    ("mood", "mood: one look folded in"),
    ("decision", "decision: the policy asked once"),
    ("order", "order: taken by the simulated speaker, over HTTP"),
)


def _stages(config: Config, detector: Detector, classifier: Classifier) -> dict[str, Callable[[], object]]:
    with SampleCamera(astronaut_s=25.0, hopper_s=25.0, nobody_s=8.0) as sample:
        somebody, nobody = frame_of(sample.render(10.0)), frame_of(sample.render(29.0))
    eyes, judge, gate = Eyes(detector, classifier, config.vision), Judge(classifier, config.vision), MotionGate(config.vision.motion_threshold)
    seen = eyes.see(somebody, closely=True)
    if len(seen.faces) != 1 or seen.faces[0].scores is None or somebody.detail is None:
        raise SystemExit("bench: the sample's face is not seen and judged; the figures would mean nothing. Run scripts/test")
    tracker, policy, situation = MoodTracker(config.mood), _policy(config), _situation()
    buffers = [(image.pixels.reshape(-1).copy(), (image.width, image.height)) for image in (somebody.image, somebody.detail)]
    face = seen.faces[0].face
    return {
        "capture": lambda: [unpack_planes(buffer, PixelLayout.I420, size, size[0]) for buffer, size in buffers],
        "gate": lambda: gate.look(nobody.image),
        "faces": lambda: _faces(detector, somebody),
        "emotion": lambda: judge.judge(somebody, face),
        "frame_path": lambda: eyes.see(somebody, closely=True),
        "mood": lambda: tracker.step(seen),
        "decision": lambda: policy.decide(situation),
    }


def _faces(detector: Detector, frame: Frame) -> object:
    return detector.faces(frame.image)


def _policy(config: Config) -> Policy:
    pool = CandidatePool(config.music)
    pool.fill(Mood.HAPPY, [Candidate(Track(f"spotify:track:{number:022d}", f"Song {number}", "Somebody", 200_000)) for number in range(50)], 0.0)
    return Policy(config.music, pool, random.Random(1))  # noqa: S311 - it chooses songs


def _situation() -> Situation:
    now = datetime.now(UTC)
    reading = MoodReading(Mood.HAPPY, 0.9, 0.0, 0.6, 0.4, 1)
    playing = Playback(playing=True, track=Track("spotify:track:x", "A song", "Somebody", 200_000), progress_ms=1000)
    return Situation(now_s=500.0, local_time=now.time(), reading=reading, people=1, playback=playing, playback_s=499.0, at=now)


def _crowds(detector: Detector, classifier: TfliteClassifier, alone: TfliteDetector, config: VisionConfig, rounds: int) -> list[Row]:
    frames = {people: crowd(people) for people in range(1, MOST_FACES + 1)}
    eyes = Eyes(detector, classifier, config)
    found = {people: len(eyes.see(frame, closely=True).faces) for people, frame in frames.items()}
    if wrong := {people: seen for people, seen in found.items() if seen != people}:
        raise SystemExit(f"bench: the painted crowds are not seen as they are ({wrong}); the figures would mean nothing")
    calls: dict[str, Callable[[], object]] = {str(people): partial(eyes.see, frame, closely=True) for people, frame in frames.items()}
    measured = time_in_turns("faces in a frame", calls | {"detector": alone.runtime.invoke, "classifier": classifier.runtime.invoke}, rounds)
    one, most = measured["1"], measured[str(MOST_FACES)]
    each = Took((most.wall_ms - one.wall_ms) / (MOST_FACES - 1), (most.cpu_ms - one.cpu_ms) / (MOST_FACES - 1))
    rows = []
    for people in frames:
        took = measured[str(people)]
        ratio = took / (measured["detector"] + measured["classifier"] * people)
        rows.append(Row(FACES, f"faces_{people}", f"{people} face{'s' if people > 1 else ''}", took.wall_ms, "ms", f"{ratio:.2f} × its {people + 1} invokes"))
    return [*rows, Row(FACES, "faces_each", "each face more", each.wall_ms, "ms", f"{each / measured['classifier']:.2f} × the classifier's invoke")]
