"""What the policy remembers of its own orders and of what the speaker did since."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.types import Act

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from random import Random

    from moodify.types import Decision, Mood, Playback, Track

#: After an order the service may still show what was before; spotify-player, too, reads the state for some seconds.
SETTLE_S = 2.0

#: A look this much before a song's end may miss the end: silence then is an end, not somebody's pause.
END_SLACK_S = 3.0

#: "Not this" holds for a day.
NOT_THIS_S = 86_400.0

_SENT_MAX = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """Music that this appliance put on."""

    track: Track
    mood: Mood
    through_quiet: bool
    """A press in quiet hours asked for it, so it may go on in them."""


@dataclass(frozen=True, slots=True)
class Order:
    """A decision on its way, with what is needed once it is carried out."""

    decision: Decision
    asked: bool = False
    change: bool = False
    """Whether it counts as a change of music."""
    through_quiet: bool = False
    after_uri: str | None = None
    """The song after which a queued one comes."""
    at_s: float = 0.0
    """When it was decided."""
    while_uri: str | None = None
    """The song that played then."""


class Memory:
    """State of one policy."""

    def __init__(self, *, no_repeat: int) -> None:
        """Remember nothing yet. ``no_repeat``: how many songs back count as heard."""
        self.current: Sent | None = None
        """Our music that plays, or played before the silence; None where it is somebody's own."""
        self.queued: Sent | None = None
        self.paused_s: float | None = None
        """When we paused for want of people, while that pause lasts."""
        self.hushed = False
        """A person paused: silence is what they want."""
        self.chosen_s: float | None = None
        """When a person last put their own music in place of ours."""
        self.settled_s = float("-inf")
        """Looks at the speaker before this may show what was before our last order."""
        self._told_playing: bool | None = None
        self.after_uri: str | None = None
        """The song after which the queued one comes."""
        self._looked: tuple[Playback, float] | None = None
        self.changes: deque[float] = deque(maxlen=100)
        """When the music changed by mood."""
        self.heard: deque[str] = deque(maxlen=no_repeat)
        """What played, the newest last."""
        self._sent: dict[str, Sent] = {}
        self.not_this: dict[str, float] = {}
        """Until when a song is not chosen."""

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
        )

    def put_back(self, current: Sent | None, queued: Sent | None, *, after_uri: str | None) -> None:
        """Take what was ours before a restart; it stays so while the speaker still plays it."""
        self.current, self.queued, self.after_uri = current, queued, after_uri
        self._sent.update((sent.track.uri, sent) for sent in (current, queued) if sent is not None)

    def notice(self, playback: Playback, at_s: float) -> None:
        """Take a look at the speaker; one that is known already, or may be outdated, changes nothing."""
        before = self._looked
        if at_s < self.settled_s or (before is not None and at_s <= before[1]):
            return
        self._looked = (playback, at_s)
        ended = before is None or _ended(before, playback, at_s)
        if playback.playing:
            self._plays(playback, at_s, cut=not ended, again=before is not None and playback.progress_ms < before[0].progress_ms)
        elif before is not None and before[0].playing and not ended:
            self.hushed = True

    def notice_elsewhere(self, at_s: float) -> None:
        """Take note that the music is on another speaker: what is heard there is nobody's answer to ours, and ours is over."""
        if at_s >= self.settled_s:
            self.current = self.queued = self.paused_s = self._looked = None

    def playing(self, playback: Playback | None, at_s: float) -> bool | None:
        """Return whether music plays by the newest that is known: our last order, or the look at the speaker."""
        if self._told_playing is not None and (playback is None or at_s < self.settled_s):
            return self._told_playing
        return None if playback is None else playback.playing

    def carried_out(self, order: Order, now_s: float) -> None:
        """Take note that the speaker did it."""
        decision = order.decision
        if decision.act is not Act.QUEUE:
            self.settled_s = now_s + SETTLE_S
            self._told_playing = decision.act is not Act.PAUSE
            # What the speaker did before says nothing about what people do after.
            self._looked = None
        if order.change:
            self.changes.append(now_s)
        if decision.track is not None and decision.act in {Act.PLAY, Act.QUEUE}:
            self._put_on(order, Sent(decision.track, decision.mood, order.through_quiet))
        if decision.act is Act.PAUSE:
            self.hushed = order.asked
            self.paused_s = None if order.asked else now_s
        elif decision.act is not Act.QUEUE:
            self.hushed, self.paused_s = False, None

    def window_opens_s(self, now_s: float, *, window_s: float, most: int) -> float | None:
        """Return when music may change again where ``most`` changes lie within the window, else None."""
        recent = [change_s for change_s in self.changes if now_s - change_s < window_s]
        return recent[-most] + window_s if len(recent) >= most else None

    def avoid(self, uri: str, now_s: float) -> None:
        """Do not choose a song for :data:`NOT_THIS_S`."""
        self.not_this = {each: until_s for each, until_s in self.not_this.items() if until_s > now_s and each != uri}
        self.not_this[uri] = now_s + NOT_THIS_S

    def choose(self, tracks: Sequence[Track], now_s: float, rng: Random) -> Track | None:
        """Return a song by chance that was not heard lately, else the one heard longest ago; None where all were refused."""
        allowed = [track for track in tracks if self.not_this.get(track.uri, now_s) <= now_s]
        busy = {sent.track.uri for sent in (self.current, self.queued) if sent is not None}
        heard = {uri: age for age, uri in enumerate(self.heard)}
        fresh = [track for track in allowed if track.uri not in heard and track.uri not in busy]
        if fresh:
            return rng.choice(fresh)
        return min(allowed, key=lambda track: (track.uri in busy, heard.get(track.uri, -1)), default=None)

    def _put_on(self, order: Order, sent: Sent) -> None:
        self._sent.pop(sent.track.uri, None)
        self._sent[sent.track.uri] = sent
        if len(self._sent) > _SENT_MAX:
            del self._sent[next(iter(self._sent))]
        self._hear(sent.track.uri)
        if order.decision.act is Act.PLAY:
            self.current, self.queued = sent, None
        else:
            self.queued, self.after_uri = sent, order.after_uri

    def _plays(self, playback: Playback, at_s: float, *, cut: bool, again: bool) -> None:
        """Take note of what plays; ``cut``: the song before can't have ended by itself, ``again``: it may have begun anew."""
        self.hushed, self.paused_s = False, None
        uri = playback.track.uri if playback.track is not None else None
        if uri is not None and uri not in self.heard:
            self._hear(uri)
        if self.queued is not None and (uri != self.after_uri or (again and uri == self.queued.track.uri)):
            # The boundary has passed: either ours plays now, or somebody chose otherwise.
            self.queued = None
        ours = self._sent.get(uri or "") or self._sent.get(playback.context_uri or "")
        if ours is None and self.current is not None and cut:
            self.chosen_s = at_s
        self.current = ours

    def _hear(self, uri: str) -> None:
        if uri in self.heard:
            self.heard.remove(uri)
        self.heard.append(uri)


def _ended(before: tuple[Playback, float], now: Playback, at_s: float) -> bool:
    """Return whether the song before has ended by itself (or the speaker is gone), rather than by somebody's doing."""
    played, played_s = before
    if not now.playing and played.track is None and played.context_uri is not None and played.context_uri == now.context_uri:
        # Of an episode it is not known when it ends.
        return False
    if played.track is None or now.track is None:
        return True
    end_s = played_s + (played.track.duration_ms - played.progress_ms) / 1000
    return at_s >= end_s - END_SLACK_S
