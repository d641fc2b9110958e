"""A household in simulated time, for the policy's tests: a mood, a speaker that plays its queue, and a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING

from moodify.config.model import MusicConfig
from moodify.music.candidates import CandidatePool
from moodify.music.policy import Policy
from moodify.music.situation import Ask, Situation
from moodify.music.song import Candidate
from moodify.types import FELT_MOODS, Act, Decision, Mood, MoodReading, OrderStatus, Playback, Speaker, Track

if TYPE_CHECKING:
    from moodify.errors import MoodifyError
    from moodify.music.song import Outcome

LONG_S = 200
MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)


def song(name: str, seconds: float = LONG_S, artist: str = "Somebody") -> Track:
    return Track(f"spotify:track:{name}", name, artist, round(seconds * 1000))


THEIRS = song("theirs")


class Jukebox:
    """What a speaker does: plays one song after another until its queue is empty. As on Spotify, what is queued outlives what is played instead."""

    def __init__(self, name: str = "Jukebox") -> None:
        self.name = name
        self.volume: int | None = 30
        self.track: Track | None = None
        self.context: str | None = None
        self.progress_s = 0.0
        self.playing = False
        self.queue: list[Track] = []
        self.started: list[str] = []
        self._swaps = False
        self._held: Decision | None = None

    def swap_the_next_two(self) -> None:
        """Carry the next order out after the one that follows it, or with the next look."""
        self._swaps = True

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

    def switch_off(self) -> None:
        """Leave no session behind, as when somebody turns the speaker off or over to the TV."""
        self.track, self.context, self.progress_s, self.playing = None, None, 0.0, False

    def look(self) -> Playback:
        return Playback(self.playing, self.track, round(self.progress_s * 1000), self.context, Speaker("j", self.name, active=True, volume_percent=self.volume))

    def take(self, decision: Decision) -> None:
        """Take an order; carry it out now or, where orders are swapped, after the next."""
        if self._swaps:
            self._held, self._swaps = decision, False
            return
        self._obey(decision)
        self.catch_up()

    def catch_up(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._obey(held)

    def _obey(self, decision: Decision) -> None:
        if decision.volume_percent is not None and self.volume is not None:
            self.volume = min(self.volume, decision.volume_percent)
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


class Notebook:
    """A taste that likes the songs of these titles, and takes down what it is told."""

    def __init__(self, **likes: float) -> None:
        self.likes = likes
        self.asked: list[Mood] = []
        self.lessons: list[tuple[str, str, str]] = []

    def draw(self, mood: Mood, track: Track) -> float:
        self.asked.append(mood)
        return self.likes.get(track.title, 0.5)

    def learn(self, mood: Mood, track: Track, outcome: Outcome, now: datetime) -> None:
        assert now.tzinfo is not None
        self.lessons.append((mood.value, track.title, outcome.value))

    def words(self, _mood: Mood, track: Track) -> str | None:
        return f"you like {track.artist}" if track.title in self.likes else None


@dataclass(frozen=True)
class Fault:
    """What is wrong with the way to the speaker: each order fails; with ``obeys`` only its answer is lost."""

    error: MoodifyError | None = None
    retry_after_s: float | None = None
    obeys: bool = False


class House:
    """Asks the policy each second and lets the jukebox obey."""

    def __init__(self, *, seed: int = 1, clock: time = time(12, 0), songs: int = 12, listens: str | None = None, taste: object = None, **rules: object) -> None:
        self.config = MusicConfig(**rules)
        self.pool = CandidatePool(self.config)
        for mood in FELT_MOODS:
            self.pool.fill(mood, [Candidate(song(f"{mood.value}{index}")) for index in range(songs)], 0.0)
        self.policy = Policy(self.config, self.pool, Random(seed), speaker=listens, taste=taste)
        self.speaker = Jukebox(listens or "Jukebox")
        self.now_s = 10_000.0
        self.day_s = clock.hour * 3600 + clock.minute * 60
        self.reading: MoodReading | None = None
        self.people = 0
        self.clock_doubted = False
        self.log: list[tuple[float, Decision, bool]] = []
        self.reasons: list[str] = []
        self.wake_s: float | None = None
        self.fault: Fault | None = None

    def feel(self, mood: Mood, people: int = 1) -> House:
        self.people = 0 if mood is Mood.ABSENT else people
        self.reading = MoodReading(mood, 0.9, self.now_s, people=self.people)
        return self

    @property
    def local(self) -> time:
        seconds = int(self.day_s) % 86_400
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60)

    def situation(self, what: Ask | None = None) -> Situation:
        at = MIDNIGHT + timedelta(seconds=self.day_s)
        return Situation(self.now_s, self.local, self.reading, self.people, self.speaker.look(), self.now_s, what, at, self.clock_doubted)

    def decide(self, what: Ask | None = None) -> Decision:
        """Ask, and leave the order on its way."""
        verdict = self.policy.decide(self.situation(what))
        decision, self.wake_s = verdict.decision, verdict.wake_s
        if not self.reasons or self.reasons[-1] != decision.reason:
            self.reasons.append(decision.reason)
        if decision.act is not Act.KEEP:
            self.log.append((self.now_s, decision, what is not None))
        return decision

    def arrive(self, decision: Decision) -> None:
        """Let an order reach the speaker, or not."""
        fault = self.fault
        if fault is None or fault.obeys:
            self.speaker.take(decision)
        if fault is None:
            self.policy.ended(decision, OrderStatus.DONE, self.now_s)
        else:
            self.policy.ended(decision, OrderStatus.FAILED, self.now_s, retry_after_s=fault.retry_after_s, error=fault.error)

    def ask(self, what: Ask | None = None) -> Decision:
        decision = self.decide(what)
        if decision.act is not Act.KEEP:
            self.arrive(decision)
        return decision

    def run(self, seconds: float, tick_s: float = 1.0) -> House:
        for _ in range(round(seconds / tick_s)):
            self.now_s += tick_s
            self.day_s += tick_s
            self.speaker.pass_time(tick_s)
            self.speaker.catch_up()
            self.ask()
        return self

    @property
    def acts(self) -> list[str]:
        return [decision.act.value for _, decision, _ in self.log]

    @property
    def heard(self) -> list[str]:
        return [uri.removeprefix("spotify:track:").rstrip("0123456789") for uri in self.speaker.started]
