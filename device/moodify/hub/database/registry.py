"""Devices and their keys; the hub's :class:`moodify.hub.port.Registry`."""

from __future__ import annotations

import logging
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from moodify.cloud.keys import is_device_id, kid_of, pem_of, read_enrolled, read_public
from moodify.errors import EnrolmentRefused, NoSuchDevice
from moodify.hub.database.models import CommandRow, DeviceRow, EventRow, HubRow, KeyRow, MessageRow, QuarantineRow, StreamRow
from moodify.hub.database.values import readable
from moodify.hub.port import KEYS_AT_MOST, Device, DeviceKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from moodify.hub.database.engine import Transactions

logger = logging.getLogger(__name__)

#: Characters of a device's name.
NAME_AT_MOST = 100


class Registry:
    """Who may come in."""

    def __init__(self, transactions: Transactions) -> None:
        """Work in a database."""
        self._transactions = transactions

    def device(self, device_id: str) -> Device | None:
        """Return a device, revoked ones too; None where it was never enrolled."""
        if not is_device_id(device_id):
            return None
        with self._transactions.reading() as connection:
            return _device(connection, device_id)

    def devices(self) -> Sequence[Device]:
        """Return all, by name."""
        with self._transactions.reading() as connection:
            return _read(connection, _DEVICES)

    def enrol(self, device_id: str, public_key: str, now: datetime, *, name: str | None = None) -> Device:
        """Take a device in, or in again after it was revoked; the same again does nothing. Without a name, it keeps the one it had.

        Raises:
            EnrolmentRefused: the key is no P-256 public key, the id is not one or fits it not, another key already stands for it, or the key belongs to another device.
        """
        if not is_device_id(device_id):
            raise EnrolmentRefused(f"{device_id!r} is no device's id; copy it from what moodify device enroll prints on the device")
        key = read_enrolled(device_id, public_key)
        kid = kid_of(key)
        with self._transactions.writing() as connection:
            _one_at_a_time(connection)
            known = _device(connection, device_id)
            if known is not None and any(each.kid == kid for each in known.keys):
                return known
            if known is not None and known.keys:
                raise EnrolmentRefused(
                    f"another key stands for {device_id} already; if that one is lost or wrong, shut the device out first: on its page of the dashboard, "
                    f"or by moodify hub revoke {device_id}"
                )
            _refuse_another_devices(connection, kid)
            if name is not None:
                name = readable(name.strip(), at_most=NAME_AT_MOST)
            if known is None:
                connection.execute(insert(DeviceRow).values(id=device_id, name=name or device_id, enrolled=now))
            else:
                connection.execute(update(DeviceRow).where(DeviceRow.id == device_id).values(name=name or known.name, enrolled=now, revoked=None))
            connection.execute(insert(KeyRow).values(kid=kid, device=device_id, public_key=pem_of(key), added=now))
            _changed(connection)
            return _known(connection, device_id)

    def rename(self, device_id: str, name: str) -> Device:
        """Call a device something else; return it. A name of white space makes it be called by its id.

        Raises:
            NoSuchDevice: it was never enrolled.
        """
        with self._transactions.writing() as connection:
            _one_at_a_time(connection)
            if not is_device_id(device_id) or _device(connection, device_id) is None:
                raise NoSuchDevice(f"no device {device_id!r} was ever enrolled; moodify hub devices lists those that were")
            connection.execute(update(DeviceRow).where(DeviceRow.id == device_id).values(name=readable(name.strip(), at_most=NAME_AT_MOST) or device_id))
            _changed(connection)
            return _known(connection, device_id)

    def add_key(self, device_id: str, public_key: str, now: datetime) -> DeviceKey:
        """Add the key that a device rotates to; the same again does nothing. More than two: of the others the newest goes, for the oldest is in use.

        Raises:
            EnrolmentRefused: unknown or revoked device, or no such key can be added.
        """
        key = read_public(public_key)
        kid = kid_of(key)
        with self._transactions.writing() as connection:
            _one_at_a_time(connection)
            device = _device(connection, device_id) if is_device_id(device_id) else None
            if device is None or device.revoked is not None:
                raise EnrolmentRefused(f"{device_id!r} is not enrolled; a key is only added to a device that is")
            for known in device.keys:
                if known.kid == kid:
                    return known
            _refuse_another_devices(connection, kid)
            # `used` drops what is older than the key that signs in, so that one is the oldest.
            for known in device.keys[KEYS_AT_MOST - 1 :]:
                connection.execute(delete(KeyRow).where(KeyRow.kid == known.kid))
            connection.execute(insert(KeyRow).values(kid=kid, device=device_id, public_key=pem_of(key), added=now))
            _changed(connection)
            return _known(connection, device_id).keys[-1]

    def used(self, device_id: str, kid: str, now: datetime) -> None:  # noqa: ARG002 - the port's
        """Note that a device signed in with ``kid``; keys that are older than that one are dropped: the device has moved on."""
        device = self.device(device_id)
        # Nearly every sign-in is with the only key, and costs no write.
        if device is None or all(key.kid != kid for key in device.keys[1:]):
            return
        with self._transactions.writing() as connection:
            _one_at_a_time(connection)
            n = connection.scalar(select(KeyRow.n).where(KeyRow.device == device_id, KeyRow.kid == kid))
            dropped = 0 if n is None else connection.execute(delete(KeyRow).where(KeyRow.device == device_id, KeyRow.n < n)).rowcount
            if dropped:
                _changed(connection)
        if dropped:
            logger.warning("%s signs in with its new key %s: the one before holds no longer; if nobody changed it, run: moodify hub revoke %s", device_id, kid, device_id)

    def revoke(self, device_id: str, now: datetime) -> None:
        """Take all keys of a device away; its history stays.

        Raises:
            NoSuchDevice: it was never enrolled.
        """
        with self._transactions.writing() as connection:
            _one_at_a_time(connection)
            device = _device(connection, device_id) if is_device_id(device_id) else None
            if device is None:
                raise NoSuchDevice(f"no device {device_id!r} was ever enrolled; moodify hub devices lists those that were")
            if device.revoked is not None:
                return
            connection.execute(delete(KeyRow).where(KeyRow.device == device_id))
            connection.execute(update(DeviceRow).where(DeviceRow.id == device_id).values(revoked=now))
            _changed(connection)

    def erase(self, device_id: str) -> int:
        """Delete a device and everything that it ever said, in one transaction; return how many events those were.

        Raises:
            NoSuchDevice: it is not known, or no more.
        """
        with self._transactions.writing() as connection:
            _one_at_a_time(connection)
            # On PostgreSQL who is just storing something of it ends first, and who begins later finds no device (Intake, Commands).
            if not is_device_id(device_id) or connection.scalar(select(DeviceRow.id).where(DeviceRow.id == device_id).with_for_update()) is None:
                raise NoSuchDevice(f"no device {device_id!r} is known; moodify hub devices lists those that are")
            streams = select(StreamRow.n).where(StreamRow.device == device_id)
            events = connection.execute(delete(EventRow).where(EventRow.device == device_id)).rowcount
            connection.execute(delete(QuarantineRow).where(QuarantineRow.stream.in_(streams)))
            connection.execute(delete(MessageRow).where(MessageRow.stream.in_(streams)))
            for table in (StreamRow, CommandRow, KeyRow):
                connection.execute(delete(table).where(table.device == device_id))
            connection.execute(delete(DeviceRow).where(DeviceRow.id == device_id))
            _changed(connection)
        return events

    def revision(self) -> int:
        """Return a number that grows with each change."""
        with self._transactions.reading() as connection:
            return connection.execute(select(HubRow.revision)).scalar_one()


