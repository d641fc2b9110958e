"""Safe mode: after crashes in a row the daemon runs without camera and speaker, and says why on the page, over the link and by the light.

Neither is opened, nor are the models, whichever of them it was. A press, at the button or on the page, starts everything again.
"""

from __future__ import annotations

import logging
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from moodify import __version__
from moodify.daemon import signals as sig
from moodify.daemon import words
from moodify.daemon.board import Board
from moodify.daemon.courier import Courier, NoCourier
from moodify.daemon.diagnosis import diagnose
from moodify.daemon.display import Display
from moodify.daemon.ending import AGAIN, ended_after
from moodify.daemon.front import open_front, reset_held_at
from moodify.daemon.household import Household
from moodify.daemon.keeping import RunningKeeping
from moodify.daemon.page_routes import page_routes
from moodify.daemon.parts import Part
from moodify.daemon.places import DATABASE, DEVICE_KEY
from moodify.daemon.presses import BUTTON
from moodify.daemon.recorder import Recorder
from moodify.daemon.reset import ResetAnswer, Resets
from moodify.daemon.running import Patience, end, pressed, show, start_health_reading, started
from moodify.daemon.said import Said
from moodify.daemon.salvage import make_ready, open_settings
from moodify.daemon.setting_up import HouseSetUp
from moodify.daemon.signals import State
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.daemon.skin_look import SkinLooks
from moodify.daemon.skin_sharing import SkinSharing
from moodify.daemon.snapshot import Facts, snapshot
from moodify.daemon.threads import none_dies_unnoticed
from moodify.daemon.watcher import PRIVACY_MESSAGE
from moodify.daemon.wellbeing import Wellbeing
from moodify.panel.port import Press
from moodify.system.clock import WorldClock
from moodify.system.crashes import MANY, WINDOW_S
from moodify.types import Act, Decision, EventKind, Mood

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from moodify.config import Config
    from moodify.daemon.app import Options
    from moodify.daemon.ending import EndedBySignals
    from moodify.daemon.kept import Kept
    from moodify.system.clock import Clock
    from moodify.system.crashes import Crashes
    from moodify.system.notify import Notifier
    from moodify.web.port import Now

log = logging.getLogger(__name__)

#: Longest wait for a signal, in seconds: the watchdog is attended to at least so often.
TICK_S = 1.0


def why_safe(crashes: Crashes) -> str:
    """Say why safe mode is on, and what to do."""
    last = f" (the last time: {crashes.why})" if crashes.why is not None else ""
    return (
        f"safe mode: Moodify crashed {MANY} times within {WINDOW_S / 60:g} minutes{last}, so camera and speaker stay off; "
        "press the button, or Look again on the page, to start everything again. The log says more: journalctl -u moodify"
    )


