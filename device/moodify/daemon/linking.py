"""Joins the device's identity, the link and the private broker into a courier, by the configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.cloud.broker import PrivateBroker
from moodify.cloud.identity import load
from moodify.cloud.link import Link
from moodify.cloud.passwords import SignedToken
from moodify.cloud.port import Delivery, Endpoint, Target
from moodify.daemon.courier import Courier
from moodify.daemon.kept import last_seen
from moodify.daemon.places import DATABASE, DEVICE_KEY, runtime_folder_of
from moodify.store.outbox import Outbox
from moodify.store.settings import Settings
from moodify.system.trust import clock_trusted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from moodify.cloud.identity import Identity
    from moodify.cloud.port import Command, LinkState
    from moodify.config.model import LinkConfig
    from moodify.daemon.signals import Signal


def new_courier(config: LinkConfig, folder: Path, identity: Identity, put: Callable[[Signal], None]) -> Courier:
    """Return a courier to the configured broker, or to a private one that it starts and ends."""
    broker = PrivateBroker(folder, runtime_folder_of(folder)) if config.host is None else None

    def new_link(memory: Settings, on_command: Callable[[Command], None], on_change: Callable[[LinkState, str], None]) -> Link:
        def trusted() -> tuple[bool, str]:
            return clock_trusted(datetime.now(UTC), last_seen(memory))

        def target() -> Target:
            endpoint = broker.endpoint() if broker is not None else Endpoint(str(config.host), config.port, tls=config.tls, ca_file=config.ca_file)
            return Target(endpoint, SignedToken(lambda: load(folder / DEVICE_KEY), config.audience, trusted), Delivery.BROKER)

        return Link(
            identity.device,
            target=target,
            memory=memory,
            commands=config.commands,
            on_command=on_command,
            on_change=on_change,
            clock_trusted=lambda: trusted()[0],
            keepalive_s=config.keepalive_s,
        )

    database = folder / DATABASE
    return Courier(new_link, lambda: Outbox(database), lambda: Settings(database), put, broker=broker)
