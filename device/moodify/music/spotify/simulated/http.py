"""Requests and answers between the HTTP server and the simulated service."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    target: str
    """Path and query as sent."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    scopes: frozenset[str] = frozenset()
    """What its token may do, once that was checked."""

    @property
    def path(self) -> str:
        """The path alone."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's values by name."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """A form's values by name."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> dict[str, Any]:
        """Return the body's object; empty where there is no body.

        Raises:
            ApiError: it is not a JSON object (400).
        """
        if not self.body:
            return {}
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ApiError(400, "Malformed json")
        return value


@dataclass(frozen=True)
class Answer:
    """What the server sends back."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Answer:
        """Return a JSON answer."""
        return cls(status, json.dumps(value).encode())


class ApiError(Exception):
    """A refusal in the shape of Spotify's: ``{"error": {"status", "message", "reason"}}``."""

    def __init__(self, status: int, message: str, reason: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        """Take what the error object holds."""
        super().__init__(message)
        self.status, self.message, self.reason, self.headers = status, message, reason, dict(headers or {})

    def answer(self) -> Answer:
        """Return it as it is sent."""
        error: dict[str, Any] = {"status": self.status, "message": self.message}
        if self.reason is not None:
            error["reason"] = self.reason
        return Answer(self.status, json.dumps({"error": error}).encode(), headers=self.headers)
