"""Alerts as they are kept, and what keeps and sends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from moodify.hub.alerts.rules import Rule, RuleKind


class ChannelKind(StrEnum):
    """How somebody is told."""

    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Channel:
    """Where alerts go."""

    id: str
    """UUID."""
    kind: ChannelKind
    target: str = field(repr=False)
    """An e-mail address, or a URL, which may itself be a secret."""
    secret: str | None = field(repr=False)
    """What a webhook's messages are signed with; None for e-mail."""
    created: datetime
    last_sent: datetime | None = None
    last_error: str | None = None
    """Why the newest message that is over did not get there; None where it did."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that was wrong, from when it was told until it was over."""

    n: int
    device: str
    name: str
    """The device's, as it is called now."""
    rule: RuleKind
    raised: datetime
    words: str
    cleared: datetime | None = None
    cleared_words: str | None = None
    """None also where nobody was told that it is over: its rule was switched off, or its device revoked."""


class What(StrEnum):
    """What a message tells."""

    RAISED = "raised"
    CLEARED = "cleared"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one channel, claimed by who is to send it."""

    id: str
    """UUID, the same at each try: who receives it twice can tell."""
    what: What
    channel: Channel
    tries: int
    """How often it was tried before."""
    written: datetime
    alert: Alert | None
    """None for a test."""


class Desk(Protocol):
    """Where alerts are kept; for any thread, and for several hubs on one database. All may raise StoreBusy or StoreError."""

    def rules(self) -> Mapping[RuleKind, Rule]:
        """Return every rule as it holds."""

    def set_rule(self, rule: Rule, now: datetime) -> None:
        """Keep a rule; where it is switched off, its alerts end without a word."""

    def channels(self) -> Sequence[Channel]:
        """Return where alerts go, oldest first."""

    def add_channel(self, kind: ChannelKind, target: str, secret: str | None, now: datetime) -> Channel:
        """Add one; the same target again returns the one that is there.

        Raises:
            CannotWork: there are as many as there may be.
        """

    def remove_channel(self, channel_id: str) -> bool:
        """Remove one, and what was still to go there; return whether it was there."""

    def test(self, channel_id: str, now: datetime) -> str | None:
        """Have a test message sent there; return its id, None where there is no such channel."""

    def outcome(self, delivery_id: str) -> tuple[bool, str | None] | None:
        """Return whether a message is over and why it was not taken; None where there is none."""

    def open(self) -> Sequence[Alert]:
        """Return what is wrong now, oldest first."""

    def recent(self, limit: int) -> Sequence[Alert]:
        """Return the newest alerts that are over, newest first."""

    def raise_alert(self, device: str, rule: RuleKind, words: str, now: datetime) -> bool:
        """Keep an alert and a message for each channel, in one transaction; False where that was done already, by whichever hub."""

    def clear(self, device: str, rule: RuleKind, words: str, now: datetime) -> bool:
        """End an alert with a message for each channel that was to be told of it; False where none is open."""

    def withdraw(self, device: str, now: datetime) -> None:
        """End a device's alerts without a word."""

    def claim(self, now: datetime, lease: timedelta) -> Delivery | None:
        """Return a message that is due, for whoever asks alone until ``lease`` is over; the all-clear only after its alert."""

    def sent(self, delivery_id: str, now: datetime) -> None:
        """Note that a message got there."""

    def forget(self, before: datetime) -> None:
        """Delete what was over before then."""

    def put_off(self, delivery_id: str, error: str, until: datetime | None, now: datetime) -> None:
        """Note that a message did not get there; it is tried again at ``until``, or given up where that is None."""
