"""The page's own files, read once from the package and served from memory: nothing else on the disk can be asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page."""

    content: bytes
    media_type: str
    etag: str

    def response(self, if_none_match: str | None) -> Response:
        """Return the file, or 304 where the browser has it."""
        # Asked again each time, for an update of the appliance changes the files under the same names.
        headers = {"ETag": self.etag, "Cache-Control": "no-cache"}
        if if_none_match == self.etag:
            return Response(status_code=304, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


def load_assets() -> Mapping[str, Asset]:
    """Return the files of ``moodify/web/static`` by name."""
    assets = {}
    for file in files("moodify.web").joinpath("static").iterdir():
        media_type = _MEDIA_TYPES.get(PurePosixPath(file.name).suffix)
        if media_type is not None:
            content = file.read_bytes()
            assets[file.name] = Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return assets
