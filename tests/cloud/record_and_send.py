"""A device: records events and sends them until it is killed, or COUNT are recorded and all have arrived.

Prints the ids of each transaction once it is committed.
"""

import sys
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

from moodify.cloud.backoff import Backoff
from moodify.cloud.link import Link
from moodify.cloud.port import Credentials, Delivery, Endpoint, Target
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind

path, port, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
device = "m-abcdefghijklmnop"
prepare(path)
recorded = threading.Event()


class NameOnly:
    def credentials(self, now: datetime) -> Credentials:
        return Credentials(device, None)


def courier(link: Link) -> None:
    with Outbox(path) as outbox:
        while not recorded.is_set():
            link.pump(outbox, 1.0)
        link.drain(outbox, 30.0)
        link.close()


with Settings(path) as settings, Store(path) as store:
    link = Link(
        device,
        target=lambda: Target(Endpoint("127.0.0.1", port, tls=False), NameOnly(), Delivery.BROKER),
        memory=settings,
        on_command=lambda _command: None,
        clock_trusted=lambda: True,
        on_change=lambda _state, _reason: None,
        backoff=Backoff(base_s=0.05, cap_s=0.2),
    )
    thread = threading.Thread(target=courier, args=(link,))
    thread.start()
    for _ in range(count):
        event = Event(str(uuid.uuid4()), EventKind.MOOD, datetime.now(UTC), {"mood": "happy"})
        store.record([event])
        link.wake()
        sys.stdout.write(event.id + "\n")
        sys.stdout.flush()
    recorded.set()
    thread.join()
