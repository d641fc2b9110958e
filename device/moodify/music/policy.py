"""Which music, when, and why: the rules of an appliance that does not surprise. Pure.

=============== ===================================================================
``asked``       what a person's press does
``unasked``     what is done without one
``setbacks``    what the speaker did not take
``goals``       which mood's music is wanted for a mood that is felt
``choosing``    which of its songs
``loudness``    how loud
``memory``      what was ordered, and what the speaker did since (``looks``)
=============== ===================================================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moodify.music import goals, keeping, loudness
from moodify.music.asked import Asked
from moodify.music.desk import Desk
from moodify.music.setbacks import Setbacks
from moodify.music.situation import Ask, Situation, Verdict
from moodify.music.song import Outcome
from moodify.music.unasked import RESUME_WITHIN_S, Unasked

if TYPE_CHECKING:
    from datetime import datetime, time
    from random import Random

    from moodify.config.model import MusicConfig, MusicGoal, QuietHours
    from moodify.errors import MoodifyError
    from moodify.music.candidates import CandidatePool
    from moodify.music.port import Taste
    from moodify.types import Decision, Mood, OrderStatus

#: A press that rests on what the speaker does now wants a look no older than this.
LOOK_FRESH_S = 3.0


class Policy:
    """Decides by mood, presses, hours and what it did before.

    Ask with :meth:`decide` whenever something changes or the last verdict's ``wake_s`` has come; report how each
    decision other than KEEP ended with :meth:`ended`. While one is on its way, nothing is decided but by a press.
    """

    def __init__(self, config: MusicConfig, pool: CandidatePool, rng: Random, *, speaker: str | None = None, taste: Taste | None = None) -> None:
        """Remember nothing yet.

        Args:
            config: The owner's rules.
            pool: Songs for each mood; the caller fills it with those of :meth:`wants`.
            rng: Seeded by the caller: the same seed and situations give the same decisions.
            speaker: Name of the speaker that music is for; what plays on others is left alone. None takes any.
            taste: What the household likes: weighs the choice, and is told what became of songs. None, or ``learning = false``: chance alone.
        """
        self._desk = Desk(config, pool, rng, speaker=speaker, taste=taste)
        self._setbacks = Setbacks(self._desk)
        self._asked = Asked(self._desk)
        self._unasked = Unasked(self._desk, self._setbacks)
        self._mark = self._desk.memory.mark
        self._version = 0

    def decide(self, now: Situation) -> Verdict:  # noqa: PLR0911 - one line for each ask
        """Return what to do. A KEEP whose reason equals the last one's is no news."""
        self._notice(now)
        if now.ask is not None and now.ask not in {Ask.LOOK_FROM_AFAR, Ask.LIKE}:
            self._setbacks.pressed(now.ask)
        match now.ask:
            case Ask.NEXT:
                return self._asked.next(now)
            case Ask.PAUSE:
                return self._asked.pause(now)
            case Ask.LOOK:
                return self._asked.look(now)
            case Ask.LIKE:
                return self._asked.like(now)
            case Ask.MOOD_FROM_AFAR:
                return self._asked.mood(now, self._unasked.must_not_start(now))
            case Ask.LOOK_FROM_AFAR:
                return self._asked.saw_nothing(now) or replace(self._unasked.decide(now), passing=False)
        return self._unasked.decide(now)

    def volume(self, now: Situation, percent: int) -> Verdict:
        """Return the order to bring the volume there, asked for from afar: never above the cap; KEEP where it can't be set, with the reason."""
        self._notice(now)
        return self._asked.volume(now, percent)

    def want_goal(self, goal: MusicGoal | None) -> None:
        """Take what music is for at all hours, until the next start; None goes back to the configuration."""
        self._desk.goal_wanted = goal

    def follow(self, config: MusicConfig, also_quiet: QuietHours | None = None) -> None:
        """Decide by other rules from now on; what was learned and ordered is remembered. How far back songs count as heard stays.

        Args:
            config: the rules.
            also_quiet: quiet hours beside those: of who is listening.
        """
        self._desk.config, self._desk.also_quiet = config, also_quiet

    def goal(self, local: time) -> MusicGoal:
        """Return what music is for at a local time."""
        return self._desk.goal_at(local)

    def wants(self, now: Situation) -> tuple[Mood, ...]:
        """Return the moods for which songs should be in the pool, each once.

        The first is that which a press of *look* would play now (where a mood is felt); after it come what the goal
        wants next and what goes on.
        """
        desk, felt = self._desk, now.felt
        goal, current = desk.goal(now), desk.memory.current
        wanted: list[Mood] = []
        if felt is not None:
            wanted.append(goals.first_mood(goal, felt.mood))
            if current is not None and goals.fits(goal, felt.mood, current.mood, current.felt):
                wanted.append(goals.next_mood(goal, felt.mood, current.mood, current.songs))
        if current is not None and now.playback is not None and now.playback.playing:
            wanted.append(current.mood)
        return tuple(dict.fromkeys(wanted))

    @property
    def memory_version(self) -> int:
        """Counts up whenever something worth keeping over a restart has changed; cheap."""
        mark = self._desk.memory.mark
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
        return keeping.as_json(self._desk.memory, now_s, now)

    def recall(self, kept: object, now_s: float, now: datetime) -> None:
        """Take back what was kept, once and before anything is asked; what is odd in it is forgotten, and nothing is raised."""
        keeping.recall(self._desk.memory, kept, now_s, now)
        self._mark = self._desk.memory.mark

    def needs_fresh_look(self, ask: Ask | None, now: Situation) -> bool:
        """Return whether to look at the speaker before a press is put: one toggles, one is for the song that plays now, and one is lost where it does not play any more.

        Where that look fails, put the press all the same.
        """
        loses_it = ask is Ask.LOOK and self._asked.leaves_alone(now)
        if not (loses_it or ask in {Ask.PAUSE, Ask.LIKE, Ask.MOOD_FROM_AFAR}) or self._desk.orders or now.now_s < self._desk.memory.settled_s:
            return False
        return now.playback is None or now.now_s - now.playback_s > (0 if loses_it else LOOK_FRESH_S)

    def ended(self, decision: Decision, status: OrderStatus, now_s: float, *, retry_after_s: float | None = None, error: MoodifyError | None = None) -> None:
        """Take note how a decision ended at the speaker.

        Args:
            decision: The very decision that was returned.
            status: Only DONE counts as a change of music; FAILED makes the policy wait before it tries again by itself.
            now_s: On the clock of the frames.
            retry_after_s: How long the service said to wait, where it did: it has refused then. Without, a song may be on
                its way to play although the order failed, and no other is queued until that is known.
            error: What went wrong; a person's order is repeated only where waiting may help.
        """
        order = next((order for order in self._desk.orders if order.decision is decision), None)
        if order is not None:
            self._desk.orders.remove(order)
            self._setbacks.ended(order, status, now_s, retry_after_s=retry_after_s, error=error)

    def playing(self, now: Situation) -> bool | None:
        """Return whether music plays, by the orders on their way, else by the newest that is known; None where nothing is."""
        return self._desk.playing(now)

    def _notice(self, now: Situation) -> None:
        memory = self._desk.memory
        loudness.notice_hour(self._desk, now)
        memory.notice_people(now.people, now.now_s, gone=now.gone)
        if self._desk.elsewhere(now) is not None:
            memory.notice_elsewhere(now.playback_s)
        elif now.playback is not None:
            lesson = memory.notice(now.playback, now.playback_s)
            if lesson is not None and not (now.gone and lesson[1] is Outcome.HEARD):
                # An empty room has heard nothing.
                self._desk.learn(now, *lesson)
        if now.people == 0 and now.absent_s >= RESUME_WITHIN_S:
            memory.hushed = False
