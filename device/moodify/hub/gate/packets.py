"""What the gate reads of MQTT 5.0: CONNECT and SUBSCRIBE.

Numbers in brackets are sections of the OASIS standard "MQTT Version 5.0" (7 March 2019). Reading is strict: what the
standard calls malformed or a protocol error is :class:`Malformed`, and a text is well-formed UTF-8 without U+0000.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: First byte of a packet (2.1): type and flags.
CONNECT = 0x10
PUBLISH = 0x30
SUBSCRIBE = 0x82
#: Longest fixed header (2.1.4), in bytes.
HEADER_AT_MOST = 5
#: Protocol version (3.1.2.2).
VERSION_5 = 5

# Flags of CONNECT (3.1.2.3).
_RESERVED, _CLEAN_START, _WILL, _WILL_RETAIN, _PASSWORD, _USER_NAME = 0x01, 0x02, 0x04, 0x20, 0x40, 0x80

# Sizes of properties (2.2.2.2) in bytes, or how they are laid out.
_TEXT, _PAIR, _BYTES, _VARINT = -1, -2, -3, -4
_AUTHENTICATION_METHOD, _AUTHENTICATION_DATA, _USER_PROPERTY = 0x15, 0x16, 0x26
_CONNECT_PROPERTIES = {0x11: 4, 0x21: 2, 0x27: 4, 0x22: 2, 0x19: 1, 0x17: 1, _USER_PROPERTY: _PAIR, _AUTHENTICATION_METHOD: _TEXT, _AUTHENTICATION_DATA: _BYTES}
_WILL_PROPERTIES = {0x18: 4, 0x01: 1, 0x02: 4, 0x03: _TEXT, 0x08: _TEXT, 0x09: _BYTES, _USER_PROPERTY: _PAIR}
_SUBSCRIBE_PROPERTIES = {0x0B: _VARINT, _USER_PROPERTY: _PAIR}
# Flags: 0 or 1 only. Numbers: not 0.
_FLAGS, _NOT_ZERO = {0x19, 0x17, 0x01}, {0x21, 0x27, 0x0B}


class Malformed(Exception):
    """Bytes that are no packet, or one that the standard forbids."""


class OtherVersion(Malformed):
    """A CONNECT of another version of MQTT."""

    def __init__(self, version: int) -> None:
        """Take the version, as in the packet."""
        self.version = version
        super().__init__(f"MQTT protocol version {version}")


@dataclass(frozen=True, slots=True)
class Header:
    """A fixed header (2.1)."""

    first: int
    """Type and flags."""
    body: int
    """Where the rest begins, from the beginning of the packet."""
    size: int
    """How long the packet is, header included, in bytes."""


@dataclass(frozen=True, slots=True)
class Will:
    """A last will (3.1.2.5)."""

    properties: bytes = field(repr=False)
    """As they came, checked."""
    topic: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Connect:
    """A CONNECT packet (3.1)."""

    client_id: str
    flags: int
    keepalive_s: int
    properties: bytes = field(repr=False)
    """As they came, checked."""
    authentication_method: str | None
    will: Will | None
    username: str | None
    password: bytes | None = field(repr=False)

    def signed_in_as(self, device: str) -> bytes:
        """Return the packet with user name and client id ``device`` and without a password."""
        flags = (self.flags & ~_PASSWORD) | _USER_NAME
        body = text("MQTT") + bytes((VERSION_5, flags)) + self.keepalive_s.to_bytes(2) + varint(len(self.properties)) + self.properties + text(device)
        if self.will is not None:
            body += varint(len(self.will.properties)) + self.will.properties + text(self.will.topic) + len(self.will.payload).to_bytes(2) + self.will.payload
        body += text(device)
        return bytes((CONNECT,)) + varint(len(body)) + body


class _Reader:
    """Takes a packet's body apart."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data = data
        self.at = at
        self._end = end

    @property
    def done(self) -> bool:
        return self.at == self._end

    def take(self, size: int) -> bytes:
        if size > self._end - self.at:
            raise Malformed("it is shorter than it says")
        self.at += size
        return self._data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def binary(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        try:
            # 1.5.4: no surrogates, which this decoder refuses, and no U+0000.
            value = self.binary().decode()
        except UnicodeDecodeError as error:
            raise Malformed("a text is not UTF-8") from error
        if "\0" in value:
            raise Malformed("a text contains U+0000")
        return value

    def varint(self) -> int:
        read = read_varint(self._data, self.at, self._end)
        if read is None:
            raise Malformed("it is shorter than it says")
        value, self.at = read
        return value

    def properties(self, known: dict[int, int]) -> tuple[bytes, dict[int, object]]:
        """Return them as they are, and their values but the user properties."""
        size = self.varint()
        begin = self.at
        inner = _Reader(self._data, begin, begin + len(self.take(size)))
        values: dict[int, object] = {}
        while not inner.done:
            kind = inner.varint()
            layout = known.get(kind)
            if layout is None:
                raise Malformed(f"property 0x{kind:02X} has no place here")
            if layout == _PAIR:
                inner.text()
                inner.text()
                continue
            # 2.2.2.2 and each property: a second one is a protocol error.
            if kind in values:
                raise Malformed(f"property 0x{kind:02X} is there twice")
            values[kind] = value = inner.one(layout)
            if (kind in _FLAGS and value not in {0, 1}) or (kind in _NOT_ZERO and value == 0):
                raise Malformed(f"property 0x{kind:02X} has a value that it may not have")
        return self._data[begin : self.at], values

    def one(self, layout: int) -> object:
        if layout == _TEXT:
            return self.text()
        if layout == _BYTES:
            return self.binary()
        return self.varint() if layout == _VARINT else self.number(layout)


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Return a variable byte integer (1.5.5) and where it ends, None where bytes are missing.

    Raises:
        Malformed: it is longer than four bytes.
    """
    value = 0
    for index in range(4):
        if at + index >= end:
            return None
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follow
            return value, at + index + 1
    raise Malformed("a number has more than four bytes")


def read_header(data: bytes, at: int = 0) -> Header | None:
    """Return the fixed header that begins at ``at``, None where bytes are missing.

    Raises:
        Malformed: it is none.
    """
    read = read_varint(data, at + 1, len(data))
    if read is None:
        return None
    size, body = read
    return Header(data[at], body - at, body - at + size)


def read_connect(packet: bytes) -> Connect:
    """Return what a CONNECT says.

    Raises:
        OtherVersion: it is for another version of MQTT; nothing more of it was read.
        Malformed: it is none.
    """
    header = read_header(packet)
    if header is None or header.first != CONNECT or header.size != len(packet):
        raise Malformed("it is no CONNECT")
    reader = _Reader(packet, header.body, header.size)
    name, version = reader.binary(), reader.number(1)
    if name not in {b"MQTT", b"MQIsdp"}:
        raise Malformed("it is for another protocol")
    if version != VERSION_5 or name != b"MQTT":
        raise OtherVersion(version)
    flags = reader.number(1)
    _check_flags(flags)
    keepalive_s = reader.number(2)
    properties, values = reader.properties(_CONNECT_PROPERTIES)
    method = values.get(_AUTHENTICATION_METHOD)
    if _AUTHENTICATION_DATA in values and method is None:
        raise Malformed("it has authentication data and no method")
    client_id = reader.text()
    will = None
    if flags & _WILL:
        will_properties, _ = reader.properties(_WILL_PROPERTIES)
        will = Will(will_properties, topic_name(reader.text()), reader.binary())
    username = reader.text() if flags & _USER_NAME else None
    password = reader.binary() if flags & _PASSWORD else None
    if not reader.done:
        raise Malformed("it is longer than it says")
    return Connect(client_id, flags, keepalive_s, properties, None if method is None else str(method), will, username, password)


def _check_flags(flags: int) -> None:
    quality = flags >> 3 & 3
    # 3.1.2.3 to 3.1.2.7: the reserved bit is 0, and without a will nothing may be said of it.
    if flags & _RESERVED or quality == 3 or (not flags & _WILL and flags & (_WILL_RETAIN | 0x18)):  # noqa: PLR2004 - qualities of service are 0, 1 and 2
        raise Malformed("its flags contradict one another")


def topic_name(name: str) -> str:
    """Return a topic's name as it is.

    Raises:
        Malformed: it is empty or has wildcards (4.7.1, 4.7.3).
    """
    if not name or "+" in name or "#" in name:
        raise Malformed("a topic name is empty or has wildcards")
    return name


def read_subscribe(packet: bytes) -> list[str]:
    """Return the topic filters of a SUBSCRIBE (3.8).

    Raises:
        Malformed: it is none.
    """
    header = read_header(packet)
    if header is None or header.first != SUBSCRIBE or header.size != len(packet):
        raise Malformed("it is no SUBSCRIBE")
    reader = _Reader(packet, header.body, header.size)
    reader.number(2)
    reader.properties(_SUBSCRIBE_PROPERTIES)
    filters = []
    while not reader.done:
        filters.append(reader.text())
        reader.number(1)
    if not filters:
        raise Malformed("it has no topic filter")
    return filters


def varint(value: int) -> bytes:
    """Return a number below 2**28 as a variable byte integer (1.5.5)."""
    encoded = bytearray()
    while True:
        value, byte = value >> 7, value & 0x7F
        encoded.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(encoded)


def text(value: str) -> bytes:
    """Return a text with its length before it (1.5.4)."""
    encoded = value.encode()
    return len(encoded).to_bytes(2) + encoded
