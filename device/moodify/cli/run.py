"""``moodify run``: the daemon, with a live view on stderr and events on stdout or in a file."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from moodify.config import find, load
from moodify.errors import ConfigError
from moodify.process import keep_memory_to_itself

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moodify.config import Config
    from moodify.daemon.options import Running

log = logging.getLogger(__name__)

#: Erasing may take so long: a hub that does not answer, and a broker that does not.
_ERASING_S = 300.0


def run(*, config_file: Path | None, camera: str | None, speaker: str | None, seconds: float | None, events: str | None, pace: float) -> int:
    """Run the appliance until it is ended; return the exit code."""
    from moodify.cli.live import LiveView, console
    from moodify.daemon import demo
    from moodify.daemon.app import run as run_appliance
    from moodify.daemon.ending import AGAIN
    from moodify.daemon.options import Options
    from moodify.daemon.places import folder_of
    from moodify.music.spotify.services import Services
    from moodify.system.journal import set_up_logging, under_systemd
    from moodify.system.notify import Notifier

    keep_memory_to_itself()
    configuration = find(config_file)
    config = _with_arguments(load(configuration), camera=camera, speaker=speaker)
    terminal = console()
    watched = not under_systemd()
    set_up_logging(config.system.log_level, console=terminal if watched and terminal.is_terminal else None)
    _erase_where_wanted(config_file, folder_of(config))
    with ExitStack() as stack:
        sink = None if events is None else stack.enter_context(_sink(events))
        view = stack.enter_context(LiveView(terminal)) if watched else None

        def attach(running: Running) -> None:
            if view is not None:
                view.attach(running.house, keys=running.keys, notice=lambda: "\n".join([*running.page(), *([demo.NOTICE] if running.demo else [])]))

        options = Options(services=Services.of(os.environ), pace=pace, seconds=seconds, events=sink, keys=watched, attach=attach, configuration=configuration)
        code = run_appliance(config, options)
    if code == AGAIN and not Notifier().listening:
        # Nobody else starts it again; and in the place of this process no thread that ends late goes on.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - itself
    return code


def _erase_where_wanted(config_file: Path | None, folder: Path) -> None:
    """Erase everything first, where the page was asked for that."""
    from moodify.daemon import erasing

    if not erasing.wanted(folder):
        return
    from moodify.cli.data_erase import erase
    from moodify.daemon.data_places import await_end
    from moodify.system.notify import Notifier

    log.warning("Erasing everything in %s, as its owner asked on the page", folder)
    # The hub and a broker are told, and a hub is waited for; the unit alone would end it before.
    Notifier().starting_takes(_ERASING_S)
    await_end(folder)
    # Events may be on standard output.
    with redirect_stdout(sys.stderr):
        erase(config_file, yes=True)


def _with_arguments(config: Config, *, camera: str | None, speaker: str | None) -> Config:
    changed = config
    if camera is not None:
        changed = changed.model_copy(update={"camera": changed.camera.model_copy(update={"source": camera})})
    if speaker is not None:
        changed = changed.model_copy(update={"music": changed.music.model_copy(update={"speaker": speaker})})
    return changed


@contextmanager
def _sink(name: str) -> Iterator[TextIO]:
    try:
        file = sys.stdout if name == "-" else Path(name).open("a", encoding="utf-8")  # noqa: SIM115 - closed below; only opening it is the caller's mistake
    except OSError as error:
        raise ConfigError("--events", (f"{name} can't be written ({error.strerror}); name another file, or - for standard output",)) from None
    try:
        yield file
    finally:
        try:
            file.flush()
        except OSError:
            # Said when it happened. What is left would be tried again at the interpreter's end, and fail the run.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, file.fileno())
            os.close(nothing)
        if file is not sys.stdout:
            file.close()
