"""A device as a process: records events and sends them until it is killed, or told to end and everything has arrived.

    device.py FOLDER PORT TOTAL PER_SECOND

Each command that it carries out is a line in FOLDER/done.

Its key, database and outbox are in FOLDER, and go on where a killed one left off: events are numbered, and it goes on until TOTAL are
recorded. Then it waits until all are known to have arrived, and ends with 0.
"""

import sys
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

from moodify.cloud.backoff import Backoff
from moodify.cloud.identity import load_or_make
from moodify.cloud.link import Link
from moodify.cloud.passwords import SignedToken
from moodify.cloud.port import Delivery, Endpoint, Target
from moodify.daemon.kept import LAST_SEEN_KEY, last_seen
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.system.trust import clock_trusted
from moodify.types import Event, EventKind

folder, port, total, per_second = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
database = folder / "moodify.db"
prepare(database)
identity = load_or_make(folder / "device.key")
recorded, pause = threading.Event(), threading.Event()


def say(text):
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
    sys.stderr.flush()


def courier():
    with Outbox(database) as outbox, Settings(database) as memory:

        def carry_out(command):
            with (folder / "done").open("a") as done:
                done.write(command.id + "\n")
            link.answer(command.id, "ok")

        def trusted():
            return clock_trusted(datetime.now(UTC), last_seen(memory), synchronised=lambda: False)

        link = Link(
            identity.device,
            target=lambda: Target(Endpoint("127.0.0.1", port, tls=False), SignedToken(lambda: identity, "moodify", trusted), Delivery.HUB),
            memory=memory,
            commands=("rescan",),
            on_command=carry_out,
            on_change=lambda state, reason: say(f"{state.value}: {reason}"),
            clock_trusted=lambda: trusted()[0],
            silence_s=3.0,
            backoff=Backoff(base_s=0.1, cap_s=1.0),
        )
        while not (recorded.is_set() and outbox.backlog() == 0):
            link.pump(outbox, 0.5)
        link.close()


with Store(database) as store, Settings(database) as settings:
    thread = threading.Thread(target=courier)
    thread.start()
    done = int(settings.get("faults.done", 0))
    while done < total:
        # The ids follow from the number: one that was recorded just before a kill is recorded again, which does nothing.
        event = Event(str(uuid.uuid5(uuid.NAMESPACE_OID, f"{identity.device} {done}")), EventKind.MOOD, datetime.now(UTC), {"mood": "happy", "number": done})
        store.record([event])
        done += 1
        settings.put("faults.done", done)
        # As the daemon does: a clock that falls back behind what was noted is not believed, on whichever day this runs.
        seen, now = last_seen(settings), datetime.now(UTC)
        if done % 50 == 0 and (seen is None or now > seen):
            settings.put(LAST_SEEN_KEY, now.isoformat(timespec="seconds"))
        # libfaketime, under which this runs too, refuses the clock that time.sleep asks for.
        pause.wait(1 / per_second)
    recorded.set()
    thread.join()
say("everything has arrived")
