"""One HTTP request to Spotify at a time, without the habits of spotipy's own session.

spotipy's session sleeps inside a 429 and repeats POSTs; its errors lose the reason or escape as the HTTP library's
(spotipy 2.26.0). Here a request is sent once and counted, what is wrong with the answer is said in the project's errors, and
the bearer token is added below spotipy, which therefore can't log it.
"""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from moodify.errors import SpeakerUnavailable
from moodify.music.guards.breaker import Breaker

from .mapping import FOREIGN, Refusal, api_error, foreign_error, token_error
from .quota import Quota

if TYPE_CHECKING:
    from collections.abc import Callable

    from .signin import SignIn


class _Once(requests.Session):
    """A session that sends a request once, follows nothing, and lets a service rest that fails or asks for it."""

    def __init__(self, breaker: Breaker, quota: Quota, note: Callable[[], None]) -> None:
        super().__init__()
        # ~/.netrc would replace the bearer token, and proxy variables would catch the loopback.
        self.trust_env = False
        self.sent = 0
        """Requests sent so far: spotipy sends nothing, and says nothing, where it dislikes an argument."""
        self.breaker, self.quota = breaker, quota
        self._note = note

    def send_once(self, method: str, url: str, **args: Any) -> requests.Response:
        """Send it; raise the project's error where no answer comes or none may be asked for yet."""
        self.quota.check()
        args.setdefault("allow_redirects", False)

        def send() -> requests.Response:
            self.sent += 1
            self._note()
            response = super(_Once, self).request(method, url, stream=True, **args)
            try:
                # Read here, for requests leaves the connection open where an answer breaks off (2.32).
                response.content  # noqa: B018
            except BaseException:
                response.close()
                raise
            return response

        try:
            return self.breaker.call(send)
        except FOREIGN as error:
            raise foreign_error(error) from error

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return no target: requests would look into what it does not follow, and stumble over it."""

    def refusal(self, response: requests.Response) -> Refusal:
        """Read a refusal.

        Raises:
            SpeakerUnavailable: it asks for fewer requests, and this way is shut until then.
        """
        refusal = Refusal.read(response.status_code, response.headers, response.content)
        if refusal.too_many:
            raise self.quota.shut(refusal)
        return refusal


class TokenTransport(_Once):
    """The way to the accounts service. Never repeats: a refresh token is good for one request."""

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic) -> None:
        """Take a monotonic clock in seconds."""
        super().__init__(Breaker("Spotify's sign-in service", now_s=now_s, refusal=SpeakerUnavailable), Quota(now_s=now_s), lambda: None)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request.

        Raises:
            SignInNeeded: the grant is refused.
            SpeakerUnavailable: no answer, or a failing service.
        """
        response = self.send_once(str(method), str(url), *args, **kwargs)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise token_error(self.refusal(response))
        if response.is_redirect:
            return response
        _require_object(response)
        return response


class ApiTransport(_Once):
    """The way to the Web API: signed in, and shut for as long as a 429 asked."""

    def __init__(self, sign_in: SignIn, breaker: Breaker, quota: Quota, note: Callable[[], None]) -> None:
        """Take the sign-in, what lets requests pass, and what counts them."""
        super().__init__(breaker, quota, note)
        self._sign_in = sign_in
        self.last_status = 0
        """Status of the newest answer: spotipy returns None for 202, 204 and a web page alike."""

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request; again once after a 401 with a new token, and after a lost connection where that is harmless.

        Raises:
            RetryLater, PersonMustAct, CannotWork: as :mod:`~moodify.music.spotify.mapping` says.
        """
        method, url = str(method), str(url)
        token = self._sign_in.access_token()
        response = self._signed(method, url, token, *args, **kwargs)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response = self._signed(method, url, self._sign_in.renew(token), *args, **kwargs)
        self.last_status = response.status_code
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise api_error(self.refusal(response), urlsplit(url).path, reads=method == "GET")
        if method == "GET" and response.status_code != HTTPStatus.NO_CONTENT:
            _require_object(response)
        elif response.is_redirect or "html" in response.headers.get("Content-Type", ""):
            raise _page_instead_of_answer()
        return response

    def _signed(self, method: str, url: str, token: str, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["headers"] = {**kwargs.get("headers", {}), "Authorization": f"Bearer {token}"}
        try:
            return self.send_once(method, url, *args, **kwargs)
        except SpeakerUnavailable as error:
            # A POST (next, queue) may have been carried out although its answer is lost; a time-out has used up its time.
            lost = isinstance(error.__cause__, requests.ConnectionError) and not isinstance(error.__cause__, requests.Timeout)
            if method not in {"GET", "PUT"} or not lost:
                raise
        return self.send_once(method, url, *args, **kwargs)


def _require_object(response: requests.Response) -> None:
    try:
        value = json.loads(response.content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _page_instead_of_answer()


def _page_instead_of_answer() -> SpeakerUnavailable:
    return SpeakerUnavailable("something on the way answers in Spotify's place (a network's login page?); check the network")
