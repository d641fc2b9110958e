"""Who is enrolled, remembered for as long as nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodify.hub.port import Registry

#: Ids beyond these are asked for again: strangers must not fill the memory.
_REMEMBERED = 100_000


class Members:
    """Answers from memory while the registry's revision stays. Belongs to one thread."""

    def __init__(self, registry: Registry) -> None:
        """Take the registry."""
        self._registry = registry
        self._revision: int | None = None
        self._enrolled: dict[str, bool] = {}

    def refresh(self) -> None:
        """Forget what is known where something has changed.

        Raises:
            StoreBusy, StoreError: from the registry.
        """
        revision = self._registry.revision()
        if revision != self._revision or len(self._enrolled) > _REMEMBERED:
            self._revision = revision
            self._enrolled.clear()

    def __contains__(self, device_id: str) -> bool:
        """Whether a device is enrolled and not revoked.

        Raises:
            StoreBusy, StoreError: from the registry.
        """
        if device_id not in self._enrolled:
            device = self._registry.device(device_id)
            self._enrolled[device_id] = device is not None and device.revoked is None
        return self._enrolled[device_id]
