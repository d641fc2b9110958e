"""Whether the hub can do its work, and what it counts."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from moodify.hub.api.schemas import Ready
from moodify.hub.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moodify.hub.metrics import Metrics


def health(metrics: Metrics, ready: Callable[[], Mapping[str, str | None]]) -> APIRouter:
    """Return the routes that say how the hub is; ``/readyz`` is answered to anybody."""
    router = APIRouter(tags=["health"])

    @router.get("/readyz", responses={503: {"model": Ready, "description": "Not ready; the parts say why."}}, response_model=Ready)
    def readyz() -> Response:
        """Say whether database, mosquitto, gate and collectors can do their work."""
        parts = dict(ready())
        is_ready = not any(parts.values())
        return JSONResponse(Ready(ready=is_ready, parts=parts).model_dump(), HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)

    @router.get("/metrics", response_class=PlainTextResponse)
    def all_metrics() -> Response:
        """Return what is counted, for Prometheus."""
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return router
