"""Builds the appliance in order, runs it, and closes it in reverse: the one module that knows everyone."""

from __future__ import annotations

import gc
import logging
import threading
from contextlib import ExitStack
from queue import SimpleQueue
from typing import TYPE_CHECKING

from moodify import __version__
from moodify.daemon import words
from moodify.daemon.aiming import Aiming
from moodify.daemon.board import Board
from moodify.daemon.conductor import Conductor
from moodify.daemon.courier import Courier, NoCourier
from moodify.daemon.crew import Crew
from moodify.daemon.display import Display
from moodify.daemon.dj import Dj
from moodify.daemon.ending import EndedBySignals, ended_after
from moodify.daemon.front import open_front, reset_held_at
from moodify.daemon.household import Household
from moodify.daemon.keeping import RunningKeeping
from moodify.daemon.kept import Kept
from moodify.daemon.listening import wishes_by
from moodify.daemon.options import Running
from moodify.daemon.page_routes import page_routes
from moodify.daemon.places import DATABASE, DEVICE_KEY, folder_of
from moodify.daemon.presses import BUTTON
from moodify.daemon.recorder import Recorder
from moodify.daemon.running import HealthReader, Patience, end, show, started
from moodify.daemon.safe import run_safe
from moodify.daemon.salvage import make_ready, open_settings
from moodify.daemon.setting_up import HouseSetUp
from moodify.daemon.signals import HouseChanged, Pressed
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.daemon.skin_look import SkinLooks
from moodify.daemon.skin_sharing import SkinSharing
from moodify.daemon.snapshot import Facts, snapshot
from moodify.daemon.stage import Stage
from moodify.daemon.threads import none_dies_unnoticed
from moodify.daemon.watcher import Watcher
from moodify.daemon.wellbeing import sign_in_told
from moodify.errors import NoCamera, RetryLater
from moodify.mood.tracker import MoodTracker
from moodify.panel.port import Show
from moodify.system.clock import RecordingClock, WorldClock
from moodify.system.crashes import FILE as CRASHES_FILE
from moodify.system.crashes import MANY, Crashes
from moodify.system.notify import Notifier
from moodify.types import EventKind

if TYPE_CHECKING:
    from moodify.camera.opening import CameraOpener
    from moodify.camera.port import Camera
    from moodify.config import Config
    from moodify.daemon.options import Options
    from moodify.daemon.signals import Signal
    from moodify.system.clock import Clock
    from moodify.web.port import Now, PartNow

log = logging.getLogger(__name__)

#: How long the dj has to end, in seconds, twice: a request to Spotify that is under way can't be ended, and nothing depends on its answer any more.
REQUEST_END_S = 2.0


