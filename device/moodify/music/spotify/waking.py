"""Finds a speaker by its name in Spotify's list, waits while it wakes up, and says what is the matter with one that is missing."""

from __future__ import annotations

import logging
import math
import time
import unicodedata
from contextlib import ExitStack
from typing import TYPE_CHECKING

from moodify.errors import NotAllowed, SpeakerNotFound, SpeakerUnavailable
from moodify.music.names import nearest, same_speaker

from .radar import RadarDeaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from moodify.types import Speaker

    from .radar import Heard, SpeakerRadar

logger = logging.getLogger(__name__)

#: Pauses, in seconds, between looks for a speaker that wakes up: 12 s in all, as Spotcast waits.
WAKE_PAUSES_S = (1.0, 2.0, 3.0, 3.0, 3.0)
#: Pause, in seconds, to hear whether a speaker that is not waited for is on the network: most answer within two.
LISTEN_S = 3.0
#: For so many seconds after it was waited for in vain a missing speaker is not waited for again, but only looked for in the list, once for each
#: order: each wait costs eight requests. Doubles up to the longest.
REST_S = 60.0
LONGEST_REST_S = 600.0


class SpeakerFinder:
    """Knows where one speaker is. Not thread-safe: its player makes one call at a time.

    Args:
        wanted: the speaker's name; None takes the active one, or the only one.
        listed: asks Spotify for the speakers that take orders now; one request.
        pause: waits so many seconds, or until the player is closed.
        closed: whether the player is closed.
        now_s: monotonic seconds.
        radar: listens on the home network, but only while the speaker is missing; None where there is none to listen on.
        recalled: the speaker as an earlier run saw it last; another name than the one that is wanted is forgotten.
        keep: called with the speaker each time that it is seen.
    """

    def __init__(
        self,
        wanted: str | None,
        listed: Callable[[], tuple[Speaker, ...]],
        *,
        pause: Callable[[float], object],
        closed: Callable[[], bool],
        now_s: Callable[[], float],
        radar: SpeakerRadar | None,
        recalled: Speaker | None = None,
        keep: Callable[[Speaker], object] = lambda _: None,
    ) -> None:
        """Look for nothing yet."""
        self._wanted, self._listed, self._pause, self._closed, self._now_s, self._radar = wanted, listed, pause, closed, now_s, radar
        self._there: tuple[Speaker, ...] = ()
        self._neighbours: set[str] = set()
        """Other speakers that were seen beside this one: their names are not its new name."""
        self._rest_s, self._rests_until_s = REST_S, -math.inf
        self._keep = keep
        self.known: Speaker | None = recalled if recalled is not None and self.is_ours(recalled) else None
        """The speaker as it was last seen; its id may have changed since."""
        self._seen = False
        """Whether it was seen in this run."""
        self.twins: str | None = None
        """What a person should know where several speakers have this name."""
        self.missing: str | None = None
        """What is the matter with the speaker, and what to do; None while it is there."""

    @property
    def name(self) -> str | None:
        """The speaker's name: as configured, else of the one last used."""
        return self._wanted if self._wanted is not None or self.known is None else self.known.name

    def is_ours(self, speaker: Speaker) -> bool:
        """Return whether a speaker is the one that is wanted, by its name; without a wish it is any."""
        return self._wanted is None or same_speaker(speaker.name, self._wanted)

    def notice(self, playing: Speaker) -> None:
        """Take note of the speaker that is active now: it costs nothing to know its id of now, and whom the owner plays on."""
        if playing.active and not playing.restricted and self.is_ours(playing):
            self._found(playing)

    def took_an_order(self) -> None:
        """Take note that the speaker as it was last seen is there."""
        if self.known is not None:
            self._found(self.known)

    def find(self) -> Speaker | None:
        """Look for the speaker in Spotify's list, once.

        Raises:
            NotAllowed: it is there, and takes no orders.
        """
        there = self._there = self._listed()
        name = self.name
        found = _called(name, there) if name is not None else ()
        if self._wanted is None:
            found = tuple(speaker for speaker in there if speaker.active) or found or (there if len(there) == 1 else ())
        if not found:
            return None
        open_to_orders = [speaker for speaker in found if not speaker.restricted]
        if not open_to_orders:
            raise NotAllowed(f"{found[0].name} takes no orders from apps; name another speaker as music.spotify.speaker")
        self._neighbours = {speaker.name for speaker in there if speaker not in found}
        self._note_twins(open_to_orders)
        last = self.known.id if self.known is not None else None
        # The list comes in any order: without anything else to go by, it is at least always the same one.
        return self._found(min(open_to_orders, key=lambda speaker: (not speaker.active, speaker.id != last, speaker.id)))

    def target(self) -> Speaker:
        """Return whom an order is for: the speaker as it was last seen, else found in the list.

        Raises:
            SpeakerNotFound, SpeakerUnavailable: it is not in the list; the message says why, as far as that can be known, and what to do.
        """
        if self.known is not None and self.missing is None and self._seen:
            return self.known
        found = self.find()
        if found is not None:
            return found
        if self.known is None or self._now_s() < self._rests_until_s:
            raise self.heard_out()
        # An order is a knock that may wake it, where there is an id to name.
        return self.known

    def wait_for(self, refused: Speaker) -> Speaker:
        """Return the speaker once it is awake, after it did not know an order's id: looked for at once, and again while it wakes up.

        Takes six requests and 12 s at most.

        Raises:
            SpeakerNotFound, SpeakerUnavailable: it does not come; the message says why, as far as that can be known, and what to do.
        """
        found = self.find()
        if found is None:
            return self._wait(WAKE_PAUSES_S, radar=self._radar)
        # In the list under the id that was just refused, it is on its way.
        return found if found.id != refused.id else self._wait(WAKE_PAUSES_S, radar=None)

    def lost(self, heard: Heard | None = None) -> SpeakerNotFound | SpeakerUnavailable:
        """Return the error that a missing speaker is, and remember what is the matter; ``heard``: who is on the network, None where that is not known."""
        error = why_missing(self.name, self._there, heard, seen=self.known, neighbours=self._neighbours)
        if str(error) != self.missing:
            self.missing = str(error)
            logger.info("%s", self.missing)
        return error

    def heard_out(self) -> SpeakerNotFound | SpeakerUnavailable:
        """Return what :meth:`lost` does, after a moment's listening; that costs no request."""
        with ExitStack() as listening:
            heard = _listen(self._radar, listening)
            if heard is not None:
                self._pass(LISTEN_S)
            return self.lost(None if heard is None else heard())

    def _wait(self, pauses_s: Iterable[float], *, radar: SpeakerRadar | None) -> Speaker:
        with ExitStack() as listening:
            heard = _listen(radar, listening)
            for pause_s in pauses_s:
                self._pass(pause_s)
                found = self.find()
                if found is not None:
                    return found
            self._rests_until_s = self._now_s() + self._rest_s
            self._rest_s = min(self._rest_s * 2, LONGEST_REST_S)
            raise self.lost(None if heard is None else heard())

    def _pass(self, pause_s: float) -> None:
        self._pause(pause_s)
        if self._closed():
            raise SpeakerUnavailable(f"closed while {self.name or 'the speaker'} was looked for; start again")

    def _found(self, speaker: Speaker) -> Speaker:
        if self.missing is not None:
            logger.info("%s is back", speaker.name)
        self.known, self.missing, self._seen = speaker, None, True
        self._keep(speaker)
        self._rest_s, self._rests_until_s = REST_S, -math.inf
        return speaker

    def _note_twins(self, found: list[Speaker]) -> None:
        before, self.twins = self.twins, None
        if self._wanted is not None and len(found) > 1:
            self.twins = f"{len(found)} speakers are called {found[0].name}: the music goes to the one that plays or was used last; give each a name of its own"
            if before is None:
                logger.warning("%s", self.twins)


