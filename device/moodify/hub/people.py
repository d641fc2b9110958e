"""What of a hub is for people: the dashboard with what changes live, and alerts; opened and closed as one."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.hub.alerts.mail import Mail, MailServer
from moodify.hub.alerts.port import ChannelKind
from moodify.hub.alerts.sending import AlertSender
from moodify.hub.alerts.watch import AlertWatch
from moodify.hub.alerts.webhook import Webhook
from moodify.hub.api.alerts import alerts
from moodify.hub.api.dashboard import dashboard
from moodify.hub.board import Board, looks
from moodify.web.app import lives
from moodify.web.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from fastapi import APIRouter

    from moodify.accounts.accounts import Accounts
    from moodify.hub.alerts.sending import Carrier
    from moodify.hub.config import HubConfig
    from moodify.hub.database import Database
    from moodify.hub.port import States

#: Event streams that may be open at a time: many people may have a look at a hub.
STREAMS_AT_MOST = 64


class ForPeople:
    """Dashboard and alerts of one hub."""

    def __init__(self, config: HubConfig, database: Database, states: States, connected: Callable[[], Collection[str]], accounts: Accounts) -> None:
        """Take the hub's configuration, what is looked at, ids of the devices that the gate holds, and who is signed in."""
        webhooks = webhook(config)
        carriers: dict[ChannelKind, Carrier] = {ChannelKind.EMAIL: Mail(mail_server(config)), ChannelKind.WEBHOOK: webhooks}
        self.sender = AlertSender(database.alerts, carriers)
        self.watch = AlertWatch(database.alerts, lambda: looks(database.registry, database.back, states, connected, lambda: datetime.now(UTC)), told=self.sender.wake)
        self._board = Board(database.registry, database.events, database.back, states, database.alerts, connected)
        self._streams = Streams(self._board, limit=STREAMS_AT_MOST)
        self.routers: tuple[APIRouter, ...] = (
            dashboard(self._board, database.registry, database.events, database.back, self._streams, lambda who: lives(accounts, who)),
            alerts(database.alerts, has_mail=config.mail_host is not None, check_webhook=webhooks.check, told=self.sender.wake),
        )
        """The routes, for :func:`moodify.hub.api.app.create_api`."""

    def start(self) -> None:
        """Begin to look and to send."""
        self._board.start()
        self.sender.start()
        self.watch.start()

    def end_streams(self) -> None:
        """End the answers that would go on by themselves; for the server's loop."""
        self._streams.close()

    def close(self) -> None:
        """End; safe to call twice, and before :meth:`start`."""
        self.watch.close()
        self.sender.close()
        self._board.close()


def mail_server(config: HubConfig) -> MailServer | None:
    """Return where mails are handed in; None where nothing is configured."""
    if config.mail_host is None or config.mail_from is None:
        return None
    return MailServer(config.mail_host, config.mail_port, config.mail_security, config.mail_from, config.mail_user, config.mail_password_file, config.mail_ca_file)


def webhook(config: HubConfig) -> Webhook:
    """Return what posts to webhooks."""
    return Webhook([ipaddress.ip_network(network) for network in config.webhook_networks], ca_file=config.webhook_ca_file)
