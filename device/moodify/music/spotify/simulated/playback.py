"""The part of the Web API that says what plays, played and will play, and on which device."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .arguments import limit_of, number
from .http import Answer, ApiError

if TYPE_CHECKING:
    from .connect import Connect
    from .http import Request
    from .objects import Objects

NOTHING = Answer(204)


class PlaybackState:
    """Answers for the state of the player.

    Args:
        connect: devices and what plays.
        objects: who writes songs and contexts.
        epoch: the date at which the clock stood at zero.
    """

    def __init__(self, connect: Connect, objects: Objects, epoch: datetime) -> None:
        """Ask nothing yet."""
        self._connect, self._objects, self._epoch = connect, objects, epoch

    def state(self, _: Request) -> Answer:
        """Answer ``GET /me/player``; 204 where nothing is active."""
        head, device = self._connect.head, self._connect.active
        if device is None:
            return NOTHING
        value: dict[str, Any] = {
            "device": device.as_object(active=True),
            "repeat_state": head.repeat,
            "shuffle_state": head.shuffle,
            "timestamp": self._ms(self._connect.clock()),
            "progress_ms": head.position_ms,
            "is_playing": head.playing,
            "currently_playing_type": "track" if head.song is not None else "unknown",
            "actions": {},
        }
        if head.context_uri is not None:
            value["context"] = self._objects.context(head.context_uri)
        if head.song is not None:
            value["item"] = self._objects.track(head.song)
        return Answer.of(value)

    def devices(self, _: Request) -> Answer:
        """Answer ``GET /me/player/devices``."""
        return Answer.of({"devices": [device.as_object(active=device is self._connect.active) for device in self._connect.devices if device.listed]})

    def queue(self, _: Request) -> Answer:
        """Answer ``GET /me/player/queue``: what comes next."""
        head = self._connect.head
        value: dict[str, Any] = {"queue": [self._objects.track(song) for song in head.coming()]}
        if head.song is not None:
            value["currently_playing"] = self._objects.track(head.song)
        return Answer.of(value)

    def recently_played(self, request: Request) -> Answer:
        """Answer ``GET /me/player/recently-played``, newest first; ``before`` and ``after`` are cursors in ms."""
        limit, query = limit_of(request), request.query
        if "before" in query and "after" in query:
            raise ApiError(400, "before and after can't both be given")
        plays = list(self._connect.head.history)[::-1]
        if "before" in query:
            plays = [played for played in plays if self._ms(played.ended_s) < number(request, "before", least=0)]
        elif "after" in query:
            plays = [played for played in plays if self._ms(played.ended_s) > number(request, "after", least=0)]
        # The page next to the cursor: after it the oldest ones, else the newest.
        page = plays[-limit:] if "after" in query else plays[:limit]
        items = []
        for played in page:
            item: dict[str, Any] = {"track": self._objects.track(played.song), "played_at": f"{self._date(played.ended_s):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"}
            if played.context_uri is not None:
                item["context"] = self._objects.context(played.context_uri)
            items.append(item)
        self._objects.leave_gap(items, "track")
        address = f"{self._objects.base}/me/player/recently-played"
        value: dict[str, Any] = {"href": f"{address}?{urlencode({'limit': limit})}", "limit": limit, "cursors": {}, "next": None, "total": len(plays)}
        if page:
            newest, oldest = self._ms(page[0].ended_s), self._ms(page[-1].ended_s)
            value["cursors"] = {"after": str(newest), "before": str(oldest)}
            if len(page) < len(plays):
                further = {"after": newest} if "after" in query else {"before": oldest}
                value["next"] = f"{address}?{urlencode({**further, 'limit': limit})}"
        return Answer.of({**value, "items": items})

    def _date(self, clock_s: float) -> datetime:
        return (self._epoch + timedelta(seconds=clock_s)).astimezone(UTC)

    def _ms(self, clock_s: float) -> int:
        return round(self._date(clock_s).timestamp() * 1000)
