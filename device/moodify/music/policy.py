"""Which music, when, and why: the rules of an appliance that does not surprise. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moodify.errors import RetryLater
from moodify.music import keeping
from moodify.music.candidates import why_nothing
from moodify.music.memory import Memory, Order
from moodify.music.quiet import hush
from moodify.music.situation import Ask, Situation, Verdict
from moodify.music.words import name, span
from moodify.types import FELT_MOODS, Act, Decision, Mood, MoodReading, OrderStatus, Track

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from moodify.config.model import MusicConfig
    from moodify.errors import MoodifyError
    from moodify.music.candidates import CandidatePool

#: So many seconds before our song ends, another of its mood is queued: late, so that a change of mood need not wait for it.
CONTINUE_S = 20.0

#: Home Assistant's rule: the state is worth a look one second after the song's end.
AFTER_END_S = 1.0

#: After an absence longer than this, coming home to music would be a surprise, and a pause is forgotten.
RESUME_WITHIN_S = 3600.0

#: An order that failed is tried again after so many seconds, where the service did not say when.
RETRY_S = 30.0

#: One that a person asked for is repeated sooner, and not when the press is longer ago than they would still expect it.
ASKED_RETRY_S = 5.0
ASKED_FRESH_S = 30.0

#: A press that pauses or goes on, by what the speaker does, rests on a look no older than this.
LOOK_FRESH_S = 3.0


class Policy:
    """Decides by mood, presses, hours and what it did before.

    Ask with :meth:`decide` whenever something changes or the last verdict's ``wake_s`` has come; report how each
    decision other than KEEP ended with :meth:`ended`. While one is on its way, nothing is decided but by a press.
    """

    def __init__(self, config: MusicConfig, pool: CandidatePool, rng: Random, *, speaker: str | None = None) -> None:
        """Remember nothing yet.

        Args:
            config: The owner's rules.
            pool: Songs for each mood; the caller fills it.
            rng: Seeded by the caller: the same seed and situations give the same decisions.
            speaker: Name of the speaker that music is for; what plays on others is left alone. None takes any.
        """
        self._config = config
        self._pool = pool
        self._rng = rng
        self._memory = Memory(no_repeat=config.no_repeat)
        self._mark = self._memory.mark
        self._version = 0
        self._speaker = speaker
        self._orders: list[Order] = []
        self._retry_s = float("-inf")
        self._repeat: tuple[Order, float] | None = None
        """What a person asked for and the speaker did not take, and when it is asked again."""
        self._lost: str | None = None
        """What to say until the retry of a person's order that will not be repeated."""

    def decide(self, now: Situation) -> Verdict:
        """Return what to do. A KEEP whose reason equals the last one's is no news."""
        if self._elsewhere(now) is not None:
            self._memory.notice_elsewhere(now.playback_s)
        elif now.playback is not None:
            self._memory.notice(now.playback, now.playback_s)
        if now.people == 0 and self._absent_s(now) >= RESUME_WITHIN_S:
            self._memory.hushed = False
        if now.ask not in {None, Ask.LOOK_FROM_AFAR}:
            self._repeat = self._lost = None
        match now.ask:
            case Ask.NEXT:
                return self._next(now)
            case Ask.PAUSE:
                return self._pause(now)
            case Ask.LOOK:
                return self._looked(now)
            case Ask.LOOK_FROM_AFAR:
                return self._saw_nothing(now) or replace(self._unasked(now), passing=False)
        return self._unasked(now)

    @property
    def memory_version(self) -> int:
        """Counts up whenever something worth keeping over a restart has changed; cheap."""
        mark = self._memory.mark
        if mark != self._mark:
            self._mark = mark
            self._version += 1
        return self._version

    def memory_as_json(self, now_s: float, now: datetime) -> dict[str, Any]:
        """Return what is to be kept over a restart: JSON values, below 16 kB.

        Args:
            now_s: On the clock of the frames.
            now: The same moment as a date with a time zone: the clock of the frames starts anew at boot.
        """
        return keeping.as_json(self._memory, now_s, now)

    def recall(self, kept: object, now_s: float, now: datetime) -> None:
        """Take back what was kept, once and before anything is asked; what is odd in it is forgotten, and nothing is raised."""
        keeping.recall(self._memory, kept, now_s, now)
        self._mark = self._memory.mark

    def needs_fresh_look(self, ask: Ask | None, now: Situation) -> bool:
        """Return whether to look at the speaker before a press is put: it toggles, and somebody may have paused by phone since.

        Where that look fails, put the press all the same.
        """
        if ask is not Ask.PAUSE or self._orders or now.now_s < self._memory.settled_s:
            return False
        return now.playback is None or now.now_s - now.playback_s > LOOK_FRESH_S

    def ended(self, decision: Decision, status: OrderStatus, now_s: float, *, retry_after_s: float | None = None, error: MoodifyError | None = None) -> None:
        """Take note how a decision ended at the speaker.

        Args:
            decision: The very decision that was returned.
            status: Only DONE counts as a change of music; FAILED makes the policy wait before it tries again by itself.
            now_s: On the clock of the frames.
            retry_after_s: How long the service said to wait, where it did.
            error: What went wrong; a person's order is repeated only where waiting may help.
        """
        order = next((order for order in self._orders if order.decision is decision), None)
        if order is None:
            return
        self._orders.remove(order)
        if status is OrderStatus.DONE:
            self._memory.carried_out(order, now_s)
            self._retry_s = float("-inf")
        elif status is OrderStatus.FAILED:
            self._retry_s = now_s + (RETRY_S if retry_after_s is None else retry_after_s)
            if order.asked and not self._orders:
                self._failed_asked(order, now_s + (ASKED_RETRY_S if retry_after_s is None else retry_after_s), error)

    def playing(self, now: Situation) -> bool | None:
        """Return whether music plays, by the orders on their way, else by the newest that is known; None where nothing is."""
        if self._orders and self._orders[-1].decision.act is not Act.QUEUE:
            return self._orders[-1].decision.act is not Act.PAUSE
        if self._elsewhere(now) is not None and now.playback_s >= self._memory.settled_s:
            return False
        return self._memory.playing(now.playback, now.playback_s)

    # -- what a person asked for

    def _saw_nothing(self, now: Situation) -> Verdict | None:
        if self._felt(now) is not None:
            return None
        if self._mood(now) is Mood.ABSENT:
            return self._keep(now, "Looked again and saw nobody: nothing changes. Stand where the camera sees your face and press again")
        return self._keep(now, "Looked again and can't tell the mood: nothing changes. Face the camera with light on your face and press again")

    def _looked(self, now: Situation) -> Verdict:
        nothing = self._saw_nothing(now)
        if nothing is not None:
            return nothing
        mood, current = self._mood(now), self._memory.current
        if current is not None and current.mood is mood:
            if self.playing(now):
                return self._keep(now, f"Looked again: {mood.value}, and the music fits already: {name(current.track)} goes on")
            if (self._memory.hushed or self._memory.paused_s is not None) and now.playback is not None and now.playback.track is not None:
                return self._asked(now, Order(Decision(Act.RESUME, f"You asked: {mood.value}, so {name(now.playback.track)} goes on", mood)))
        track = self._pick(mood, now, whole=True)
        if track is None:
            return self._keep(now, why_nothing(mood, self._pool.of(mood)))
        quiet = self._hush(now) is not None
        reason = f"You asked: {mood.value}, playing {name(track)} now" + (", in quiet hours only because you asked" if quiet else "")
        return self._asked(now, Order(Decision(Act.PLAY, reason, mood, track), change=True, through_quiet=quiet))

    def _next(self, now: Situation) -> Verdict:
        mood, current = self._mood(now), self._memory.current
        if self.playing(now) is False:
            return self._keep(now, self._elsewhere(now) or "Nothing plays, so there is nothing to skip")
        fresh = now.playback is not None and now.playback_s >= self._memory.settled_s
        track = now.playback.track if now.playback is not None and fresh else current.track if current is not None else None
        if track is not None:
            self._memory.avoid(track.uri, now.now_s)
        if current is not None and self._memory.queued is None and _is_track(current.track):
            # Behind a single song there is nothing to skip to.
            instead = self._pick(current.mood, now)
            if instead is not None and instead.uri != current.track.uri:
                reason = f"You skipped {name(track)}: playing {name(instead)} now, {current.mood.value} too"
                return self._asked(now, Order(Decision(Act.PLAY, reason, current.mood, instead), through_quiet=current.through_quiet))
        return self._asked(now, Order(Decision(Act.SKIP, f"You skipped {name(track)}", mood)))

    def _pause(self, now: Situation) -> Verdict:
        mood = self._mood(now)
        if self.playing(now) is not False:
            return self._asked(now, Order(Decision(Act.PAUSE, "You paused the music: it stays silent until you ask for it", mood)))
        elsewhere = self._elsewhere(now)
        if elsewhere is not None and now.playback_s >= self._memory.settled_s:
            return self._keep(now, elsewhere)
        if now.playback is None or (now.playback.track is None and now.playback.context_uri is None and self._memory.current is None):
            return self._keep(now, "There is nothing to go on with: press the button for music that fits")
        return self._asked(now, Order(Decision(Act.RESUME, "You asked: the music goes on", mood)))

    def _asked(self, now: Situation, order: Order) -> Verdict:
        return self._order(replace(order, asked=True, at_s=now.now_s, while_uri=_uri_now(now)))

    def _failed_asked(self, order: Order, again_s: float, error: MoodifyError | None) -> None:
        if again_s - order.at_s <= ASKED_FRESH_S and (error is None or isinstance(error, RetryLater)):
            self._repeat = order, again_s
        else:
            self._lost = f"The speaker did not take it ({error or 'no reason given'}): press again"

    def _asked_again(self, now: Situation) -> Verdict | None:
        """Return a person's order anew while they still expect it."""
        if self._repeat is None:
            return None
        order, again_s = self._repeat
        if now.now_s < again_s:
            return self._keep(now, "The speaker did not take what you asked for: trying again", again_s)
        self._repeat = None
        if now.now_s - order.at_s > ASKED_FRESH_S:
            self._lost = "The speaker did not take it in time: press again"
            return None
        if now.playback is not None and now.playback.playing and _uri_now(now) != order.while_uri:
            # It was carried out all the same, or somebody has chosen by other means.
            return None
        return self._order(replace(order, decision=replace(order.decision)))

    # -- what it does by itself

    def _unasked(self, now: Situation) -> Verdict:
        if self._orders:
            return replace(self._keep(now, "Waiting for the speaker to take the last order"), passing=True)
        again = self._asked_again(now)
        if again is not None:
            return again
        if now.now_s < self._retry_s:
            return self._keep(now, self._lost or "The speaker did not take the last order: trying again by itself", self._retry_s)
        self._lost = None
        if now.playback is None:
            return self._keep(now, "It is not known what the speaker plays: nothing is changed until it is")
        if now.playback_s < self._memory.settled_s:
            return replace(self._keep(now, "The last order was taken: waiting for the speaker to show it", self._memory.settled_s), passing=True)
        return self._while_playing(now) if now.playback.playing else self._while_silent(now)

    def _while_playing(self, now: Situation) -> Verdict:
        not_music = self._elsewhere(now) or _no_song(now)
        if not_music is not None:
            return self._keep(now, not_music)
        if self._gone(now):
            return self._alone(now)
        current = self._memory.current
        quiet = self._hush(now)
        if quiet is not None:
            return self._go_on(now, *quiet) if current is not None and current.through_quiet else self._keep(now, *quiet)
        felt = self._felt(now)
        if felt is None:
            return self._go_on(now, "Can't tell the mood: the music goes on as it is")
        music = self._memory.queued or current
        if music is not None and music.mood is felt.mood:
            fits = self._go_on(now, f"{felt.mood.value.capitalize()}, and the music fits")
            # Why it was chosen says more than that it still fits.
            return replace(fits, passing=fits.decision.act is Act.KEEP)
        return self._follow(now, felt)

    def _alone(self, now: Situation) -> Verdict:
        pause_s, absent_s = self._config.absence_pause_s, self._absent_s(now)
        if self._memory.current is None or not pause_s:
            return self._go_on(now, "Nobody is here: the music is left alone")
        if absent_s < pause_s:
            return self._go_on(now, f"Nobody is here: the music pauses after {span(pause_s)}", now.now_s - absent_s + pause_s)
        return self._order(Order(Decision(Act.PAUSE, f"Nobody was here for {span(absent_s)}: pausing", Mood.ABSENT)))

    def _follow(self, now: Situation, felt: MoodReading) -> Verdict:
        feeling = felt.mood.value.capitalize()
        wait = self._must_wait(now, felt)
        if wait is not None:
            return self._go_on(now, *wait)
        if self._memory.queued is not None:
            return self._go_on(now, f"{feeling}: {name(self._memory.queued.track)} is next already, the music follows after it")
        track = self._pick(felt.mood, now)
        if track is None:
            return self._go_on(now, why_nothing(felt.mood, self._pool.of(felt.mood)))
        reason = f"{_because(now, felt)}: playing {name(track)} next, after this track"
        return self._order(Order(Decision(Act.QUEUE, reason, felt.mood, track), change=True, after_uri=_uri_now(now)))

    def _while_silent(self, now: Situation) -> Verdict:
        if self._memory.paused_s is not None and now.now_s - self._memory.paused_s <= RESUME_WITHIN_S:
            return self._while_paused(now)
        why_not = self._must_not_start(now)
        if why_not is not None:
            return self._keep(now, *why_not)
        felt = self._felt(now)
        if felt is None:
            return self._keep(now, "Nobody is here: nothing is started" if self._gone(now) else "Can't tell the mood: nothing is started")
        wait = self._must_wait(now, felt)
        if wait is not None:
            return self._keep(now, *wait)
        track = self._pick(felt.mood, now, whole=True)
        if track is None:
            return self._keep(now, why_nothing(felt.mood, self._pool.of(felt.mood)))
        reason = f"{_because(now, felt)} and nothing plays: playing {name(track)}"
        return self._order(Order(Decision(Act.PLAY, reason, felt.mood, track), change=True))

    def _while_paused(self, now: Situation) -> Verdict:
        if now.people == 0:
            return self._keep(now, "Paused while nobody is here")
        quiet = self._hush(now)
        if quiet is not None:
            return self._keep(now, *quiet)
        what = name(now.playback.track if now.playback is not None else None)
        return self._order(Order(Decision(Act.RESUME, f"Somebody is back: {what} goes on", self._mood(now))))

    def _must_not_start(self, now: Situation) -> tuple[str, float | None] | None:
        if not self._config.start_when_silent:
            return "The speaker is silent and is not started unasked: press the button for music", None
        if self._memory.hushed:
            return "Somebody paused the music: it stays silent until a press of the button", None
        return self._hush(now)

    def _must_wait(self, now: Situation, felt: MoodReading) -> tuple[str, float] | None:
        """Return why the music may not follow a mood yet, and until when. No running time in it: the same wait is no news."""
        config = self._config
        due_s = felt.since_s + config.dwell_s
        if now.now_s < due_s and now.ask is not Ask.LOOK_FROM_AFAR:
            return f"{felt.mood.value.capitalize()} is new: the music follows when it has lasted {span(config.dwell_s)}", due_s
        window = f"at most {'once' if config.max_changes == 1 else f'{config.max_changes} times'} in {span(config.change_window_s)}"
        opens_s = self._memory.window_opens_s(now.now_s, window_s=config.change_window_s, most=config.max_changes)
        if opens_s is not None:
            return f"{felt.mood.value.capitalize()}, but the music changed lately and changes {window}", opens_s
        chosen_s = self._memory.chosen_s
        if chosen_s is not None and now.now_s - chosen_s < config.change_window_s:
            return f"{felt.mood.value.capitalize()}, but somebody has just chosen other music: it stays for {span(config.change_window_s)}", chosen_s + config.change_window_s
        return None

    def _go_on(self, now: Situation, reason: str, wake_s: float | None = None) -> Verdict:
        """Keep, and where our own song is about to end put another of its mood behind it."""
        current, playing = self._memory.current, now.playback.track if now.playback is not None else None
        if now.playback is None or playing is None:
            return self._keep(now, reason, wake_s)
        end_s = now.playback_s + (playing.duration_ms - now.playback.progress_ms) / 1000
        if current is None or not _is_track(current.track):
            return self._keep(now, reason, wake_s, end_s + AFTER_END_S)
        if end_s - CONTINUE_S <= now.now_s < end_s and self._memory.queued is None:
            track = self._pick(current.mood, now)
            if track is not None:
                reason = f"More {current.mood.value} music: playing {name(track)} next, after this track"
                return self._order(Order(Decision(Act.QUEUE, reason, current.mood, track), through_quiet=current.through_quiet, after_uri=playing.uri))
        return self._keep(now, reason, wake_s, end_s - CONTINUE_S, end_s + AFTER_END_S)

    # -- small questions

    def _keep(self, now: Situation, reason: str, *wakes_s: float | None) -> Verdict:
        later = [wake_s for wake_s in wakes_s if wake_s is not None and wake_s > now.now_s]
        return Verdict(Decision(Act.KEEP, reason, self._mood(now)), min(later, default=None))

    def _order(self, order: Order) -> Verdict:
        self._orders.append(order)
        return Verdict(order.decision, None)

    def _pick(self, mood: Mood, now: Situation, *, whole: bool = False) -> Track | None:
        """Return a song for a mood; with ``whole`` a playlist that can't be read will do, for it can be played but not queued."""
        found = self._pool.of(mood)
        if found is None:
            return None
        if whole and found.context_uri is not None:
            return Track(found.context_uri, f"your {found.context_uri.split(':')[1]} for {mood.value}", "", 0)
        return self._memory.choose(found.tracks, now.now_s, self._rng)

    def _hush(self, now: Situation) -> tuple[str, float] | None:
        """Return why nothing is started or changed at this hour, and until when."""
        quiet = hush(now.local_time, self._config.quiet_hours)
        return None if quiet is None else (quiet[0], now.now_s + quiet[1])

    def _elsewhere(self, now: Situation) -> str | None:
        """Return what to say where the owner listens on another speaker."""
        there = now.playback.speaker if now.playback is not None and now.playback.playing else None
        if there is None or self._speaker is None or there.name.casefold() == self._speaker.casefold():
            return None
        return f"The music plays on {there.name}, not on {self._speaker}: it is left alone, and a press of the button plays on {self._speaker}"

    @staticmethod
    def _mood(now: Situation) -> Mood:
        return Mood.UNSURE if now.reading is None else now.reading.mood

    @staticmethod
    def _felt(now: Situation) -> MoodReading | None:
        return now.reading if now.reading is not None and now.reading.mood in FELT_MOODS else None

    @staticmethod
    def _gone(now: Situation) -> bool:
        return now.people == 0 and now.reading is not None and now.reading.mood is Mood.ABSENT

    def _absent_s(self, now: Situation) -> float:
        return now.now_s - now.reading.since_s if now.reading is not None and self._gone(now) else 0.0


def _because(now: Situation, felt: MoodReading) -> str:
    if now.ask is Ask.LOOK_FROM_AFAR:
        return f"Looked again, asked from afar: {felt.mood.value}"
    return f"{felt.mood.value.capitalize()} for {span(now.now_s - felt.since_s)}"


def _no_song(now: Situation) -> str | None:
    if now.playback is None or now.playback.track is not None:
        return None
    return "What plays is no song, such as a podcast: it is left alone, and a press of the button plays music instead"


def _is_track(track: Track) -> bool:
    return track.uri.startswith("spotify:track:")


def _uri_now(now: Situation) -> str | None:
    return now.playback.track.uri if now.playback is not None and now.playback.track is not None else None
