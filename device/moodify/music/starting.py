"""Starts music no louder than it may be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from moodify.errors import MoodifyError
from moodify.music.names import same_speaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.music.port import Player

log = logging.getLogger(__name__)


def start_below(player: Player, start: Callable[[], None], most: int, *, speaker: str | None) -> None:
    """Start music on a speaker that is brought down to ``most`` percent before, or as soon as it says how loud it is.

    Args:
        player: whose speaker.
        start: starts the music.
        most: the loudest that it may be, in percent.
        speaker: name of the player's speaker, where it has one: how loud another one is says nothing, and it is left alone.

    Raises:
        RetryLater, PersonMustAct, CannotWork: it did not start.
    """
    known = _lowered(player, most, speaker)
    start()
    # One that slept, or that another app had not used, says how loud it is only once it plays.
    if not known and not _lowered(player, most, speaker):
        log.info("It is not known how loud the speaker is; the cap is %s %%", most)


def _lowered(player: Player, most: int, speaker: str | None) -> bool:
    """Bring the volume down; return whether it is known to be no louder now. What can't be set keeps nothing from playing."""
    try:
        there = player.playback().speaker
        if there is None or (speaker is not None and not same_speaker(there.name, speaker)):
            return False
        if not there.supports_volume:
            return True
        if there.volume_percent is None:
            return False
        if there.volume_percent > most:
            player.set_volume(most)
    except MoodifyError as error:
        log.info("The volume can't be brought down to %s %%: %s", most, error)
        return False
    return True
