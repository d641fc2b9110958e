"""What others are told when all is erased: a hub, to erase what it knows; a household's own broker, to keep nothing that this device published."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.cloud import enrolment, identity
from moodify.cloud.erasure import ask_to_erase
from moodify.cloud.homeassistant import farewell
from moodify.cloud.mqtt import FAILURE, Acked, Connected, Connection, Lost, Refused
from moodify.cloud.port import Delivery, Publication
from moodify.cloud.topics import STATES, Topics
from moodify.daemon.linking import household_of, hub_of
from moodify.daemon.places import DEVICE_KEY
from moodify.errors import LinkDown, LinkRefused, MoodifyError
from moodify.system.trust import clock_trusted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from moodify.cloud.port import Target
    from moodify.config.model import LinkConfig


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling somebody."""

    said: str
    """For a person."""
    done: bool
    """Whether nothing is left there."""


def bid_farewell(link: LinkConfig, folder: Path, device: str | None, events: int | None) -> list[Told]:
    """Tell those who know of this device that it is erased; return what came of it, nothing where nobody knows of it.

    Args:
        link: whom the device goes to.
        folder: the data folder, whole still: it takes the device's key.
        device: the device's id, where it is known.
        events: how many events its history has; None where it can't be read.
    """
    told = []
    try:
        hub = enrolment.load(folder)
    except MoodifyError as error:
        told.append(Told(f"The hub was not told: {error}. Where it is known: {_there(device, events)}", done=False))
    else:
        if hub is not None:
            name = f"The hub {hub.name} ({hub.host}:{hub.port})"
            told.append(_tell_hub(name, link, folder, device, events, lambda: hub_of(hub, link, folder, _trusted)))
    if link.host is not None and link.enabled:
        if enrolment.delivery_of(link) is Delivery.HUB:
            told.append(_tell_hub(f"The hub {link.host}:{link.port}", link, folder, device, events, lambda: household_of(link, folder, _trusted)))
        else:
            told.append(_tell_broker(link, folder, device))
    return told


def forget_at_broker(target: Target, topics: Topics, home_assistant_prefix: str | None, now: datetime, *, timeout_s: float = 10.0) -> None:
    """Clear all that a broker keeps of a device: its retained states, its session, and its place in Home Assistant where a prefix is given.

    Raises:
        LinkDown: the broker can't be reached or does not answer in time.
        LinkRefused: it refuses this device, or one of the messages.
        PersonMustAct: the password can't be had.
    """
    empty = [Publication(topic, b"", retain=True) for topic in map(topics.state, STATES)]
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


def _tell_hub(name: str, link: LinkConfig, folder: Path, device: str | None, events: int | None, target: Callable[[], Target]) -> Told:
    if not link.enabled:
        return Told(f"{name} was not told, for link.enabled is false. {_there(device, events)}", done=False)
    try:
        own = identity.load(folder / DEVICE_KEY)
        erased = ask_to_erase(target(), Topics(own.device), own, link.audience)
    except MoodifyError as error:
        return Told(f"{name} has not said that it erased this device: {error}. {_there(device, events)}", done=False)
    if erased is None:
        return Told(f"{name} does not know this device any more; its answer was lost on the way.", done=True)
    return Told(f"{name} has erased this device too, and {erased} events of it.", done=True)


def _tell_broker(link: LinkConfig, folder: Path, device: str | None) -> Told:
    try:
        topics = Topics(identity.load(folder / DEVICE_KEY).device)
        forget_at_broker(household_of(link, folder, _trusted), topics, link.home_assistant_prefix if link.home_assistant else None, datetime.now(UTC))
    except MoodifyError as error:
        where = f"moodify/v1/{device or 'ID'}/up/"
        return Told(f"The broker {link.host} keeps the last states of this device (retained, below {where}); clear them there: {error}", done=False)
    return Told(f"The broker {link.host} keeps no state of this device any more; whoever listened there may.", done=True)


def _there(device: str | None, events: int | None) -> str:
    many = "what it was told" if events is None else f"what it was told of the {events} events that were here"
    return f"It may still hold {many}; erase that there:  moodify hub erase {device or 'ID'}"


def _trusted() -> tuple[bool, str]:
    return clock_trusted(datetime.now(UTC))
