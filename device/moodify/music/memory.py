"""What the policy remembers of its own orders and of what the speaker did since."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from moodify.music.looks import Look, ended, outcome, touched
from moodify.types import Act

if TYPE_CHECKING:
    from collections.abc import Hashable

    from moodify.music.orders import Order, Sent
    from moodify.music.song import Outcome
    from moodify.types import Playback

#: After an order the service may still show what was before; spotify-player, too, reads the state for some seconds.
SETTLE_S = 2.0

#: Who has been back for so many seconds is surprised by music that goes on by itself.
BACK_S = 300.0

#: "Not this" holds for a day.
NOT_THIS_S = 86_400.0

#: A queued song that did not come at a song's end may still wait behind what a person queued; not for longer than so many songs.
LATE_MAX = 2

#: More songs back than no_repeat are remembered, so that those heard long ago come before those heard just before the window.
_HEARD_BEYOND = 30
_SENT_MAX = 200


class Memory:
    """State of one policy."""

    def __init__(self, *, no_repeat: int) -> None:
        """Remember nothing yet. ``no_repeat``: how many songs back count as heard."""
        self.current: Sent | None = None
        """Our music that plays, or played before the silence; None where it is somebody's own."""
        self.judged = False
        """Whether somebody has said what they think of it."""
        self.queued: Sent | None = None
        self.paused_s: float | None = None
        """When we paused for want of people, while that pause lasts and may still end by itself."""
        self._here_s: float | None = None
        """Since when somebody is here again, or may be; None while it is known that nobody is."""
        self.broke_off_s: float | None = None
        """When our music ended because the speaker did not get the next song, while that silence lasts."""
        self.hushed = False
        """A person paused: silence is what they want."""
        self.chosen_s: float | None = None
        """When a person last put their own music in place of ours."""
        self.settled_s = float("-inf")
        """Looks at the speaker before this may show what was before our last order."""
        self._told_playing: bool | None = None
        self.after_uri: str | None = None
        """The song after which the queued one comes."""
        self._late = 0
        self._missing = False
        """The speaker refused the song that was to come next."""
        self._looked: Look | None = None
        self._stood: Look | None = None
        """The last look at a song that stood paused in its middle; None once something has played."""
        self._unseen: Act | None = None
        """The order that told it to play, until a look has shown what became of it."""
        self.changes: deque[float] = deque(maxlen=100)
        """When the music changed by mood."""
        self.heard: deque[str] = deque(maxlen=no_repeat + _HEARD_BEYOND)
        """What played, the newest last."""
        self._sent: dict[str, Sent] = {}
        self.not_this: dict[str, float] = {}
        """Until when a song is not chosen."""
        self.cap: int | None = None
        """The volume cap of the hour that was seen last; None before the first."""
        self.too_loud = False
        """Whether the cap has sunk and the music may still be louder."""

    @property
    def mark(self) -> Hashable:
        """What differs once something worth keeping over a restart has changed; cheap."""
        return (
            self.hushed,
            self.paused_s,
            self.chosen_s,
            self.current,
            self.queued,
            self.changes[-1] if self.changes else None,
            self.heard[-1] if self.heard else None,
            next(reversed(self.not_this.values()), None),
            self.cap,
        )

    def put_back(self, current: Sent | None, queued: Sent | None, *, after_uri: str | None) -> None:
        """Take what was ours before a restart; it stays so while the speaker still plays it."""
        self.current, self.queued, self.after_uri = current, queued, after_uri
        self._sent.update((sent.track.uri, sent) for sent in (current, queued) if sent is not None)

    def notice(self, playback: Playback, at_s: float) -> tuple[Sent, Outcome] | None:
        """Take a look at the speaker; one that is known already, or may be outdated, changes nothing.

        Returns:
            Our song that is over since the look before, and what became of it; None where nothing is to be learned.
        """
        before, now = self._looked, Look(playback, at_s)
        if at_s < self.settled_s or (before is not None and at_s <= before.at_s):
            return None
        self._looked = now
        unseen, self._unseen = self._unseen, None
        over = before is None or ended(before, now)
        again = before is not None and playback.progress_ms < before.playback.progress_ms
        lesson = None if before is None else self._lesson(before, now, again=again)
        if playback.playing:
            self._plays(now, cut=not over, again=again)
        elif before is not None and before.playback.playing:
            self._falls_silent(before, at_s, over=over)
        elif self._is_somebodys_pause(before, now, unseen):
            self.hushed, self.paused_s = True, None
        self._stood = None if playback.playing else now if now.halfway else self._stood
        return lesson

    def notice_people(self, people: int, at_s: float, *, gone: bool) -> None:
        """Take note who is here: our pause for absence ends soon after somebody has come back, or not by itself.

        Args:
            people: who is seen.
            at_s: on the clock of the frames.
            gone: whether it is known that nobody is here. Where that can't be told, somebody may have come unseen.
        """
        if gone:
            self._here_s = None
            return
        if self._here_s is None:
            self._here_s = at_s
        if people and at_s - self._here_s >= BACK_S:
            self.paused_s = None

    def notice_elsewhere(self, at_s: float) -> None:
        """Take note that the music is on another speaker: what is heard there is nobody's answer to ours, and ours is over."""
        if at_s >= self.settled_s:
            self.current = self.queued = self.paused_s = self.broke_off_s = self._looked = self._stood = self._unseen = None

    def playing(self, playback: Playback | None, at_s: float) -> bool | None:
        """Return whether music plays by the newest that is known: our last order, or the look at the speaker."""
        if self._told_playing is not None and (playback is None or at_s < self.settled_s):
            return self._told_playing
        return None if playback is None else playback.playing

    def carried_out(self, order: Order, now_s: float) -> None:
        """Take note that the speaker did it."""
        act = order.decision.act
        if act is Act.VOLUME:
            return
        self._missing = False
        if order.change:
            self.changes.append(now_s)
        sent = order.sent()
        if sent is not None:
            self._hear(sent.track.uri)
            self._put_on(order, sent)
        if act is Act.QUEUE:
            return
        if act is Act.SKIP and self.queued is not None:
            self._begin(self.queued)
        self.settled_s = now_s + SETTLE_S
        self._told_playing = act is not Act.PAUSE
        self._unseen = act if self._told_playing else None
        # What the speaker did before says nothing about what people do after.
        self._looked = self._stood = None
        self.broke_off_s = None
        self.hushed = act is Act.PAUSE and order.asked
        self.paused_s = now_s if act is Act.PAUSE and not order.asked else None

    def left_open(self, order: Order) -> None:
        """Take note that the speaker may have carried an order out, though it did not say so."""
        sent = order.sent(sure=False)
        if sent is None:
            return
        if order.decision.act is Act.QUEUE:
            self._put_on(order, sent)
        else:
            self._know(sent)

    def refused(self, order: Order) -> None:
        """Take note that the speaker did not carry an order out."""
        self._missing = self._missing or order.decision.act is Act.QUEUE

    def window_opens_s(self, now_s: float, *, window_s: float, most: int) -> float | None:
        """Return when music may change again where ``most`` changes lie within the window, else None."""
        recent = [change_s for change_s in self.changes if now_s - change_s < window_s]
        return recent[-most] + window_s if len(recent) >= most else None

    def avoid(self, uri: str, now_s: float) -> None:
        """Do not choose a song for :data:`NOT_THIS_S`."""
        self.not_this = {each: until_s for each, until_s in self.not_this.items() if until_s > now_s and each != uri}
        self.not_this[uri] = now_s + NOT_THIS_S

    def avoided(self, now_s: float) -> set[str]:
        """Return the songs that are not chosen now."""
        return {uri for uri, until_s in self.not_this.items() if until_s > now_s}

    def _lesson(self, before: Look, now: Look, *, again: bool) -> tuple[Sent, Outcome] | None:
        sent = self.current
        if sent is None or sent.track.uri != before.uri or self.judged or not sent.teaches:
            return None
        over = outcome(before, now, again=again and self.queued is not None and self.queued.track.uri == sent.track.uri)
        if over is None:
            return None
        self.judged = True
        return sent, over

    def _know(self, sent: Sent) -> None:
        self._sent.pop(sent.track.uri, None)
        self._sent[sent.track.uri] = sent
        if len(self._sent) > _SENT_MAX:
            del self._sent[next(iter(self._sent))]

    def _put_on(self, order: Order, sent: Sent) -> None:
        self._know(sent)
        if order.decision.act is Act.QUEUE:
            self.queued, self.after_uri, self._late = sent, order.after_uri, 0
            return
        if self.queued is not None and self.queued is self.current:
            # A skip has brought it on already.
            self.queued = None
        self._begin(sent)
        if self.queued is not None:
            # What was queued before stays so on Spotify, and comes after what a person chose instead: as part of it, then.
            self.queued = replace(self.queued, mood=sent.mood, felt=sent.felt, sure=False, counts=False, teaches=False)
            self.after_uri, self._late = sent.track.uri, 0
            self._know(self.queued)

    def _begin(self, sent: Sent) -> None:
        self.current, self.judged = sent, False

    def _plays(self, now: Look, *, cut: bool, again: bool) -> None:
        """Take note of what plays; ``cut``: the song before can't have ended by itself, ``again``: it may have begun anew."""
        self.hushed, self.paused_s, self.broke_off_s = False, None, None
        uri = now.uri
        if uri is not None and uri not in self.heard:
            self._hear(uri)
        came = self._boundary(now, cut=cut, again=again)
        ours = self._sent.get(uri or "") or self._sent.get(now.playback.context_uri or "")
        if ours is None and self.current is not None and cut:
            self.chosen_s = now.at_s
        if came or ours is None or self.current is None or ours.track.uri != self.current.track.uri:
            self.judged = self._missing = False
        self.current = ours

    def _boundary(self, now: Look, *, cut: bool, again: bool) -> bool:
        """Return whether the queued song has come; where another song has, ours may still wait behind it."""
        queued = self.queued
        if queued is None or (now.uri == self.after_uri and not (again and now.uri == queued.track.uri)):
            return False
        if now.uri == queued.track.uri:
            if queued.counts:
                self.changes.append(now.at_s)
                self._know(replace(queued, sure=True, counts=False))
            self.queued = None
            return True
        self._late += not cut
        self.queued, self.after_uri = (replace(queued, sure=False), now.uri) if self._late < LATE_MAX else (None, None)
        return False

    def _falls_silent(self, before: Look, at_s: float, *, over: bool) -> None:
        if not over:
            self.hushed = True
            return
        if self.current is not None and (self._missing or self.queued is not None):
            # By its length, not by this look: after an outage that may come hours later.
            self.broke_off_s = min(at_s, before.end_s)
        self.queued, self._missing = None, False

    def _is_somebodys_pause(self, before: Look | None, now: Look, unseen: Act | None) -> bool:
        """Return whether somebody has paused, between two looks that both found silence or right after our order to play."""
        if before is not None:
            return touched(self._stood or before, now)
        # A song of ours that never came on was not paused.
        came = unseen is not Act.PLAY or (self.current is not None and self.current.track.uri in {now.uri, now.playback.context_uri})
        return unseen is not None and came and now.halfway

    def _hear(self, uri: str) -> None:
        if uri in self.heard:
            self.heard.remove(uri)
        self.heard.append(uri)
