"""What the memory of the appliance consists of, read from inside it (``scripts/soak --trace FILE``): off by default, for it costs time and memory itself.

Every half minute a line of JSON is appended to the file: :class:`Look`. From the end of the warm-up on it is noted for every block of Python's where it
was allocated, and every five minutes ``FILE.grown`` tells anew which places hold more than they did then, the most first.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import threading
import time
import tracemalloc
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

EVERY_S: Final = 30.0
#: So many looks lie between two tellings of what has grown: it stops the appliance for some tenths of a second.
LOOKS: Final = 10
#: So many calls are told of each place, and so many places.
FRAMES: Final = 12
PLACES: Final = 20
_MALLINFO2: Final = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class _Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _MALLINFO2]


@dataclass(frozen=True, slots=True)
class Look:
    """One look; bytes of all threads together."""

    at_s: float
    """On the machine's monotonic clock."""
    python_blocks: int
    """Python's small blocks in use: objects, those that it holds in store for reuse among them."""
    full_collections: int
    """Each gives the latter back; up to 2000 tuples of each length below 20 are held in store, some MB at most, and fill up with hours (CPython 3.11, tupleobject.c)."""
    sqlite_bytes: int | None
    """SQLite's, page caches of all connections among them; None where it can't be asked."""
    malloc_used: int | None
    """What libc's malloc has given out, large blocks among it; None where it is not glibc."""
    malloc_free: int | None
    """What it holds and has given to nobody."""


def look() -> Look:
    """Read what the memory of this process consists of."""
    malloc = _mallinfo()
    used, free = (None, None) if malloc is None else (malloc.uordblks + malloc.hblkhd, malloc.fordblks)
    return Look(time.monotonic(), sys.getallocatedblocks(), gc.get_stats()[2]["collections"], _sqlite_bytes(), used, free)


def _mallinfo() -> _Mallinfo2 | None:
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return None
    ask.restype = _Mallinfo2
    found: _Mallinfo2 = ask()
    return found


def _sqlite_bytes() -> int | None:
    import _sqlite3

    # Through Python's own module, so that it is the library that Python uses; None where it is linked into that.
    ask = getattr(ctypes.CDLL(_sqlite3.__file__), "sqlite3_memory_used", None)
    if ask is None:
        return None
    ask.restype = ctypes.c_longlong
    return int(ask())


def snapshot() -> tracemalloc.Snapshot:
    """Return what is held; garbage and what Python holds in store for reuse are given back before."""
    gc.collect()
    return tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(inclusive=False, filename_pattern=name) for name in (tracemalloc.__file__, __file__)])


def grown(since: tracemalloc.Snapshot) -> str:
    """Return which places hold more than at a snapshot, in words: bytes and blocks, then the calls that led there."""
    more = [each for each in snapshot().compare_to(since, "traceback") if each.size_diff > 0][:PLACES]
    return "".join(f"{each.size_diff:+d} bytes in {each.count_diff:+d} blocks\n" + "".join(f"  {line}\n" for line in each.traceback.format()) for each in more)


def begin(file: Path, trace_from_s: float) -> None:
    """Look from now on, on a thread of its own; blocks are traced once so many seconds are over."""
    threading.Thread(target=_look_on, args=(file, trace_from_s), name="inside", daemon=True).start()


def _look_on(file: Path, trace_from_s: float) -> None:
    began_s, since, looks = time.monotonic(), None, 0
    while True:
        time.sleep(EVERY_S)
        with file.open("a") as out:
            out.write(json.dumps(asdict(look())) + "\n")
        if since is None and time.monotonic() >= began_s + trace_from_s:
            tracemalloc.start(FRAMES)
            since = snapshot()
        elif since is not None:
            looks += 1
            if looks % LOOKS == 0:
                file.with_name(f"{file.name}.grown").write_text(grown(since))
