"""The API as one application."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.security import HTTPBearer

from moodify import __version__
from moodify.errors import NoSuchDevice
from moodify.hub.api.admin import Admin
from moodify.hub.api.commands import commands as command_routes
from moodify.hub.api.devices import House, devices
from moodify.hub.api.guard import Guard
from moodify.hub.api.health import health
from moodify.hub.api.schemas import ProblemOut
from moodify.hub.api.waits import Waits
from moodify.web.guard import LOOPBACK_HOSTS
from moodify.web.problems import Problem, answer_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from moodify.hub.metrics import Metrics
    from moodify.hub.port import Commands, Events, Registry, States

_PROBLEMS = {
    HTTPStatus.UNAUTHORIZED: "The admin token is missing or wrong.",
    HTTPStatus.FORBIDDEN: "The Host header does not name this machine's loopback.",
    HTTPStatus.NOT_FOUND: "There is no such device or command.",
    HTTPStatus.LENGTH_REQUIRED: "The request does not say how long it is.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is too long.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The request is not understood, or can't be done.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many wrong tokens, or too many commands wait.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong inside the hub.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database or the cache is away, or too many wait; ask again.",
}


def create_api(
    registry: Registry,
    commands: Commands,
    events: Events,
    states: States,
    *,
    gate_connected: Callable[[], Collection[str]],
    admin_hashes: Callable[[], Collection[str]],
    metrics: Metrics,
    ready: Callable[[], Mapping[str, str | None]],
    on_command: Callable[[], None] = lambda: None,
    allowed_hosts: Collection[str] = LOOPBACK_HOSTS,
) -> FastAPI:
    """Return the API as an ASGI application.

    Args:
        registry: who is enrolled.
        commands: where commands and their answers are kept.
        events: what was stored.
        states: what devices last said of themselves.
        gate_connected: ids of the devices whose connections this hub's gate holds; any thread calls it.
        admin_hashes: what :func:`moodify.hub.api.admin.hash_of` gives for the tokens that are good now; asked for each request, by any thread.
        metrics: what is counted; the API adds its requests.
        ready: what is wrong with each part of the hub, by its name; None where nothing is. Any thread calls it.
        on_command: called when a command was kept; :meth:`moodify.hub.dispatch.Dispatcher.wake`.
        allowed_hosts: names in the Host header that are answered, without ports, IPv6 in brackets.

    Requests that wait for an answer stand in ``app.state.waits``; whoever serves the application closes them first.
    """
    # The vendor's documentation pages load scripts from a foreign host.
    app = FastAPI(title="Moodify hub", version=__version__, docs_url=None, redoc_url=None, description="Devices, their states, history and commands, on this machine alone.")
    app.add_middleware(Guard, admin=Admin(admin_hashes), metrics=metrics, allowed_hosts=allowed_hosts)
    app.state.waits = Waits(commands)
    answer_errors(app, "/openapi.json says what there is.")

    @app.exception_handler(NoSuchDevice)
    async def no_such_device(_: Request, error: NoSuchDevice) -> Response:
        return Problem(HTTPStatus.NOT_FOUND, str(error)).response()

    house = House(registry, events, states, gate_connected)
    app.include_router(health(metrics, ready), responses=_problems(HTTPStatus.FORBIDDEN, HTTPStatus.INTERNAL_SERVER_ERROR))
    for routes in (devices(house), command_routes(house, commands, app.state.waits, metrics, on_command)):
        # The guard looks at the token; this only tells readers of the schema that it does.
        token = Depends(HTTPBearer(auto_error=False, description="The admin token, which moodify hub init printed."))
        app.include_router(routes, dependencies=[token], responses=_problems(*_PROBLEMS))
    return app


def _problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    content = {"application/problem+json": {"schema": ProblemOut.model_json_schema()}}
    return {status.value: {"description": _PROBLEMS[status], "content": content} for status in statuses}
