"""What devices say, read strictly. Pure.

Of a summary this is the envelope: what an event in it may not be, is known to the intake, which sets that one aside and
keeps the rest. States, answers, offers and requests to erase hold no more than every database and every reader of the API can take: texts are UTF-8 without U+0000
(PostgreSQL takes none), and numbers finite.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from moodify.cloud.topics import PREFIX
from moodify.errors import CannotWork
from moodify.hub.port import Summary

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Largest summary, and largest state or answer, in bytes.
SUMMARY_BYTES: Final = 256 * 1024
OTHER_BYTES: Final = 64 * 1024
#: Most events in a summary: a device closes one at 64 kB, and an event takes 110 bytes at least, so 600 is the most that it says.
ITEMS_AT_MOST: Final = 1000
_SEQ_AT_MOST: Final = 2**63 - 1
_DEPTH_AT_MOST: Final = 32
_ERROR_AT_MOST: Final = 1000
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TOPIC: Final = re.compile(re.escape(PREFIX) + r"/([A-Za-z0-9._-]{1,64})/up/(.+)")


class Unreadable(CannotWork):
    """What a device sent is not what was agreed."""

    def __init__(self, device: str, reason: str) -> None:
        """Take the device, and what is wrong: one of a few texts that hold nothing of what was sent."""
        self.reason = reason
        super().__init__(f"{device} sent what is no {reason}; update Moodify on the device and on the hub to the same release")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended, in the words of docs/mqtt.md."""

    status: str
    """``ok`` or ``error``."""
    error: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyOffer:
    """A second key, not yet looked at."""

    kid: str
    public_key: str
    proof: str = field(repr=False)
    """Signed with the second key."""
    consent: str = field(repr=False)
    """Signed with a key that the hub knows."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request to forget a device, not yet looked at."""

    id: str
    """Names the answer."""
    proof: str = field(repr=False)
    """Signed with a key that the hub knows."""


def read_topic(topic: str) -> tuple[str, str] | None:
    """Return whose topic it is and what stands behind ``up/``; None where no device can have spoken there."""
    match = _TOPIC.fullmatch(topic)
    return None if match is None else (match[1], match[2])


def read_summary(device: str, payload: bytes) -> Summary:
    """Return a message of a device's outbox.

    Raises:
        Unreadable: it is no message of version 1.
    """
    match _json(device, payload, SUMMARY_BYTES):
        case {"v": 1, "epoch": str(epoch), "seq": int(seq), "items": [*items]} if (
            not isinstance(seq, bool) and 0 < seq <= _SEQ_AT_MOST and _NAME.fullmatch(epoch) and all(isinstance(item, dict) for item in items)
        ):
            if len(items) > ITEMS_AT_MOST:
                raise Unreadable(device, f"summary of at most {ITEMS_AT_MOST} events")
            return Summary(device, epoch, seq, tuple(items))
    raise Unreadable(device, "summary of version 1")


def read_answer(device: str, command_id: str, payload: bytes) -> Answer:
    """Return how the command ended.

    Raises:
        Unreadable: it is no answer.
    """
    if _NAME.fullmatch(command_id):
        match _read(device, payload):
            case {"status": "ok", "data": dict(data)}:
                return Answer("ok", data=data)
            case {"status": "ok", **rest} if "data" not in rest:
                return Answer("ok")
            case {"status": "error", "error": str(error)}:
                return Answer("error", error[:_ERROR_AT_MOST])
    raise Unreadable(device, "answer to a command")


def read_state(device: str, payload: bytes) -> Mapping[str, Any]:
    """Return a retained state.

    Raises:
        Unreadable: it is none.
    """
    value = _read(device, payload)
    if not isinstance(value, dict):
        raise Unreadable(device, "state")
    return value


def read_offer(device: str, payload: bytes) -> KeyOffer:
    """Return the key that a device wants to rotate to.

    Raises:
        Unreadable: it is no offer.
    """
    match _read(device, payload):
        # From an older Moodify it comes without consent, and is refused with a reason.
        case {"kid": str(kid), "public_key": str(public_key), "proof": str(proof), **rest} if _NAME.fullmatch(kid) and isinstance(consent := rest.get("consent", ""), str):
            return KeyOffer(kid, public_key, proof, consent)
    raise Unreadable(device, "offer of a key")


def read_erasure(device: str, payload: bytes) -> Erasure:
    """Return a device's request to be forgotten.

    Raises:
        Unreadable: it is none.
    """
    match _read(device, payload):
        case {"id": str(one), "proof": str(proof)} if _NAME.fullmatch(one):
            return Erasure(one, proof)
    raise Unreadable(device, "request to erase")


def _read(device: str, payload: bytes) -> object:
    value = _json(device, payload, OTHER_BYTES)
    if not _storable(value, 0):
        raise Unreadable(device, "JSON that can be kept")
    return value


def _json(device: str, payload: bytes, at_most: int) -> object:
    if len(payload) > at_most:
        raise Unreadable(device, f"message of at most {at_most // 1024} kB")
    try:
        return json.loads(payload.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Unreadable(device, "JSON") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _storable(value: object, depth: int) -> bool:
    match value:
        case str():
            return "\0" not in value and (value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value))
        case float():
            return math.isfinite(value)
        case list():
            return depth < _DEPTH_AT_MOST and all(_storable(item, depth + 1) for item in value)
        case dict():
            return depth < _DEPTH_AT_MOST and all(_storable(name, depth) and _storable(item, depth + 1) for name, item in value.items())
    return True
