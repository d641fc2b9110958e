"""Volume, little by little: down to a cap, and out before a pause, after which nothing is left quiet."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeGuard

from moodify.errors import CannotWork, MoodifyError, NotAllowed
from moodify.music.names import same_speaker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moodify.music.notes import Notes
    from moodify.music.port import Player

logger = logging.getLogger(__name__)

#: A fade is so many requests at most: Spotify counts them. One more looks how loud it is.
STEPS = 4
#: Seconds over which the volume is brought to a cap that begins to hold.
RAMP_S = 6.0
#: Speakers round: a volume so near to one that was set, in percent, is that one. Most have 16 steps or more.
ROUNDING = 6
#: Where the volume that is owed is kept over a restart: key among the notes, and name of the file where they are a file of their own.
OWED_KEY = "owed_volume"
FILE = "owed-volume.json"
_LOUDEST = 100


def fade_to(player: Player, percent: int, seconds: float, pause: Callable[[float], bool], *, speaker: str | None = None) -> bool:
    """Bring the volume there in steps, by five requests at most; at no time is it beyond where it began or where it ends.

    A speaker that plays nothing, or whose volume is fixed or not known, is left alone.

    Args:
        player: whose speaker.
        percent: the volume, 0 to 100.
        seconds: how long it takes; 0 does it at once.
        pause: waits so many seconds; returns True, at once, when something more important has come.
        speaker: name of the player's speaker, where it has one: another one that plays is left alone.

    Returns:
        False where it was interrupted; the volume stays where it had come to.

    Raises:
        RetryLater, PersonMustAct, CannotWork: as :class:`~moodify.music.port.Player`; the volume stays where it had come to.
    """
    start = _loudness(player, speaker)
    return start is None or _ramp(player, _levels(start, percent, seconds), seconds, pause, [])


@dataclass(frozen=True, slots=True)
class _Owed:
    """A volume that is not put back yet."""

    percent: int
    left_at: Sequence[int]
    """Where it may stand since: of the last volume that was set it is not known whether it was."""

    def untouched(self, percent: int) -> bool:
        """Return whether a volume is still what a fade left, and nobody's choice."""
        return percent < self.percent and any(abs(percent - left) <= ROUNDING for left in self.left_at)

    def as_json(self, speaker: str | None) -> dict[str, Any]:
        """Return what is worth keeping; ``speaker``: whose volume it is."""
        return {"percent": self.percent, "left_at": list(self.left_at), "speaker": speaker}

    @classmethod
    def of_json(cls, kept: object, speaker: str | None) -> Self | None:
        """Return what was kept; None where it is odd, or another speaker's."""
        if not isinstance(kept, dict) or kept.get("speaker") != speaker:
            return None
        percent, left_at = kept.get("percent"), kept.get("left_at")
        if not _is_volume(percent) or not isinstance(left_at, list) or len(left_at) > STEPS or not all(map(_is_volume, left_at)):
            return None
        return cls(percent, left_at)


