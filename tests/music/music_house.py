"""A household in simulated time, for the policy's tests: a mood, a speaker that plays its queue, and a clock."""

from __future__ import annotations

from datetime import time
from random import Random

from moodify.config.model import MusicConfig
from moodify.music.candidates import CandidatePool
from moodify.music.policy import Policy
from moodify.music.situation import Ask, Situation
from moodify.music.song import Candidate
from moodify.types import FELT_MOODS, Act, Decision, Mood, MoodReading, OrderStatus, Playback, Track

LONG_S = 200


def song(name: str, seconds: float = LONG_S) -> Track:
    return Track(f"spotify:track:{name}", name, "Somebody", round(seconds * 1000))


THEIRS = song("theirs")


class Jukebox:
    """What a speaker does: plays one song after another until its queue is empty."""

    def __init__(self) -> None:
        self.track: Track | None = None
        self.context: str | None = None
        self.progress_s = 0.0
        self.playing = False
        self.queue: list[Track] = []
        self.started: list[str] = []

    def play(self, track: Track) -> None:
        self.track, self.progress_s, self.playing = track, 0.0, True
        self.context = None if track.uri.startswith("spotify:track:") else track.uri
        self.started.append(track.uri)

    def skip(self) -> None:
        if self.queue:
            self.play(self.queue.pop(0))
        else:
            self.playing, self.progress_s = False, 0.0

    def pass_time(self, seconds: float) -> None:
        if not self.playing or self.track is None:
            return
        self.progress_s += seconds
        if self.track.duration_ms and self.progress_s >= self.track.duration_ms / 1000:
            self.skip()

    def look(self) -> Playback:
        return Playback(self.playing, self.track, round(self.progress_s * 1000), self.context)

    def obey(self, decision: Decision) -> None:
        match decision.act:
            case Act.PLAY:
                self.play(decision.track)
            case Act.QUEUE:
                self.queue.append(decision.track)
            case Act.PAUSE:
                self.playing = False
            case Act.RESUME:
                self.playing = self.track is not None
            case Act.SKIP:
                self.skip()


class House:
    """Asks the policy each second and lets the jukebox obey."""

    def __init__(self, *, seed: int = 1, clock: time = time(12, 0), songs: int = 12, listens: str | None = None, **rules: object) -> None:
        self.config = MusicConfig(**rules)
        self.pool = CandidatePool(self.config)
        for mood in FELT_MOODS:
            self.pool.fill(mood, [Candidate(song(f"{mood.value}{index}")) for index in range(songs)], 0.0)
        self.policy = Policy(self.config, self.pool, Random(seed), speaker=listens)
        self.speaker = Jukebox()
        self.now_s = 10_000.0
        self.day_s = clock.hour * 3600 + clock.minute * 60
        self.reading: MoodReading | None = None
        self.people = 0
        self.log: list[tuple[float, Decision, bool]] = []
        self.reasons: list[str] = []
        self.wake_s: float | None = None
        self.broken: OrderStatus | None = None

    def feel(self, mood: Mood, people: int = 1) -> House:
        self.people = 0 if mood is Mood.ABSENT else people
        self.reading = MoodReading(mood, 0.9, self.now_s, people=self.people)
        return self

    @property
    def local(self) -> time:
        seconds = int(self.day_s) % 86_400
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60)

    def ask(self, what: Ask | None = None) -> Decision:
        situation = Situation(self.now_s, self.local, self.reading, self.people, self.speaker.look(), self.now_s, what)
        verdict = self.policy.decide(situation)
        decision, self.wake_s = verdict.decision, verdict.wake_s
        if not self.reasons or self.reasons[-1] != decision.reason:
            self.reasons.append(decision.reason)
        if decision.act is not Act.KEEP:
            self.log.append((self.now_s, decision, what is not None))
            if self.broken is None:
                self.speaker.obey(decision)
            self.policy.ended(decision, self.broken or OrderStatus.DONE, self.now_s)
        return decision

    def run(self, seconds: float, tick_s: float = 1.0) -> House:
        for _ in range(round(seconds / tick_s)):
            self.now_s += tick_s
            self.day_s += tick_s
            self.speaker.pass_time(tick_s)
            self.ask()
        return self

    @property
    def acts(self) -> list[str]:
        return [decision.act.value for _, decision, _ in self.log]

    @property
    def heard(self) -> list[str]:
        return [uri.removeprefix("spotify:track:").rstrip("0123456789") for uri in self.speaker.started]
