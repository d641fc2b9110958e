"""Joins the device's identity, the link and whom it goes to into a courier: by the configuration, and by what it was enrolled with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify import __version__
from moodify.cloud import enrolment
from moodify.cloud.homeassistant import HomeAssistant
from moodify.cloud.identity import load
from moodify.cloud.keys import line_of
from moodify.cloud.link import Link
from moodify.cloud.passwords import SignedToken, SignInFile
from moodify.cloud.port import Endpoint, Target
from moodify.cloud.rotation import KeyRotation
from moodify.cloud.topics import Topics
from moodify.daemon.courier import Courier
from moodify.daemon.hub_beside import FOLDER, HubBeside
from moodify.daemon.kept import last_seen
from moodify.daemon.places import DATABASE, DEVICE_KEY
from moodify.errors import PersonMustAct
from moodify.files import write_private
from moodify.store.outbox import Outbox
from moodify.store.settings import Settings
from moodify.system.trust import clock_trusted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from moodify.cloud.enrolment import Enrolment
    from moodify.cloud.identity import Identity
    from moodify.cloud.port import Command, LinkState
    from moodify.config.model import LinkConfig
    from moodify.daemon.signals import Signal

#: In the data folder: the public key that the hub beside the appliance lets in.
PUBLIC_KEY = "device.pub"


def new_courier(config: LinkConfig, folder: Path, identity: Identity, put: Callable[[Signal], None], *, retention_days: int) -> Courier:
    """Return a courier to the configured broker, to the hub that this device is enrolled with, or to one that it starts and ends.

    That one keeps what it is told for ``retention_days``.

    Raises:
        PersonMustAct: the data folder can't be written.
    """
    line = f"{identity.device} {line_of(identity.key.public_key())}\n".encode()
    try:
        # Not at each start: on a full disk there is no room for it.
        if not (folder / PUBLIC_KEY).exists() or (folder / PUBLIC_KEY).read_bytes() != line:
            write_private(folder / PUBLIC_KEY, line)
    except OSError as error:
        raise PersonMustAct(f"{folder / PUBLIC_KEY}: {error.strerror}; give the folder to the user that runs Moodify") from error
    beside = HubBeside(folder / FOLDER, folder / PUBLIC_KEY, retention_days=retention_days)

    def new_link(memory: Settings, on_command: Callable[[Command], None], on_change: Callable[[LinkState, str], None]) -> Link:
        def trusted() -> tuple[bool, str]:
            return clock_trusted(datetime.now(UTC), last_seen(memory))

        return Link(
            identity.device,
            target=lambda: _target(config, folder, beside, trusted),
            memory=memory,
            commands=config.commands,
            on_command=on_command,
            on_change=on_change,
            clock_trusted=lambda: trusted()[0],
            rotation=KeyRotation(folder / DEVICE_KEY, config.audience),
            guest=_guest(config, identity.device),
            keepalive_s=config.keepalive_s,
        )

    database = folder / DATABASE
    return Courier(new_link, lambda: Outbox(database), lambda: Settings(database), put, beside=beside)


def household_of(config: LinkConfig, folder: Path, trusted: Callable[[], tuple[bool, str]]) -> Target:
    """Return the household's own broker, whose name ``link.host`` is; ``trusted`` says whether the system's date can be believed, and why."""
    passwords = _token(config, folder, trusted) if config.sign_in_file is None else SignInFile(config.sign_in_file)
    return Target(Endpoint(str(config.host), config.port, tls=config.tls, ca_file=config.ca_file), passwords, enrolment.delivery_of(config))


def hub_of(hub: Enrolment, config: LinkConfig, folder: Path, trusted: Callable[[], tuple[bool, str]]) -> Target:
    """Return the hub that this device was enrolled with; ``trusted`` as of :func:`household_of`.

    Raises:
        PersonMustAct: the device's key can't be used.
    """
    endpoint = Endpoint(hub.host, hub.port, tls=True, ca_data=hub.certificate.pem)
    return Target(endpoint, _token(config, folder, trusted), enrolment.delivery_of(config), enrolment.shut_out(hub, load(folder / DEVICE_KEY)))


def _target(config: LinkConfig, folder: Path, beside: HubBeside, trusted: Callable[[], tuple[bool, str]]) -> Target:
    """Return whom to connect to now: what ``moodify device enroll`` wrote meanwhile counts from the next connect on."""
    if config.host is not None:
        return household_of(config, folder, trusted)
    hub = enrolment.load(folder)
    if hub is None:
        return Target(beside.endpoint(), _token(config, folder, trusted), enrolment.delivery_of(config))
    beside.remove()
    return hub_of(hub, config, folder, trusted)


def _token(config: LinkConfig, folder: Path, trusted: Callable[[], tuple[bool, str]]) -> SignedToken:
    return SignedToken(lambda: load(folder / DEVICE_KEY), config.audience, trusted)


def _guest(config: LinkConfig, device: str) -> HomeAssistant | None:
    if not config.home_assistant:
        return None
    return HomeAssistant(Topics(device), prefix=config.home_assistant_prefix, version=__version__, commands=config.commands)
