"""What a speaker played last, so that it can go on after it slept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodify.types import Playback

#: Nearer to a song's end than this nothing worth hearing is left, and Spotify would go to the next one.
END_SLACK_MS = 2000


@dataclass(frozen=True, slots=True)
class Remembered:
    """Music that can be played again from where it was."""

    track_uri: str
    title: str
    position_ms: int
    duration_ms: int
    context_uri: str | None = None

    @property
    def offset_context(self) -> str | None:
        """The context, where it is one that can be entered at a song (an album or a playlist: Web API, start playback)."""
        return self.context_uri if self.context_uri is not None and self.context_uri.startswith(("spotify:playlist:", "spotify:album:")) else None

    def __str__(self) -> str:
        """Say it as a person would: ``Song at 1:05``."""
        return f"{self.title} at {self.position_ms // 60_000}:{self.position_ms // 1000 % 60:02d}"


class LastHeard:
    """The last song of one speaker, by looks at what plays. Not thread-safe."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._song: Remembered | None = None
        self._seen_s = 0.0
        self._playing = False
        self.idle = False
        """Whether the last look found nothing active on the whole account: then the service no longer knows where the song was."""

    @property
    def song(self) -> Remembered | None:
        """The song and where in it to go on; None where nothing is known."""
        return self._song

    def saw(self, now: Playback, *, ours: bool, at_s: float) -> None:
        """Take a look at what plays; ``ours``: on this speaker."""
        self.idle = now.speaker is None and not now.playing
        if ours and now.track is not None:
            self._song = Remembered(now.track.uri, now.track.title, _within(now.progress_ms, now.track.duration_ms), now.track.duration_ms, now.context_uri)
            self._seen_s, self._playing = at_s, now.playing
        elif now.playing:
            # The owner plays elsewhere, or something that is no song: to go on with this one would be a surprise.
            self._song = None

    def paused(self, at_s: float) -> None:
        """Take note of a pause: the song went on from the last look until now."""
        song = self._song
        if song is not None and self._playing:
            self._song = replace(song, position_ms=_within(song.position_ms + int((at_s - self._seen_s) * 1000), song.duration_ms))
        self._playing = False

    def changed(self) -> None:
        """Forget: the speaker was told to play something else, and the next look says what."""
        self._song, self._playing, self.idle = None, False, False


def _within(position_ms: int, duration_ms: int) -> int:
    """Return a position that is in the song; one at its very end is its begin."""
    return position_ms if 0 <= position_ms < duration_ms - END_SLACK_MS else 0
