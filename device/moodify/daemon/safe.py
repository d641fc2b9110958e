"""Safe mode: after crashes in a row the daemon runs without camera and speaker, and says why on the page, over the link and by the light.

Neither is opened, nor are the models, whichever of them it was. A press, at the button or on the page, starts everything again.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

from moodify import __version__
from moodify.daemon import signals as sig
from moodify.daemon import words
from moodify.daemon.board import Board
from moodify.daemon.courier import Courier, NoCourier
from moodify.daemon.display import Display
from moodify.daemon.ending import AGAIN, ended_after
from moodify.daemon.front import open_front, reset_held_at
from moodify.daemon.household import Household
from moodify.daemon.keeping import RunningKeeping
from moodify.daemon.options import Running
from moodify.daemon.page_routes import page_routes
from moodify.daemon.places import DATABASE, DEVICE_KEY
from moodify.daemon.presses import BUTTON
from moodify.daemon.recorder import Recorder
from moodify.daemon.running import HealthReader, Patience, end, show, started
from moodify.daemon.safe_conductor import SafeConductor, why_safe
from moodify.daemon.salvage import make_ready, open_settings
from moodify.daemon.setting_up import HouseSetUp
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.daemon.skin_look import SkinLooks
from moodify.daemon.skin_sharing import SkinSharing
from moodify.daemon.snapshot import Facts
from moodify.daemon.threads import none_dies_unnoticed
from moodify.system.clock import WorldClock
from moodify.types import EventKind

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from moodify.config import Config
    from moodify.daemon.ending import EndedBySignals
    from moodify.daemon.options import Options
    from moodify.system.crashes import Crashes
    from moodify.system.notify import Notifier


def run_safe(config: Config, options: Options, folder: Path, crashes: Crashes, notifier: Notifier, signals: EndedBySignals, house: ExitStack) -> int:
    """Run in safe mode until something ends it; what is opened is closed by ``house``. Return the process's exit code.

    Raises:
        MoodifyError: even this can't start; the message says what to do.
    """
    from moodify.cloud.identity import load_or_make
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
    panel = open_panel(config.panel, lambda press: put(sig.Pressed(press, BUTTON)), factory=options.pins)
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
    health = house.enter_context(HealthReader(folder, put))
    options.attach(Running(running, page, keys=False, demo=False))
    try:
        code = conductor.run(Display(board, panel.light, notifier, courier.publish), health.read)
    finally:
        notifier.stopping()
    if code in {0, AGAIN}:
        # A person has seen to it, or ends it: the next start is a whole one.
        crashes.forget()
        crashes.ended()
    return code
