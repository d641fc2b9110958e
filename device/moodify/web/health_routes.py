"""How the appliance is, and what is given to somebody who helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import Response

from moodify.web.answers import as_file
from moodify.web.app import as_json
from moodify.web.history_schemas import HealthOut
from moodify.web.schemas import problems
from moodify.web.session import Owner  # noqa: TC001 - FastAPI reads the annotation
from moodify.web.waiting import granted

if TYPE_CHECKING:
    from moodify.web.keeping import Keeping
    from moodify.web.port import House
    from moodify.web.waiting import Aside

_SHOWN = ("version", "system", "models", "demo", "parts", "privacy", "outbox", "clock", "running_s", "machine", "reasons")


def health_routes(house: House, keeping: Keeping, aside: Aside) -> APIRouter:
    """Return the routes that answer how the appliance is."""
    router = APIRouter(prefix="/api", tags=["health"], responses=problems())

    @router.get("/health", response_model=HealthOut)
    async def health() -> Response:
        """Return how each part and the machine are."""
        told = await granted(house.diagnosis())
        return as_json({name: told.get(name) for name in _SHOWN} | {"spotify": await aside.do(keeping.spotify)})

    @router.get("/diagnostics", response_class=Response, responses={200: {"content": {"application/json": {}}, "description": "A file for somebody who helps."}})
    async def diagnostics(_who: Owner) -> Response:
        """Return how the appliance is, its configuration and what went wrong lately, as a file without secrets, moods and songs."""
        content = await aside.do(keeping.diagnostics, await granted(house.diagnosis()))
        return Response(content, media_type="application/json", headers=as_file("diagnostics", "json"))

    return router
