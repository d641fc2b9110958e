"""What two looks at a speaker, one after the other, tell of the song between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.music.song import Outcome

if TYPE_CHECKING:
    from moodify.types import Playback

#: A look this much before a song's end may miss the end: silence then is an end, not somebody's pause.
END_SLACK_S = 3.0

#: A song that stands so close to its end has ended.
END_MS = 1000

#: A paused song stands where it stands, but for what the service rounds or sets right.
STANDS_MS = 1000

#: Looks farther apart say too little of what was heard between them.
APART_S = 120.0

#: Who hears this share of a song has heard it.
HEARD_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Look:
    """What the speaker did at a moment."""

    playback: Playback
    at_s: float
    """On the clock of the frames."""

    @property
    def uri(self) -> str | None:
        """The song that plays, or is paused."""
        return None if self.playback.track is None else self.playback.track.uri

    @property
    def halfway(self) -> bool:
        """Whether a song stands paused in its middle: that is somebody's doing; at its beginning or end it need not be."""
        track = self.playback.track
        return not self.playback.playing and track is not None and 0 < self.playback.progress_ms < track.duration_ms - END_MS

    @property
    def end_s(self) -> float:
        """When the song ends where it is left alone; the look's own moment where it is not known how long it is."""
        track = self.playback.track
        return self.at_s if track is None else self.at_s + (track.duration_ms - self.playback.progress_ms) / 1000


def ended(before: Look, now: Look) -> bool:
    """Return whether the song before has ended by itself, rather than by somebody's doing."""
    played, plays = before.playback, now.playback
    if not plays.playing and (played.track is None or plays.track is None):
        # Of an episode it is not known when it ends; and who switches the speaker off in mid-song leaves no song at all.
        return _is_due(before, now)
    if played.track is None or plays.track is None:
        return True
    if now.halfway and now.uri == before.uri and plays.progress_ms >= played.progress_ms:
        return False
    return _is_due(before, now)


def touched(before: Look, now: Look) -> bool:
    """Return whether somebody has played and paused between two looks at a silent speaker."""
    if before.uri is None or not now.halfway:
        return False
    return now.uri != before.uri or abs(now.playback.progress_ms - before.playback.progress_ms) > STANDS_MS


def outcome(before: Look, now: Look, *, again: bool) -> Outcome | None:
    """Return what became of the song before; None where it goes on, or that can't be told.

    Args:
        before: an earlier look, while the song played.
        now: a later one.
        again: whether the same song on both is two plays of it.
    """
    played, plays = before.playback, now.playback
    if not played.playing or played.track is None or now.at_s - before.at_s > APART_S:
        return None
    if not plays.playing:
        return Outcome.HEARD if ended(before, now) else None
    if now.uri == before.uri and not again:
        return None
    began_s = now.at_s - plays.progress_ms / 1000
    heard_ms = played.progress_ms + max(0.0, began_s - before.at_s) * 1000
    return Outcome.HEARD if heard_ms >= HEARD_SHARE * played.track.duration_ms else Outcome.SKIPPED_ELSEWHERE


def _is_due(before: Look, now: Look) -> bool:
    """Return whether the song of the look before is over by now if it was left alone."""
    played = before.playback
    return played.track is not None and now.at_s >= before.end_s - END_SLACK_S
