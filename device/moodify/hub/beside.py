"""A hub that an appliance starts beside itself: on loopback, for one device, for as long as the appliance lives."""

from __future__ import annotations

import logging
import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.cloud.keys import device_of, is_device_id, kid_of, pem_of, read_public
from moodify.errors import EnrolmentRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from moodify.hub.config import HubConfig
    from moodify.hub.port import Registry

logger = logging.getLogger(__name__)


def loopback_only(config: HubConfig) -> HubConfig:
    """Return the configuration of such a hub: the rest is as its folder says."""
    return config.model_copy(update={"host": "127.0.0.1", "port": 0, "tls": False, "api_host": "127.0.0.1", "api_port": 0, "announce": False})


def enrol_from(file: Path, registry: Registry) -> None:
    """Let in the device whose public key is in a file, with or without its id before it; one that is in already stays as it is.

    Raises:
        EnrolmentRefused: the file can't be read or holds no key, or the registry refuses it.
    """
    try:
        text = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise EnrolmentRefused(f"{file}: can't be read ({error}); write the device's public key there") from error
    first, *rest = text.split(maxsplit=1)
    named, given = (first, rest[0]) if rest and is_device_id(first) else (None, text)
    key = read_public(given)
    kid = kid_of(key)
    if any(known.kid == kid for device in registry.devices() for known in device.keys):
        return
    device = named if named is not None else device_of(key)
    registry.enrol(device, pem_of(key), datetime.now(UTC))
    logger.info("%s may come in", device)


def call_at_end_of_input(ended: Callable[[], None], *, descriptor: int = 0) -> None:
    """Call ``ended`` when standard input ends: whoever holds its other end has closed it, or is no more."""

    def read() -> None:
        try:
            while os.read(descriptor, 4096):
                pass
        except OSError as error:
            logger.warning("standard input can't be read, so the hub ends: %s", error)
        ended()

    threading.Thread(target=read, name="stdin", daemon=True).start()
