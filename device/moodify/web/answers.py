"""Answers that a browser keeps as files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def as_file(what: str, kind: str) -> Mapping[str, str]:
    """Return the header by which a browser keeps an answer as a file, named by what it is and the day."""
    day = datetime.now(UTC).astimezone().date().isoformat()
    return {"Content-Disposition": f'attachment; filename="moodify-{what}-{day}.{kind}"'}