def run(config: Config, options: Options) -> int:  # noqa: PLR0915 - in one place and in order, so that it can be read
    """Run the appliance until something ends it; return the process's exit code.

    Raises:
        MoodifyError: it can't start; the message says what to do.
    """
    from moodify.camera.opening import CameraOpener
    from moodify.camera.sample import SampleCamera
    from moodify.camera.steady import SteadyCamera
    from moodify.cloud.identity import load_or_make
    from moodify.daemon.linking import new_courier
    from moodify.panel.keys import Keys
    from moodify.panel.opening import open_panel
    from moodify.store.lock import FolderLock
    from moodify.store.store import Store
    from moodify.vision.chatter import without_chatter
    from moodify.vision.eyes import open_eyes
    from moodify.vision.models import manifests_of, read_manifest

    inbox: SimpleQueue[Signal] = SimpleQueue()
    put = inbox.put
    folder = folder_of(config)
    database = folder / DATABASE
    notifier = Notifier()
    with ExitStack() as house:
        # First, so that a signal closes what has been opened, and while the house is closed leaves no broker behind.
        signals = house.enter_context(EndedBySignals())
        house.enter_context(none_dies_unnoticed(put))
        # What lasts.
        house.enter_context(FolderLock(folder))
        # Only where a service manager starts it again and again; a person at a terminal sees a crash.
        crashes = house.enter_context(Crashes(folder / CRASHES_FILE)) if notifier.listening else None
        if crashes is not None and crashes.count >= MANY:
            return run_safe(config, options, folder, crashes, notifier, signals, house)
        # Before all that may take its time: the light answers a finger from here on, and what it meant is done once the house stands.
        panel = open_panel(config.panel, lambda press: put(Pressed(press, BUTTON)), factory=options.pins)
        house.callback(panel.close)
        panel.light.show(Show.IDLE)
        aside = make_ready(database, notifier)
        store = house.enter_context(Store(database, outbox_bytes=config.store.outbox_mb * 1_000_000, outbox_days=config.store.outbox_days))
        settings = house.enter_context(open_settings(database, aside))
        identity = load_or_make(folder / DEVICE_KEY)

        # What plays. A recording's time is its own, and the simulated speaker's with it.
        watcher_clock = RecordingClock() if CameraOpener(config.camera).recording else None
        clock: Clock = watcher_clock or WorldClock()
        kept = Kept(store, settings, retention_days=config.store.retention_days, privacy_hours=config.privacy.hours, local=lambda: clock.utc().astimezone())
        # Left by a command whose appliance ended before it could answer.
        kept.take_asked()
        household = Household(config, database, folder, lambda: put(HouseChanged()), services=options.services)
        stage = Stage(household, folder, clock, kept, settings, recording=watcher_clock is not None)
        house.callback(stage.close)
        speaker = stage.open()

        # What sees. A camera that is missing is waited for; a recording that can't be read ends the start here.
        give_up = threading.Event()
        opener = CameraOpener(config.camera, pace=options.pace, sample_allowed=speaker.player.simulated is not None, give_up=give_up)
        opened = [] if kept.privacy else _open_first(opener)
        for camera in opened:
            house.callback(camera.close)
        with without_chatter():
            eyes = open_eyes(config.vision)

        # What the waiting times are. In privacy no camera is opened yet: it will be the last run's.
        if opened:
            kept.note_sample(isinstance(opened[0], SampleCamera))
        models = tuple(f"{model.name} {model.version}" for model in map(read_manifest, manifests_of(config.vision.models)))
        band = stage.begin(speaker, Facts(identity.device, __version__, "", demo=False, models=models))
        dj = Dj(speaker.player.player, put, poll_s=band.config.music.spotify.poll_s, speaker=band.speaker, kept=band.notes)
        board = Board(_first_snapshot(band.facts, privacy=kept.privacy))
        looks = RunningSkinKeeping(database)
        skin = SkinLooks(
            looks,
            put,
            private=lambda: board.now()["privacy"],
            camera=lambda: board.now()["camera"],
            aims=lambda: aiming.under_way,
            portraits=lambda: config.camera.source == "sample" or board.now()["demo"],
            date_doubted=lambda: not kept.clock_trusted,
        )
        aiming = Aiming(put, private=lambda: board.now()["privacy"], taken=lambda: skin.under_way)
        watcher = Watcher(
            lambda: SteadyCamera(lambda: opened.pop() if opened else opener(), retry_max_s=config.camera.retry_max_s, give_up=give_up),
            eyes,
            config.camera,
            put,
            privacy=kept.privacy,
            privacy_why=kept.privacy_standing.why,
            recording=watcher_clock,
            aiming=aiming,
            skin=skin,
        )

        def without_sample() -> None:
            nonlocal opener
            opener = CameraOpener(config.camera, pace=options.pace, sample_allowed=False, give_up=give_up)
            watcher.open_anew()

        stage.without_sample = without_sample

        # What is told, and to whom.
        courier = new_courier(config.link, folder, identity, put, retention_days=config.store.retention_days) if config.link.enabled else NoCourier()
        recorder = Recorder(store, clock, flush_s=config.store.flush_s, sink=options.events, committed=courier.wake)
        if aside is not None:
            recorder.note(EventKind.HEALTH, words.damaged(aside))
        front = open_front(config, folder, database, identity.device, house)
        health = house.enter_context(HealthReader(folder, put, lambda: None if household.simulated else sign_in_told(household.spotify())))
        conductor = Conductor(
            band.config,
            band.facts,
            clock,
            inbox,
            Crew(
                watcher,
                dj,
                courier,
                Display(board, panel.light, notifier, courier.publish),
                health.read,
                reset_held=lambda: reset_held_at(front),
                share=SkinSharing(database, courier.publish, house).tick,
            ),
            new_tracker=lambda: MoodTracker(stage.band.config.mood),
            policy=band.policy,
            pool=band.pool,
            librarian=speaker.librarian,
            recorder=recorder,
            kept=kept,
            stage=stage,
        )

        household.wishes_of = wishes_by(None if front is None else front.accounts)
        setup = HouseSetUp(household, aiming, private=lambda: board.now()["privacy"], go_anew=courier.go_anew)
        keeping = RunningKeeping(folder, options.configuration, household, dj.requests, put)
        running, page = show(config, board, put, database, identity.device, house, front, page_routes(setup, looks, skin, keeping, folder))

        signals.from_now_on_by(put)
        patience = Patience()
        # From here on things happen. Ended in reverse: first what makes signals, last what carries them out.
        if isinstance(courier, Courier):
            house.callback(end, started("courier", courier.run, put), courier.close, patience)

        house.callback(_end_dj, started("dj", dj.run, put), dj, stage, patience)
        house.callback(end, started("watcher", watcher.run, put), watcher.close, patience)
        keys = house.enter_context(Keys(lambda press: put(Pressed(press, "keys")))) if options.keys else None
        if options.seconds is not None:
            house.enter_context(ended_after(options.seconds, put))
        # What is there by now stays: looked through for garbage every so often, it held up all threads for 50 ms on a desktop, and the light with them.
        gc.freeze()
        house.callback(gc.unfreeze)
        options.attach(Running(running, page, keys is not None and keys.active, band.facts.demo))
        try:
            code = conductor.run()
        finally:
            notifier.stopping()
            # All is recorded: what is unsent goes, and the hub beside ends, while the rest is closed.
            if isinstance(courier, Courier):
                courier.close()
        if crashes is not None:
            crashes.ended(why=conductor.failure)
        return code


def _open_first(opener: CameraOpener) -> list[Camera]:
    try:
        return [opener()]
    except (NoCamera, RetryLater):
        if opener.recording:
            raise
        # The watcher tries again, and says why.
        return []


def _end_dj(thread: threading.Thread, dj: Dj, stage: Stage, patience: Patience) -> None:
    """End it with the player still open, so that a volume that was faded is put back; a wait for a sleeping speaker ends with the player."""
    dj.close()
    thread.join(min(REQUEST_END_S, patience.left_s()))
    end(thread, stage.close_player, patience, at_most_s=REQUEST_END_S)


def _first_snapshot(facts: Facts, *, privacy: bool) -> Now:
    starting: PartNow = {"state": "starting", "message": "starting"}
    return snapshot(
        facts,
        observation=None,
        people=0,
        reading=None,
        since=None,
        playback=None,
        upcoming=None,
        reason=None,
        camera=starting,
        speaker=starting,
        link=starting,
        privacy=privacy,
    )
