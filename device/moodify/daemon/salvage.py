"""What of a damaged database must not be forgotten with it: that the camera is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.daemon.kept import PRIVACY_ASKED_KEY, PRIVACY_KEY
from moodify.daemon.privacy import ByHand
from moodify.store.aside import setting_of
from moodify.store.settings import DAMAGED, Settings

if TYPE_CHECKING:
    from pathlib import Path


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
    for key, value in ((PRIVACY_KEY, kept), (PRIVACY_ASKED_KEY, asked)):
        if value is not None:
            settings.put(key, value)
