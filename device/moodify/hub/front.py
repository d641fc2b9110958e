"""The front of the dashboard: who may come in, under which names it is reached, and with which certificate."""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.accounts.accounts import Accounts
from moodify.accounts.key import FILE, load_key
from moodify.accounts.passwords import Hasher
from moodify.accounts.tables import TableAccounts
from moodify.hub.api.guard import MAX_BODY_BYTES, limits
from moodify.process import keep_large_blocks_apart
from moodify.web.certificate import ensure, fingerprint, own_names, server_context, shown_to_people
from moodify.web.guard import Place

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from moodify.hub.config import HubConfig
    from moodify.hub.database import Database
    from moodify.hub.folder import HubFolder

logger = logging.getLogger(__name__)


def open_accounts(folder: HubFolder, database: Database) -> Accounts:
    """Return who may sign in.

    Raises:
        StoreError: the key of sessions can't be used.
    """
    # A hash takes 19 MB while it is made: without this each thread that makes one keeps them.
    keep_large_blocks_apart()
    return Accounts(TableAccounts(database.accounts), Hasher(), load_key(folder.path / FILE), audience="moodify-hub")


def place_of(config: HubConfig) -> Place:
    """Return where API and dashboard are, and who may ask from elsewhere."""
    own = () if is_loopback(config.api_host) else own_names()
    reached = Place.reached_as((*own, *config.names), config.api_origins)
    return Place(reached.names, reached.origins, MAX_BODY_BYTES, limits())


@dataclass(frozen=True, slots=True)
class Encryption:
    """What API and dashboard encrypt with."""

    certificate: Path
    context: ssl.SSLContext
    shown: str
    """The certificate's fingerprint, as browsers show it."""


def encryption_of(folder: HubFolder, config: HubConfig) -> Encryption | None:
    """Return what API and dashboard encrypt with; None for plain HTTP on loopback.

    Raises:
        PersonMustAct: a file of it can't be used.
    """
    if is_loopback(config.api_host):
        return None
    certificate, key = _files(folder, config)
    context = server_context(certificate, key, mend="put back both from a backup, or name others in hub.toml")
    return Encryption(certificate, context, shown_to_people(fingerprint(certificate.read_text("ascii", errors="replace"))))


def say_how_to_come_in(accounts: Accounts, url: str, encryption: Encryption | None) -> None:
    """Tell terminal and journal where the dashboard is, and how to make it one's own; makes a new claim code while there is no owner."""
    logger.info("the dashboard is on %s%s", url, "" if encryption is None else f", with the certificate {encryption.shown}")
    if accounts.claimable:
        logger.info("nobody owns this hub yet; make it yours at %s/#/claim/%s", url, accounts.make_claim_code())


def is_loopback(host: str) -> bool:
    """Return whether an address is this machine's alone."""
    return ipaddress.ip_address(host).is_loopback


def _files(folder: HubFolder, config: HubConfig) -> tuple[Path, Path]:
    if config.certificate is not None and config.key is not None:
        return config.certificate, config.key
    # Not the one that devices know by its fingerprint: that lasts ten years, and browsers take no such.
    own = folder.path / "web-certificate.pem", folder.path / "web-certificate.key"
    ensure(*own, config.names, title="Moodify hub")
    return own
