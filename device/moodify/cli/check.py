"""``moodify check``: looks at every part and says what to do."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from moodify.cli.findings import Finding, Verdict
from moodify.config import find, load
from moodify.daemon.places import DATABASE, folder_of
from moodify.errors import ConfigError, MoodifyError, RetryLater, SpeakerNotFound, StoreError
from moodify.system.journal import set_up_logging
from moodify.vision.chatter import without_chatter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from moodify.config import Config
    from moodify.music.port import Player
    from moodify.store.settings import Settings

T = TypeVar("T")

#: Longest line, in characters, where nobody's terminal has to hold it.
_LONGEST = 10_000


_STYLES = {Verdict.OK: "green", Verdict.DEGRADED: "yellow", Verdict.BROKEN: "red"}


def check(config_file: Path | None) -> int:
    """Print a line for each part; return 0, or 1 where something is broken."""
    # What the parts would log is said by their lines.
    set_up_logging("error")
    file = find(config_file)
    try:
        config = load(file)
    except ConfigError as error:
        return _print({"configuration": Finding(Verdict.BROKEN, str(error))})
    where = f"{file}" if file is not None else "the defaults (there is no moodify.toml)"
    parts: dict[str, Callable[[Config], Finding]] = {
        "models": _models,
        "database": _database,
        "camera": _camera,
        "speaker": _speaker,
        "link": _broker,
        "clock": _clock,
        "disk": _disk,
        "crashes": _crashes,
    }
    return _print({"configuration": Finding(Verdict.OK, where), **{name: _found(part, config) for name, part in parts.items()}})


def _found(part: Callable[[Config], Finding], config: Config) -> Finding:
    try:
        return part(config)
    except RetryLater as error:
        return Finding(Verdict.DEGRADED, str(error))
    except ConfigError as error:
        return Finding(Verdict.BROKEN, "; ".join(error.problems))
    except MoodifyError as error:
        return Finding(Verdict.BROKEN, str(error))


def _models(config: Config) -> Finding:
    from moodify.vision.eyes import open_models

    with without_chatter():
        detector, classifier = open_models(config.vision)
    if not (detector.accelerated and classifier.accelerated):
        return Finding(Verdict.DEGRADED, "they run without XNNPACK, about twenty times slower; install ai-edge-litert, and let the process read /proc/cpuinfo")
    return Finding(Verdict.OK, "face detector and emotion classifier are whole and run on XNNPACK")


def _database(config: Config) -> Finding:
    from moodify.store.history import History
    from moodify.store.prepare import examine

    path = folder_of(config) / DATABASE
    try:
        problem = examine(path)
        made = path.exists() and path.stat().st_size > 0
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}; give the user that runs Moodify a readable folder, or set store.folder") from error
    if not made:
        place = _existing(path.parent)
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            return Finding(Verdict.BROKEN, f"{path}: can't be made, for {place} can't be written to; give it to the user that runs Moodify, or set store.folder")
        return Finding(Verdict.OK, f"{path}: not made yet; the first run makes it")
    if problem is not None:
        return Finding(Verdict.BROKEN, f"{path}: damaged ({problem}); the next start sets it aside and goes on with a fresh one, or restore a backup")
    with History(path) as history:
        status = history.status()
    text = f"{path}: {status.events} events, {status.unsent} summaries wait"
    if status.merged:
        text += f", {status.merged} events are told only as part of a longer summary"
    if status.lost or status.refused:
        return Finding(Verdict.DEGRADED, f"{text}; {status.lost} events were never sent for want of room and {status.refused} summaries were refused: see to the broker")
    return Finding(Verdict.OK, text)


def _camera(config: Config) -> Finding:
    from moodify.camera.opening import CameraOpener
    from moodify.camera.sample import SampleCamera
    from moodify.daemon.kept import privacy_standing
    from moodify.daemon.privacy import ByHand, standing
    from moodify.music.spotify.factory import plays_for_real

    try:
        # The hours count before the first start too.
        private = _settled(config, lambda settings: privacy_standing(settings, config.privacy.hours, datetime.now().astimezone()))
    except StoreError:
        return Finding(Verdict.DEGRADED, "not opened, for the database can't say whether privacy is on; see to the database first")
    if private is None:
        private = standing(ByHand(), config.privacy.hours, datetime.now().astimezone())
    if private.on:
        return Finding(Verdict.OK, f"off for privacy, {private.why}; not opened")
    with CameraOpener(config.camera, sample_allowed=not plays_for_real(config.music, folder_of(config)))() as camera:
        if camera.read() is None:
            return Finding(Verdict.BROKEN, f"{camera.description} has no frame; name another source in camera.source")
        if isinstance(camera, SampleCamera) and config.camera.source == "auto":
            return Finding(Verdict.DEGRADED, "no camera is connected, the sample portraits stand in; connect one")
        return Finding(Verdict.OK, camera.description)


def _speaker(config: Config) -> Finding:
    from moodify.music.spotify.factory import open_player

    with open_player(config.music, folder_of(config)) as opened:
        if opened.simulated is None:
            return _spotify(config, opened.player)
        if config.music.speaker == "simulated":
            return Finding(Verdict.OK, "the simulated speaker, as configured")
        return Finding(Verdict.DEGRADED, "nobody is signed in to Spotify, the simulated speaker stands in; sign in with: moodify spotify login")


def _spotify(config: Config, player: Player) -> Finding:
    from moodify.music.spotify.discovery import ZeroconfRadar
    from moodify.music.spotify.ending import when
    from moodify.music.spotify.status import status_of
    from moodify.music.spotify.waking import examine

    now, name = datetime.now(UTC), config.music.spotify.speaker
    signed_in = status_of(config.music, folder_of(config), now)
    ending = f"; the sign-in ends {when(signed_in.ends, now)}" if signed_in.ends is not None else ""
    try:
        playback = player.playback()
        twins = examine(name, player.speakers, ZeroconfRadar())
    except RetryLater as error:
        return Finding(Verdict.DEGRADED, f"{error}{ending}")
    except SpeakerNotFound as error:
        # Where none is named the one that plays is taken, and none has to play.
        return Finding(Verdict.DEGRADED if name is None else Verdict.BROKEN, f"{error}{ending}")
    text = f"{player.description}{', playing' if playback.playing else ''}"
    advice = [each for each in (twins, signed_in.message) if each is not None]
    return Finding(Verdict.DEGRADED, "; ".join([text, *advice])) if advice else Finding(Verdict.OK, f"{text}{ending}")


def _broker(config: Config) -> Finding:
    from moodify.cli.check_link import link

    return link(config, _date(config))


def _clock(config: Config) -> Finding:
    trusted, reason = _date(config)
    return Finding(Verdict.OK if trusted else Verdict.BROKEN, reason)


def _date(config: Config) -> tuple[bool, str]:
    """Return whether the system's date can be believed, and why."""
    from moodify.daemon.kept import last_seen
    from moodify.system.trust import clock_trusted

    try:
        known = _settled(config, last_seen)
    except StoreError:
        # It has a line of its own; the clock is judged by the rest that is known.
        known = None
    return clock_trusted(datetime.now(UTC), known)


