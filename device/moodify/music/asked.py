"""What a person asked for with a press: done at once, and answered in any case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moodify.music import goals
from moodify.music.desk import is_song
from moodify.music.orders import Order
from moodify.music.situation import Ask
from moodify.music.song import Outcome
from moodify.music.words import because, name, several
from moodify.types import Act, Decision, Mood

if TYPE_CHECKING:
    from moodify.music.desk import Desk
    from moodify.music.situation import Situation, Verdict

#: Presses of next within so many seconds are one person who skips on: what lay between was not heard, so nothing is held against it.
BURST_S = 3.0


class Asked:
    """Answers presses."""

    def __init__(self, desk: Desk) -> None:
        """Nobody has pressed yet."""
        self._desk = desk
        self._skipped_s = float("-inf")

    def saw_nothing(self, now: Situation) -> Verdict | None:
        """Return what to say where a look found no mood to play for; None where it found one."""
        if now.felt is not None:
            return None
        if now.mood is Mood.ABSENT:
            return self._desk.keep(now, "Looked again and saw nobody: nothing changes. Stand where the camera sees your face and press again")
        return self._desk.keep(now, "Looked again and can't tell the mood: nothing changes. Face the camera with light on your face and press again")

    def leaves_alone(self, now: Situation) -> bool:
        """Return whether a look would change nothing, for what plays fits."""
        return now.felt is not None and self._fits(now) and self._desk.playing(now) is True

    def look(self, now: Situation) -> Verdict:
        """Play what fits the mood that was seen, unless it plays already."""
        nothing = self.saw_nothing(now)
        if nothing is not None:
            return nothing
        desk, felt, current = self._desk, now.mood, self._desk.memory.current
        coming = self._coming(felt)
        asked, found = ("Asked from afar", "Asked from afar") if now.ask is Ask.MOOD_FROM_AFAR else ("You asked", "Looked again")
        if coming is not None:
            return desk.keep(now, f"{asked} already: {coming}")
        if current is not None and self._fits(now):
            if desk.playing(now):
                unsure = now.playback_unsure and not desk.orders and now.now_s >= desk.memory.settled_s
                known = ", as far as is known: the speaker does not say just now what it plays" if unsure else ""
                return desk.keep(now, f"{found}: {felt.value}, and the music fits already: {name(current.track)} goes on{known}")
            paused = now.playback.track if now.playback is not None and (desk.memory.hushed or desk.memory.paused_s is not None) else None
            # What fades out is not silent yet.
            track = current.track if desk.pausing() else paused
            if track is not None:
                reason = f"{asked}: {several(now.people)}{felt.value}, so {name(track)} goes on"
                return self._order(now, Order(Decision(Act.RESUME, reason, felt, volume_percent=desk.cap(now))))
        mood = goals.first_mood(desk.goal(now), felt)
        pick = desk.pick(mood, now, whole=True)
        if pick is None:
            return desk.keep(now, desk.pool.why_nothing(mood, now))
        quiet = desk.hush(now) is not None
        in_quiet_hours = "when it may be a quiet hour" if now.clock_doubted else "in quiet hours"
        what = "" if mood is felt else f"{mood.value} music at this hour, "
        reason = because(
            f"{asked}: {several(now.people)}{felt.value}, {what}playing {name(pick.track)} now",
            f"{in_quiet_hours} only because {'it was asked for' if now.ask is Ask.MOOD_FROM_AFAR else 'you asked'}" if quiet else None,
            *pick.why,
        )
        return self._order(now, Order(Decision(Act.PLAY, reason, mood, pick.track, desk.cap(now)), change=True, through_quiet=quiet, felt=felt))

    def mood(self, now: Situation, why_silent: tuple[str, float | None] | None) -> Verdict:
        """Play what fits a mood that was named from afar; ``why_silent``: why a silent speaker is not started."""
        playing = self._desk.playing(now)
        if playing is None:
            return self._desk.keep(now, "It is not known what the speaker plays: nothing is changed until it is")
        if not playing and (elsewhere := self._desk.elsewhere(now)) is not None:
            return self._desk.keep(now, elsewhere)
        if not playing and why_silent is not None:
            return self._desk.keep(now, *why_silent)
        return self.look(now)

    def volume(self, now: Situation, percent: int) -> Verdict:
        """Bring the volume of what plays there, but not above the cap."""
        desk, speaker = self._desk, None if now.playback is None else now.playback.speaker
        if desk.orders:
            return desk.keep(now, "The speaker is busy with the last order: try again in a moment")
        if desk.playing(now) is False:
            return desk.keep(now, desk.elsewhere(now) or "Nothing plays, so the volume is left as it is")
        if speaker is not None and not speaker.supports_volume:
            return desk.keep(now, f"{speaker.name} lets nobody else set its volume: set it at the speaker")
        if speaker is None or speaker.volume_percent is None:
            return desk.keep(now, "It is not known how loud the speaker is: try again in a moment")
        level = min(percent, desk.cap(now))
        why = f", for it is not louder than that {'at this hour' if desk.config.volume_caps else 'here'}" if level < percent else ""
        return self._order(now, Order(Decision(Act.VOLUME, f"As it was asked, the volume becomes {level} %{why}", now.mood, volume_percent=level)))

    def next(self, now: Situation) -> Verdict:
        """Go to another song, and do not choose this one again today."""
        desk, memory = self._desk, self._desk.memory
        if desk.playing(now) is False:
            return desk.keep(now, desk.elsewhere(now) or "Nothing plays, so there is nothing to skip")
        in_a_burst, self._skipped_s = now.now_s - self._skipped_s < BURST_S, now.now_s
        track, current = desk.playing_track(now), memory.current
        coming = desk.orders[-1].decision.track if desk.orders else None
        if track is not None and not in_a_burst:
            memory.avoid(track.uri, now.now_s)
            if current is not None and current.track.uri == track.uri and current.teaches and not memory.judged:
                memory.judged = True
                desk.learn(now, current, Outcome.SKIPPED)
        if current is not None and is_song(current.track) and self._nothing_behind():
            instead = desk.pick(current.mood, now, passing=None if coming is None else coming.uri)
            if instead is not None and instead.track.uri != current.track.uri:
                reason = because(f"You skipped {name(track)}: playing {name(instead.track)} now, {current.mood.value} too", *instead.why)
                decision = Decision(Act.PLAY, reason, current.mood, instead.track, desk.cap(now))
                return self._order(now, Order(decision, through_quiet=current.through_quiet, felt=current.felt, songs=current.songs))
        return self._order(now, Order(Decision(Act.SKIP, f"You skipped {name(track)}", now.mood)))

    def pause(self, now: Situation) -> Verdict:
        """Pause, or go on."""
        desk, memory = self._desk, self._desk.memory
        if desk.playing(now) is not False:
            return self._order(now, Order(Decision(Act.PAUSE, "You paused the music: it stays silent until you ask for it", now.mood)))
        elsewhere = desk.elsewhere(now)
        if elsewhere is not None and now.playback_s >= memory.settled_s:
            return desk.keep(now, elsewhere)
        if now.playback is None or (now.playback.track is None and now.playback.context_uri is None and memory.current is None):
            return desk.keep(now, "There is nothing to go on with: press the button for music that fits")
        return self._order(now, Order(Decision(Act.RESUME, "You asked: the music goes on", now.mood, volume_percent=desk.cap(now))))

    def like(self, now: Situation) -> Verdict:
        """Note that a person likes what plays."""
        desk, memory = self._desk, self._desk.memory
        if desk.playing(now) is False:
            return desk.keep(now, desk.elsewhere(now) or "Nothing plays, so there is nothing to like")
        track, current = desk.playing_track(now), memory.current
        if track is None:
            return desk.keep(now, "It is not known which song plays: press again in a moment")
        if current is None or track.uri != current.track.uri:
            return desk.keep(now, f"{name(track)} was not chosen by Moodify, so nothing is learned from it")
        if desk.taste is None:
            return desk.keep(now, f"You like {name(track)}, but nothing is learned from it: learning is off")
        if not memory.judged:
            memory.judged = True
            desk.learn(now, current, Outcome.LIKED)
        return desk.keep(now, f"You like {name(track)}: noted, for when it is {current.mood.value}")

    def _fits(self, now: Situation) -> bool:
        """Whether the music that was put on last fits the mood that was seen."""
        current = self._desk.memory.current
        return current is not None and goals.fits(self._desk.goal(now), now.mood, current.mood, current.felt)

    def _coming(self, felt: Mood) -> str | None:
        """Return what is on its way already for a mood that a person asked for."""
        for order in reversed(self._desk.orders):
            if order.asked and order.decision.act in {Act.PLAY, Act.RESUME} and felt in {order.felt, order.decision.mood}:
                return f"{name(order.decision.track)} is on its way" if order.decision.track is not None else "the music is about to go on"
        return None

    def _nothing_behind(self) -> bool:
        """Whether no song surely follows ours: behind a single song there is nothing to skip to."""
        queued = self._desk.memory.queued
        return queued is None or not queued.sure or queued is self._desk.memory.current

    def _order(self, now: Situation, order: Order) -> Verdict:
        return self._desk.put(replace(order, asked=True, at_s=now.now_s, while_uri=now.uri))
