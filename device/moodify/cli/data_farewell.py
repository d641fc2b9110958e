"""What a household's own broker is told when all is erased: to keep nothing that this device published."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from moodify.cloud.homeassistant import farewell
from moodify.cloud.mqtt import FAILURE, Acked, Connected, Connection, Lost, Refused
from moodify.cloud.port import Publication
from moodify.errors import LinkDown, LinkRefused

if TYPE_CHECKING:
    from datetime import datetime

    from moodify.cloud.port import Target
    from moodify.cloud.topics import Topics

#: What a device publishes as retained (docs/mqtt.md), beside its status.
STATES = ("now", "state", "health")


def forget_at_broker(target: Target, topics: Topics, home_assistant_prefix: str | None, now: datetime, *, timeout_s: float = 10.0) -> None:
    """Clear all that a broker keeps of a device: its retained states, its session, and its place in Home Assistant where a prefix is given.

    Raises:
        LinkDown: the broker can't be reached or does not answer in time.
        LinkRefused: it refuses this device, or one of the messages.
        PersonMustAct: the password can't be had.
    """
    empty = [Publication(topic, b"", retain=True) for topic in (topics.status, *map(topics.state, STATES))]
    if home_assistant_prefix is not None:
        empty.append(farewell(topics, home_assistant_prefix))
    # By the device's own name, so that its session ends with this one, and what waits in it.
    connection = Connection(target.endpoint, target.passwords.credentials(now), client_id=topics.device, session_s=0, clean_start=True)
    waiting: dict[int, str] = {}
    until_s = time.monotonic() + timeout_s
    try:
        while (left_s := until_s - time.monotonic()) > 0:
            for signal in connection.step(left_s):
                match signal:
                    case Connected():
                        waiting = {connection.publish(each.topic, each.payload, retain=each.retain): each.topic for each in empty}
                    case Refused(reason=reason):
                        raise LinkRefused(f"the broker refuses this device: {reason.lower()}; check link.sign_in_file")
                    case Lost(reason):
                        raise LinkDown(f"the broker ended the connection: {reason}")
                    case Acked(mid=mid, code=code, reason=reason):
                        topic = waiting.pop(mid, None)
                        if topic is not None and code >= FAILURE:
                            raise LinkRefused(f"the broker does not let this device write {topic}: {reason.lower()}; allow it there")
                        if not waiting:
                            return
        raise LinkDown(f"the broker gave no answer in {timeout_s:g} s")
    finally:
        connection.close()
