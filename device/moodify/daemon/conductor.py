"""The conductor: everything that happens comes to its queue, and it alone decides."""

from __future__ import annotations

import logging
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from moodify.daemon import signals as sig
from moodify.daemon import words
from moodify.daemon.afar import FromAfar
from moodify.daemon.deciding import Decider
from moodify.daemon.diagnosis import diagnose
from moodify.daemon.ending import exit_code, failure_of
from moodify.daemon.override import Override
from moodify.daemon.parts import Part
from moodify.daemon.pending import Pending
from moodify.daemon.presses import Presses
from moodify.daemon.reset import Resets
from moodify.daemon.room import Room
from moodify.daemon.said import Said
from moodify.daemon.settling import until_idle
from moodify.daemon.sight import Sight
from moodify.daemon.signals import State
from moodify.daemon.snapshot import Facts, snapshot
from moodify.daemon.songs import Songs
from moodify.daemon.turntable import Turntable
from moodify.daemon.wellbeing import Wellbeing
from moodify.errors import PersonMustAct
from moodify.types import Act, Decision, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.config import Config
    from moodify.daemon.crew import Crew
    from moodify.daemon.dj import Dj
    from moodify.daemon.kept import Kept
    from moodify.daemon.recorder import Recorder
    from moodify.daemon.stage import Band, Stage
    from moodify.mood.tracker import MoodTracker
    from moodify.music.candidates import CandidatePool
    from moodify.music.policy import Policy
    from moodify.music.port import Librarian
    from moodify.system.clock import Clock
    from moodify.types import Observation
    from moodify.web.port import Now

log = logging.getLogger(__name__)

#: Longest wait for a signal, in seconds: the watchdog, due looks and events are attended to at least so often.
TICK_S = 1.0
#: In a recording, longest wait in seconds for the speaker to do what a frame led to.
SETTLE_S = 15.0
#: What a person must mend is tried again by itself after so many seconds; a press tries at once.
MENDED_S = 600.0
#: At the end, longest wait in seconds for the order that is under way, so that its end is told too.
LAST_ORDER_S = 1.0


