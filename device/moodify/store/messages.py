"""How events become the items of messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: A message is closed before its items exceed so many bytes; an event above that travels alone.
MESSAGE_BYTES = 64 * 1024


def dumps(value: object) -> str:
    """Return JSON without blanks, of which UTF-8 can say everything: half of a surrogate pair (a file's odd name, a vendor's text) becomes ``?``.

    Raises:
        ValueError: a number that JSON does not have.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(errors="replace").decode()


def batches(items: Sequence[str]) -> Iterator[str]:
    """Return the items of each message, as a JSON list."""
    batch: list[str] = []
    size = 0
    for item in items:
        length = len(item.encode())
        if batch and size + length > MESSAGE_BYTES:
            yield f"[{','.join(batch)}]"
            batch, size = [], 0
        batch.append(item)
        size += length + 1
    if batch:
        yield f"[{','.join(batch)}]"
