"""What all routes share of what OpenAPI shows: problems, and answers in plain words."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Asked(BaseModel):
    """A request's body: nothing in it may be unknown, and nothing is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Said(BaseModel):
    """What was done, for a person."""

    message: str = Field(examples=["Looking again."])


class ProblemOut(BaseModel):
    """RFC 9457 problem details; ``detail`` ends with the next step."""

    type: Literal["about:blank"] = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["The request is not understood: on: field required. Look at /openapi.json for what can be asked."])


_WHY = {
    HTTPStatus.UNAUTHORIZED: "Nobody is signed in, or address, password or code are not right.",
    HTTPStatus.FORBIDDEN: "Another site asked, the Host header names another machine, or who is signed in may not do this.",
    HTTPStatus.NOT_FOUND: "There is no such thing.",
    HTTPStatus.CONFLICT: "A person must do something first; the detail says what.",
    HTTPStatus.LENGTH_REQUIRED: "The request does not say how long it is.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is too long.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The request is no JSON.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The request is not understood, or can't be done.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much was asked, or too many passwords were wrong; Retry-After says when to go on.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong inside.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Something is away for now, or too many ask; ask again.",
}
#: The problems that any route may answer with.
EVERY = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def problems(*more: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return what a router shows of problems (its ``responses``): those that any route may answer with, and ``more``."""
    content = {"application/problem+json": {"schema": ProblemOut.model_json_schema()}}
    return {status.value: {"description": _WHY[status], "content": content} for status in sorted({*EVERY, *more})}
