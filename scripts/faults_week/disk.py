"""The disk: full, read-only, failing, slow; while the appliance runs, and as it starts."""

from __future__ import annotations

import re
import time
from functools import partial

from faults_week.disk_lever import Does
from faults_week.fault import Fault, Group, Outcome
from faults_week.house import PATIENCE_S
from faults_week.kills import OnDisk
from waiting import wait_until

#: How long each step takes on a slow disk, in seconds: a worn SD card at its worst.
SLOW_S = 0.15


def _while_it_runs(house: OnDisk, does: Does, *, wait_s: float = 0.0) -> Outcome:
    """Let the disk refuse; what happens meanwhile waits in memory, and is written once it can be."""
    house.disk.does(does, wait_s=wait_s)
    house.press()
    seen = house.logged("Events wait in memory")
    assert house.now()["camera"]["state"] == "ok", house.now()["camera"]
    house.disk.does(Does.WELL)
    began_s = time.monotonic()
    house.logged("Events are written again; 0 were given up")
    house.await_well()
    house.silence()
    return Outcome(_words(seen), round(time.monotonic() - began_s, 1), "the owner frees space" if does is Does.FULL else "the owner sees to the disk")


def _privacy_meanwhile(house: OnDisk, does: Does) -> Outcome:
    """Privacy that is asked for while nothing can be written holds all the same, and over a loss of power once the disk is well."""
    house.disk.does(does)
    house.private(on=True)
    seen = house.logged("A restart would forget what was set|going on with the last room")
    house.disk.does(Does.WELL)
    began_s = time.monotonic()
    wait_until(house.privacy_is_kept, within_s=PATIENCE_S, what="privacy on the disk")
    took_s = round(time.monotonic() - began_s, 1)
    house.kill()
    house.started()
    house.private(on=False)
    house.await_well()
    return Outcome(_words(seen), took_s, "the owner sees to the disk")


def _power_goes(house: OnDisk) -> Outcome:
    """Privacy that is asked for on a full disk is kept even where the power goes before there is room: some was kept for that."""
    house.disk.does(Does.FULL)
    house.private(on=True)
    house.logged("going on with the last room")
    house.kill()
    house.disk.does(Does.WELL)
    began_s = time.monotonic()
    house.started()
    outcome = Outcome(f"a new start: camera {house.now()['camera']['message']}", round(time.monotonic() - began_s, 1))
    house.private(on=False)
    house.await_well()
    return outcome


def _as_it_starts(house: OnDisk, does: Does) -> Outcome:
    house.stop()
    house.disk.does(does)
    house.start()
    code = house.ended()
    assert code > 0, f"it ended with {code}"
    seen = house.appliance.log.strip().splitlines()[-1]
    house.disk.does(Does.WELL)
    # A service manager does so by itself.
    house.start()
    return Outcome(_words(seen), house.time_until_well(), "the owner sees to the disk")


def _full_as_it_starts(house: OnDisk) -> Outcome:
    """On a full disk it starts with the room that was kept for that."""
    house.stop()
    house.disk.does(Does.FULL)
    house.start()
    seen = house.logged("the disk is full")
    house.await_well()
    house.disk.does(Does.WELL)
    return Outcome(_words(seen), house.time_until_well(), "the owner frees space")


def _slow(house: OnDisk) -> Outcome:
    """Let every step take its time: it goes on, later."""
    house.disk.does(Does.SLOW, wait_s=SLOW_S)
    house.press()
    wait_until(lambda: house.speaker.now_playing, within_s=PATIENCE_S, what="music after a press")
    assert house.now()["camera"]["state"] == "ok", house.now()["camera"]
    wait_until(lambda: house.disk.steps * SLOW_S >= 1.0, within_s=PATIENCE_S, what=lambda: f"a second of waiting for the disk, which took {house.disk.steps} steps")
    seen = house.now()["music"]["reason"]
    house.disk.does(Does.WELL)
    took_s = house.time_until_well()
    house.silence()
    return Outcome(f"it plays, later: {seen}", took_s)


def _words(line: str) -> str:
    """Return what a log says, without where the files are."""
    return re.sub(r"/\S*/", "", line)


GROUP = Group(
    "disk",
    OnDisk,
    (
        Fault("full", partial(_while_it_runs, does=Does.FULL), quick=True),
        Fault("full as privacy begins", partial(_privacy_meanwhile, does=Does.FULL)),
        Fault("full as privacy begins, and the power goes", _power_goes),
        Fault("full at the start", _full_as_it_starts),
        Fault("read-only", partial(_while_it_runs, does=Does.READ_ONLY)),
        Fault("read-only as privacy begins", partial(_privacy_meanwhile, does=Does.READ_ONLY)),
        Fault("read-only at the start", partial(_as_it_starts, does=Does.READ_ONLY)),
        Fault("failing", partial(_while_it_runs, does=Does.FAILING)),
        Fault("failing at the start", partial(_as_it_starts, does=Does.FAILING)),
        Fault("a slow disk", _slow),
    ),
)
