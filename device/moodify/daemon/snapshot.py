"""Draws the conductor's state up as page, terminal and broker show it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from moodify.system.clock import Clock
    from moodify.types import MoodReading, Observation, Playback, SeenFace, Track
    from moodify.web.port import FaceNow, MoodNow, MusicNow, Now, OverrideNow, PartNow


@dataclass(frozen=True, slots=True)
class Facts:
    """What does not change during a run."""

    device: str
    version: str
    speaker: str
    """What the speaker is, for a person."""
    demo: bool
    models: tuple[str, ...] = ()
    """Names and versions of what it sees with."""


#: Confidence, valence and arousal are published in steps of this: a state is sent anew where it differs.
STEP = 0.1


def date_of(clock: Clock, t_s: float) -> datetime:
    """Return the UTC date of a moment on the clock of the frames."""
    return clock.utc() - timedelta(seconds=clock.now_s() - t_s)


def snapshot(
    facts: Facts,
    *,
    observation: Observation | None,
    people: int | None,
    reading: MoodReading | None,
    since: datetime | None,
    playback: Playback | None,
    upcoming: Track | None,
    reason: str | None,
    camera: PartNow,
    speaker: PartNow,
    link: PartNow,
    privacy: bool,
    override: OverrideNow | None = None,
    goal: str | None = None,
) -> Now:
    """Return the state to show."""
    return {
        "seen": {"people": people, "faces": [] if observation is None else [_face(face, observation) for face in observation.faces]},
        "mood": None if reading is None or since is None else _mood(reading, since),
        "music": _music(facts, playback, upcoming, reason, goal),
        "camera": camera,
        "speaker": speaker,
        "link": link,
        "privacy": privacy,
        "override": override,
        "device": facts.device,
        "version": facts.version,
        "demo": facts.demo,
    }


def summary(now: Now) -> dict[str, dict[str, Any]]:
    """Return what is published, retained, of a snapshot: ``now`` and ``state``; without what changes with each frame."""
    mood, music = now["mood"], now["music"]
    return {
        "now": {
            "people": now["seen"]["people"],
            "mood": None if mood is None else mood["mood"],
            "since": None if mood is None else mood["since"],
            "confidence": None if mood is None else _stepped(mood["confidence"]),
            "valence": None if mood is None else _stepped(mood["valence"]),
            "arousal": None if mood is None else _stepped(mood["arousal"]),
            "override": now["override"],
            "playing": music["playing"],
            "title": music["title"],
            "artist": music["artist"],
            "next": music["next"],
            "reason": music["reason"],
            "goal": music["goal"],
        },
        "state": {
            "camera": now["camera"],
            "speaker": now["speaker"],
            "privacy": now["privacy"],
            "version": now["version"],
        },
    }


def _stepped(value: float) -> float:
    # Adding zero makes -0.0 plain.
    return round(round(value / STEP) * STEP, 1) + 0.0


def _face(seen: SeenFace, observation: Observation) -> FaceNow:
    box, width, height = seen.face.box, observation.width, observation.height
    return {
        "box": [round(box.x0 / width, 3), round(box.y0 / height, 3), round(box.x1 / width, 3), round(box.y1 / height, 3)],
        "emotion": None if seen.scores is None else seen.scores.top.value,
        "confidence": None if seen.scores is None else round(seen.scores.confidence, 2),
        "not_judged": None if seen.not_judged is None else seen.not_judged.value,
    }


def _mood(reading: MoodReading, since: datetime) -> MoodNow:
    return {
        "mood": reading.mood.value,
        "confidence": round(reading.confidence, 2),
        "since": since.isoformat(timespec="seconds"),
        "valence": round(reading.valence, 2),
        "arousal": round(reading.arousal, 2),
    }


def _music(facts: Facts, playback: Playback | None, upcoming: Track | None, reason: str | None, goal: str | None) -> MusicNow:
    track = playback.track if playback is not None else None
    name = playback.speaker.name if playback is not None and playback.speaker is not None else facts.speaker
    return {
        "playing": playback is not None and playback.playing,
        "title": None if track is None else track.title,
        "artist": None if track is None else track.artist,
        "speaker": name,
        "next": None if upcoming is None else f"{upcoming.title} by {upcoming.artist}",
        "reason": reason,
        "goal": goal,
        "volume": None if playback is None or playback.speaker is None or not playback.speaker.supports_volume else playback.speaker.volume_percent,
    }
