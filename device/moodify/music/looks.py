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
    def end_s(self) -> float:
        """When the song ends where it is left alone; the look's own moment where it is not known how long it is."""
        track = self.playback.track
        return self.at_s if track is None else self.at_s + (track.duration_ms - self.playback.progress_ms) / 1000


def ended(before: Look, now: Look) -> bool:
    """Return whether the song before has ended by itself (or the speaker is gone), rather than by somebody's doing."""
    played, plays = before.playback, now.playback
    if not plays.playing and played.track is None and played.context_uri is not None and played.context_uri == plays.context_uri:
        # Of an episode it is not known when it ends.
        return False
    if played.track is None or plays.track is None:
        return True
    stands_ms = plays.progress_ms
    if not plays.playing and now.uri == before.uri and 0 < stands_ms >= played.progress_ms and stands_ms < plays.track.duration_ms - END_MS:
        # It stands in its middle.
        return False
    return _is_due(before, now)


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
        return Outcome.HEARD if ended(before, now) and _is_due(before, now) else None
    if now.uri == before.uri and not again:
        return None
    began_s = now.at_s - plays.progress_ms / 1000
    heard_ms = played.progress_ms + max(0.0, began_s - before.at_s) * 1000
    return Outcome.HEARD if heard_ms >= HEARD_SHARE * played.track.duration_ms else Outcome.SKIPPED_ELSEWHERE


def _is_due(before: Look, now: Look) -> bool:
    """Return whether the song of the look before is over by now if it was left alone."""
    played = before.playback
    return played.track is not None and now.at_s >= before.end_s - END_SLACK_S
