"""What all of the policy's rules stand on: the owner's configuration, what is remembered, and small questions to both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.music import choosing, hours
from moodify.music.memory import Memory
from moodify.music.names import same_speaker
from moodify.music.situation import Verdict
from moodify.music.words import REASON_MAX, short
from moodify.types import Act, Decision, Track

if TYPE_CHECKING:
    from datetime import time
    from random import Random

    from moodify.config.model import MusicConfig, MusicGoal, QuietHours
    from moodify.music.candidates import CandidatePool
    from moodify.music.orders import Order, Sent
    from moodify.music.port import Taste
    from moodify.music.situation import Situation
    from moodify.music.song import Outcome
    from moodify.types import Mood


@dataclass(frozen=True, slots=True)
class Pick:
    """A song that was chosen, and what a person may want to know of the choice, as parts of a sentence."""

    track: Track
    why: tuple[str, ...] = ()


class Desk:
    """Where orders are written; the state that the rules share."""

    def __init__(self, config: MusicConfig, pool: CandidatePool, rng: Random, *, speaker: str | None, taste: Taste | None) -> None:
        """Remember nothing yet; the arguments are those of :class:`~moodify.music.policy.Policy`."""
        self.config = config
        self.pool = pool
        self.memory = Memory(no_repeat=config.no_repeat)
        self.orders: list[Order] = []
        """On their way, the newest last."""
        self.also_quiet: QuietHours | None = None
        """Hours of who is listening, beside the household's."""
        self.goal_wanted: MusicGoal | None = None
        """What music is for at all hours, as somebody wants it for now; None goes by the configuration."""
        self.taste = taste if config.learning else None
        self._rng = rng
        self._speaker = speaker

    def keep(self, now: Situation, reason: str, *wakes_s: float | None) -> Verdict:
        """Do nothing, and say why; ask again at the earliest of the moments that are to come."""
        edge_s = hours.next_edge_s(now.local_time, self.config)
        wakes = [*wakes_s, None if edge_s is None else now.now_s + edge_s]
        later = [wake_s for wake_s in wakes if wake_s is not None and wake_s > now.now_s]
        return Verdict(Decision(Act.KEEP, short(reason, REASON_MAX), now.mood), min(later, default=None))

    def put(self, order: Order) -> Verdict:
        """Give an order."""
        self.orders.append(order)
        return Verdict(order.decision, None, asked=order.asked)

    def pick(self, mood: Mood, now: Situation, *, whole: bool = False, passing: str | None = None) -> Pick | None:
        """Return a song for a mood; None where there is none that may play.

        Args:
            mood: of the music.
            now: the situation.
            whole: a playlist that can't be read will do: it can be played, but not queued.
            passing: a song that is passed over this time.
        """
        found = self.pool.of(mood)
        if found is None:
            return None
        if whole and found.context_uri is not None:
            return Pick(Track(found.context_uri, f"your {found.context_uri.split(':')[1]} for {mood.value}", "", 0))
        songs = [song for song in found.songs if song.track.uri != passing]
        choice = choosing.choose(songs, self._past(now), lambda track: self._draw(mood, track))
        if choice is None:
            return None
        song = choice.song
        learned = None if self.taste is None else self.taste.words(mood, song.track)
        again = "again because all others were heard lately" if choice.again and len(songs) > 1 else None
        return Pick(song.track, tuple(part for part in (again, song.why, learned) if part))

    def goal(self, now: Situation) -> MusicGoal:
        """Return what music is for at this hour."""
        return self.goal_at(now.local_time)

    def goal_at(self, local: time) -> MusicGoal:
        """Return what music is for at a local time."""
        return self.goal_wanted or hours.goal(local, self.config)

    def cap(self, now: Situation) -> int:
        """Return the loudest volume of this hour, in percent."""
        return hours.volume_cap(now.local_time, self.config)

    def hush(self, now: Situation) -> tuple[str, float | None] | None:
        """Return why nothing is started or changed at this hour, and until when; None for the moment where nobody knows, for the clock is known to be wrong."""
        there = [quiet_hours for quiet_hours in (self.config.quiet_hours, self.also_quiet) if quiet_hours is not None]
        if there and now.clock_doubted:
            return hours.ANY_MAY_BE_QUIET, None
        for quiet_hours in there:
            quiet = hours.hush(now.local_time, quiet_hours)
            if quiet is not None:
                return quiet[0], now.now_s + quiet[1]
        return None

    def elsewhere(self, now: Situation) -> str | None:
        """Return what to say where the owner listens on another speaker."""
        there = now.playback.speaker if now.playback is not None and now.playback.playing else None
        if there is None or self._speaker is None or same_speaker(there.name, self._speaker):
            return None
        there_name, here_name = short(there.name, 40), short(self._speaker, 40)
        return f"The music plays on {there_name}, not on {here_name}: it is left alone, and a press of the button plays on {here_name}"

    def playing(self, now: Situation) -> bool | None:
        """Return whether music plays, by the orders on their way, else by the newest that is known; None where nothing is."""
        moving = self._moving()
        if moving is not None:
            return moving is not Act.PAUSE
        if self.elsewhere(now) is not None and now.playback_s >= self.memory.settled_s:
            return False
        return self.memory.playing(now.playback, now.playback_s)

    def pausing(self) -> bool:
        """Return whether the music is about to be paused, by the newest order on its way."""
        return self._moving() is Act.PAUSE

    def playing_track(self, now: Situation) -> Track | None:
        """Return the song that people hear now, as far as that is known."""
        current = self.memory.current
        if now.playback is None or now.playback_s < self.memory.settled_s:
            return None if current is None else current.track
        if now.end_s is not None and now.now_s >= now.end_s and now.playback.playing:
            # The look is older than the song.
            return None
        return now.playback.track

    def learn(self, now: Situation, sent: Sent, outcome: Outcome) -> None:
        """Tell the taste what became of a song of ours."""
        if self.taste is not None and now.at is not None and is_song(sent.track):
            self.taste.learn(sent.mood, sent.track, outcome, now.at)

    def _moving(self) -> Act | None:
        """Return the newest order on its way that starts, stops or skips music."""
        acts = (order.decision.act for order in reversed(self.orders))
        return next((act for act in acts if act not in {Act.QUEUE, Act.VOLUME}), None)

    def _draw(self, mood: Mood, track: Track) -> float:
        return self._rng.random() if self.taste is None else self.taste.draw(mood, track)

    def _past(self, now: Situation) -> choosing.Past:
        memory = self.memory
        ours = [sent.track for sent in (memory.current, memory.queued) if sent is not None]
        playing = now.playback.track if now.playback is not None and now.playback.playing else None
        before = memory.queued.track if memory.queued is not None else playing or (memory.current.track if memory.current is not None else None)
        return choosing.Past(memory.heard, self.config.no_repeat, memory.avoided(now.now_s), {track.uri for track in ours}, before)


def is_song(track: Track) -> bool:
    """Return whether it is a single song, and not a playlist that is played as a whole."""
    return track.uri.startswith("spotify:track:")