def _is_volume(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _LOUDEST


class Fader:
    """Fades one player's music out, and owes it no volume: what can't be put back at once is put back before the next start.

    Args:
        player: whose speaker.
        pause: waits so many seconds; returns True, at once, when something more important has come.
        speaker: name of the player's speaker, where it has one: another one that plays is left alone.
        kept: where what is owed outlasts a restart, or a power cut in mid-fade; None keeps it in memory alone.
    """

    def __init__(self, player: Player, pause: Callable[[float], bool], *, speaker: str | None = None, kept: Notes | None = None) -> None:
        """Recall what is owed; ask the speaker nothing yet."""
        self._player, self._wait, self._speaker, self._kept = player, pause, speaker, kept
        self._owed = self._recalled()

    @property
    def owed(self) -> int | None:
        """The volume, in percent, that is still to be put back; None where nothing is owed."""
        return None if self._owed is None else self._owed.percent

    def fade_to(self, percent: int, seconds: float) -> bool:
        """Do as :func:`fade_to`; what is owed is not put back to more than that."""
        if self._owed is not None:
            self._owe(replace(self._owed, percent=min(self._owed.percent, percent)))
        return fade_to(self._player, percent, seconds, self._wait, speaker=self._speaker)

    def pause(self, seconds: float) -> bool:
        """Fade out, pause, and put the volume back; by eight requests at most where nothing is owed.

        Where the volume can't be set the music is paused all the same.

        Returns:
            False where it was interrupted: the music goes on as loud as before.

        Raises:
            RetryLater, PersonMustAct, CannotWork: it could not be paused; the music goes on as loud as before.
        """
        start = self._start() if seconds > 0 else None
        if start is None:
            self._player.pause()
            return True
        levels, tried = _levels(start, 0, seconds), list[int]()
        # Before the first step: a power cut may come after any.
        self._owe(_Owed(start, levels))
        try:
            if not self._faded(levels, seconds, tried) or self._wait(0.0):
                return False
            self._player.pause()
            return True
        finally:
            self._put_back(_Owed(start, tried[-2:]))

    def settle(self, *, most: int = 100) -> None:
        """Put back what is owed; call it before a start and after it. No request where nothing is owed, and no error.

        Args:
            most: the loudest that it may be now, in percent.
        """
        owed = self._owed
        if owed is None:
            return
        try:
            now = _loudness(self._player, self._speaker, silent_too=True)
            if now is None:
                # A speaker that sleeps says how loud it is once it plays.
                return
            if owed.untouched(now):
                self._player.set_volume(min(owed.percent, most))
            self._owe(None)
        except MoodifyError as error:
            logger.info("The volume is still to be put back to %s %%: %s", owed.percent, error)

    def _start(self) -> int | None:
        """Return how loud it is; None where it is not to be faded."""
        self.settle()
        if self._owed is not None:
            return None
        try:
            return _loudness(self._player, self._speaker) or None
        except MoodifyError as error:
            logger.info("The music is paused without a fade: %s", error)
            return None

    def _faded(self, levels: Sequence[int], seconds: float, tried: list[int]) -> bool:
        try:
            return _ramp(self._player, levels, seconds, self._wait, tried)
        except MoodifyError as error:
            # It is the pause that was wanted.
            logger.info("The fade is cut short: %s", error)
            return True

    def _put_back(self, owed: _Owed) -> None:
        for _ in range(2):
            try:
                self._player.set_volume(owed.percent)
            except (NotAllowed, CannotWork) as error:
                # A speaker that lets its volume not be set was not turned down either.
                logger.info("The volume is not put back to %s %%: %s", owed.percent, error)
                self._owe(None)
                return
            except MoodifyError as error:
                reason = error
            else:
                self._owe(None)
                return
        self._owe(owed)
        logger.warning("The volume could not be put back to %s %%, which is done before the next start: %s", owed.percent, reason)

    def _owe(self, owed: _Owed | None) -> None:
        self._owed = owed
        if self._kept is None:
            return
        try:
            self._kept.put(OWED_KEY, None if owed is None else owed.as_json(self._speaker))
        except MoodifyError as error:
            logger.warning("A restart would not know how loud it was before the fade: %s", error)

    def _recalled(self) -> _Owed | None:
        if self._kept is None:
            return None
        try:
            return _Owed.of_json(self._kept.get(OWED_KEY), self._speaker)
        except MoodifyError as error:
            logger.warning("It is not known whether a fade left the volume low: %s", error)
            return None


def _loudness(player: Player, speaker: str | None, *, silent_too: bool = False) -> int | None:
    """Return how loud the player's speaker is; None where it is silent, another one, or has no volume that could be set."""
    now = player.playback()
    there = now.speaker
    if there is None or not there.supports_volume or not (now.playing or silent_too) or (speaker is not None and not same_speaker(there.name, speaker)):
        return None
    return there.volume_percent


def _levels(start: int, end: int, seconds: float) -> list[int]:
    """Return the volumes from one to another: as many as there are steps, fewer where they are near, one where there is no time."""
    steps = STEPS if seconds > 0 else 1
    levels = (round(start + (end - start) * step / steps) for step in range(1, steps + 1))
    return [level for level in dict.fromkeys(levels) if level != start]


def _ramp(player: Player, levels: Sequence[int], seconds: float, pause: Callable[[float], bool], tried: list[int]) -> bool:
    """Set one volume after another and note what was tried; return False where it was interrupted."""
    for number, level in enumerate(levels):
        if number and pause(seconds / (len(levels) - 1)):
            return False
        tried.append(level)
        player.set_volume(level)
    return True