def examine(name: str | None, listed: Callable[[], tuple[Speaker, ...]], radar: SpeakerRadar, *, pause: Callable[[float], object] = time.sleep) -> str | None:
    """Look for a speaker without an order for it; return what a person should know although it is there.

    Takes one request and :data:`LISTEN_S` at most; listens on the network only where Spotify does not list it.

    Raises:
        NotAllowed, SpeakerNotFound, SpeakerUnavailable: it is not there, or takes no orders; the message says why and what to do.
    """
    finder = SpeakerFinder(name, listed, pause=pause, closed=lambda: False, now_s=time.monotonic, radar=radar)
    finder.target()
    return finder.twins


def why_missing(
    name: str | None, there: tuple[Speaker, ...], heard: Heard | None, *, seen: Speaker | None = None, neighbours: Iterable[str] = ()
) -> SpeakerNotFound | SpeakerUnavailable:
    """Return the error that a speaker is which Spotify does not list: asleep, renamed, gone, or not known to be any of these.

    Args:
        name: what it is called; None where no speaker is named.
        there: the speakers that Spotify lists.
        heard: names on the home network; None where nobody could listen.
        seen: the speaker as it was last in the list, so that its name was right then; None where it never was.
        neighbours: names of other speakers of this home, which are not it under a new name.
    """
    if name is None:
        around = f"there: {_names(speaker.name for speaker in there)}" + ("" if heard is None else f"; on the network: {_names(heard)}")
        return SpeakerNotFound(f"no speaker is active ({around}); name one as music.spotify.speaker, or play something on it from the Spotify app")
    if heard is not None and any(same_speaker(name, one) for one in heard):
        return SpeakerUnavailable(f"{name} is on the network, but asleep to Spotify; open Spotify on a phone once and choose {name}")
    renamed = [speaker.name for speaker in there if seen is not None and speaker.id == seen.id]
    new_name = renamed[0] if renamed else nearest(name, {*(speaker.name for speaker in there), *(heard or ())} - set(neighbours))
    if new_name is not None:
        return SpeakerNotFound(f'no speaker {name!r}, but one called {new_name!r}; if that is it, set music.spotify.speaker = "{new_name}"')
    return _never_seen(name, there, heard) if seen is None else _gone(name, heard)


