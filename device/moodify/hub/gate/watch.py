"""Ends the connections of devices that were revoked or erased meanwhile."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from moodify.hub.gate.answers import Reason
from moodify.hub.gate.asking import Away

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from moodify.hub.gate.asking import Asking
    from moodify.hub.gate.connection import Visitor
    from moodify.hub.gate.keyring import Keyring
    from moodify.hub.port import Device, Registry

logger = logging.getLogger(__name__)

#: Seconds between two looks: a revoked device is out within two.
POLL_S = 1.0


class Watch:
    """Looks at the registry's revision, and at everybody who is connected when it has grown."""

    def __init__(self, registry: Registry, asking: Asking, keyring: Keyring, visitors: Collection[Visitor], count: dict[str, int]) -> None:
        """Take whom to ask, the keys that were kept, who is connected, and where to count ``cut_revoked``."""
        self._registry = registry
        self._asking = asking
        self._keyring = keyring
        self._visitors = visitors
        self._count = count
        self._revision: int | None = None

    async def run(self) -> None:
        """Look, again and again, until it is cancelled."""
        while True:
            try:
                await self._look()
            except Away:
                logger.debug("the registry is asked for its revision again")
            except Exception:
                # Nobody would be revoked any more if this ended.
                logger.exception("the gate could not look for revoked devices")
            await asyncio.sleep(POLL_S)

    async def _look(self) -> None:
        revision = await self._asking.ask(self._registry.revision)
        if revision != self._revision:
            # First forget, then ask: who signs in with the old keys is found below, or looks for keys again.
            self._keyring.forget()
            devices = {device.id: device for device in await self._asking.ask(self._registry.devices)}
            self._sweep(devices)
            self._keyring.learn(devices)
            self._revision = revision
        self._keyring.unchanged()

    def _sweep(self, devices: Mapping[str, Device]) -> None:
        for visitor in list(self._visitors):
            admission = visitor.admission
            if admission is None or visitor.over:
                continue
            device = devices.get(admission.device)
            if device is None or device.revoked is not None:
                logger.info("the device %s was revoked or erased; its connection is ended", admission.device)
                self._count["cut_revoked"] += 1
                visitor.end(Reason.NOT_AUTHORIZED)
            elif all(key.kid != admission.kid for key in device.keys):
                # It has a newer key and signs in with that.
                self._count["cut_revoked"] += 1
                visitor.end(Reason.ADMINISTRATIVE)