class SafeConductor:
    """Stands in for the conductor. Everything belongs to the thread that calls :meth:`run`."""

    def __init__(
        self,
        config: Config,
        facts: Facts,
        clock: Clock,
        inbox: SimpleQueue[sig.Signal],
        why: str,
        *,
        recorder: Recorder,
        kept: Kept,
        courier: Courier | NoCourier,
        reset_held: Callable[[], ResetAnswer],
        share: Callable[[], None],
    ) -> None:
        """Take what it shows, shares and answers with; ``why`` is for a person."""
        self._config = config
        self._facts = facts
        self._clock = clock
        self._inbox = inbox
        self._why = why
        self._recorder = recorder
        self._kept = kept
        self._courier = courier
        self._share = share
        self._camera = Part(EventKind.CAMERA, recorder, "starting")
        self._speaker = Part(EventKind.SPEAKER, recorder, "starting")
        self._link = Part(EventKind.LINK, recorder, "connecting")
        self._said = Said(recorder, clock)
        self._resets = Resets(reset_held, clock, self._said)
        self._wellbeing = Wellbeing(config.system, recorder, kept, courier.publish)
        self._began_s = clock.now_s()
        self._health_due_s = float("-inf")
        self._ending: sig.Stop | sig.ThreadDied | None = None

    def run(self, display: Display, read_health: Callable[[], None]) -> int:
        """Show why, and answer, until something ends the run; return the process's exit code, :data:`AGAIN` for a whole start."""
        log.error("Starting in %s", self._why)
        self._recorder.note(EventKind.HEALTH, {"reasons": [self._why]})
        self._speaker.becomes(State.BROKEN, self._why)
        if not self._config.link.enabled:
            self._link.becomes(State.OFF, "summaries are not sent: link.enabled is false")
        while self._ending is None:
            self._tick(display, read_health)
            try:
                self._take(self._inbox.get(timeout=TICK_S))
            except Empty:
                continue
        self._recorder.finish()
        if isinstance(self._ending, sig.ThreadDied):
            log.critical("The %s ended by an error, and Moodify with it: %s", self._ending.name, self._ending.error)
            return 1
        log.info("Ending: %s", self._ending.reason)
        return AGAIN if self._ending.again else int(self._ending.failed)

    def now(self) -> Now:
        """Return the state to show."""
        return snapshot(
            self._facts,
            observation=None,
            people=None,
            reading=None,
            since=None,
            playback=None,
            upcoming=None,
            reason=self._said.reason or self._why,
            camera=self._camera.now(),
            speaker=self._speaker.now(),
            link=self._link.now(),
            privacy=self._kept.privacy,
        )

    def _tick(self, display: Display, read_health: Callable[[], None]) -> None:
        now_s = self._clock.now_s()
        if now_s >= self._health_due_s:
            self._health_due_s = now_s + self._config.system.health_s
            read_health()
            self._kept.housekeep()
        self._recorder.flush()
        self._kept.tick()
        # What its person takes back of a look at their skin is withdrawn now, not at the next whole start.
        self._share()
        self._show_camera()
        display.show(self.now(), scanning=False, answer=self._resets.show)
        # There is no watcher to be alive.
        display.beat(watcher_alive=True)

    def _take(self, signal: sig.Signal) -> None:
        match signal:
            case sig.Pressed():
                self._pressed(signal)
            case sig.PrivacyWanted():
                self._set_privacy(on=signal.on, origin=signal.origin)
            case sig.LinkIs():
                self._link.becomes(signal.state, signal.message)
            case sig.CommandTaken():
                self._command(signal)
            case sig.HealthRead():
                self._wellbeing.read(signal.health, signal.sign_in)
            case sig.ThreadDied() | sig.Stop():
                self._ending = signal
            case _:
                log.debug("Nothing to do in safe mode: %s", signal)

    def _pressed(self, signal: sig.Pressed) -> None:
        log.info("Pressed %s (%s)", signal.press.value, signal.origin)
        if signal.origin == BUTTON and signal.press is Press.SCAN:
            # What it means shows when it is let go: a hold is for privacy.
            return
        match signal.press:
            case Press.SCAN | Press.LET_GO:
                self._ending = sig.Stop(f"a press ({signal.origin}) ends safe mode", again=True)
            case Press.PRIVACY:
                self._set_privacy(on=not self._kept.privacy, origin=signal.origin)
            case Press.RESET:
                self._resets.answer(Mood.UNSURE)
            case Press.QUIT:
                self._ending = sig.Stop("a key asked for it")
            case _:
                self._said.note(Decision(Act.KEEP, self._why, Mood.UNSURE), answer=True)

    def _command(self, command: sig.CommandTaken) -> None:
        answers = command.answers or self._courier
        match command.name:
            case "privacy":
                self._set_privacy(on=True, origin="afar")
                answers.answer(command.id, "ok")
            case "diagnostics":
                answers.answer(command.id, "ok", data=self._diagnosis())
            case _:
                answers.answer(command.id, "error", self._why)

    def _diagnosis(self) -> dict[str, Any]:
        return diagnose(
            self._facts,
            self.now(),
            health=self._wellbeing.health,
            reasons=(self._why, *self._wellbeing.reasons),
            outbox=self._kept.outbox(),
            clock_trusted=self._kept.clock_trusted,
            at=self._clock.utc(),
            running_s=self._clock.now_s() - self._began_s,
        )

    def _set_privacy(self, *, on: bool, origin: str) -> None:
        if on == self._kept.privacy:
            return
        self._kept.set_privacy(on=on, origin=origin)
        self._said.note(Decision(Act.KEEP, f"Privacy is {'on' if on else 'off'}; the camera is closed in safe mode too", Mood.UNSURE), answer=True)

    def _show_camera(self) -> None:
        standing = self._kept.privacy_standing
        if standing.on:
            self._camera.becomes(State.OFF, f"{PRIVACY_MESSAGE}, {standing.why}" if standing.why else PRIVACY_MESSAGE)
        else:
            self._camera.becomes(State.BROKEN, self._why)


