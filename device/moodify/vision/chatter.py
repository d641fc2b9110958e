"""Keeps TFLite's greeting off stderr while an interpreter is made."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What TFLite prints on file descriptor 2 of each process, and offers no setting for.
CHATTER = b"INFO: Created TensorFlow Lite XNNPACK delegate"


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back what is written to stderr, of other threads too, and pass it on afterwards without TFLite's greeting. One at a time."""
    if sys.stderr is None:
        # The descriptor is closed, or something else's by now.
        yield
        return
    sys.stderr.flush()
    before = os.dup(2)
    try:
        # In memory: a start must not depend on room on a disk.
        with os.fdopen(os.memfd_create("stderr"), "w+b") as held:
            os.dup2(held.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(before, 2)
                held.seek(0)
                # Where nobody reads it any more, it is lost as what is logged is then: that is no reason to fail, or to hide one.
                with suppress(OSError):
                    for line in held:
                        if not line.startswith(CHATTER):
                            os.write(2, line)
    finally:
        os.close(before)
