"""``moodify hub serve`` and ``collect``: processes that run until they are ended."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING

from moodify.cli.hub_words import install_hint, opened
from moodify.hub.folder import hub_folder
from moodify.system.journal import set_up_logging

if TYPE_CHECKING:
    from pathlib import Path
    from typing import NoReturn

logger = logging.getLogger(__name__)

#: How often it is looked whether a collector lives, in seconds.
_LOOK_S = 1.0


def serve(path: Path | None, *, beside: bool, enrol: Path | None, retention_days: int | None = None) -> NoReturn:
    """Run the hub until it is ended, and end the process with it."""
    from moodify.daemon.ending import EndedBySignals

    stop = threading.Event()
    # Before the slow imports: a signal ends those too.
    with EndedBySignals() as ended:
        with install_hint():
            from moodify.hub.serve import Options
            from moodify.hub.serve import serve as serve_hub
        from moodify.hub import config
        from moodify.hub.beside import call_at_end_of_input
        from moodify.hub.setup import configured
        from moodify.system.notify import Notifier

        folder = hub_folder(path)
        found = config.HubConfig() if beside and not folder.config.exists() else configured(folder)
        set_up_logging(found.log_level)
        if beside:
            call_at_end_of_input(stop.set)
        ended.from_now_on_by(lambda _: stop.set())
        if retention_days is not None:
            found = found.model_copy(update={"retention_days": retention_days})
        serve_hub(folder, found, Options(beside=beside, enrol=enrol), stop=stop, notifier=Notifier())
    _leave()


def _leave() -> NoReturn:
    # Everything is closed. Taking the interpreter apart, object by object, takes seconds on a busy Pi, for which an appliance that ends has no time.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def collect(path: Path | None) -> int:
    """Store what devices say until it is ended; return the exit code."""
    from moodify.daemon.ending import EndedBySignals

    stop = threading.Event()
    folder = hub_folder(path)
    with EndedBySignals() as ended, opened(folder) as (config, database):
        from moodify.cloud.port import Endpoint
        from moodify.hub.collecting import CollectorThread
        from moodify.hub.metrics import Metrics

        metrics = Metrics()
        set_up_logging(config.log_level)
        ended.from_now_on_by(lambda _: stop.set())
        collector = CollectorThread(
            lambda: Endpoint("", 0, tls=False, socket=folder.socket),
            database.intake,
            database.commands,
            # The hub's own collector keeps states.
            None,
            database.registry,
            metrics,
            name="collector",
            audience=config.audience,
            leeway_s=config.leeway_s,
        )
        collector.start()
        try:
            logger.info("collecting for the hub in %s", folder.path)
            while collector.alive and not stop.wait(_LOOK_S):
                pass
            return 0 if collector.alive else 1
        finally:
            collector.close()
            logger.info("the collector has ended; events stored: %s, repeats absorbed: %s", *metrics.stored())
