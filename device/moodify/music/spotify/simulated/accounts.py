"""The simulated accounts service: PKCE, and tokens that run out."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from .http import Answer, ApiError, Request

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that an access token is good for, as at the real service.
LIFETIME_S = 3600


@dataclass(frozen=True)
class _Grant:
    client_id: str
    redirect_uri: str
    challenge: str
    scope: str


class Accounts:
    """Codes, access tokens and refresh tokens. A refresh token works once and is replaced, as with PKCE at the real service."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take the clock, in seconds, by which access tokens run out."""
        self._clock = clock
        self._codes: dict[str, _Grant] = {}
        self._access: dict[str, float] = {}
        self._refresh: dict[str, tuple[str, str]] = {}

    def authorize(self, request: Request) -> Answer:
        """Answer ``GET /authorize`` as if the owner had agreed at once: a redirect with code and state."""
        query = request.query
        missing = [key for key in ("client_id", "redirect_uri", "code_challenge") if not query.get(key)]
        if missing or query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            return Answer(400, b"INVALID_CLIENT: Invalid request", "text/plain")
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Grant(query["client_id"], query["redirect_uri"], query["code_challenge"], query.get("scope", ""))
        back = {"code": code, **({"state": query["state"]} if "state" in query else {})}
        return Answer(302, headers={"Location": f"{query['redirect_uri']}?{urlencode(back)}"})

    def token(self, request: Request) -> Answer:
        """Answer ``POST /api/token`` for a code or a refresh token."""
        form = request.form
        if form.get("grant_type") == "authorization_code":
            grant = self._codes.pop(form.get("code", ""), None)
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if grant is None or base64.urlsafe_b64encode(digest).decode().rstrip("=") != grant.challenge:
                return _oauth_error("invalid_grant", "Invalid authorization code")
            if (form.get("client_id"), form.get("redirect_uri")) != (grant.client_id, grant.redirect_uri):
                return _oauth_error("invalid_grant", "Invalid redirect URI")
            return self._tokens(grant.client_id, grant.scope)
        if form.get("grant_type") == "refresh_token":
            client_id, scope = self._refresh.pop(form.get("refresh_token", ""), ("", ""))
            if not client_id or form.get("client_id") != client_id:
                return _oauth_error("invalid_grant", "Refresh token revoked")
            return self._tokens(client_id, scope)
        return _oauth_error("unsupported_grant_type", "grant_type must be client_credentials, authorization_code or refresh_token")

    def check(self, request: Request) -> None:
        """Let a request with a good bearer token pass.

        Raises:
            ApiError: 401, with Spotify's words for a missing, a wrong and an expired token.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.casefold() != "bearer" or not token:
            raise ApiError(401, "No token provided")
        ends_s = self._access.get(token)
        if ends_s is None:
            raise ApiError(401, "Invalid access token")
        if self._clock() >= ends_s:
            raise ApiError(401, "The access token expired")

    def expire_access_tokens(self) -> None:
        """Let every access token run out now."""
        self._access = dict.fromkeys(self._access, self._clock())

    def end(self) -> None:
        """End the sign-in: no token works any more, refreshing answers ``invalid_grant``."""
        self.expire_access_tokens()
        self._refresh.clear()

    def _tokens(self, client_id: str, scope: str) -> Answer:
        access, refresh = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        now_s = self._clock()
        # Only the newest dozens are remembered, so that months of refreshing do not fill the memory.
        self._access = {token: ends_s for token, ends_s in self._access.items() if ends_s > now_s - LIFETIME_S}
        self._access[access] = now_s + LIFETIME_S
        self._refresh[refresh] = (client_id, scope)
        return Answer.of({"access_token": access, "token_type": "Bearer", "scope": scope, "expires_in": LIFETIME_S, "refresh_token": refresh})


def _oauth_error(error: str, description: str) -> Answer:
    return Answer(400, Answer.of({"error": error, "error_description": description}).body)
