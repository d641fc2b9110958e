"""What it does by itself: at the boundaries of tracks, within the owner's rules, and never as a surprise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moodify.music import goals, loudness
from moodify.music.desk import is_song
from moodify.music.orders import Order
from moodify.music.situation import Ask, Verdict
from moodify.music.words import because, felt_for, name, span
from moodify.types import Act, Decision, Mood

if TYPE_CHECKING:
    from moodify.music.desk import Desk, Pick
    from moodify.music.orders import Sent
    from moodify.music.setbacks import Setbacks
    from moodify.music.situation import Situation
    from moodify.types import MoodReading

#: So many seconds before our song ends, another of its mood is queued: late, so that a change of mood need not wait for it.
CONTINUE_S = 20.0

#: Home Assistant's rule: the state is worth a look one second after the song's end.
AFTER_END_S = 1.0

#: After an absence longer than this, coming home to music would be a surprise, and a pause is forgotten.
RESUME_WITHIN_S = 3600.0

#: Music that broke off goes on within so many seconds; later it would be a surprise.
BROKEN_OFF_S = 300.0


class Unasked:
    """Follows moods and hours."""

    def __init__(self, desk: Desk, setbacks: Setbacks) -> None:
        """Take the state that all rules share, and what failed."""
        self._desk = desk
        self._setbacks = setbacks
        self._picked_up: tuple[float, Pick] | None = None
        """When the music broke off, and with which song it is to go on: the same until it does."""

    def decide(self, now: Situation) -> Verdict:
        """Return what to do while nobody has asked for anything."""
        desk = self._desk
        if desk.orders:
            return replace(desk.keep(now, "Waiting for the speaker to take the last order"), passing=True)
        again = self._setbacks.again(now)
        if again is not None:
            return again
        if now.playback is None:
            return desk.keep(now, "It is not known what the speaker plays: nothing is changed until it is")
        if now.playback_s < desk.memory.settled_s:
            return replace(desk.keep(now, "The last order was taken: waiting for the speaker to show it", desk.memory.settled_s), passing=True)
        quieter = loudness.turn_down(desk, now)
        if quieter is not None:
            return quieter
        return self._while_playing(now) if now.playback.playing else self._while_silent(now)

    # -- while music plays

    def _while_playing(self, now: Situation) -> Verdict:
        desk, memory = self._desk, self._desk.memory
        not_music = desk.elsewhere(now) or _no_song(now)
        if not_music is not None:
            return desk.keep(now, not_music)
        if now.gone:
            return self._alone(now)
        current = memory.current
        quiet = desk.hush(now)
        if quiet is not None:
            return self._go_on(now, quiet[0], wake_s=quiet[1]) if current is not None and current.through_quiet else desk.keep(now, *quiet)
        felt = now.felt
        if felt is None:
            return self._go_on(now, "Can't tell the mood: the music goes on as it is")
        music = memory.queued or current
        if music is not None and goals.fits(desk.goal(now), felt.mood, music.mood, music.felt):
            fits = self._go_on(now, f"{felt.mood.value.capitalize()}, and the music fits", felt=felt)
            # Why it was chosen says more than that it still fits.
            return replace(fits, passing=fits.decision.act is Act.KEEP)
        return self._follow(now, felt)

    def _alone(self, now: Situation) -> Verdict:
        pause_s = self._desk.config.absence_pause_s
        if self._desk.memory.current is None or not pause_s:
            return self._go_on(now, "Nobody is here: the music is left alone")
        if now.absent_s < pause_s:
            return self._go_on(now, f"Nobody is here: the music pauses after {span(pause_s)}", wake_s=now.now_s - now.absent_s + pause_s)
        reason = f"Nobody was here for {span(now.absent_s)}: pausing"
        return self._desk.put(Order(Decision(Act.PAUSE, reason, Mood.ABSENT, fade_s=self._desk.config.fade_s)))

    def _follow(self, now: Situation, felt: MoodReading) -> Verdict:
        desk, memory = self._desk, self._desk.memory
        wait = self._must_wait(now, felt)
        if wait is not None:
            return self._go_on(now, wait[0], wake_s=wait[1])
        if memory.queued is not None:
            next_one = "is next already" if memory.queued.sure else "may be next already"
            return self._go_on(now, f"{felt.mood.value.capitalize()}: {name(memory.queued.track)} {next_one}, the music follows after it")
        mood = goals.first_mood(desk.goal(now), felt.mood)
        pick = desk.pick(mood, now)
        if pick is None:
            return self._go_on(now, desk.pool.why_nothing(mood, now))
        what = "" if mood is felt.mood else f"{mood.value} music at this hour, "
        reason = because(f"{_because(now, felt)}: {what}playing {name(pick.track)} next", *pick.why)
        return desk.put(Order(Decision(Act.QUEUE, reason, mood, pick.track), change=True, felt=felt.mood, after_uri=now.uri))

    def _go_on(self, now: Situation, reason: str, *, felt: MoodReading | None = None, wake_s: float | None = None) -> Verdict:
        """Keep, and where our own song is about to end put another behind it: of its mood, or for ``felt`` what the goal wants next."""
        desk, current, end_s = self._desk, self._desk.memory.current, now.end_s
        if end_s is None:
            return desk.keep(now, reason, wake_s)
        if current is None or not is_song(current.track):
            return desk.keep(now, reason, wake_s, end_s + AFTER_END_S)
        if end_s - CONTINUE_S <= now.now_s < end_s and desk.memory.queued is None:
            order = self._step(now, current, felt) or self._more(now, current)
            if order is not None:
                return desk.put(order)
        return desk.keep(now, reason, wake_s, end_s - CONTINUE_S, end_s + AFTER_END_S)

    def _more(self, now: Situation, current: Sent) -> Order | None:
        pick = self._desk.pick(current.mood, now)
        if pick is None:
            return None
        reason = because(f"More {current.mood.value} music: playing {name(pick.track)} next", *pick.why)
        decision = Decision(Act.QUEUE, reason, current.mood, pick.track)
        return Order(decision, through_quiet=current.through_quiet, felt=current.felt, songs=current.songs + 1, after_uri=now.uri)

    def _step(self, now: Situation, current: Sent, felt: MoodReading | None) -> Order | None:
        """Return the order for music of another mood that the goal wants after the songs so far; None where it wants more of the same, or may not yet."""
        if felt is None or self._window(now) is not None:
            return None
        mood = goals.next_mood(self._desk.goal(now), felt.mood, current.mood, current.songs)
        pick = None if mood is current.mood else self._desk.pick(mood, now)
        if pick is None:
            return None
        reason = because(f"{felt_for(felt, now.people, now.now_s)}, one step brighter: playing {name(pick.track)} next, {mood.value} music", *pick.why)
        return Order(Decision(Act.QUEUE, reason, mood, pick.track), change=True, felt=felt.mood, after_uri=now.uri)

    # -- while nothing plays

    def _while_silent(self, now: Situation) -> Verdict:
        desk, memory = self._desk, self._desk.memory
        if memory.paused_s is not None and now.now_s - memory.paused_s <= RESUME_WITHIN_S:
            return self._while_paused(now)
        broken_off = self._pick_up(now)
        if broken_off is not None:
            return broken_off
        felt = now.felt
        why_not = self.must_not_start(now) or (None if felt is None else self._must_wait(now, felt))
        if felt is None or why_not is not None:
            nobody = "Nobody is here: nothing is started" if now.gone else "Can't tell the mood: nothing is started"
            return desk.keep(now, *(why_not or (nobody, None)))
        mood = goals.first_mood(desk.goal(now), felt.mood)
        pick = desk.pick(mood, now, whole=True)
        if pick is None:
            return desk.keep(now, desk.pool.why_nothing(mood, now))
        what = "" if mood is felt.mood else f"{mood.value} music at this hour, "
        reason = because(f"{_because(now, felt)} and nothing plays: {what}playing {name(pick.track)}", *pick.why)
        return desk.put(Order(Decision(Act.PLAY, reason, mood, pick.track, desk.cap(now)), change=True, felt=felt.mood))

    def _while_paused(self, now: Situation) -> Verdict:
        desk = self._desk
        if now.people == 0:
            return desk.keep(now, "Paused while nobody is here" if now.gone else "Can't tell whether anybody is here: the music stays paused")
        quiet = desk.hush(now)
        if quiet is not None:
            return desk.keep(now, *quiet)
        what = name(now.playback.track if now.playback is not None else None)
        return desk.put(Order(Decision(Act.RESUME, f"Somebody is back: {what} goes on", now.mood, volume_percent=desk.cap(now))))

    def _pick_up(self, now: Situation) -> Verdict | None:
        """Return the order to go on with music that ended only because the speaker did not get its next song."""
        desk, memory = self._desk, self._desk.memory
        current = memory.current
        if memory.broke_off_s is None or current is None or memory.hushed or now.people == 0 or now.now_s - memory.broke_off_s > BROKEN_OFF_S:
            return None
        if desk.hush(now) is not None and not current.through_quiet:
            return None
        if self._picked_up is None or self._picked_up[0] != memory.broke_off_s:
            pick = desk.pick(current.mood, now)
            if pick is None:
                return None
            self._picked_up = memory.broke_off_s, pick
        pick = self._picked_up[1]
        reason = because(f"The music broke off, for the speaker did not get the next song: playing {name(pick.track)}", *pick.why)
        decision = Decision(Act.PLAY, reason, current.mood, pick.track, desk.cap(now))
        return desk.put(Order(decision, through_quiet=current.through_quiet, felt=current.felt, songs=current.songs + 1))

    def must_not_start(self, now: Situation) -> tuple[str, float | None] | None:
        """Return why a silent speaker is not started without a person in the room, and until when; None where it may be."""
        if not self._desk.config.start_when_silent:
            return "The speaker is silent and is not started unasked: press the button for music", None
        if self._desk.memory.hushed:
            return "Somebody paused the music: it stays silent until a press of the button", None
        return self._desk.hush(now)

    # -- how often

    def _must_wait(self, now: Situation, felt: MoodReading) -> tuple[str, float] | None:
        """Return why the music may not follow a mood yet, and until when. No running time in it: the same wait is no news."""
        config, feeling = self._desk.config, felt.mood.value.capitalize()
        due_s = felt.since_s + config.dwell_s
        if now.now_s < due_s and now.ask is not Ask.LOOK_FROM_AFAR:
            return f"{feeling} is new: the music follows when it has lasted {span(config.dwell_s)}", due_s
        opens_s = self._window(now)
        if opens_s is not None:
            often = "once" if config.max_changes == 1 else f"{config.max_changes} times"
            return f"{feeling}, but the music changed lately and changes at most {often} in {span(config.change_window_s)}", opens_s
        chosen_s = self._desk.memory.chosen_s
        if chosen_s is not None and now.now_s - chosen_s < config.change_window_s:
            return f"{feeling}, but somebody has just chosen other music: it stays for {span(config.change_window_s)}", chosen_s + config.change_window_s
        return None

    def _window(self, now: Situation) -> float | None:
        config = self._desk.config
        return self._desk.memory.window_opens_s(now.now_s, window_s=config.change_window_s, most=config.max_changes)


def _because(now: Situation, felt: MoodReading) -> str:
    if now.ask is Ask.LOOK_FROM_AFAR:
        return f"Looked again, asked from afar: {felt.mood.value}"
    return felt_for(felt, now.people, now.now_s)


def _no_song(now: Situation) -> str | None:
    if now.playback is None or now.playback.track is not None:
        return None
    return "What plays is no song, such as a podcast: it is left alone, and a press of the button plays music instead"
