"""What the dashboard shows: devices with all that is known of them, how their day was, and what changes, live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from moodify.errors import NoSuchDevice
from moodify.hub.api.dashboard_schemas import BandsOut, Card, Cards, Happening, Happenings, LookedBack
from moodify.hub.api.devices import DeviceId, Limit, Number  # noqa: TC001 - FastAPI reads the annotations
from moodify.hub.board import DEVICES_AT_MOST
from moodify.hub.looking_back import OF_MOODS, felt_between, heard_between
from moodify.types import Event, EventKind
from moodify.web.session import Person  # noqa: TC001 - FastAPI reads the annotations
from moodify.web.words import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.accounts.session import Who
    from moodify.hub.board import Board
    from moodify.hub.database.looking import LookingBack
    from moodify.hub.port import Device, Events, Registry, StoredEvent
    from moodify.web.streams import Streams

#: A mood that began longer before a span, and of which nothing was noted since, is not looked for.
_LEAD = timedelta(hours=12)

#: Hours that are looked back at.
Hours = Annotated[int, Query(ge=1, le=168, examples=[24])]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1)]
Search = Annotated[str, Query(max_length=80, description="Part of a name or an id.")]


def dashboard(
    board: Board,
    registry: Registry,
    events: Events,
    back: LookingBack,
    streams: Streams,
    lives: Callable[[Who], bool],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """Return the routes below ``/api`` that everybody who is signed in may read.

    Args:
        board: what is shown live.
        registry: who is enrolled.
        events: what was stored.
        back: what is looked back at.
        streams: the open streams over the board.
        lives: whether a session has not ended.
        clock: the time.
    """
    router = APIRouter(prefix="/api", tags=["dashboard"])

    @router.get("/stream", responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}, response_class=Response)
    async def stream(who: Person) -> Response:
        """Stream server-sent events: ``now`` (devices, alerts) at once and after each change, ``beat`` as a sign of life, ``over`` when the session has ended."""
        # Nobody may have watched for long.
        await run_in_threadpool(board.look)
        return streams.open(lambda: lives(who))

    @router.get("/devices")
    def list_cards(q: Search = "", limit: Limit = DEVICES_AT_MOST, offset: Offset = 0) -> Cards:
        """List devices with all that is known of them, by name; those that were revoked come last."""
        wanted = q.strip().casefold()
        found = [device for device in registry.devices() if wanted in device.name.casefold() or wanted in device.id.casefold()]
        found.sort(key=lambda device: device.revoked is not None)
        return Cards(devices=[Card.model_validate(board.card(device)) for device in found[offset : offset + limit]], total=len(found))

    @router.get("/devices/{device_id}")
    def show_card(device_id: DeviceId) -> Card:
        """Show all that is known of a device."""
        return Card.model_validate(board.card(_device(registry, device_id)))

    @router.get("/devices/{device_id}/moods")
    def look_back(device_id: DeviceId, hours: Hours = 24) -> LookedBack:
        """Show how the last hours felt, and what was heard."""
        device = _device(registry, device_id)
        ends = clock()
        begins = ends - timedelta(hours=hours)
        told = back.told(device.id, begins - _LEAD)
        felt, unseen = felt_between(told, begins, ends, gone=board.gone_since(device))
        songs = heard_between(told, begins, ends)
        return LookedBack.model_validate({"from": begins, "to": ends, "moods": _json(felt), "unseen": _json(unseen), "songs": _json(songs)})

    @router.get("/bands")
    def show_bands(hours: Hours = 24) -> BandsOut:
        """Show how the last hours felt to each device of the board."""
        ends = clock()
        begins = ends - timedelta(hours=hours)
        devices = [device for device in registry.devices() if device.revoked is None][:DEVICES_AT_MOST]
        # What is only said every five minutes is left out, so that a silence says nothing here.
        silence_s = (_LEAD + timedelta(hours=hours)).total_seconds()

        def felt(device: Device) -> list[dict[str, Any]]:
            told = back.told(device.id, begins - _LEAD, kinds=OF_MOODS)
            return _json(felt_between(told, begins, ends, silence_s=silence_s, gone=board.gone_since(device))[0])

        return BandsOut.model_validate({"from": begins, "to": ends, "bands": {device.id: felt(device) for device in devices}})

    @router.get("/devices/{device_id}/events")
    def list_happenings(device_id: DeviceId, before: Number = None, limit: Limit = 30) -> Happenings:
        """List what happened at a device in plain words, newest first."""
        _device(registry, device_id)
        found = events.events(device_id, before=before, limit=limit)
        return Happenings(events=[_happening(event) for event in found], next=found[-1].n if len(found) == limit else None)

    return router


def _device(registry: Registry, device_id: str) -> Device:
    device = registry.device(device_id)
    if device is None:
        raise NoSuchDevice(f"No device {device_id} is enrolled. Look at the list of devices.")
    return device


def _json(spans: Any) -> list[dict[str, Any]]:
    return [span.as_json() for span in spans]


def _happening(event: StoredEvent) -> Happening:
    try:
        text = sentence(Event(event.id, EventKind(event.kind), event.at, event.data))
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError):
        # A newer device, or one that says what no device should.
        text = "Something that this hub has no words for."
    return Happening(n=event.n, at=event.at, kind=event.kind, text=text.encode(errors="replace").decode())
