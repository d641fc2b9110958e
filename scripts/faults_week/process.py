"""The process: want of memory, the death of each of its threads, and two of them at once."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial

from appliance import environment_of
from faults_week.fault import Fault, Group, Outcome
from faults_week.house import PATIENCE_S, House
from faults_week.levers import MEMORY
from waiting import wait_until

#: The threads that live as long as the appliance, by their names; the main thread is the conductor's.
THREADS = ("MainThread", "watcher", "camera", "usb-camera", "dj", "courier", "web", "light", "button", "held", "live view", "accounts_0", "health")
#: Those of the server's own pool, of which it has as many as it needs: what is done there is caught and answered. And a library's that lives for a
#: moment and is begun anew where it died.
OTHERS = ("AnyIO worker thread", "timer")
#: Those that may be taken up again where they die, and the kind of the events that tell so.
TAKEN_UP = {"camera": "camera", "usb-camera": "camera", "courier": "link"}
#: Those in whose place another one comes, what a person asks the page for who meets the dead one, and what the log says then.
REPLACED = {"accounts_0": ("/api/sessions", "another one takes its place")}
#: Address space that it may have where memory is short, in bytes, and as it starts.
LITTLE, TOO_LITTLE = 16 * 1024 * 1024, 300 * 1024 * 1024
_BANG = "a fault of scripts/faults"


def _thread_dies(house: House, name: str) -> Outcome:
    """Let it die wherever it is. Either it is taken up again, or the appliance ends and is started again: none is dead for good."""
    at = house.mark()
    house.victim.write_text(name, "utf-8")
    there = house.victim.with_suffix(".there")
    there.unlink(missing_ok=True)
    os.kill(house.appliance.process.pid, signal.SIGUSR2)
    wait_until(lambda: there.exists() and there.read_text("utf-8").endswith("\n"), within_s=PATIENCE_S, what="the list of threads")
    names = set(there.read_text("utf-8").splitlines())
    assert name in names, f"there is no thread {name}: {names}"
    assert names <= {*THREADS, *OTHERS}, f"there are threads whose death is no fault yet: {names - {*THREADS, *OTHERS}}"
    began_s = time.monotonic()
    # Each meets it at its next step. One that has ended the appliance already does not hear this.
    path, words = REPLACED.get(name, ("", None))
    with suppress(OSError):
        house.appliance.ask(path) if path else house.press()
    kind = TAKEN_UP.get(name)
    wait_until(
        lambda: house.appliance.process.poll() is not None or _degraded(house, kind, at) or (words is not None and words in house.appliance.log),
        within_s=PATIENCE_S,
        what=f"what comes of the death of {name}",
    )
    if words is not None:
        seen = house.logged(f"The thread .*{words}")
        house.appliance.ask(path)
    elif kind is not None and _degraded(house, kind, at):
        seen = house.seen(kind, after=at, state="degraded")
        house.seen(kind, after=at, state="ok")
    else:
        house.start_again()
        seen = house.last_words(_BANG)
    house.await_well()
    took_s = round(time.monotonic() - began_s, 1)
    house.silence()
    return Outcome(seen, took_s)


def _degraded(house: House, kind: str | None, after: int) -> bool:
    return any(event["kind"] == kind and event["data"]["state"] == "degraded" for event in house.appliance.events[after:])


def _memory_is_short(house: House) -> Outcome:
    """Let it have nothing new, and for a while not even what it has and does not need: whatever asks for memory then is refused."""
    pid = house.appliance.process.pid
    house.victim.write_text(MEMORY, "utf-8")
    taken = house.victim.with_suffix(".taken")
    taken.unlink(missing_ok=True)
    # Less than it has.
    resource.prlimit(pid, resource.RLIMIT_AS, (LITTLE, resource.RLIM_INFINITY))
    os.kill(pid, signal.SIGUSR2)
    with suppress(OSError):
        house.press()
    wait_until(lambda: taken.exists() or house.appliance.process.poll() is not None, within_s=PATIENCE_S, what="the end of its memory, or its own")
    ended = _ends_within(house, 10.0)
    began_s = time.monotonic()
    if ended:
        seen = house.last_words()
        house.start_again()
    else:
        seen = f"it goes on: {house.now()['music']['reason']}"
        resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    house.await_well()
    house.silence()
    return Outcome(seen, round(time.monotonic() - began_s, 1))


def _memory_is_short_at_the_start(house: House) -> Outcome:
    house.stop()
    house.start(before=("prlimit", f"--as={TOO_LITTLE}"))
    code = house.ended()
    assert code not in {0, 2}, f"it ended with {code}"
    seen = house.last_words()
    house.start()
    return Outcome(seen, house.time_until_well(), "the owner ends other programs")


def _ends_within(house: House, seconds: float) -> bool:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        if house.appliance.process.poll() is not None:
            return True
        time.sleep(0.1)
    return False


def _another(house: House) -> Outcome:
    """Start another one in the same home: it goes, and the first does not notice."""
    before = house.openings_s()
    second = house.command("run", "--events", "-")
    assert second.returncode > 0, f"the second ended with {second.returncode}"
    assert not second.stdout, f"the second did something: {second.stdout}"
    assert house.openings_s() == before, "the second one opened the camera"
    return Outcome(_words(second.stderr), house.time_until_well(), "the owner ends one of them")


def _two_at_once(house: House) -> Outcome:
    """Start two at the same moment: one runs, one goes, and it does not matter which."""
    house.stop()
    said = house.home / "second"
    began_s = time.monotonic()
    with said.open("wb") as log:
        command = [sys.executable, "-m", "faults_week.levers", "run", "--events", "-"]
        second = subprocess.Popen(command, cwd=house.home, env=environment_of(house.home) | house.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    first = house.start()
    try:
        wait_until(lambda: first.process.poll() is not None or second.poll() is not None, within_s=PATIENCE_S, what="the end of one of them")
        gone = first.process if first.process.poll() is not None else second
        assert gone.returncode > 0, f"it ended with {gone.returncode}"
        seen = _words(first.log if gone is first.process else said.read_text("utf-8"))
    finally:
        if second.poll() is None:
            second.terminate()
            second.wait(PATIENCE_S)
    if gone is first.process:
        house.await_nothing_left()
        house.start()
    house.await_well()
    return Outcome(seen, round(time.monotonic() - began_s, 1), "the owner ends one of them")


def _words(log: str) -> str:
    """Return the last line of a log, without where the files are."""
    return re.sub(r"/\S*/", "", log.strip().splitlines()[-1])


GROUP = Group(
    "process",
    House,
    (
        *(Fault(f"death of the thread {name}", partial(_thread_dies, name=name)) for name in THREADS),
        Fault("memory is short", _memory_is_short),
        Fault("memory is short at the start", _memory_is_short_at_the_start),
        Fault("another one is started", _another, quick=True),
        Fault("two are started at once", _two_at_once),
    ),
)
