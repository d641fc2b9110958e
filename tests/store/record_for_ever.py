"""Records events until it is killed, and prints the ids of each transaction once it is committed."""

import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

from moodify.store.prepare import prepare
from moodify.store.store import Store
from moodify.types import Event, EventKind

path = Path(sys.argv[1])
prepare(path)
with Store(path, outbox_bytes=int(sys.argv[2])) as store:
    while True:
        events = [Event(str(uuid.uuid4()), EventKind.MOOD, datetime.now(UTC), {"mood": "happy", "pad": "x" * 500}) for _ in range(3)]
        store.record(events)
        sys.stdout.write(" ".join(event.id for event in events) + "\n")
        sys.stdout.flush()
