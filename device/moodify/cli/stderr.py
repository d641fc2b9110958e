"""Keeps a native library's chatter off the terminal while it starts."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What TFLite prints on file descriptor 2 of each process, and offers no setting for.
CHATTER = b"INFO: Created TensorFlow Lite XNNPACK delegate"


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back what is written to stderr, and pass it on afterwards without TFLite's greeting. While there is one thread only."""
    sys.stderr.flush()
    before = os.dup(2)
    try:
        with tempfile.TemporaryFile() as held:
            os.dup2(held.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(before, 2)
                held.seek(0)
                for line in held:
                    if not line.startswith(CHATTER):
                        os.write(2, line)
    finally:
        os.close(before)
