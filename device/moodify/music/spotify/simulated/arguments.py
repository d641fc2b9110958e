"""Reads a request's values as the real service does: what is missing, of the wrong kind or out of range is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from .http import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .http import Request

Thing = TypeVar("Thing")

PAGE_LIMIT = 50
PAGE_DEFAULT = 20
TRACK = "spotify:track:"


def found(thing: Thing | None) -> Thing:
    """Return what was looked up; 404 where there is nothing."""
    if thing is None:
        raise ApiError(404, "Resource not found")
    return thing


def number(request: Request, name: str, *, least: int, most: int | None = None, default: int | None = None, wrong: str | None = None) -> int:
    """Return a whole number of the query; 400 where it is missing without a default, no number, or out of range."""
    text = request.query.get(name)
    if text is None and default is not None:
        return default
    if text is None or not re.fullmatch(r"-?\d{1,15}", text) or int(text) < least or (most is not None and int(text) > most):
        raise ApiError(400, wrong or f"Invalid {name}")
    return int(text)


def limit_of(request: Request, *, default: int = PAGE_DEFAULT, most: int = PAGE_LIMIT) -> int:
    """Return how many items a page may hold."""
    return number(request, "limit", least=1, most=most, default=default, wrong="Invalid limit")


def offset_of(request: Request, *, most: int | None = None) -> int:
    """Return where a page begins."""
    return number(request, "offset", least=0, most=most, default=0, wrong="Invalid offset")


def track_uris(value: Any) -> list[str]:
    """Return a body's ``uris``: one or more, tracks only."""
    if not isinstance(value, list) or not value or not all(isinstance(uri, str) and uri.startswith(TRACK) for uri in value):
        raise ApiError(400, "Invalid track uris")
    return value


def place_of(offset: Any, uris: Sequence[str]) -> int:
    """Return where in a list of songs a body's ``offset`` (by ``uri`` or ``position``) points to."""
    if offset is None:
        return 0
    if isinstance(offset, dict) and offset.get("uri") in uris:
        return uris.index(offset["uri"])
    position = offset.get("position") if isinstance(offset, dict) else None
    if isinstance(position, int) and 0 <= position < len(uris):
        return position
    raise ApiError(400, "Invalid offset")
