"""What is told and asked of alerts, as OpenAPI shows it."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from moodify.hub.alerts.port import ChannelKind
from moodify.hub.alerts.rules import BOUNDS, RuleKind

if TYPE_CHECKING:
    from moodify.hub.alerts.port import Alert, Channel
    from moodify.hub.alerts.rules import Rule

_AT = "2026-01-31T20:15:00Z"
_WORDS = "Kitchen is offline. Something of it was last heard at 20:05. Look whether it has power and network."


class RuleOut(BaseModel):
    """A rule as it holds."""

    kind: RuleKind
    enabled: bool
    limit: int = Field(examples=[10])
    unit: str = Field(examples=["minutes"])
    least: int = Field(examples=[1])
    most: int = Field(examples=[10_080])

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """Return what is shown of a rule."""
        bounds = BOUNDS[rule.kind]
        return cls(kind=rule.kind, enabled=rule.enabled, limit=rule.limit, unit=bounds.unit, least=bounds.least, most=bounds.most)


class NewRule(BaseModel):
    """How a rule is to hold."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"enabled": True, "limit": 10}]})

    enabled: bool
    limit: Annotated[int, Field(ge=1, le=100_000, description="In the rule's unit, within its bounds.")]


class ChannelOut(BaseModel):
    """Where alerts go; of a webhook no more than its host is shown, for the rest of its URL may be a secret."""

    id: str = Field(examples=["9d3f7a54-6f0e-4b6e-9a67-0f4f3f6f6f03"])
    kind: ChannelKind
    shown: str = Field(examples=["ada@example.org"])
    created: datetime = Field(examples=[_AT])
    last_sent: datetime | None = Field(examples=[_AT], description="When a message last got there.")
    last_error: str | None = Field(examples=[None], description="Why the newest message did not get there.")

    @classmethod
    def of(cls, channel: Channel, shown: str) -> Self:
        """Return what is shown of a channel."""
        return cls(id=channel.id, kind=channel.kind, shown=shown, created=channel.created, last_sent=channel.last_sent, last_error=channel.last_error)


class NewChannel(BaseModel):
    """Where alerts are to go, too."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "email", "target": "ada@example.org"}]})

    kind: ChannelKind
    target: Annotated[str, Field(min_length=3, max_length=2000, description="An e-mail address, or a URL as https://host/path.")]


class AddedChannel(ChannelOut):
    """A channel that was added."""

    secret: str | None = Field(None, examples=[None], description="What a webhook's messages are signed with: shown this once.")


class AlertOut(BaseModel):
    """Something that is or was wrong."""

    n: int = Field(examples=[12])
    device: str = Field(examples=["m-abcdefghijklmnop"])
    name: str = Field(examples=["Kitchen"])
    rule: RuleKind
    raised: datetime = Field(examples=[_AT])
    words: str = Field(examples=[_WORDS])
    cleared: datetime | None = Field(examples=[None])
    cleared_words: str | None = Field(examples=[None])

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Return what is shown of an alert."""
        return cls(
            n=alert.n,
            device=alert.device,
            name=alert.name,
            rule=alert.rule,
            raised=alert.raised,
            words=alert.words,
            cleared=alert.cleared,
            cleared_words=alert.cleared_words,
        )


class AlertsOut(BaseModel):
    """Alerts, and how they are set."""

    open: list[AlertOut]
    recent: list[AlertOut] = Field(description="Those that are over, the newest first.")
    rules: list[RuleOut]
    channels: list[ChannelOut] = Field(description="For owners alone; others see none.")
    mail: bool = Field(description="Whether the hub has a mail server to hand mails in at.")


class Tried(BaseModel):
    """What became of a test."""

    over: bool = Field(description="False where that is not known yet: look at the channel in a while.")
    error: str | None = Field(examples=[None], description="Why it did not get there; none where it did.")
