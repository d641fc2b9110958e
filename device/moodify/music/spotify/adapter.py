"""The speaker over spotipy: finds it by name, wakes it, and gives it orders."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from moodify.errors import CannotWork, NotAllowed, SpeakerNotFound, SpeakerUnavailable

from .budget import REQUESTS_PER_HOUR
from .library import Library
from .mapping import DeviceAsleep, NothingActive, Restriction
from .quota import utc
from .reading import playback_of, speaker_of, uri_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from moodify.types import Playback, Speaker

    from .signin import SignIn

logger = logging.getLogger(__name__)

API_URL = "https://api.spotify.com/v1/"
#: Pauses, in seconds, between looks for a speaker that wakes up: 12 s in all, as Spotcast waits.
WAKE_PAUSES_S = (1.0, 2.0, 3.0, 3.0, 3.0)
#: Pauses, in seconds, until an order that was only accepted (202) must show: 5 s in all.
ACCEPTED_PAUSES_S = (1.0, 2.0, 2.0)
ACCEPTED = 202


class SpotifyPlayer(Library):
    """A :class:`~moodify.music.port.Player` for one Connect speaker of one account.

    Args:
        sign_in: where tokens come from.
        speaker: the speaker's name; None takes the active one, or the only one.
        api_url: the Web API, ending with ``/v1/``; the simulated speaker's own for that.
        label: what it is, for a person; unset says Spotify and the speaker's name.
        timeout_s: longest time that a request waits for its answer.
        requests_per_hour: requests that may be sent unasked.
        folder: where the end of a quota that is spent is kept over a restart; None keeps nothing.
        now_s: monotonic seconds, for Retry-After, the budget and the breaker.
        now: the wall clock, timezone-aware, for what a person is told.
        pause: waits so many seconds while a speaker wakes up; unset waits until :meth:`close` at most.
    """

    def __init__(
        self,
        sign_in: SignIn,
        *,
        speaker: str | None = None,
        api_url: str = API_URL,
        label: str | None = None,
        timeout_s: float = 10.0,
        requests_per_hour: int = REQUESTS_PER_HOUR,
        folder: Path | None = None,
        now_s: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """Send nothing yet."""
        super().__init__(sign_in, api_url=api_url, timeout_s=timeout_s, requests_per_hour=requests_per_hour, folder=folder, now_s=now_s, now=now)
        self._name, self._label = speaker, label
        self._pause = pause if pause is not None else self._closed.wait
        self._speaker: Speaker | None = None

    @property
    def description(self) -> str:
        """What it is, for a person."""
        known = self._speaker
        name = self._name if self._name is not None or known is None else known.name
        return self._label or (f"Spotify on {name}" if name is not None else "Spotify")

    def playback(self) -> Playback:
        """Return what plays now, on whichever speaker of the account."""
        with self._mapped(reads=1):
            now = self._state()
            there = now.speaker
            if there is not None and there.active and not there.restricted and (self._name is None or there.name.casefold() == self._name.casefold()):
                # It costs nothing here to know the id of now, and whom the owner plays on.
                self._speaker = there
            return now

    def speakers(self) -> tuple[Speaker, ...]:
        """Return the devices that take orders by id now."""
        with self._mapped(reads=1):
            return self._list()

    def play(self, uri: str) -> None:
        """Play a track or a context now, on the named speaker, waking it where needed."""
        kind, _ = uri_of(uri)
        with self._mapped():
            if kind == "track":
                self._awake(lambda device: self._spotify.start_playback(device_id=device, uris=[uri]), lambda now: now.playing and now.track is not None and now.track.uri == uri)
            else:
                self._awake(lambda device: self._spotify.start_playback(device_id=device, context_uri=uri), lambda now: now.playing and now.context_uri == uri)

    def queue(self, uri: str) -> None:
        """Play a track after the one that plays now."""
        if uri_of(uri).kind != "track":
            raise CannotWork(f"{uri} can't be queued; queue a track, or play this one")
        with self._mapped():
            self._known(lambda device: self._spotify.add_to_queue(uri, device_id=device))

    def pause(self) -> None:
        """Pause; already paused is done."""
        with self._mapped():
            try:
                self._known(lambda device: self._spotify.pause_playback(device_id=device))
            except NothingActive:
                return
            except Restriction:
                if self._playing_here(self._state()):
                    raise

    def resume(self) -> None:
        """Go on, waking the speaker where needed; already playing is done."""
        with self._mapped():
            try:
                self._awake(lambda device: self._spotify.start_playback(device_id=device), self._playing_here)
            except NothingActive:
                self._spotify.transfer_playback(self._target().id, force_play=True)

    def skip(self) -> None:
        """Go to the next track."""
        with self._mapped():
            self._known(lambda device: self._spotify.next_track(device_id=device))

    def set_volume(self, percent: int) -> None:
        """Set the volume, 0 to 100."""
        if not 0 <= percent <= 100:  # noqa: PLR2004 - percent
            raise CannotWork(f"a volume of {percent} % can't be set; it goes from 0 to 100")
        with self._mapped():
            speaker = self._target()
            if not speaker.supports_volume:
                raise NotAllowed(f"{speaker.name} has a fixed volume; set it on the speaker itself")
            self._known(lambda device: self._spotify.volume(percent, device_id=device))

    def _list(self) -> tuple[Speaker, ...]:
        return tuple(speaker for speaker in map(speaker_of, self._spotify.devices()["devices"]) if speaker is not None)

    def _state(self) -> Playback:
        return playback_of(self._spotify.current_playback())

    def _find(self) -> Speaker | None:
        """Look for the speaker in the list once; None where one that was there before is not."""
        there = self._list()
        known = self._speaker.name if self._speaker is not None else None
        wanted = self._name if self._name is not None else known
        found = [speaker for speaker in there if wanted is not None and speaker.name.casefold() == wanted.casefold()]
        if self._name is None:
            found = [speaker for speaker in there if speaker.active] or found or (list(there) if len(there) == 1 else [])
        if not found:
            if known is None:
                raise _not_found(wanted, there)
            return None
        speaker = max(found, key=lambda one: (one.active, one.name == wanted))
        if speaker.restricted:
            raise NotAllowed(f"{speaker.name} takes no orders from apps; name another speaker as music.spotify.speaker")
        self._speaker = speaker
        return speaker

    def _target(self) -> Speaker:
        speaker = self._speaker if self._speaker is not None else self._find()
        if speaker is None:
            raise self._gone()
        return speaker

    def _give(self, order: Callable[[str], object], speaker: Speaker) -> None:
        sent = self._transport.sent
        order(speaker.id)
        if self._transport.sent == sent:
            # spotipy only logs a warning then, for instance for a volume of 60.0.
            raise CannotWork("this order was not sent, for one of its values has the wrong type; give whole numbers and texts")

    def _known(self, order: Callable[[str], object]) -> None:
        """Give an order to the speaker; once more where it came back under another id (it was refused, so nothing is done twice)."""
        speaker = self._target()
        try:
            self._give(order, speaker)
        except DeviceAsleep:
            again = self._find()
            if again is None:
                raise self._gone() from None
            if again.id == speaker.id:
                raise
            self._give(order, again)

    def _awake(self, order: Callable[[str], object], carried_out: Callable[[Playback], bool]) -> None:
        """Give an order that may wake the speaker: wait for its name in the list, repeat once, and see that what was only accepted happens."""
        speaker = self._target()
        try:
            try:
                self._give(order, speaker)
            except DeviceAsleep:
                self._give(order, self._wait_for_name(speaker))
        except Restriction:
            # So it is already, or the track can't be played: the state tells which.
            if not carried_out(self._state()):
                raise
            return
        if self._transport.last_status == ACCEPTED:
            self._wait_for(carried_out)

    def _wait_for_name(self, refused: Speaker) -> Speaker:
        found = self._find()
        for pause_s in WAKE_PAUSES_S:
            if self._closed.is_set() or (found is not None and found.id != refused.id):
                break
            self._pause(pause_s)
            found = self._find()
            if found is not None:
                break
        if found is None:
            raise self._gone()
        return found

    def _wait_for(self, carried_out: Callable[[Playback], bool]) -> None:
        for pause_s in ACCEPTED_PAUSES_S:
            self._pause(pause_s)
            if self._closed.is_set() or carried_out(self._state()):
                return
        raise SpeakerUnavailable(f"{self.description} took the order but did not carry it out; trying again", retry_after_s=sum(ACCEPTED_PAUSES_S))

    def _playing_here(self, now: Playback) -> bool:
        return now.playing and (now.speaker is None or self._speaker is None or now.speaker.name == self._speaker.name)

    def _gone(self) -> SpeakerUnavailable:
        return SpeakerUnavailable(f"{self.description} is asleep or off; switch it on, or play something on it from the Spotify app")


def _not_found(wanted: str | None, there: tuple[Speaker, ...]) -> SpeakerNotFound:
    names = ", ".join(sorted(speaker.name for speaker in there)) or "none"
    if wanted is None:
        return SpeakerNotFound(f"no speaker is active (there: {names}); name one as music.spotify.speaker, or play something on it from the Spotify app")
    return SpeakerNotFound(f"no speaker {wanted!r} (there: {names}); check music.spotify.speaker, or play something on it once from the Spotify app")
