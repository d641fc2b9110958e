"""The front of the page: who may come in, under which names it is reached, and with which certificate."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from moodify.daemon.reset import ResetAnswer, no_page
from moodify.errors import PersonMustAct, RetryLater, StoreBusy, StoreError
from moodify.process import keep_large_blocks_apart

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from moodify.accounts.accounts import Accounts
    from moodify.config import Config
    from moodify.config.model import WebConfig
    from moodify.web.guard import Place

log = logging.getLogger(__name__)

#: In the appliance's folder.
CERTIFICATE, CERTIFICATE_KEY = "web-certificate.pem", "web-certificate.key"


class Front:
    """What the page is opened with."""

    def __init__(self, accounts: Accounts, place: Place, certificate: tuple[Path, Path] | None) -> None:
        """Take who may come in, where, and certificate and key; None for plain HTTP.

        Raises:
            PersonMustAct: certificate and key can't be used.
        """
        from moodify.web.certificate import fingerprint, server_context

        self.accounts = accounts
        self.place = place
        self.tls: ssl.SSLContext | None = None
        self.fingerprint: str | None = None
        """Of the certificate, as browsers show it; None for plain HTTP."""
        if certificate is not None:
            self.tls = server_context(*certificate, mend="name others under [web], or leave both out for the page's own")
            self.fingerprint = fingerprint(certificate[0].read_text("ascii", errors="replace"))

    def reset_held(self) -> ResetAnswer:
        """Let an owner set a new password, as the button was held for it."""
        self.accounts.open_window()
        return ResetAnswer(done=True, said="For five minutes an owner may set a new password on the page, or become the first owner there, without a code")

    def notes(self, url: str) -> Callable[[], tuple[str, ...]]:
        """Return what tells a person what they must know of the page at ``url`` now, a line each; makes a new claim code while there is no owner."""
        from moodify.web.certificate import shown_to_people

        lines: list[str] = [f"page: {url}"]
        if self.fingerprint is not None:
            lines.append(f"its certificate: {shown_to_people(self.fingerprint)}")
            log.info("The page's certificate is %s", shown_to_people(self.fingerprint))
        if not self.accounts.claimable:
            return lambda: tuple(lines)
        claim = f"{url}/#/claim/{self.accounts.make_claim_code()}"
        log.info("Nobody owns this Moodify yet. Make it yours at %s", claim)
        return lambda: (*lines, f"nobody owns it yet; make it yours: {claim}") if self._claimable() else tuple(lines)

    def _claimable(self) -> bool:
        try:
            return self.accounts.claimable
        except (StoreBusy, StoreError):
            # The house is closed before the view of it.
            return False


def open_front(config: Config, folder: Path, database: Path, device: str, house: ExitStack) -> Front | None:
    """Open it, until ``house`` is closed; None where there is no page, or where it can't be opened, which the log says."""
    if not config.web.enabled:
        return None
    from moodify.web.guard import Place

    try:
        accounts = _accounts(folder, database, device, house)
        names = (*_own_names(config.web, device), *config.web.names)
        return Front(accounts, Place.reached_as(names, config.web.origins), _certificate(config.web, folder, device))
    except (PersonMustAct, RetryLater) as error:
        log.warning("Going on without the page: %s", error)
        return None


def reset_held_at(front: Front | None) -> ResetAnswer:
    """Return what a hold of the button leads to."""
    return no_page() if front is None else front.reset_held()


def _accounts(folder: Path, database: Path, device: str, house: ExitStack) -> Accounts:
    from moodify.accounts.accounts import Accounts
    from moodify.accounts.key import FILE, load_key
    from moodify.accounts.passwords import Hasher
    from moodify.accounts.tables import TableAccounts
    from moodify.daemon.skin_keeping import RunningSkinKeeping
    from moodify.store.accounts import AccountTransactions

    # A hash takes 19 MB while it is made, and a Pi has better uses for them afterwards.
    keep_large_blocks_apart()
    transactions = house.enter_context(AccountTransactions(database))
    also = RunningSkinKeeping(database).exported
    return Accounts(TableAccounts(transactions), Hasher(), load_key(folder / FILE), audience=f"moodify-page:{device}", also=also)


def _own_names(web: WebConfig, device: str) -> tuple[str, ...]:
    from moodify.web.certificate import own_names

    # Announced beyond loopback alone.
    return () if web.on_loopback else (*own_names(), f"{device}.local")


def certificate_shown(web: WebConfig, folder: Path) -> Path | None:
    """Return the certificate that a page shows whose appliance has its data in ``folder``; None where it speaks plain HTTP."""
    if web.on_loopback and web.certificate is None:
        return None
    return web.certificate or folder / CERTIFICATE


def _certificate(web: WebConfig, folder: Path, device: str) -> tuple[Path, Path] | None:
    from moodify.web.certificate import ensure

    if certificate_shown(web, folder) is None:
        return None
    if web.certificate is not None and web.key is not None:
        return web.certificate, web.key
    own = folder / CERTIFICATE, folder / CERTIFICATE_KEY
    ensure(*own, (f"{device}.local", *web.names), title=f"Moodify {device}")
    return own
