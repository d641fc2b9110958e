"""Commands to devices, and their answers."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from moodify.cloud.commands import ARGUMENTS
from moodify.hub.api.devices import DeviceId  # noqa: TC001 - FastAPI reads the annotations
from moodify.hub.api.may import MAY_CHANGE
from moodify.hub.api.schemas import CommandList, CommandOut, NewCommand
from moodify.hub.port import CommandState
from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moodify.hub.api.devices import House
    from moodify.hub.api.waits import Waits
    from moodify.hub.metrics import Metrics
    from moodify.hub.port import Commands

logger = logging.getLogger(__name__)

#: Commands of one device that may wait for an answer.
WAITING_AT_MOST = 20
_PAGE_AT_MOST = 200
_WAIT_AT_MOST_S = 25

CommandId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", examples=["9d3f7a54-6f0e-4b6e-9a67-0f4f3f6f6f03"])]


def commands(house: House, desk: Commands, waits: Waits, metrics: Metrics, on_command: Callable[[], None]) -> APIRouter:
    """Return the routes of commands; ``on_command`` is called when a new one is kept."""
    router = APIRouter(prefix="/v1", tags=["commands"])

    @router.post("/devices/{device_id}/commands", status_code=HTTPStatus.ACCEPTED, dependencies=[MAY_CHANGE])
    def give_command(device_id: DeviceId, command: NewCommand, response: Response) -> CommandOut:
        """Give a device a command. It is offered until the device answers or it expires; ``/v1/commands/{id}?wait_s=`` waits for the answer."""
        house.device(device_id)
        args = _checked(command)
        waiting = sum(record.state is CommandState.WAITING for record in desk.of(device_id, limit=_PAGE_AT_MOST))
        if waiting >= WAITING_AT_MOST:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, f"{waiting} commands wait for {device_id} already. Wait until it answers, or they expire.", {"Retry-After": "10"})
        record = desk.add(device_id, command.name, args, datetime.now(UTC), expires_s=command.expires_s)
        metrics.commands.labels(CommandState.WAITING).inc()
        on_command()
        logger.info("%s is to %s", device_id, command.name)
        response.headers["Location"] = f"/v1/commands/{record.id}"
        return CommandOut.of(record)

    @router.get("/devices/{device_id}/commands")
    def list_commands(device_id: DeviceId, limit: Annotated[int, Query(ge=1, le=_PAGE_AT_MOST)] = 50) -> CommandList:
        """List a device's commands, newest first."""
        house.device(device_id)
        return CommandList(commands=[CommandOut.of(record) for record in desk.of(device_id, limit=limit)])

    @router.get("/commands/{command_id}")
    async def show_command(command_id: CommandId, request: Request, wait_s: Annotated[float, Query(ge=0, le=_WAIT_AT_MOST_S)] = 0.0) -> CommandOut:
        """Show how a command stands; with ``wait_s`` as soon as it is answered or has expired, at the latest after so many seconds."""
        record = await waits.record(command_id, wait_s, request)
        if record is None:
            raise Problem(HTTPStatus.NOT_FOUND, f"There is no command {command_id}. Look at /v1/devices/<id>/commands.")
        return CommandOut.of(record)

    return router


def _checked(command: NewCommand) -> Mapping[str, Any]:
    """Return the arguments as the device will read them."""
    if command.name not in ARGUMENTS:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"There is no command {command.name}. There are {', '.join(ARGUMENTS)}.")
    try:
        args = ARGUMENTS[command.name](command.args)
    except ValueError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The arguments of {command.name} are not understood: {error}.") from error
    if unknown := sorted(command.args.keys() - args.keys()):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{command.name} takes no {', '.join(map(ascii, unknown))}. Leave it out.")
    return args
