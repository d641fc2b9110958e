"""Features by Spotify id from ReccoBeats (reccobeats.com/docs): free, without a key, within limits that it does not publish.

``GET /v1/audio-features?ids=…`` takes Spotify ids, separated by commas, and answers ``{"content": [{"id": …, "href":
"https://open.spotify.com/track/…", "energy": …, "valence": …, …}]}``: its own ids, the song's address at Spotify, and nothing for what it does
not know. A 429 says in Retry-After how long to wait. Nothing but the ids is sent.
"""

from __future__ import annotations

import json
import math
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from limits import parse
from limits.strategies import MovingWindowRateLimiter
from urllib3.exceptions import HTTPError

from moodify.errors import CannotWork, RetryLater
from moodify.music.guards.breaker import Breaker
from moodify.music.guards.retry_after import retry_after_s
from moodify.music.guards.window import MonotonicStorage
from moodify.music.song import Features
from moodify.music.words import span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

URL = "https://api.reccobeats.com/v1/"
#: Ids that one request may hold.
MOST_IDS = 40
#: Requests an hour: six moods a day, two requests each, and the owner's presses are far below it; it bounds a mistake.
BUDGET = "60/hour"
#: So many failures in a row end the asking for so many seconds.
FAILURES = 3
PAUSE_S = 900.0
#: Where a 429 does not say how long to wait.
DEFAULT_RETRY_S = 300.0
#: An answer for 40 songs has about 15 kB.
LONGEST_ANSWER = 500_000

_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_HREF = re.compile(r"https://open\.spotify\.com/track/([0-9A-Za-z]{22})(?:\?.*)?")


class ReccoBeats:
    """Implements :class:`~moodify.music.catalogue.features.FeatureService`. For one thread at a time; :meth:`close` from any."""

    def __init__(self, *, url: str = URL, timeout_s: float = 5.0, now_s: Callable[[], float] = time.monotonic, budget: str = BUDGET, pause_s: float = PAUSE_S) -> None:
        """Send nothing yet.

        Args:
            url: The API, ending with ``/v1/``; a simulated one's for that.
            timeout_s: Longest time that one request may take.
            now_s: Monotonic seconds, for Retry-After, the breaker and the budget.
            budget: Requests in a time, as the library limits writes it.
            pause_s: How long nothing is asked after three failures in a row.
        """
        self._url = f"{url.rstrip('/')}/audio-features"
        self._timeout_s = timeout_s
        self._now_s = now_s
        self._session = requests.Session()
        # ~/.netrc and proxy variables are the person's, not the appliance's.
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": "Moodify", "Accept": "application/json"})
        self._breaker = Breaker("ReccoBeats", now_s=now_s, failures=FAILURES, rest_s=pause_s)
        self._sent = MonotonicStorage(now_s)
        self._limiter = MovingWindowRateLimiter(self._sent)
        self._budget = parse(budget)
        self._shut_until_s = -math.inf

    @property
    def name(self) -> str:
        """Who it is."""
        return "reccobeats"

    @property
    def most(self) -> int:
        """Ids that one request may hold."""
        return MOST_IDS

    def ask(self, ids: Sequence[str]) -> Mapping[str, Features | None]:
        """Return features for each Spotify id, None where ReccoBeats does not know them; one request.

        Raises:
            RetryLater: no answer, a failing service, or none may be asked for yet (``retry_after_s`` where that is known).
            CannotWork: too many ids or what is none, or the request is refused.
        """
        if not 1 <= len(ids) <= MOST_IDS or not all(_SPOTIFY_ID.fullmatch(key) for key in ids):
            raise CannotWork(f"can't ask ReccoBeats for {len(ids)} ids; give 1 to {MOST_IDS} Spotify ids of 22 letters and digits")
        left_s = self._shut_until_s - self._now_s()
        if left_s > 0:
            raise RetryLater(f"ReccoBeats asked to be left alone; trying again in {left_s:.0f} s", retry_after_s=left_s)
        if not self._limiter.test(self._budget):
            left_s = self._sent.freed_s(self._budget.key_for(), 1, self._budget.get_expiry())
            raise RetryLater(f"the requests to ReccoBeats are spent for now; trying again in {span(left_s)}", retry_after_s=left_s)
        found = _read(self._content(ids))
        return {key: found.get(key) for key in ids}

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def _content(self, ids: Sequence[str]) -> list[Any]:
        body = bytearray()

        def send() -> requests.Response:
            self._limiter.hit(self._budget)
            # A comma needs no escape in a query.
            with self._session.get(f"{self._url}?ids={','.join(ids)}", timeout=self._timeout_s, allow_redirects=False, stream=True) as response:
                body.extend(self._body(response))
            return response

        try:
            response = self._breaker.call(send)
        except _Endless as error:
            raise RetryLater("ReccoBeats' answer does not end; trying again later") from error
        except (requests.RequestException, HTTPError) as error:
            raise RetryLater(f"ReccoBeats can't be reached ({type(error).__name__}); check the network") from error
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            said_s = retry_after_s(response.headers.get("Retry-After"))
            wait_s = DEFAULT_RETRY_S if said_s is None else max(said_s, 1.0)
            self._shut_until_s = self._now_s() + wait_s
            raise RetryLater(f"ReccoBeats had too many requests; trying again in {wait_s:.0f} s", retry_after_s=wait_s)
        if HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise CannotWork(f"ReccoBeats refuses the request ({response.status_code}); set music.features_online = false until Moodify is updated")
        if response.status_code != HTTPStatus.OK:
            raise RetryLater(f"ReccoBeats answers {response.status_code}; trying again later")
        try:
            content = json.loads(body)["content"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise RetryLater("something on the way answers in ReccoBeats' place; check the network") from error
        if not isinstance(content, list):
            raise RetryLater("ReccoBeats answers something unexpected; trying again later")
        return content

    def _body(self, response: requests.Response) -> bytes:
        """Read the answer, within the time of one request and bounded: a time-out of the library's begins anew with each byte."""
        until_s = time.monotonic() + self._timeout_s
        body = bytearray()
        for part in response.iter_content(16_384):
            body += part
            if len(body) > LONGEST_ANSWER or time.monotonic() > until_s:
                raise _Endless
        return bytes(body)


class _Endless(requests.RequestException):
    """An answer that is longer, or takes longer, than any good one: for the breaker no answer at all."""


def _read(content: Sequence[Any]) -> dict[str, Features]:
    found: dict[str, Features] = {}
    for item in content:
        href = item.get("href") if isinstance(item, dict) else None
        match = _HREF.fullmatch(href) if isinstance(href, str) else None
        features = _features(item) if match is not None else None
        if match is not None and features is not None:
            found[match[1]] = features
    return found


def _features(item: Mapping[str, Any]) -> Features | None:
    energy, valence = _number(item, "energy"), _number(item, "valence")
    if energy is None or valence is None:
        return None
    return Features(energy, valence, _number(item, "tempo", most=1000.0) or None, _number(item, "danceability"), _number(item, "acousticness"))


def _number(item: Mapping[str, Any], key: str, *, most: float = 1.0) -> float | None:
    value = item.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most else None
