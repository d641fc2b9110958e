"""The conductor of safe mode: it shows why, and answers."""

from __future__ import annotations

import logging
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from moodify.daemon import signals as sig
from moodify.daemon.diagnosis import diagnose
from moodify.daemon.ending import exit_code
from moodify.daemon.parts import Part
from moodify.daemon.presses import BUTTON
from moodify.daemon.reset import ResetAnswer, Resets
from moodify.daemon.said import Said
from moodify.daemon.signals import State
from moodify.daemon.snapshot import Facts, snapshot
from moodify.daemon.watcher import PRIVACY_MESSAGE
from moodify.daemon.wellbeing import Wellbeing
from moodify.panel.port import Press
from moodify.system.crashes import MANY, WINDOW_S
from moodify.types import Act, Decision, EventKind, Mood

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.config import Config
    from moodify.daemon.courier import Courier, NoCourier
    from moodify.daemon.display import Display
    from moodify.daemon.kept import Kept
    from moodify.daemon.recorder import Recorder
    from moodify.system.clock import Clock
    from moodify.system.crashes import Crashes
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
        return exit_code(self._ending)

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