def _never_seen(name: str, there: tuple[Speaker, ...], heard: Heard | None) -> SpeakerNotFound:
    listed = _names(speaker.name for speaker in there)
    if heard is None:
        return SpeakerNotFound(f"no speaker {name!r} (there: {listed}); check music.spotify.speaker, or play something on it once from the Spotify app")
    return SpeakerNotFound(f"no speaker {name!r}, neither at Spotify (there: {listed}) nor on the network ({_names(heard)}); plug it in, or check music.spotify.speaker")


def _gone(name: str, heard: Heard | None) -> SpeakerUnavailable:
    if heard is None:
        return SpeakerUnavailable(f"{name} is asleep or off; switch it on, or play something on it from the Spotify app")
    if heard:
        return SpeakerUnavailable(f"{name} is not on the network; plug it in and check its Wi-Fi")
    return SpeakerUnavailable(f"{name} is not on the network, and no other speaker is heard; plug it in, and see that it is on the same network as this device")


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _listen(radar: SpeakerRadar | None, listening: ExitStack) -> Callable[[], Heard] | None:
    """Begin to listen until the stack is left; None where that can't be: it only helps to say what is the matter."""
    if radar is None:
        return None
    try:
        return listening.enter_context(radar.listening())
    except RadarDeaf as deaf:
        logger.info("%s", deaf)
        return None


def _called(name: str, there: tuple[Speaker, ...]) -> tuple[Speaker, ...]:
    """Return the speakers of this name; those that are written just so count before those that are only alike."""
    alike = tuple(speaker for speaker in there if same_speaker(speaker.name, name))
    exact = tuple(speaker for speaker in alike if _exact(speaker.name) == _exact(name))
    return exact or alike


def _exact(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()
