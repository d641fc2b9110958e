"""What the gate itself answers in MQTT: CONNACK and DISCONNECT. Numbers in brackets are sections of MQTT 5.0."""

from __future__ import annotations

from enum import IntEnum

#: First byte of a packet (2.1): type and flags.
CONNACK = 0x20
DISCONNECT = 0xE0
#: Protocol versions (3.1.2.2) before 5.
VERSION_3_1_1 = 4
VERSION_3_1 = 3


class Reason(IntEnum):
    """Reason codes (2.4) that the gate gives."""

    MALFORMED = 0x81
    PROTOCOL_ERROR = 0x82
    UNSUPPORTED_VERSION = 0x84
    BAD_PASSWORD = 0x86
    NOT_AUTHORIZED = 0x87
    UNAVAILABLE = 0x88
    BUSY = 0x89
    SHUTTING_DOWN = 0x8B
    BAD_METHOD = 0x8C
    TOO_LARGE = 0x95
    ADMINISTRATIVE = 0x98
    CONNECTION_RATE = 0x9F
    TOO_LONG = 0xA0
    """Maximum connect time."""


def connack(reason: Reason) -> bytes:
    """Return a refusal of a CONNECT (3.2)."""
    return bytes((CONNACK, 3, 0, reason, 0))


def connack_3(version: int) -> bytes:
    """Return "unacceptable protocol version" as a client of an older version reads it (3.1.1, 3.2.2.3), MQTT 5's for any other."""
    return bytes((CONNACK, 2, 0, 1)) if version in {VERSION_3_1, VERSION_3_1_1} else connack(Reason.UNSUPPORTED_VERSION)


def disconnect(reason: Reason) -> bytes:
    """Return a DISCONNECT (3.14)."""
    return bytes((DISCONNECT, 2, reason, 0))
