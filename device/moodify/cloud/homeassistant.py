"""What Home Assistant is told so that it shows the device by itself: MQTT discovery, one payload for the whole device.

On a household's own broker only. Home Assistant reads the retained topics that a hub reads too, and its commands carry an id that a
template makes and no Message Expiry (it can't set one), so they are taken only where they are not retained. What the owner does not
allow in ``link.commands`` is not offered. Privacy can be turned on, never off: a button, and beside it what is so.

Payload: device-based discovery (Home Assistant 2024.11 and later): ``dev`` and ``o`` required, each entry of ``cmps`` with a
platform ``p`` and a ``unique_id``.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from moodify.cloud.commands import GOALS
from moodify.cloud.mqtt import FAILURE, Acked, Connected, Connection, Lost, Refused
from moodify.cloud.port import Publication
from moodify.errors import LinkDown, LinkRefused
from moodify.types import Mood

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from moodify.cloud.port import Target
    from moodify.cloud.topics import Topics

#: What Home Assistant says on ``<prefix>/status`` when it has started.
BIRTH = b"online"
#: Longest state that Home Assistant keeps, in characters.
_LONGEST = 255
#: 13 digits of milliseconds and up to five of chance: an id for each press. Home Assistant allows no longer range.
_ID = "ha-{{ (now().timestamp() * 1000) | int }}-{{ range(0, 100000) | random }}"


class HomeAssistant:
    """Home Assistant beside us at the broker (a ``Companion``): it is told at each connect, and again when it has started anew."""

    def __init__(self, topics: Topics, *, prefix: str, version: str, commands: Collection[str], name: str = "Moodify") -> None:
        """Take whose topics are told of, below which topic Home Assistant looks, what runs here, and the commands that are offered."""
        self._birth = f"{prefix}/status"
        self._publication = Publication(config_topic(prefix, topics.device), discovery(topics, name=name, version=version, commands=commands), retain=True)
        self._due = False

    @property
    def topics(self) -> Sequence[str]:
        """Where it says that it has started."""
        return (self._birth,)

    def connected(self) -> None:
        """Tell it: the broker may be new, or have forgotten."""
        self._due = True

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> None:  # noqa: ARG002 - the port's; some have their Home Assistant's birth message retained
        """Tell it again when it has started: what was retained may have been lost while it was away."""
        if topic == self._birth and payload == BIRTH:
            self._due = True

    def due(self) -> Sequence[Publication]:
        """Return the payload where it is due."""
        due, self._due = self._due, False
        return (self._publication,) if due else ()


def take_out(target: Target, topics: Topics, prefix: str, now: datetime, *, timeout_s: float = 10.0) -> None:
    """Remove the device from Home Assistant, over a connection of its own; a running appliance is told of nothing.

    Raises:
        LinkDown: the broker can't be reached or does not answer in time.
        LinkRefused: it refuses this device, or the message.
        PersonMustAct: the password can't be had.
    """
    gone = farewell(topics, prefix)
    # A client of another name: the appliance may be connected as the device.
    connection = Connection(target.endpoint, target.passwords.credentials(now), client_id=f"{topics.device}-forget", session_s=0)
    number: int | None = None
    until_s = time.monotonic() + timeout_s
    try:
        while (left_s := until_s - time.monotonic()) > 0:
            for signal in connection.step(left_s):
                match signal:
                    case Connected():
                        number = connection.publish(gone.topic, gone.payload, retain=gone.retain)
                    case Refused(reason=reason):
                        raise LinkRefused(f"the broker refuses this device: {reason.lower()}; check link.sign_in_file")
                    case Lost(reason):
                        raise LinkDown(f"the broker ended the connection: {reason}")
                    case Acked(mid=mid, code=code, reason=reason) if mid == number:
                        if code >= FAILURE:
                            raise LinkRefused(f"the broker does not let this device write {gone.topic}: {reason.lower()}; allow it there")
                        return
        raise LinkDown(f"the broker gave no answer in {timeout_s:g} s; it was not told to forget this device")
    finally:
        connection.close()


def farewell(topics: Topics, prefix: str) -> Publication:
    """Return what removes the device from Home Assistant."""
    return Publication(config_topic(prefix, topics.device), b"", retain=True)


def config_topic(prefix: str, device: str) -> str:
    """Return where the payload is published, retained; an empty one there removes the device from Home Assistant."""
    return f"{prefix}/device/{device}/config"


def discovery(topics: Topics, *, name: str, version: str, commands: Collection[str]) -> bytes:
    """Return the payload of a device that takes ``commands``."""
    return json.dumps(
        {
            "dev": {"ids": [topics.device], "name": name, "mf": "Moodify", "mdl": "Mood-reactive music appliance", "sw": version, "sn": topics.device},
            "o": {"name": "Moodify", "sw": version},
            "avty_t": topics.status,
            "avty_tpl": "{{ value_json.state }}",
            "qos": 1,
            "cmps": {key: {"unique_id": f"{topics.device}-{key}", **entry} for key, entry in _entries(topics, commands).items()},
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def _entries(topics: Topics, commands: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    now, state = topics.state("now"), topics.state("state")
    entries: dict[str, Mapping[str, Any]] = {
        "presence": {
            "p": "binary_sensor",
            "name": "Presence",
            "dev_cla": "occupancy",
            "stat_t": now,
            # Nobody can be seen (privacy, no camera): unknown, which is not the same as nobody being there.
            "val_tpl": "{{ None if value_json.people is none else ('ON' if value_json.people > 0 else 'OFF') }}",
        },
        "mood": {
            "p": "sensor",
            "name": "Mood",
            "dev_cla": "enum",
            "options": [mood.value for mood in Mood],
            "stat_t": now,
            "val_tpl": "{{ value_json.mood }}",
            "ic": "mdi:emoticon",
        },
        "valence": _number("Valence", now, "valence"),
        "arousal": _number("Arousal", now, "arousal"),
        "confidence": {**_number("Confidence", now, "confidence", factor=100), "unit_of_meas": "%"},
        "playing": {
            "p": "sensor",
            "name": "Now playing",
            "stat_t": now,
            "val_tpl": f"{{{{ ((value_json.title ~ ' by ' ~ value_json.artist) if value_json.playing and value_json.title else 'nothing')[:{_LONGEST}] }}}}",
            "ic": "mdi:music",
        },
        "reason": {
            "p": "sensor",
            "name": "Why this music",
            "stat_t": now,
            "val_tpl": f"{{{{ (value_json.reason or 'nothing was decided yet')[:{_LONGEST}] }}}}",
            "ic": "mdi:comment-question",
        },
        "health": {
            "p": "binary_sensor",
            "name": "Problem",
            "dev_cla": "problem",
            "ent_cat": "diagnostic",
            "stat_t": topics.state("health"),
            "val_tpl": "{{ 'OFF' if value_json.ok else 'ON' }}",
            "json_attr_t": topics.state("health"),
        },
        "privacy": {"p": "binary_sensor", "name": "Privacy", "stat_t": state, "val_tpl": "{{ 'ON' if value_json.privacy else 'OFF' }}", "ic": "mdi:camera-off"},
    }
    if "rescan" in commands:
        entries["rescan"] = _button("Look again", topics, "rescan", "mdi:camera-iris")
    if "privacy" in commands:
        entries["privacy_on"] = _button("Turn privacy on", topics, "privacy", "mdi:camera-off")
    if "goal" in commands:
        entries["goal"] = {
            "p": "select",
            "name": "Music",
            "options": list(GOALS),
            "stat_t": now,
            "val_tpl": "{{ value_json.goal }}",
            "cmd_t": topics.command("goal"),
            "cmd_tpl": f'{{"id":"{_ID}","goal":"{{{{ value }}}}"}}',
            "ic": "mdi:music-note-plus",
        }
    return entries


def _number(name: str, topic: str, key: str, *, factor: int = 1) -> Mapping[str, Any]:
    value = f"value_json.{key}" if factor == 1 else f"(value_json.{key} * {factor}) | round(0) | int"
    return {"p": "sensor", "name": name, "stat_cla": "measurement", "stat_t": topic, "val_tpl": f"{{{{ None if value_json.{key} is none else {value} }}}}"}


def _button(name: str, topics: Topics, command: str, icon: str) -> Mapping[str, Any]:
    return {"p": "button", "name": name, "cmd_t": topics.command(command), "cmd_tpl": f'{{"id":"{_ID}"}}', "retain": False, "ic": icon}
