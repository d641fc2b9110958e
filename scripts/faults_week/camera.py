"""The camera: hung, silent, unplugged, black, over-exposed."""

from __future__ import annotations

from faults_week.fault import Fault, Group, Outcome
from faults_week.house import House


def _unplugged(house: House) -> Outcome:
    at = house.mark()
    house.unplug()
    seen = house.seen("camera", after=at, state="degraded")
    house.await_now(lambda now: now["camera"]["state"] == "broken", "the camera's being missed")
    seen = house.now()["camera"]["message"]
    house.show("person")
    return Outcome(seen, house.time_until_well(), "the household plugs it in")


def _silent(house: House) -> Outcome:
    at = house.mark()
    house.show("silent")
    seen = house.seen("camera", after=at, state="degraded")
    house.show("person")
    return Outcome(seen, house.time_until_well())


GROUP = Group("camera", House, (Fault("silent", _silent, quick=True), Fault("unplugged", _unplugged)))
