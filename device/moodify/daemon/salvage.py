"""How a start goes on where the database is damaged, and what must not be forgotten with it: that the camera is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moodify.daemon.kept import PRIVACY_ASKED_KEY, PRIVACY_KEY
from moodify.daemon.privacy import ByHand
from moodify.store.aside import newest_damaged, setting_of
from moodify.store.database import noted_damage
from moodify.store.prepare import prepare
from moodify.store.settings import DAMAGED, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.system.notify import Notifier

#: Longest that a thorough look takes, and making indexes anew, of a large database on a slow card, in seconds.
THOROUGH_S: Final = 600.0


def make_ready(database: Path, notifier: Notifier) -> Path | None:
    """Prepare the database (:func:`moodify.store.prepare.prepare`); where damage was noted, the service manager must not end a start that looks thoroughly."""
    if noted_damage(database).exists():
        notifier.starting_takes(THOROUGH_S)
    return prepare(database)


def open_settings(database: Path, aside: Path | None) -> Settings:
    """Open the settings that hold from now on.

    Privacy is as a damaged database that was set aside says; where that can't be read any more it is on, for a camera that stays closed harms nobody.

    Args:
        database: the one in use.
        aside: the damaged one in whose place it is, None mostly: what :func:`moodify.store.prepare.prepare` has returned.

    Raises:
        StoreBusy, StoreError: they can't be read or written.
    """
    settings = Settings(database)
    try:
        if aside is None and not settings.all():
            # A start that was cut off since, or a command at a terminal, may have set it aside.
            aside = newest_damaged(database)
        if aside is not None:
            _keep_privacy(aside, settings)
    except BaseException:
        settings.close()
        raise
    return settings


def _keep_privacy(aside: Path, settings: Settings) -> None:
    kept, asked = setting_of(aside, PRIVACY_KEY), setting_of(aside, PRIVACY_ASKED_KEY)
    if DAMAGED in (kept, asked):
        settings.put(PRIVACY_KEY, ByHand(closed=True, origin="damage").as_json())
        return
    # What was asked last goes first: it holds whatever was set before, should the power go between the two.
    for key, value in ((PRIVACY_ASKED_KEY, asked), (PRIVACY_KEY, kept)):
        if value is not None:
            settings.put(key, value)
