"""The judge of every exchange: Spotify's OpenAPI description, with the gaps filled that it is known to have."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import ImmutableMultiDict

DESCRIPTION = Path(__file__).resolve().parents[2] / "../shared/data/spotify-openapi.yml"
TRACK_OR_EPISODE = {"track": "#/components/schemas/TrackObject", "episode": "#/components/schemas/EpisodeObject"}
#: Objects that hold nothing but what is described.
CLOSED = (
    "DeviceObject",
    "CurrentlyPlayingContextObject",
    "TrackObject",
    "SimplifiedTrackObject",
    "QueueObject",
    "PlayHistoryObject",
    "PlaylistTrackObject",
    "PlaylistObject",
    "SimplifiedPlaylistObject",
    "SavedTrackObject",
    "PrivateUserObject",
)
ACCOUNTS_PATHS = {"/authorize", "/api/token"}


def or_null(schema):
    """Return a schema that allows null too; OpenAPI 3.0's ``nullable`` does nothing beside a reference."""
    return {"anyOf": [schema, {"type": "object", "nullable": True, "enum": [None]}]}


def described():
    """Return the judge of Spotify's description, with the gaps filled that it is known to have."""
    spec = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    schemas = spec["components"]["schemas"]
    schemas["ErrorObject"]["properties"]["reason"] = {"type": "string"}
    schemas["DeviceObject"]["required"] = ["id", "is_active", "is_restricted", "name", "type", "volume_percent", "supports_volume"]
    schemas["CurrentlyPlayingContextObject"]["required"] = ["device", "repeat_state", "shuffle_state", "is_playing", "progress_ms"]
    schemas["CursorPagingObject"]["properties"]["next"]["nullable"] = True
    name_tracks_and_episodes(schemas)
    allow_gaps(schemas)
    for name in CLOSED:
        schemas[name]["additionalProperties"] = False
    # openapi-core judges bearer tokens, not OAuth flows.
    spec["components"]["securitySchemes"]["oauth_2_0"] = {"type": "http", "scheme": "bearer"}
    for path, item in spec["paths"].items():
        for operation in (item[method] for method in ("get", "put", "post") if method in item):
            operation["responses"].setdefault("400", {"$ref": "#/components/responses/BadRequest"})
            operation["responses"].setdefault("404", {"$ref": "#/components/responses/NotFound"})
            if path.startswith("/me/player"):
                operation["responses"].setdefault("202", {"description": "accepted"})
    return OpenAPI.from_dict(spec)


def name_tracks_and_episodes(schemas):
    """Tell which schema is meant: a discriminator needs its mapping where names differ from values."""
    queue = schemas["QueueObject"]["properties"]
    items = [schemas[name]["properties"]["item"] for name in ("CurrentlyPlayingContextObject", "PlaylistTrackObject")]
    for choice in (*items, queue["currently_playing"], queue["queue"]["items"]):
        choice["discriminator"]["mapping"] = TRACK_OR_EPISODE


def allow_gaps(schemas):
    """Allow null in a list's item, and a local file's missing ids: both occur, and neither is described."""
    for name, inside in (("SavedTrackObject", "track"), ("PlayHistoryObject", "track"), ("PlaylistTrackObject", "item")):
        row = schemas[name]["properties"]
        row[inside] = or_null(row[inside])
    for name in ("PagingTrackObject", "PagingPlaylistObject"):
        rows = schemas[name]["allOf"][1]["properties"]["items"]
        rows["items"] = or_null(rows["items"])
    for name in ("TrackObject", "SimplifiedArtistObject"):
        for key in ("id", "href", "uri"):
            schemas[name]["properties"][key] = {"type": "string", "nullable": True}


class Conformance:
    """A tap that holds every request and every answer to the description."""

    def __init__(self, api):
        self._api = api
        self.problems = []
        self.seen = 0
        self.off = False

    def __call__(self, exchange):
        request, answer = exchange.request, exchange.answer
        if request.path in ACCOUNTS_PATHS or self.off:
            return
        self.seen += 1
        kind = request.headers.get("content-type", "application/json").split(";")[0]
        asked = MockRequest(
            "https://api.spotify.com",
            request.method.lower(),
            request.path,
            args=ImmutableMultiDict(parse_qsl(urlsplit(request.target).query)),
            headers=request.headers,
            data=request.body or None,
            content_type=kind,
        )
        told = MockResponse(answer.body or None, status_code=answer.status, headers=dict(answer.headers), content_type=answer.content_type.split(";")[0])
        self._judge(exchange, "request", self._api.iter_request_errors(asked))
        self._judge(exchange, "answer", self._api.iter_response_errors(asked, told))

    def _judge(self, exchange, what, errors):
        for error in errors:
            causes = [one.message[:300] for one in getattr(error.__cause__, "schema_errors", [])] or [str(error.__cause__ or error)[:300]]
            self.problems.append(f"{what} {exchange.request.method} {exchange.request.target} {exchange.answer.status}: {causes}")
