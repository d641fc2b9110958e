"""Errors as a browser, a script and a person can read them: RFC 9457 problem details."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response

from moodify.errors import CannotWork, MoodifyError, PersonMustAct, RetryLater

if TYPE_CHECKING:
    from collections.abc import Mapping


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


def of_error(error: MoodifyError) -> Problem:
    """Return the problem for one of the house's errors, by its family."""
    match error:
        case RetryLater(retry_after_s=wait_s):
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {} if wait_s is None else {"Retry-After": str(math.ceil(wait_s))})
        case PersonMustAct():
            return Problem(HTTPStatus.CONFLICT, str(error))
        case CannotWork():
            return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        case _:
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