def run_safe(config: Config, options: Options, folder: Path, crashes: Crashes, notifier: Notifier, signals: EndedBySignals, house: ExitStack) -> int:
    """Run in safe mode until something ends it; what is opened is closed by ``house``. Return the process's exit code.

    Raises:
        MoodifyError: even this can't start; the message says what to do.
    """
    from moodify.cloud.identity import load_or_make
    from moodify.daemon.app import Running
    from moodify.daemon.kept import Kept
    from moodify.daemon.linking import new_courier
    from moodify.panel.opening import open_panel
    from moodify.store.store import Store

    inbox: SimpleQueue[sig.Signal] = SimpleQueue()
    put = inbox.put
    house.enter_context(none_dies_unnoticed(put))
    database = folder / DATABASE
    clock = WorldClock()
    aside = make_ready(database, notifier)
    store = house.enter_context(Store(database, outbox_bytes=config.store.outbox_mb * 1_000_000, outbox_days=config.store.outbox_days))
    settings = house.enter_context(open_settings(database, aside))
    kept = Kept(store, settings, retention_days=config.store.retention_days, privacy_hours=config.privacy.hours)
    identity = load_or_make(folder / DEVICE_KEY)
    courier = new_courier(config.link, folder, identity, put, retention_days=config.store.retention_days) if config.link.enabled else NoCourier()
    recorder = Recorder(store, clock, flush_s=config.store.flush_s, sink=options.events, committed=courier.wake)
    if aside is not None:
        recorder.note(EventKind.HEALTH, words.damaged(aside))
    facts = Facts(identity.device, __version__, "none", demo=False)
    conductor = SafeConductor(
        config,
        facts,
        clock,
        inbox,
        why_safe(crashes),
        recorder=recorder,
        kept=kept,
        courier=courier,
        reset_held=lambda: reset_held_at(front),
        share=SkinSharing(database, courier.publish, house).tick,
    )
    board = Board(conductor.now())
    panel = open_panel(config.panel, lambda press: put(pressed(press, "button")), factory=options.pins)
    house.callback(panel.close)

    household = Household(config, database, folder, lambda: None, services=options.services)
    house.callback(household.close)
    keeping = RunningKeeping(folder, options.configuration, household, lambda: None, put)
    setup = HouseSetUp(household, None, private=lambda: board.now()["privacy"], go_anew=courier.go_anew)
    # What is kept can be read and erased; a camera that is closed keeps a look from beginning.
    looks = RunningSkinKeeping(database)
    skin = SkinLooks(looks, put, private=lambda: board.now()["privacy"], camera=lambda: board.now()["camera"], date_doubted=lambda: not kept.clock_trusted)
    front = open_front(config, folder, database, identity.device, house)
    running, page = show(config, board, put, database, identity.device, house, front, page_routes(setup, looks, skin, keeping, folder))
    signals.from_now_on_by(put)
    if isinstance(courier, Courier):
        house.callback(end, started("courier", courier.run, put), courier.close, Patience())
    if options.seconds is not None:
        house.enter_context(ended_after(options.seconds, put))
    options.attach(Running(running, page, keys=False, demo=False))
    try:
        code = conductor.run(Display(board, panel.light, notifier, courier.publish), lambda: start_health_reading(folder, put))
    finally:
        notifier.stopping()
    if code in {0, AGAIN}:
        # A person has seen to it, or ends it: the next start is a whole one.
        crashes.forget()
        crashes.ended()
    return code