_DEVICES = (
    select(DeviceRow.id, DeviceRow.name, DeviceRow.enrolled, DeviceRow.revoked, KeyRow.kid, KeyRow.public_key, KeyRow.added)
    .outerjoin(KeyRow, KeyRow.device == DeviceRow.id)
    .order_by(DeviceRow.name, DeviceRow.id, KeyRow.n)
)


def _read(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[Device]:
    found = []
    for _, group in groupby(connection.execute(query), key=lambda row: row.id):
        rows = list(group)
        keys = tuple(DeviceKey(row.kid, row.public_key, row.added) for row in rows if row.kid is not None)
        found.append(Device(rows[0].id, rows[0].name, rows[0].enrolled, rows[0].revoked, keys))
    return found


def _device(connection: Connection, device_id: str) -> Device | None:
    return next(iter(_read(connection, _DEVICES.where(DeviceRow.id == device_id))), None)


def _known(connection: Connection, device_id: str) -> Device:
    (device,) = _read(connection, _DEVICES.where(DeviceRow.id == device_id))
    return device


def _one_at_a_time(connection: Connection) -> None:
    # Of several hubs on one PostgreSQL; SQLite has one writer anyway.
    connection.execute(select(HubRow.id).with_for_update())


def _changed(connection: Connection) -> None:
    connection.execute(update(HubRow).values(revision=HubRow.revision + 1))


def _refuse_another_devices(connection: Connection, kid: str) -> None:
    other = connection.scalar(select(KeyRow.device).where(KeyRow.kid == kid))
    if other is not None:
        raise EnrolmentRefused(f"this key belongs to {other}; each device makes a key of its own")
