"""What is written to whom: the same in a mail and in a webhook's JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from moodify.hub.alerts.port import What
from moodify.hub.alerts.rules import RuleKind

if TYPE_CHECKING:
    from datetime import datetime

    from moodify.hub.alerts.port import Alert, Delivery

_ABOUT: Final = {
    RuleKind.OFFLINE: "is offline",
    RuleKind.DEGRADED: "needs a look",
    RuleKind.SIGN_IN: "needs a sign-in to Spotify",
    RuleKind.DISK: "is short of disk",
}
_OVER: Final = {
    RuleKind.OFFLINE: "is online again",
    RuleKind.DEGRADED: "works as it should again",
    RuleKind.SIGN_IN: "is signed in to Spotify",
    RuleKind.DISK: "has room on its disk again",
}

_WHY: Final = "Your hub says this once, and when it is over. Its dashboard, under Alerts, has what is told and to whom."


class Letter(NamedTuple):
    """A message for a person."""

    subject: str
    text: str


def letter(message: Delivery) -> Letter:
    """Return what a mail says."""
    alert = message.alert
    if alert is None:
        return Letter("Moodify: a test", "This is a test of Moodify's alerts. It got here, so alerts will.\n")
    over = message.what is What.CLEARED
    said = (alert.cleared_words if over else alert.words) or ""
    lines = (said, "", f"{_span(alert)}; device {alert.device}.", "", _WHY, "")
    return Letter(f"Moodify: {alert.name} {(_OVER if over else _ABOUT)[alert.rule]}", "\n".join(lines))


def document(message: Delivery) -> dict[str, Any]:
    """Return what a webhook is told, as JSON values; docs/hub.md describes it."""
    alert = message.alert
    subject, text = letter(message)
    body = {"id": message.id, "event": message.what.value, "title": subject, "message": text.splitlines()[0], "written": _seconds(message.written)}
    if alert is None:
        return body
    about = {"rule": alert.rule.value, "device": {"id": alert.device, "name": alert.name}}
    return body | about | {"raised": _seconds(alert.raised), "cleared": None if alert.cleared is None else _seconds(alert.cleared)}


def _span(alert: Alert) -> str:
    raised = f"{alert.raised.astimezone():%Y-%m-%d %H:%M}"
    return f"Since {raised}" if alert.cleared is None else f"From {raised} to {alert.cleared.astimezone():%Y-%m-%d %H:%M}"


def _seconds(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
