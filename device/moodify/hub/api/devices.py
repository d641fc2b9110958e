"""Devices, what they last said of themselves, and their history."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from moodify.errors import MoodifyError, NoSuchDevice
from moodify.hub.api.may import MAY_CHANGE
from moodify.hub.api.schemas import NUMBER_AT_MOST, DeviceDetail, DeviceList, DeviceOut, Enrolment, EventOut, History, NewName, StatesOut, StreamOut
from moodify.hub.presence import is_online, received
from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from moodify.hub.port import Device, Events, Registry, States

logger = logging.getLogger(__name__)

#: Devices and events on a page.
PAGE_AT_MOST = 500

DeviceId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$", examples=["m-abcdefghijklmnop"])]
Limit = Annotated[int, Query(ge=1, le=PAGE_AT_MOST)]
Number = Annotated[int | None, Query(ge=0, le=NUMBER_AT_MOST)]


@dataclass(frozen=True, slots=True)
class House:
    """What the routes look at."""

    registry: Registry
    events: Events
    states: States
    connected: Callable[[], Collection[str]]

    def device(self, device_id: str) -> Device:
        """Return a device, revoked ones too.

        Raises:
            NoSuchDevice: it was never enrolled.
        """
        device = self.registry.device(device_id)
        if device is None:
            raise NoSuchDevice(f"No device {device_id} is enrolled. Look at /v1/devices for those that are, or enrol it.")
        return device

    def known_states(self, device: Device) -> Mapping[str, Mapping[str, Any]]:
        """Return a device's last states; none where the cache is away, which hides them and nothing else."""
        if device.revoked is not None:
            return {}
        try:
            return self.states.get(device.id)
        except MoodifyError as error:
            logger.warning("states are not shown: %s", error)
            return {}

    def online(self, device: Device, states: Mapping[str, Mapping[str, Any]]) -> bool:
        """Return whether a device is online, by the rule of :mod:`moodify.hub.presence`."""
        return device.revoked is None and is_online(states, connected=device.id in self.connected(), now=datetime.now(UTC))

    def shown(self, device: Device) -> DeviceOut:
        """Return what a list shows of a device."""
        return DeviceOut.of(device, online=self.online(device, self.known_states(device)))


def devices(house: House) -> APIRouter:
    """Return the routes below ``/v1/devices`` but for commands."""
    router = APIRouter(prefix="/v1/devices", tags=["devices"])

    @router.get("")
    def list_devices(limit: Limit = 100, offset: Annotated[int, Query(ge=0, le=NUMBER_AT_MOST)] = 0) -> DeviceList:
        """List devices by name, those that were revoked too."""
        enrolled = house.registry.devices()
        return DeviceList(devices=[house.shown(device) for device in enrolled[offset : offset + limit]], total=len(enrolled))

    @router.post("", status_code=HTTPStatus.CREATED, dependencies=[MAY_CHANGE])
    def enrol_device(enrolment: Enrolment, response: Response) -> DeviceOut:
        """Take a device in, or in again after it was revoked. The same again does nothing."""
        device = house.registry.enrol(enrolment.id, enrolment.public_key, datetime.now(UTC), name=enrolment.name)
        response.headers["Location"] = f"/v1/devices/{device.id}"
        logger.info("%s is enrolled", device.id)
        return house.shown(device)

    @router.get("/{device_id}")
    def show_device(device_id: DeviceId) -> DeviceDetail:
        """Show a device: whether it is online, its last states, and what of its summaries came and what did not."""
        device = house.device(device_id)
        states = house.known_states(device)
        newest = house.events.events(device_id, limit=1)
        seen = [received(state) for state in states.values()] + [event.at for event in newest]
        return DeviceDetail(
            **house.shown(device).model_dump(exclude={"online"}),
            online=house.online(device, states),
            states={name: dict(state) for name, state in states.items()},
            last_seen=max(seen, default=None),
            streams=[StreamOut.of(stream) for stream in house.events.streams(device_id)],
        )

    @router.patch("/{device_id}", dependencies=[MAY_CHANGE])
    def rename_device(device_id: DeviceId, wanted: NewName) -> DeviceOut:
        """Call a device something else."""
        return house.shown(house.registry.rename(device_id, wanted.name))

    @router.delete("/{device_id}", dependencies=[MAY_CHANGE])
    def revoke_device(device_id: DeviceId) -> DeviceOut:
        """Take a device's keys away: it is cut off at once. Its history stays."""
        house.registry.revoke(device_id, datetime.now(UTC))
        logger.info("%s is revoked", device_id)
        try:
            house.states.forget(device_id)
        except MoodifyError as error:
            logger.warning("the states of %s go when their time is over: %s", device_id, error)
        return house.shown(house.device(device_id))

    @router.get("/{device_id}/states")
    def show_states(device_id: DeviceId) -> StatesOut:
        """Show what a device last said of itself."""
        device = house.device(device_id)
        # Here they are all that was asked for: a cache that is away is said.
        states = {} if device.revoked is not None else house.states.get(device_id)
        return StatesOut(online=house.online(device, states), states={name: dict(state) for name, state in states.items()})

    @router.get("/{device_id}/history")
    def show_history(
        device_id: DeviceId,
        kind: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["mood"])] = None,
        before: Number = None,
        after: Number = None,
        limit: Limit = 100,
    ) -> History:
        """Show events: the newest first, those before a number, or with ``after`` the next ones in the order of storing."""
        if before is not None and after is not None:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "before and after exclude one another. Leave one of them out.")
        house.device(device_id)
        events = house.events.events(device_id, kind=kind, before=before, after=after, limit=limit)
        return History(events=[EventOut.of(event) for event in events], next=events[-1].n if len(events) == limit else None)

    return router
