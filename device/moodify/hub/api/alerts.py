"""Alerts: what is wrong, what is told, and to whom. Everybody who is signed in may look; owners set them."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Path, Response
from starlette.concurrency import run_in_threadpool

from moodify.accounts.address import normalise
from moodify.hub.alerts import destination
from moodify.hub.alerts.port import ChannelKind
from moodify.hub.alerts.rules import BOUNDS, Rule, RuleKind
from moodify.hub.alerts.webhook import new_secret
from moodify.hub.api.alert_schemas import AddedChannel, AlertOut, AlertsOut, ChannelOut, NewChannel, NewRule, RuleOut, Tried
from moodify.hub.api.may import MAY_CHANGE, IsOwner
from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.hub.alerts.port import Channel, Desk

_RECENT: Final = 50
#: A test is waited for so long; a mail server may take as long as it likes.
_WAIT_S: Final = 20.0
_LOOK_S: Final = 0.2

ChannelId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", examples=["9d3f7a54-6f0e-4b6e-9a67-0f4f3f6f6f03"])]


def alerts(desk: Desk, *, has_mail: bool, check_webhook: Callable[[str], None], told: Callable[[], None] = lambda: None) -> APIRouter:
    """Return the routes below ``/api/alerts``.

    Args:
        desk: where alerts are kept.
        has_mail: whether a mail server is configured.
        check_webhook: raises MoodifyError where nothing may be sent to a URL.
        told: called where there is something to send.
    """
    router = APIRouter(prefix="/api/alerts", tags=["alerts"])

    @router.get("")
    def show_alerts(is_owner: IsOwner) -> AlertsOut:
        """Show what is wrong, what was, and how alerts are set."""
        return AlertsOut(
            open=[AlertOut.of(alert) for alert in desk.open()],
            recent=[AlertOut.of(alert) for alert in desk.recent(_RECENT)],
            rules=[RuleOut.of(rule) for rule in desk.rules().values()],
            channels=[ChannelOut.of(channel, _shown(channel)) for channel in desk.channels()] if is_owner else [],
            mail=has_mail,
        )

    @router.put("/rules/{kind}", dependencies=[MAY_CHANGE])
    def set_rule(kind: RuleKind, wanted: NewRule) -> RuleOut:
        """Set a rule. Where it is switched off, its alerts end without a word."""
        bounds = BOUNDS[kind]
        if not bounds.least <= wanted.limit <= bounds.most:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The limit may be from {bounds.least} to {bounds.most} {bounds.unit}. Choose one of these.")
        rule = Rule(kind, enabled=wanted.enabled, limit=wanted.limit)
        desk.set_rule(rule, datetime.now(UTC))
        return RuleOut.of(rule)

    _channels(router, desk, check_webhook, told)
    return router


def _channels(router: APIRouter, desk: Desk, check_webhook: Callable[[str], None], told: Callable[[], None]) -> None:
    @router.post("/channels", status_code=HTTPStatus.CREATED, dependencies=[MAY_CHANGE])
    def add_channel(wanted: NewChannel) -> AddedChannel:
        """Have alerts sent somewhere, too. A webhook's secret is shown in this answer alone; the same target again changes nothing and shows none."""
        secret = None
        if wanted.kind is ChannelKind.EMAIL:
            target = normalise(wanted.target)
        else:
            target, secret = wanted.target.strip(), new_secret()
            check_webhook(target)
        channel = desk.add_channel(wanted.kind, target, secret, datetime.now(UTC))
        is_new = channel.secret == secret
        return AddedChannel(**ChannelOut.of(channel, _shown(channel)).model_dump(), secret=secret if is_new else None)

    @router.delete("/channels/{channel_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response, dependencies=[MAY_CHANGE])
    def remove_channel(channel_id: ChannelId) -> None:
        """Send nothing there any more."""
        if not desk.remove_channel(channel_id):
            raise _no_such_channel()

    @router.post("/channels/{channel_id}/test", dependencies=[MAY_CHANGE])
    async def test_channel(channel_id: ChannelId) -> Tried:
        """Send a test there now, once, and say what became of it."""
        delivery = await run_in_threadpool(desk.test, channel_id, datetime.now(UTC))
        if delivery is None:
            raise _no_such_channel()
        told()
        until_s = time.monotonic() + _WAIT_S
        while time.monotonic() < until_s:
            outcome = await run_in_threadpool(desk.outcome, delivery)
            if outcome is None or outcome[0]:
                return Tried(over=True, error="It was removed." if outcome is None else outcome[1])
            await asyncio.sleep(_LOOK_S)
        return Tried(over=False, error=None)


def _shown(channel: Channel) -> str:
    return channel.target if channel.kind is ChannelKind.EMAIL else destination.read(channel.target).shown


def _no_such_channel() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "Alerts do not go there any more. Reload the page.")
