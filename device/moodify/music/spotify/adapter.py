"""The speaker over spotipy: finds it by name, wakes it, and gives it orders."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from moodify.errors import CannotWork, MoodifyError, NotAllowed, SpeakerUnavailable
from moodify.music.names import same_speaker

from .budget import REQUESTS_PER_HOUR
from .ending import utc_now
from .last_speaker import LastSpeaker
from .library import Library
from .mapping import DeviceAsleep, NothingActive, Restriction
from .reading import playback_of, speaker_of, uri_of
from .remembering import LastHeard
from .services import API_URL
from .waking import SpeakerFinder

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from moodify.types import Playback, Speaker

    from .radar import SpeakerRadar
    from .remembering import Remembered
    from .signin import SignIn

logger = logging.getLogger(__name__)

#: Pauses, in seconds, until an order that was only accepted must show: 5 s in all.
ACCEPTED_PAUSES_S = (1.0, 2.0, 2.0)
#: An order that is done is answered with 204 (Web API reference, start/resume playback); 202 only accepts it, and 200 may be anybody's nonsense.
ACCEPTED = {HTTPStatus.OK, HTTPStatus.ACCEPTED}
#: What one call may cost at most: a speaker that is looked for, woken, handed the session and only accepts. A request whose connection is lost
#: or whose token has run out is sent once more, and counted apart; one that is not answered in time ends the call.
MOST_REQUESTS = 18
MOST_PAUSE_S = 17.0


class SpotifyPlayer(Library):
    """A :class:`~moodify.music.port.Player` for one Connect speaker of one account.

    No call sends more than :data:`MOST_REQUESTS` requests or pauses for more than :data:`MOST_PAUSE_S` in all.

    Args:
        sign_in: where tokens come from.
        speaker: the speaker's name; None takes the active one, or the only one.
        api_url: the Web API, ending with ``/v1/``; the simulated speaker's own for that.
        label: what it is, for a person; unset says Spotify and the speaker's name.
        timeout_s: longest time that a request waits for its answer.
        requests_per_hour: requests that may be sent unasked.
        folder: where the end of a quota that is spent, and the speaker's id, are kept over a restart; None keeps nothing.
        now_s: monotonic seconds, for Retry-After, the budget and the breaker.
        now: the wall clock, timezone-aware, for what a person is told.
        pause: waits so many seconds while a speaker wakes up; unset waits until :meth:`close` at most.
        radar: listens on the home network while the speaker is missing, to say why; None says less.
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
        now: Callable[[], datetime] = utc_now,
        pause: Callable[[float], object] | None = None,
        radar: SpeakerRadar | None = None,
    ) -> None:
        """Send nothing yet."""
        super().__init__(sign_in, api_url=api_url, timeout_s=timeout_s, requests_per_hour=requests_per_hour, folder=folder, now_s=now_s, now=now)
        self._label, self._now_s = label, now_s
        self._pause = pause if pause is not None else self._closed.wait
        last = LastSpeaker(folder)
        self._finder = SpeakerFinder(speaker, self._list, pause=self._pause, closed=self._closed.is_set, now_s=now_s, radar=radar, recalled=last.speaker, keep=last.keep)
        self._heard = LastHeard()
        self._went_on: str | None = None
        """What was done, where going on was more than that."""

    @property
    def description(self) -> str:
        """What it is, for a person."""
        name = self._finder.name
        return self._label or (f"Spotify on {name}" if name is not None else "Spotify")

    def notices(self) -> tuple[str, ...]:
        """Return what a person should know although orders work. No request is made, and no call that is under way is waited for."""
        of_the_speaker = (self._finder.missing, self._finder.twins, self._went_on)
        return (*super().notices(), *(notice for notice in of_the_speaker if notice is not None))

    def playback(self) -> Playback:
        """Return what plays now, on whichever speaker of the account."""
        with self._mapped(reads=1):
            now = self._state()
            if now.speaker is not None:
                self._finder.notice(now.speaker)
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
            self._changed()

    def queue(self, uri: str) -> None:
        """Play a track after the one that plays now."""
        if uri_of(uri).kind != "track":
            raise CannotWork(f"{uri} can't be queued; queue a track, or play this one")
        with self._mapped():
            self._known(lambda device: self._spotify.add_to_queue(uri, device_id=device))

    def pause(self) -> None:
        """Pause; a speaker that is paused already, or asleep, is done."""
        with self._mapped():
            try:
                # Where it is missing it is silent, most likely: that is not worth listening for.
                self._known(lambda device: self._spotify.pause_playback(device_id=device), missing=self._finder.lost)
            except NothingActive:
                return
            except MoodifyError as error:
                refused = isinstance(error, Restriction | DeviceAsleep) or self._finder.missing is not None
                if not refused or self._playing_here(self._state()):
                    raise
            self._heard.paused(self._now_s())
            self._went_on = None

    def resume(self) -> None:
        """Go on, waking the speaker where needed; already playing is done.

        A speaker that slept has forgotten its music: then the last song that was seen on it goes on, where it was, within its album or playlist.
        """
        song, self._went_on = self._heard.song, None
        with self._mapped():
            if self._heard.idle and song is not None:
                # The account has no session any more, or somebody has begun one since the last look.
                if not self._playing_here(self._state()):
                    self._awake(self._again, self._playing_here)
                return
            try:
                self._awake(lambda device: self._spotify.start_playback(device_id=device), self._playing_here, woken=None if song is None else self._again)
            except NothingActive:
                self._give(lambda device: self._spotify.transfer_playback(device, force_play=True), self._finder.target())
            except Restriction as refusal:
                if song is None:
                    raise CannotWork(f"{self._finder.name} has nothing to go on with; press the button for music that fits, or start some from the Spotify app") from refusal
                self._give(self._again, self._finder.target())
            self._see(self._playing_here)

    def skip(self) -> None:
        """Go to the next track."""
        with self._mapped():
            self._known(lambda device: self._spotify.next_track(device_id=device))
            self._changed()

    def set_volume(self, percent: int) -> None:
        """Set the volume, 0 to 100."""
        if not 0 <= percent <= 100:  # noqa: PLR2004 - percent
            raise CannotWork(f"a volume of {percent} % can't be set; it goes from 0 to 100")
        with self._mapped():
            speaker = self._finder.target()
            if not speaker.supports_volume:
                raise NotAllowed(f"{speaker.name} has a fixed volume; set it on the speaker itself")
            self._known(lambda device: self._spotify.volume(percent, device_id=device))

    def _list(self) -> tuple[Speaker, ...]:
        return tuple(speaker for speaker in map(speaker_of, self._spotify.devices()["devices"]) if speaker is not None)

    def _state(self) -> Playback:
        now = playback_of(self._spotify.current_playback())
        before = self._heard.song
        self._heard.saw(now, ours=now.speaker is not None and self._finder.is_ours(now.speaker), at_s=self._now_s())
        if before is not None and (self._heard.song is None or self._heard.song.track_uri != before.track_uri):
            self._went_on = None
        return now

    def _changed(self) -> None:
        self._heard.changed()
        self._went_on = None

    def _again(self, device: str) -> None:
        """Play the last song that was seen on the speaker again, from where it was."""
        song = self._heard.song
        if song is None:
            raise CannotWork("nothing is known that could go on; press the button for music that fits")
        try:
            self._play_from(song, device)
        except Restriction as refusal:
            raise CannotWork(f"{song.title} can't go on ({refusal}); press the button for music that fits") from refusal
        self._went_on = f"{self._finder.name} had forgotten what it played: {song} goes on"
        logger.info("%s", self._went_on)

    def _play_from(self, song: Remembered, device: str) -> None:
        context = song.offset_context
        if context is not None:
            try:
                self._spotify.start_playback(device_id=device, context_uri=context, offset={"uri": song.track_uri}, position_ms=song.position_ms)
            except Restriction:
                raise
            except CannotWork:
                # The song was queued, or is no longer in there.
                logger.debug("%s is not in %s", song.track_uri, context)
            else:
                return
        self._spotify.start_playback(device_id=device, uris=[song.track_uri], position_ms=song.position_ms)

    def _give(self, order: Callable[[str], object], speaker: Speaker) -> None:
        sent = self._transport.sent
        order(speaker.id)
        if self._transport.sent == sent:
            # spotipy only logs a warning then, for instance for a volume of 60.0.
            raise CannotWork("this order was not sent, for one of its values has the wrong type; give whole numbers and texts")
        self._finder.took_an_order()

    def _known(self, order: Callable[[str], object], *, missing: Callable[[], MoodifyError] | None = None) -> None:
        """Give an order to the speaker; once more where it came back under another id (it was refused, so nothing is done twice)."""
        speaker = self._finder.target()
        try:
            self._give(order, speaker)
        except DeviceAsleep as asleep:
            again = self._finder.find()
            if again is None:
                why = missing() if missing is not None else self._finder.heard_out()
                raise why from asleep
            if again.id == speaker.id:
                raise
            self._give(order, again)

    def _awake(self, order: Callable[[str], object], carried_out: Callable[[Playback], bool], *, woken: Callable[[str], object] | None = None) -> None:
        """Give an order that may wake the speaker, and see that what was only accepted happens.

        Args:
            order: what to send, for a device's id.
            carried_out: whether what plays is what the order wants.
            woken: what to send to a speaker that has just woken up, where that is something else.
        """
        speaker = self._finder.target()
        try:
            try:
                self._give(order, speaker)
            except DeviceAsleep:
                self._give_woken(woken or order, self._finder.wait_for(speaker))
        except Restriction:
            # So it is already, or the track can't be played: the state tells which.
            if not carried_out(self._state()):
                raise
            return
        self._see(carried_out)

    def _give_woken(self, order: Callable[[str], object], speaker: Speaker) -> None:
        """Give an order to a speaker that has just come; where it is listed but still does not know it, hand the session over first."""
        try:
            self._give(order, speaker)
        except DeviceAsleep:
            try:
                self._give(lambda device: self._spotify.transfer_playback(device, force_play=False), speaker)
                self._give(order, speaker)
            except DeviceAsleep as asleep:
                raise SpeakerUnavailable(f"{speaker.name} is in Spotify's list, but takes no orders; open Spotify on a phone once and choose {speaker.name}") from asleep

    def _see(self, carried_out: Callable[[Playback], bool]) -> None:
        """Where the newest order was only accepted, or by who knows whom, wait until it shows."""
        if self._transport.last_status not in ACCEPTED:
            return
        for pause_s in ACCEPTED_PAUSES_S:
            self._pause(pause_s)
            if self._closed.is_set():
                raise SpeakerUnavailable(f"{self.description} was closed before it carried the order out; start again")
            if carried_out(self._state()):
                return
        raise SpeakerUnavailable(f"{self.description} took the order but did not carry it out; trying again", retry_after_s=sum(ACCEPTED_PAUSES_S))

    def _playing_here(self, now: Playback) -> bool:
        return now.playing and (now.speaker is None or self._finder.name is None or same_speaker(now.speaker.name, self._finder.name))
