"""The devices' public keys, kept for some seconds so that a thousand sign-ins are not as many queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachetools import TTLCache

from moodify.cloud.keys import read_public
from moodify.errors import EnrolmentRefused, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from moodify.hub.port import Device, Registry

#: How long keys are believed where the registry says nothing, in seconds.
KEPT_S = 30
#: Devices whose keys are kept.
KEPT_AT_MOST = 10_000


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
    """Keys of devices. :meth:`fetch` may run in any thread; the rest belongs to the gate's."""

    def __init__(self, registry: Registry) -> None:
        """Take where they are asked for."""
        self._registry = registry
        self._kept: TTLCache[str, Keys] = TTLCache(KEPT_AT_MOST, KEPT_S)
        self.generation = 0
        """Grows when what was fetched before may hold no longer."""

    def kept(self, device: str) -> Keys | None:
        """Return a device's keys where they are kept."""
        return self._kept.get(device)

    def keep(self, device: str, keys: Keys) -> None:
        """Keep what was fetched."""
        self._kept[device] = keys

    def forget(self) -> None:
        """Forget all: the registry has changed."""
        self.generation += 1
        self._kept.clear()

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