class Conductor:
    """State of the house; everything belongs to the thread that calls :meth:`run`."""

    def __init__(
        self,
        config: Config,
        facts: Facts,
        clock: Clock,
        inbox: SimpleQueue[sig.Signal],
        crew: Crew,
        *,
        new_tracker: Callable[[], MoodTracker],
        policy: Policy,
        pool: CandidatePool,
        librarian: Librarian,
        recorder: Recorder,
        kept: Kept,
        stage: Stage | None = None,
    ) -> None:
        """Take what it decides with; ``stage`` opens it anew where the household wants that, None never."""
        self._config = config
        self._stage = stage
        self._facts = facts
        self._clock = clock
        self._inbox = inbox
        self._crew = crew
        self._policy = policy
        self._songs = Songs(policy, pool, librarian, crew.dj)
        self._recorder = recorder
        self._kept = kept
        self._room = Room(clock, recorder, new_tracker)
        self._table = self._table_for(crew.dj)
        self._link = Part(EventKind.LINK, recorder, "connecting")
        self._said = Said(recorder, clock)
        self._override = Override(clock, kept)
        self._pending = Pending()
        self._sight = Sight(crew.watcher, self._room, recorder=recorder, kept=kept, pending=self._pending, override=self._override, said=self._said)
        self._decider = Decider(
            clock,
            policy,
            crew.dj,
            songs=self._songs,
            room=self._room,
            table=self._table,
            override=self._override,
            pending=self._pending,
            said=self._said,
            kept=kept,
        )
        self._resets = Resets(crew.reset_held, clock, self._said)
        self._presses = Presses(self._sight, self._decider, self._resets, room=self._room, pending=self._pending, override=self._override)
        self._afar = FromAfar(crew.courier, self._sight, self._decider, self._override, self.diagnosis)
        self._wellbeing = Wellbeing(config.system, recorder, kept, crew.courier.publish)
        self._began_s = clock.now_s()
        self._health_due_s = float("-inf")
        self._ending: sig.Stop | sig.ThreadDied | None = None

    def run(self) -> int:
        """Conduct until something ends the run; return the process's exit code."""
        if not self._config.link.enabled:
            self._link.becomes(State.OFF, "summaries are not sent: link.enabled is false")
        while self._ending is None:
            try:
                signal = self._inbox.get(timeout=TICK_S)
            except Empty:
                signal = None
            if signal is not None:
                self._take(signal)
            self._tick()
        until_idle(self._crew.dj, self._inbox, self._take_last, within_s=LAST_ORDER_S)
        self._kept.finish(self._policy, self._clock.now_s(), self._clock.utc())
        self._recorder.finish()
        return exit_code(self._ending)

    @property
    def failure(self) -> str | None:
        """Why the run could not go on; None while it can, and where it ended as it was asked to."""
        return failure_of(self._ending)

    # -- signals

    def _take(self, signal: sig.Signal) -> None:
        if isinstance(signal, sig.Seen) and signal.handled is not None:
            # The first frame finds the speaker looked at, at any pace.
            self._settle()
        self._handle(signal)
        if isinstance(signal, sig.Seen) and signal.handled is not None:
            self._settle()
            signal.handled.set()

    def _settle(self) -> None:
        """Handle what the speaker answers to a recording's frame before its next one, so that any pace gives the same orders."""

        def tick() -> bool:
            self._tick()
            return self._ending is None

        until_idle(self._crew.dj, self._inbox, self._handle, within_s=SETTLE_S, before_each=tick)

    def _take_last(self, signal: sig.Signal) -> None:
        if isinstance(signal, sig.OrderEnded):
            self._order_ended(signal)

    def _handle(self, signal: sig.Signal) -> None:  # noqa: C901, PLR0912 - one line for each signal
        match signal:
            case sig.Seen():
                self._seen(signal.observation)
            case sig.CameraIs():
                self._sight.becomes(signal)
            case sig.Pressed():
                self._ending = self._presses.take(signal) or self._ending
            case sig.PrivacyWanted():
                self._sight.set_privacy(on=signal.on, origin=signal.origin)
            case sig.HouseChanged():
                self._follow_house()
                self._decider.decide()
            case sig.Aiming():
                self._sight.aim(signal)
            case sig.SkinLook():
                self._sight.look_at_skin(signal)
            case sig.OrderEnded():
                self._order_ended(signal)
            case sig.PlaybackSeen() | sig.CandidatesFound() if signal.player != self._crew.dj.players:
                log.debug("Nobody asks any more what another speaker does")
            case sig.PlaybackSeen():
                self._playback_seen(signal)
            case sig.CandidatesFound():
                self._songs_found(signal)
            case sig.LinkIs():
                self._link.becomes(signal.state, signal.message)
            case sig.CommandTaken():
                self._afar.take(signal)
            case sig.HealthRead():
                self._wellbeing.read(signal.health, signal.sign_in)
            case sig.RecordingEnded():
                self._ending = sig.Stop("the recording has ended")
            case sig.ThreadDied() | sig.Stop():
                self._ending = signal

    def _seen(self, observation: Observation) -> None:
        if self._sight.private:
            # A frame that was on its way when the camera was closed.
            return
        self._sight.see(observation)
        ask = None
        alone = not self._room.people
        if self._room.see(observation):
            ask = self._pending.looked()
        if alone and self._room.people:
            # While nobody was here the speaker was looked at seldom.
            self._table.look_at(self._clock.now_s())
        self._decider.answer(ask)

    def _follow_house(self) -> None:
        """Take what the household wants of the music now."""
        band = None if self._stage is None else self._stage.follow()
        if band is not None:
            self._play_with(band)

    def _play_with(self, band: Band) -> None:
        """Let another speaker play, by its own rules; what is on its way to the last one is over."""
        log.info("From now on %s plays", band.facts.speaker)
        dj = self._crew.dj
        if band.config.mood != self._config.mood:
            # A demo's waiting times are shorter: what was felt by them counts no more.
            self._room.forget()
        self._config, self._facts, self._policy = band.config, band.facts, band.policy
        self._pending.drop()
        dj.change(band.opened.player.player, speaker=band.speaker, kept=band.notes, done=band.release_last)
        self._songs = Songs(band.policy, band.pool, band.opened.librarian, dj)
        self._table = self._table_for(dj)
        self._decider.adopt(band.policy, self._songs, self._table)

    def _table_for(self, dj: Dj) -> Turntable:
        spotify = self._config.music.spotify
        return Turntable(dj, self._recorder, self._facts.speaker, poll_s=spotify.poll_s, speaker=spotify.speaker)

    def _order_ended(self, ended: sig.OrderEnded) -> None:
        decision, now_s = ended.order.decision, self._clock.now_s()
        self._recorder.note(EventKind.ORDER, words.order(ended))
        if ended.player != self._crew.dj.players:
            # By another policy, for another speaker.
            self._afar.order_ended(ended)
            return
        retry_after_s = MENDED_S if isinstance(ended.error, PersonMustAct) else None if ended.error is None else ended.error.retry_after_s
        self._policy.ended(decision, ended.status, now_s, retry_after_s=retry_after_s, error=ended.error)
        self._table.order_ended(ended, now_s)
        self._afar.order_ended(ended)

    def _playback_seen(self, seen: sig.PlaybackSeen) -> None:
        if not self._table.seen(seen, self._clock.now_s(), somebody=bool(self._room.people)):
            self._decider.decide()

    def _songs_found(self, found: sig.CandidatesFound) -> None:
        self._songs.found(found, self._clock.now_s())
        if found.error is not None:
            self._table.part.failed(found.error)
        # A press whose answer had to wait for the songs is answered now.
        self._decider.decide(self._pending.found(found.mood), songs_found=True)

    def diagnosis(self) -> dict[str, Any]:
        """Return what may be told of this device from afar."""
        return diagnose(
            self._facts,
            self._now(),
            health=self._wellbeing.health,
            reasons=self._wellbeing.reasons,
            outbox=self._kept.outbox(),
            clock_trusted=self._kept.clock_trusted,
            at=self._clock.utc(),
            running_s=self._clock.now_s() - self._began_s,
        )

    # -- what is due

    def _tick(self) -> None:
        now_s = self._clock.now_s()
        self._kept.tick()
        self._sight.follow_privacy()
        self._decider.poll_where_due(now_s)
        self._table.tick(now_s)
        if now_s >= self._health_due_s:
            self._health_due_s = now_s + self._config.system.health_s
            self._crew.read_health()
            self._kept.housekeep()
            # Signed in or out meanwhile, at a terminal.
            self._follow_house()
        self._recorder.flush()
        if (mood := self._pending.late(now_s)) is not None:
            self._sight.answer_pending(f"Found no {mood.value} music in time: press again")
        if self._override.over():
            self._said.note(Decision(Act.KEEP, "The mood that was named is over: the music follows the room again", self._room.mood), answer=True)
        self._kept.keep_music(self._policy, now_s, self._clock.utc())
        self._kept.keep_taste(self._clock.utc())
        self._crew.share()
        self._show()
        self._crew.display.beat(watcher_alive=self._crew.watcher.alive)

    def _show(self) -> None:
        self._crew.display.show(self._now(), scanning=self._sight.looking, answer=self._resets.show, here=self._sight.said_here)

    def _now(self) -> Now:
        return snapshot(
            self._facts,
            observation=self._room.observation,
            people=self._room.people_seen,
            reading=self._room.reading,
            since=self._room.since,
            playback=self._table.playback,
            upcoming=self._table.upcoming,
            reason=self._said.reason,
            camera=self._sight.part.now(),
            speaker=self._table.part.now(),
            link=self._link.now(),
            privacy=self._sight.private,
            override=self._override.now(),
            goal=self._decider.goal,
        )
