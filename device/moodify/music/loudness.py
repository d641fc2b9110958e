"""How loud it may be at this hour: the volume follows the owner's caps down, once each, and never up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.music import hours
from moodify.music.orders import Order
from moodify.types import Act, Decision

if TYPE_CHECKING:
    from moodify.music.desk import Desk
    from moodify.music.situation import Situation, Verdict


def notice_hour(desk: Desk, now: Situation) -> None:
    """Take note where another cap has begun to hold. The first one that is seen is no news: nothing is turned down by a start."""
    memory, cap = desk.memory, desk.cap(now)
    if cap != memory.cap:
        memory.too_loud = memory.cap is not None and cap < memory.cap
        memory.cap = cap


def turn_down(desk: Desk, now: Situation) -> Verdict | None:
    """Return the order to bring the volume down to the cap that has begun; None where there is nothing to do.

    Once it was quiet enough, or silent, whoever turns it up again is left alone until the cap sinks again.
    """
    memory, playback = desk.memory, now.playback
    if not memory.too_loud or playback is None:
        return None
    speaker = playback.speaker
    if playback.playing and desk.elsewhere(now) is None and (speaker is None or (speaker.supports_volume and speaker.volume_percent is None)):
        # It is not known yet how loud it is.
        return None
    memory.too_loud = False
    cap = desk.cap(now)
    if not playback.playing or speaker is None or desk.elsewhere(now) is not None or not speaker.supports_volume or (speaker.volume_percent or 0) <= cap:
        return None
    # Without hours it is the owner who has set a lower cap since the last run.
    when = f"After {hours.last_edge(now.local_time, entries):%H:%M} it" if (entries := desk.config.volume_caps) else "It"
    return desk.put(Order(Decision(Act.VOLUME, f"{when} is not louder than {cap} %", now.mood, volume_percent=cap)))
