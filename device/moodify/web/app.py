"""The page's requests and answers, over the house."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID  # noqa: TC003 - pydantic reads the annotations

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from moodify import __version__
from moodify.errors import MoodifyError
from moodify.web import examples
from moodify.web.account_routes import account_routes
from moodify.web.assets import load_assets
from moodify.web.desk import Desk
from moodify.web.guard import Guard, Place
from moodify.web.port import Now
from moodify.web.problems import Problem, answer_errors
from moodify.web.schemas import Asked, Said, problems
from moodify.web.session import Door, Person
from moodify.web.streams import HEARTBEAT_S, MAX_STREAMS, Streams
from moodify.web.words import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moodify.accounts.accounts import Accounts
    from moodify.accounts.session import Who
    from moodify.web.port import House


class Privacy(Asked):
    """Whether the camera device is closed."""

    on: bool = Field(examples=[True])


class EventOut(BaseModel):
    """Something that happened."""

    id: UUID
    kind: str = Field(examples=["mood"])
    at: str = Field(examples=["2026-11-21T20:15:00.000+00:00"])
    data: dict[str, Any] = Field(examples=[{"mood": "calm", "confidence": 0.81}])
    text: str = Field(examples=["The room feels calm, 81% sure."], description="The same in plain words.")


def create_app(
    house: House,
    accounts: Accounts,
    *,
    place: Place | None = None,
    routers: Sequence[APIRouter] = (),
    heartbeat_s: float = HEARTBEAT_S,
    max_streams: int = MAX_STREAMS,
) -> FastAPI:
    """Return the page as an ASGI application over ``house``.

    Args:
        house: what is shown and asked.
        accounts: who may sign in, and who has.
        place: where it is reached, and by whom; unset: on loopback.
        routers: routes of other rooms of the page, behind the same door.
        heartbeat_s: seconds between two signs of life in an event stream.
        max_streams: how many event streams may be open at once.

    Whoever serves the application calls ``app.state.close`` first, which ends the open streams.
    """
    # The vendor's documentation pages load scripts from a foreign host.
    app = FastAPI(
        title="Moodify", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, description="The page on the device: what the room feels and hears, and who may ask."
    )
    streams, desk = Streams(house, heartbeat_s=heartbeat_s, limit=max_streams), Desk()

    def close() -> None:
        streams.close()
        desk.close()

    app.state.streams, app.state.close = streams, close
    # The one added last is outermost.
    app.add_middleware(Door, accounts=accounts)
    app.state.place = place or Place()
    app.add_middleware(Guard, place=app.state.place)
    answer_errors(app, "The page is at /, its API under /api/.")
    serve_page(app, "index.html")
    app.include_router(account_routes(accounts, desk, service="page", changed=house.people_changed))
    app.include_router(_showing(house, accounts, streams))
    app.include_router(_pressing(house))
    for router in routers:
        app.include_router(router)
    return app


def serve_page(app: FastAPI, home: Literal["index.html", "hub.html"]) -> None:
    """Let an application serve the page's files, ``home`` at ``/``, say that it lives, and describe itself."""
    assets = load_assets()

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return assets[home].response(request.headers.get("if-none-match"))

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        if name not in assets:
            raise Problem(HTTPStatus.NOT_FOUND, f"There is no file {name}. Reload the page.")
        return assets[name].response(request.headers.get("if-none-match"))

    schema: list[bytes] = []
    making = threading.Lock()

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response:
        # Made once, for anybody may ask: as objects it takes several megabytes, and each of many at once would take them.
        with making:
            if not schema:
                schema.append(json.dumps(app.openapi()).encode())
                app.openapi_schema = None
        return Response(schema[0], media_type="application/json")

    @app.get("/healthz", response_class=PlainTextResponse, tags=["health"], responses=problems())
    async def healthz() -> str:
        """Say that requests are answered. For anybody."""
        return "ok"


def _showing(house: House, accounts: Accounts, streams: Streams) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["room"], responses=problems())

    @router.get("/now", response_model=Now, responses={200: {"content": {"application/json": {"example": examples.NOW}}}})
    async def now() -> Response:
        """Return the state to show."""
        return as_json(house.now())

    @router.get("/events", response_model=list[EventOut])
    async def events(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Response:
        """Return the newest events, newest first."""
        return as_json([event.as_json() | {"text": sentence(event)} for event in house.history(limit)])

    @router.get("/stream", responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}, response_class=Response)
    async def stream(who: Person) -> Response:
        """Stream server-sent events: ``now`` at once and after each change, ``beat`` as a sign of life, ``over`` when the session has ended."""
        return streams.open(lambda: lives(accounts, who))

    return router


def _pressing(house: House) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["room"], responses=problems())

    @router.post("/scan", status_code=HTTPStatus.ACCEPTED)
    async def scan() -> Said:
        """Look again."""
        house.press_scan()
        return Said(message="Looking again.")

    @router.post("/next", status_code=HTTPStatus.ACCEPTED)
    async def skip() -> Said:
        """Not this: play something else."""
        house.press_next()
        return Said(message="Choosing something else." if house.now()["music"]["playing"] else "Nothing plays, so there is nothing to skip.")

    @router.post("/pause", status_code=HTTPStatus.ACCEPTED)
    async def pause() -> Said:
        """Pause, or go on."""
        house.press_pause()
        return Said(message="Telling the speaker.")

    @router.put("/privacy", status_code=HTTPStatus.ACCEPTED)
    async def privacy(wish: Privacy) -> Said:
        """Close the camera device, or let it see again."""
        house.set_privacy(wish.on)
        return Said(message="Closing the camera." if wish.on else "Opening the camera.")

    return router


def lives(accounts: Accounts, who: Who) -> bool:
    """Return whether somebody's session goes on; while the accounts can't be read, it does."""
    try:
        return any(session.id == who.session_id for session in accounts.sessions(who.user.id))
    except MoodifyError:
        return True


def as_json(value: object) -> Response:
    """Return an answer of JSON; a title of a vendor's may hold what UTF-8 can't say."""
    return Response(json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="replace"), media_type="application/json")
