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
#: Pages for a browser: not described, and nothing is read of them but where they lead.
PAGES = {"/authorize"}
API, SIGN_IN = "https://api.spotify.com", "https://accounts.spotify.com"
TOKEN = "/api/token"
TEXT = {"type": "string", "minLength": 1}


def record(optional=(), **properties):
    """Return a schema of an object that holds these, and nothing else."""
    return {"type": "object", "properties": properties, "required": [key for key in properties if key not in optional], "additionalProperties": False}


def token_endpoint():
    """Return the description of what the description leaves out: tokens for a code or a refresh token, with PKCE and without a secret.

    From developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow and /refreshing-tokens; errors as RFC 6749, section 5.2,
    and the verifier as RFC 7636, section 4.1.
    """
    verifier = {"type": "string", "pattern": "^[A-Za-z0-9._~-]{43,128}$"}
    asked = {
        "oneOf": [
            record(grant_type={"type": "string", "enum": ["authorization_code"]}, code=TEXT, redirect_uri={**TEXT, "format": "uri"}, client_id=TEXT, code_verifier=verifier),
            record(grant_type={"type": "string", "enum": ["refresh_token"]}, refresh_token=TEXT, client_id=TEXT),
        ]
    }
    told = record(
        optional={"refresh_token"},
        access_token=TEXT,
        token_type={"type": "string", "enum": ["Bearer"]},
        scope={"type": "string"},
        expires_in={"type": "integer", "minimum": 1},
        refresh_token=TEXT,
    )
    kinds = ["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"]
    refused = record(optional={"error_description"}, error={"type": "string", "enum": kinds}, error_description=TEXT)
    answers = {"200": told, "400": refused, "401": refused}
    post = {
        "security": [],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": asked}}},
        "responses": {status: {"description": status, "content": {"application/json": {"schema": schema}}} for status, schema in answers.items()},
    }
    return {"servers": [{"url": SIGN_IN}], "post": post}


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
    spec["paths"][TOKEN] = token_endpoint()
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
        self.judges_requests = True
        self.judges_answers = True

    def __call__(self, exchange):
        request, answer = exchange.request, exchange.answer
        if request.path in PAGES:
            return
        self.seen += 1
        kind = request.headers.get("content-type", "application/json").split(";")[0]
        asked = MockRequest(
            SIGN_IN if request.path == TOKEN else API,
            request.method.lower(),
            request.path,
            args=ImmutableMultiDict(parse_qsl(urlsplit(request.target).query)),
            headers=request.headers,
            data=request.body or None,
            content_type=kind,
        )
        told = MockResponse(answer.body or None, status_code=answer.status, headers=dict(answer.headers), content_type=answer.content_type.split(";")[0])
        if self.judges_requests:
            self._judge(exchange, "request", self._api.iter_request_errors(asked))
        if self.judges_answers:
            self._judge(exchange, "answer", self._api.iter_response_errors(asked, told))

    def _judge(self, exchange, what, errors):
        for error in errors:
            causes = [one.message[:300] for one in getattr(error.__cause__, "schema_errors", [])] or [str(error.__cause__ or error)[:300]]
            self.problems.append(f"{what} {exchange.request.method} {exchange.request.target} {exchange.answer.status}: {causes}")
