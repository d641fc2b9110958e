"""Errors as a browser, a script and a person can read them: RFC 9457 problem details."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from moodify.errors import CannotWork, MoodifyError, NoSuchUser, NotPermitted, NotSignedIn, PersonMustAct, RetryLater, TooManyTries, WrongPassword, WrongSignIn
from moodify.web.mistakes import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request


class Problem(Exception):
    """A request that is answered with a refusal; ``detail`` ends with the next step."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        """Take the status, what is wrong and what to do, and headers that the status calls for."""
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        super().__init__(detail)

    def response(self) -> Response:
        """Return the answer."""
        body = {"type": "about:blank", "title": self.status.phrase, "status": self.status.value, "detail": self.detail}
        return Response(json.dumps(body, ensure_ascii=False), self.status.value, headers=self.headers, media_type="application/problem+json")


#: By the family or kind of an error, the first that fits.
_STATUSES: tuple[tuple[type[MoodifyError], HTTPStatus], ...] = (
    (TooManyTries, HTTPStatus.TOO_MANY_REQUESTS),
    (RetryLater, HTTPStatus.SERVICE_UNAVAILABLE),
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    # Not 401: by that a page renews its session and asks again, so that one slip would count twice.
    (WrongPassword, HTTPStatus.FORBIDDEN),
    (WrongSignIn, HTTPStatus.UNAUTHORIZED),
    (NotPermitted, HTTPStatus.FORBIDDEN),
    (PersonMustAct, HTTPStatus.CONFLICT),
    (NoSuchUser, HTTPStatus.NOT_FOUND),
    (CannotWork, HTTPStatus.UNPROCESSABLE_ENTITY),
)


def of_error(error: MoodifyError) -> Problem:
    """Return the problem for one of the house's errors, by its family."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    wait_s = error.retry_after_s if isinstance(error, RetryLater) else None
    return Problem(status, str(error), {} if wait_s is None else {"Retry-After": str(math.ceil(wait_s))})


def answer_errors(app: FastAPI, what_there_is: str) -> None:
    """Let ``app`` answer with a problem whatever is raised in it; ``what_there_is`` ends the answer to a path that it does not have."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(MoodifyError)
    async def of_house(_: Request, error: MoodifyError) -> Response:
        return of_error(error).response()

    @app.exception_handler(HTTPException)
    async def of_router(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        step = {
            HTTPStatus.NOT_FOUND: f"There is nothing at {request.url.path}. {what_there_is}",
            HTTPStatus.METHOD_NOT_ALLOWED: f"{request.url.path} does not take {request.method}. Use {(error.headers or {}).get('Allow', 'another method')}.",
        }.get(status, f"{error.detail}. Look at /openapi.json for what can be asked.")
        return Problem(status, step, error.headers).response()

    @app.exception_handler(RequestValidationError)
    async def of_request(_: Request, error: RequestValidationError) -> Response:
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, told(error.errors())).response()
