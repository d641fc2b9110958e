"""The hub's API and dashboard as one application."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI, Request, Response
from fastapi.security import HTTPBearer

from moodify import __version__
from moodify.errors import NoSuchDevice
from moodify.hub.api.admin import Admin
from moodify.hub.api.commands import commands as command_routes
from moodify.hub.api.devices import House, devices
from moodify.hub.api.guard import MAX_BODY_BYTES, Counted, let_in_by, limits
from moodify.hub.api.health import health
from moodify.hub.api.waits import Waits
from moodify.web.account_routes import account_routes
from moodify.web.app import serve_page
from moodify.web.desk import Desk
from moodify.web.guard import Guard, Place
from moodify.web.problems import Problem, answer_errors
from moodify.web.schemas import problems
from moodify.web.session import Door

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from fastapi import APIRouter

    from moodify.accounts.accounts import Accounts
    from moodify.hub.metrics import Metrics
    from moodify.hub.port import Commands, Events, Registry, States


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
    accounts: Accounts,
    on_command: Callable[[], None] = lambda: None,
    place: Place | None = None,
    routers: Sequence[APIRouter] = (),
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
        accounts: who may sign in, and who has.
        on_command: called when a command was kept; :meth:`moodify.hub.dispatch.Dispatcher.wake`.
        place: where it is reached, and by whom; unset: on loopback.
        routers: routes of other rooms, behind the same door.

    Whoever serves the application calls ``app.state.close`` first, from any thread, which ends the requests that wait.
    """
    # The vendor's documentation pages load scripts from a foreign host.
    app = FastAPI(title="Moodify hub", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, description="Devices, their states, history and commands.")
    waits, desk = Waits(commands), Desk()

    def close() -> None:
        waits.close()
        desk.close()

    app.state.waits, app.state.close = waits, close
    # The one added last is outermost.
    app.add_middleware(Door, accounts=accounts, also=let_in_by(Admin(admin_hashes)), threaded=True)
    app.state.place = place or Place(body_bytes=MAX_BODY_BYTES, limits=limits())
    app.add_middleware(Guard, place=app.state.place)
    app.add_middleware(Counted, metrics=metrics)
    answer_errors(app, "/openapi.json says what there is.")

    @app.exception_handler(NoSuchDevice)
    async def no_such_device(_: Request, error: NoSuchDevice) -> Response:
        return Problem(HTTPStatus.NOT_FOUND, str(error)).response()

    house = House(registry, events, states, gate_connected)
    serve_page(app, "hub.html")
    app.include_router(health(metrics, ready), responses=problems())
    # The door looks at the token; this only tells readers of the schema that it does.
    token = Depends(HTTPBearer(auto_error=False, description="The admin token, which moodify hub init printed; or a session's cookie."))
    for routes in (devices(house), command_routes(house, commands, waits, metrics, on_command)):
        app.include_router(routes, dependencies=[token], responses=problems(HTTPStatus.NOT_FOUND))
    app.include_router(account_routes(accounts, desk, service="hub"))
    for router in routers:
        app.include_router(router, responses=problems(HTTPStatus.NOT_FOUND))
    return app
