"""The page's requests and answers, over the house."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.responses import PlainTextResponse

from moodify.web.assets import load_assets
from moodify.web.guard import LOOPBACK_HOSTS, Guard
from moodify.web.problems import Problem, answer_errors
from moodify.web.streams import HEARTBEAT_S, MAX_STREAMS, Streams
from moodify.web.words import sentence

if TYPE_CHECKING:
    from collections.abc import Collection

    from moodify.web.port import House


class Privacy(BaseModel):
    """Whether the camera device is closed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    on: bool


def create_app(house: House, *, allowed_hosts: Collection[str] = LOOPBACK_HOSTS, heartbeat_s: float = HEARTBEAT_S, max_streams: int = MAX_STREAMS) -> FastAPI:
    """Return the page as an ASGI application over ``house``.

    Args:
        house: what is shown and asked.
        allowed_hosts: names in the Host header that are answered, without ports, IPv6 in brackets.
        heartbeat_s: seconds between two signs of life in an event stream.
        max_streams: how many event streams may be open at once.

    The open streams stand in ``app.state.streams``; whoever serves the application closes them first.
    """
    # The vendor's documentation pages load scripts from a foreign host.
    app = FastAPI(title="Moodify", docs_url=None, redoc_url=None)
    app.add_middleware(Guard, allowed_hosts=allowed_hosts)
    app.state.streams = Streams(house, heartbeat_s=heartbeat_s, limit=max_streams)
    answer_errors(app, "The page is at /, its API under /api/.")
    _serve_page(app)
    _show(app, house, app.state.streams)
    _take_presses(app, house)
    return app


def _serve_page(app: FastAPI) -> None:
    assets = load_assets()

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return assets["index.html"].response(request.headers.get("if-none-match"))

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        if name not in assets:
            raise Problem(HTTPStatus.NOT_FOUND, f"There is no file {name}. Reload the page.")
        return assets[name].response(request.headers.get("if-none-match"))

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        """Say that the page is served."""
        return PlainTextResponse("ok")


def _show(app: FastAPI, house: House, streams: Streams) -> None:
    @app.get("/api/now")
    async def now() -> Response:
        """Return the state to show."""
        return _json(house.now())

    @app.get("/api/events")
    async def events(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Response:
        """Return the newest events, newest first, each with its ``text`` in plain words."""
        return _json([event.as_json() | {"text": sentence(event)} for event in house.history(limit)])

    @app.get("/api/stream")
    async def stream() -> Response:
        """Stream server-sent events: ``now`` at once and after each change, ``beat`` as a sign of life."""
        return streams.open()


def _take_presses(app: FastAPI, house: House) -> None:
    @app.post("/api/scan", status_code=202)
    async def scan() -> dict[str, Any]:
        """Look again."""
        house.press_scan()
        return {"message": "Looking again."}

    @app.post("/api/next", status_code=202)
    async def skip() -> dict[str, Any]:
        """Not this: play something else."""
        house.press_next()
        return {"message": "Choosing something else."}

    @app.post("/api/pause", status_code=202)
    async def pause() -> dict[str, Any]:
        """Pause, or go on."""
        house.press_pause()
        return {"message": "Telling the speaker."}

    @app.put("/api/privacy", status_code=202)
    async def privacy(wish: Privacy) -> dict[str, Any]:
        """Close the camera device, or let it see again."""
        house.set_privacy(wish.on)
        return {"message": "Closing the camera." if wish.on else "Opening the camera."}


def _json(value: object) -> Response:
    # A title of a vendor's may hold what UTF-8 can't say.
    return Response(json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="replace"), media_type="application/json")
