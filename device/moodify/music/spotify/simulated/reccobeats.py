"""The simulated ReccoBeats: how songs sound, by their Spotify ids, without a key.

What the real one does, and where that is written:

- ``GET /v1/audio-features?ids=…``, ids of Spotify or of its own, apart by commas or as repeated ``ids``
  (reccobeats.com/docs/apis/get-audio-features, reccobeats.com/docs/documentation/request-and-response);
- a row's ``id`` is ReccoBeats' own UUID; only ``href``, the song's address at open.spotify.com, leads back to the id that was asked
  for, rows may come in any order, and what is not known is left out (live answers of 2026-07-12, noted by one of its users);
- 1 to 40 ids, else ``{"status": 4004, "errors": [{"message": "size must be between 1 and 40"}]}`` (likewise);
- its limits are not published; beyond them it answers 429 with Retry-After (reccobeats.com/docs/documentation/rate-limiting).
"""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from .catalogue import Catalogue
from .features import features_of
from .http import Answer, ApiError, Request
from .serving import Serving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .catalogue import Song

MOST_IDS = 40
PATH = "/v1/audio-features"
#: ReccoBeats' own code for a list of ids that is too long or empty.
WRONG_SIZE = 4004
#: What rows have held that are not to be believed.
NONSENSE: tuple[dict[str, Any], ...] = (
    {"energy": 7.5},
    {"valence": None},
    {"energy": "loud", "tempo": "fast"},
    {"valence": -0.2},
    {"energy": float("nan")},
    {"href": "https://open.spotify.com/album/none"},
    {"href": None},
)


class SimulatedReccoBeats(Serving):
    """ReccoBeats on 127.0.0.1, with the levers of every simulated service; it serves from construction until :meth:`close`.

    ``url`` ends with ``/v1/``, as the adapter's setting does.

    Args:
        catalogue: the songs that it knows; give the simulated speaker's own. Unset takes what ships.
        clock: seconds that only go forward, by which limits end.
        port: 0 lets the system choose.
    """

    def __init__(self, *, catalogue: Catalogue | None = None, clock: Callable[[], float] = time.monotonic, port: int = 0) -> None:
        """Bind and serve."""
        super().__init__(clock, name="simulated-reccobeats", port=port)
        self.url = f"{self._server.url}/v1/"
        self._songs = dict((catalogue if catalogue is not None else Catalogue.shipped()).songs)
        self._nonsense = False
        self._server.start()

    def forget(self, *ids: str) -> None:
        """Know nothing of these songs, by Spotify id, as of many that are rarely heard."""
        with self._lock:
            for key in ids:
                self._songs.pop(key, None)

    def talk_nonsense(self) -> None:
        """Give each row a value that can't be: out of range, of another kind, missing, or of no song."""
        with self._lock:
            self._nonsense = True

    def _answer(self, request: Request) -> Answer:
        if (request.method, request.path) != ("GET", PATH):
            raise ApiError(404, "Not Found")
        ids = [key for value in parse_qs(urlsplit(request.target).query).get("ids", []) for key in value.split(",")]
        if not 1 <= len(ids) <= MOST_IDS:
            raise ApiError(400, f"size must be between 1 and {MOST_IDS}", str(WRONG_SIZE))
        rows = [_row(self._songs[key]) for key in dict.fromkeys(ids) if key in self._songs]
        if self._nonsense:
            rows = [row | NONSENSE[number % len(NONSENSE)] for number, row in enumerate(rows)]
        # The real one's rows are not in the order of the ids.
        return Answer.of({"content": sorted(rows, key=lambda row: str(row["id"]))})

    @staticmethod
    def _refusal(status: int, message: str, reason: str | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        body = {"status": int(reason) if reason is not None else status, "errors": [{"message": message}]}
        return Answer(status, json.dumps(body).encode(), headers=dict(headers or {}))


def _row(song: Song) -> dict[str, Any]:
    return {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, song.id)), "href": f"https://open.spotify.com/track/{song.id}", **features_of(song)}
