"""The simulated accounts service: PKCE, and tokens that run out."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from .http import Answer, ApiError, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds that an access token is good for, as at the real service.
LIFETIME_S = 3600
#: Seconds after which the owner must sign in again, however often tokens were refreshed: six months.
SIGN_IN_LASTS_S = 183 * 86_400


@dataclass(frozen=True)
class _Grant:
    """What an owner agreed to, and when."""

    client_id: str
    scope: str
    at_s: float


@dataclass(frozen=True)
class _Code:
    grant: _Grant
    redirect_uri: str
    challenge: str


@dataclass(frozen=True)
class _Access:
    ends_s: float
    scopes: frozenset[str]


class Accounts:
    """Codes, access tokens and refresh tokens. A refresh token works once and is replaced, as with PKCE at the real service."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take the clock, in seconds, by which access tokens run out."""
        self._clock = clock
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, _Access] = {}
        self._refresh: dict[str, _Grant] = {}

    def authorize(self, request: Request) -> Answer:
        """Answer ``GET /authorize`` as if the owner had agreed at once: a redirect with code and state."""
        query = request.query
        missing = [key for key in ("client_id", "redirect_uri", "code_challenge") if not query.get(key)]
        if missing or query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            return Answer(400, b"INVALID_CLIENT: Invalid request", "text/plain")
        code = secrets.token_urlsafe(24)
        grant = _Grant(query["client_id"], query.get("scope", ""), self._clock())
        self._codes[code] = _Code(grant, query["redirect_uri"], query["code_challenge"])
        back = {"code": code, **({"state": query["state"]} if "state" in query else {})}
        return Answer(302, headers={"Location": f"{query['redirect_uri']}?{urlencode(back)}"})

    def token(self, request: Request) -> Answer:
        """Answer ``POST /api/token`` for a code or a refresh token."""
        kind = request.form.get("grant_type")
        if kind == "authorization_code":
            return self._redeem(request.form)
        if kind == "refresh_token":
            return self._refreshed(request.form)
        return _oauth_error("unsupported_grant_type", "grant_type must be client_credentials, authorization_code or refresh_token")

    def check(self, request: Request) -> frozenset[str]:
        """Let a request with a good bearer token pass, and return the token's scopes.

        Raises:
            ApiError: 401, with Spotify's words for a missing, a wrong and an expired token.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.casefold() != "bearer" or not token:
            raise ApiError(401, "No token provided")
        access = self._access.get(token)
        if access is None:
            raise ApiError(401, "Invalid access token")
        if self._clock() >= access.ends_s:
            raise ApiError(401, "The access token expired")
        return access.scopes

    def expire_access_tokens(self) -> None:
        """Let every access token run out now."""
        self._access = {token: replace(access, ends_s=self._clock()) for token, access in self._access.items()}

    def end(self) -> None:
        """End the sign-in: no token works any more, refreshing answers ``invalid_grant``."""
        self.expire_access_tokens()
        self._refresh.clear()

    def _redeem(self, form: Mapping[str, str]) -> Answer:
        code = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if code is None or base64.urlsafe_b64encode(digest).decode().rstrip("=") != code.challenge:
            return _oauth_error("invalid_grant", "Invalid authorization code")
        if (form.get("client_id"), form.get("redirect_uri")) != (code.grant.client_id, code.redirect_uri):
            return _oauth_error("invalid_grant", "Invalid redirect URI")
        return self._tokens(code.grant)

    def _refreshed(self, form: Mapping[str, str]) -> Answer:
        grant = self._refresh.pop(form.get("refresh_token", ""), None)
        if grant is None or form.get("client_id") != grant.client_id:
            return _oauth_error("invalid_grant", "Refresh token revoked")
        if self._clock() - grant.at_s >= SIGN_IN_LASTS_S:
            return _oauth_error("invalid_grant", "Refresh token expired")
        return self._tokens(grant)

    def _tokens(self, grant: _Grant) -> Answer:
        access, refresh = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        now_s = self._clock()
        # Only the newest dozens are remembered, so that months of refreshing do not fill the memory.
        self._access = {token: old for token, old in self._access.items() if old.ends_s > now_s - LIFETIME_S}
        self._access[access] = _Access(now_s + LIFETIME_S, frozenset(grant.scope.split()))
        self._refresh[refresh] = grant
        return Answer.of({"access_token": access, "token_type": "Bearer", "scope": grant.scope, "expires_in": LIFETIME_S, "refresh_token": refresh})


def _oauth_error(error: str, description: str) -> Answer:
    return Answer(400, Answer.of({"error": error, "error_description": description}).body)
