"""The devices' public keys, kept while the registry stays as it is, so that a thousand sign-ins are not as many queries."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.cloud.keys import read_public
from moodify.errors import EnrolmentRefused, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from moodify.hub.port import Device, Registry

#: How long keys are believed while the registry can't be asked whether it has changed, in seconds.
BELIEVED_S = 30.0


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a device."""

    revoked: bool
    keys: Mapping[str, EllipticCurvePublicKey]
    """By kid, oldest first."""

    def older_than(self, kid: str) -> bool:
        """Return whether there are keys that are older than this one."""
        return next(iter(self.keys), kid) != kid


class Keyring:
    """Keys of devices, as they were when the registry was last seen unchanged. :meth:`fetch` may run in any thread; the rest belongs to the gate's."""

    def __init__(self, registry: Registry) -> None:
        """Take where they are asked for."""
        self._registry = registry
        self._devices: Mapping[str, Device] = {}
        self._keys: dict[str, Keys] = {}
        self._unchanged_s = -math.inf
        self.generation = 0
        """Grows when what was fetched before may hold no longer."""

    def kept(self, device_id: str) -> Keys | None:
        """Return a device's keys where they are known and can be believed."""
        if time.monotonic() - self._unchanged_s > BELIEVED_S:
            return None
        keys = self._keys.get(device_id)
        if keys is None and device_id in self._devices:
            try:
                keys = self._keys[device_id] = _keys_of(self._devices[device_id])
            except StoreError:
                # Who fetches it is told.
                return None
        return keys

    def keep(self, device_id: str, keys: Keys) -> None:
        """Keep what was fetched."""
        self._keys[device_id] = keys

    def forget(self) -> None:
        """Forget all: the registry has changed."""
        self.generation += 1
        self._devices = {}
        self._keys.clear()

    def learn(self, devices: Mapping[str, Device]) -> None:
        """Take all devices, by id, that were asked for after :meth:`forget`."""
        self._devices = devices

    def unchanged(self) -> None:
        """Take note that the registry is still as it was."""
        self._unchanged_s = time.monotonic()

    def fetch(self, device_id: str) -> Keys | None:
        """Ask the registry for a device's keys; None where it was never enrolled. Blocks.

        Raises:
            StoreBusy, StoreError: the registry can't say.
        """
        device = self._registry.device(device_id)
        return None if device is None else _keys_of(device)


def _keys_of(device: Device) -> Keys:
    try:
        keys = {key.kid: read_public(key.public_key) for key in device.keys}
    except EnrolmentRefused as error:
        raise StoreError(f"a key of the device {device.id} in the hub's database is damaged; enrol the device anew") from error
    return Keys(device.revoked is not None, keys)
