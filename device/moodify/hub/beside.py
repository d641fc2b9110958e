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

#: One device, its connection that ends while the next begins, and whoever on this machine knocks.
CONNECTIONS = 32


def loopback_only(config: HubConfig) -> HubConfig:
    """Return the configuration of such a hub: the rest is as its folder says."""
    return config.model_copy(update={"host": "127.0.0.1", "port": 0, "tls": False, "api_host": "127.0.0.1", "api_port": 0, "announce": False, "connections_max": CONNECTIONS})


def enrol_from(file: Path, registry: Registry) -> None:
    """Let in the device whose public key is in a file, with or without its id before it; one that is in already stays as it is.

    Raises:
        EnrolmentRefused: the file can't be read or holds no key, or the registry refuses it.
    """
    try:
        text = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise EnrolmentRefused(f"{file}: can't be read ({error}); write the device's public key there") from error
    words = text.split(maxsplit=1)
    named, given = words if len(words) > 1 and is_device_id(words[0]) else (None, text)
    key = read_public(given)
    kid = kid_of(key)
    if any(key_of.kid == kid for enrolled in registry.devices() for key_of in enrolled.keys):
        return
    device, now = named if named is not None else device_of(key), datetime.now(UTC)
    known = registry.device(device)
    if known is None or known.revoked is not None:
        registry.enrol(device, pem_of(key), now)
    else:
        # It changed its key while this hub's database was another, as after a backup was put back.
        registry.add_key(device, pem_of(key), now)
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