def _disk(config: Config) -> Finding:
    from moodify.system.health import read_health

    folder = folder_of(config)
    health = read_health(_existing(folder))
    reasons = health.degraded(config.system)
    return Finding(Verdict.DEGRADED, " ".join(reasons)) if reasons else Finding(Verdict.OK, f"{health.disk_free_mb / 1000:.1f} GB free for {folder}")


def _crashes(config: Config) -> Finding:
    from moodify.system.crashes import FILE, MANY, WINDOW_S, count_of

    count = count_of(folder_of(config) / FILE)
    if count >= MANY:
        return Finding(
            Verdict.BROKEN,
            f"{count} within {WINDOW_S / 60:g} minutes: the service holds back in safe mode, without camera and speaker. The log says why it crashed: journalctl -u moodify; "
            "a press on the button, or systemctl restart moodify, starts everything again",
        )
    return Finding(Verdict.DEGRADED, f"{count} lately; after {MANY} within {WINDOW_S / 60:g} minutes it holds back") if count else Finding(Verdict.OK, "none lately")


def _settled(config: Config, ask: Callable[[Settings], T]) -> T | None:
    """Return what a start would find written down; None where there is no database yet.

    Raises:
        StoreBusy: locked.
        StoreError: the database can't be used.
    """
    from moodify.store.settings import Settings

    path = folder_of(config) / DATABASE
    if not path.is_file() or not path.stat().st_size:
        return None
    with Settings(path) as settings:
        return ask(settings)


def _existing(path: Path) -> Path:
    """Return the nearest of a path and what it lies in that is there."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())


def _print(findings: dict[str, Finding]) -> int:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, finding in findings.items():
        table.add_row(name, Text(finding.verdict.value, style=_STYLES[finding.verdict]), Text(finding.message))
    # A program that reads it gets one line for each part.
    Console(width=None if sys.stdout.isatty() else _LONGEST).print(table)
    return int(any(finding.verdict is Verdict.BROKEN for finding in findings.values()))
