"""Looking back: how a day or a week was."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response  # noqa: TC002 - FastAPI reads the annotation

from moodify.web.app import as_json
from moodify.web.history_schemas import HistoryOut
from moodify.web.problems import Problem
from moodify.web.schemas import problems

if TYPE_CHECKING:
    from moodify.web.keeping import Keeping
    from moodify.web.waiting import Aside

#: A week with a change to or from summer time in it, and some room.
LONGEST = timedelta(days=8)
#: A day with such a change in it: up to here songs come with their reasons.
_DAY = timedelta(hours=26)
#: Dates that no clock of a household shows, and with which nobody could reckon.
_YEARS = range(2000, 2200)

_From = Annotated[AwareDatetime, Query(alias="from", description="When it begins, with its zone.", examples=["2026-11-20T00:00:00+01:00"])]
_To = Annotated[AwareDatetime, Query(alias="to", description="When it ends, at most eight days later; what is still to come is cut off.", examples=["2026-11-21T00:00:00+01:00"])]


def history_routes(keeping: Keeping, aside: Aside) -> APIRouter:
    """Return the routes that answer how it was."""
    router = APIRouter(prefix="/api", tags=["history"], responses=problems())

    @router.get("/history", response_model=HistoryOut)
    async def history(begins: _From, ends: _To) -> Response:
        """Return how the room felt between two moments, when nothing is known of it, and the songs that Moodify chose."""
        if begins.year not in _YEARS or ends.year not in _YEARS or not begins < ends <= begins + LONGEST:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Ask for a span from one moment to a later one, at most eight days.")
        return await aside.do(lambda: as_json(keeping.look_back(begins, ends, reasons=ends - begins <= _DAY)))

    return router
