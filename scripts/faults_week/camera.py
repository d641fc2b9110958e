"""The camera: silent, hung, unplugged, black, over-exposed."""

from __future__ import annotations

import time
from functools import partial

from faults_week.fault import Fault, Group, Outcome
from faults_week.house import PATIENCE_S, House
from faults_week.levers import HANGS
from waiting import wait_until


def _camera_is(house: House, state: str, word: str) -> str:
    """Wait until the page says so of the camera; return its words."""
    return str(house.await_now(lambda now: now["camera"]["state"] == state and word in now["camera"]["message"], f"the camera's being {state}: {word}")["camera"]["message"])


def _silent(house: House) -> Outcome:
    house.show("silent")
    seen = _camera_is(house, "degraded", "no frame")
    house.show("person")
    return Outcome(seen, house.time_until_well())


def _hung(house: House) -> Outcome:
    house.show("hung")
    seen = _camera_is(house, "broken", "does not give its device back")
    house.show("person")
    return Outcome(seen, house.time_until_well(), "the household, where the driver never answers")


def _hung_in_privacy(house: House) -> Outcome:
    hangs = house.camera.with_name(f"{house.camera.name}{HANGS}")
    hangs.unlink(missing_ok=True)
    house.show("hung")
    # A frame that was under way would let the driver be closed.
    wait_until(hangs.exists, within_s=PATIENCE_S, what="somebody who waits for the driver")
    house.ask_for_privacy(on=True)
    seen = _camera_is(house, "broken", "privacy is on")
    house.unplug()
    house.await_privacy()
    held = house.holders()
    assert not held, f"{held} in privacy"
    house.show("person")
    house.private(on=False)
    return Outcome(seen, house.time_until_well(), "the household unplugs it, for privacy")


def _unplugged(house: House) -> Outcome:
    house.unplug()
    seen = _camera_is(house, "broken", "")
    house.show("person")
    return Outcome(seen, house.time_until_well(), "the household plugs it in")


def _unplugged_in_privacy(house: House) -> Outcome:
    house.private(on=True)
    house.unplug()
    house.show("person")
    seen = _camera_is(house, "off", "privacy")
    house.private(on=False)
    return Outcome(seen, house.time_until_well())


def _sees_nothing(house: House, view: str, word: str) -> Outcome:
    """Let it see a picture that is of one tone: what was felt before does not go on, and a person is told why nobody is seen."""
    house.play()
    house.show(view)
    seen = _camera_is(house, "ok", word)
    wait_until(lambda: house.now()["mood"] is None or house.now()["mood"]["mood"] in {"absent", "unsure"}, within_s=PATIENCE_S, what="the end of the mood")
    began_s = time.monotonic()
    house.show("person")
    house.await_now(lambda now: now["mood"] and now["mood"]["mood"] == "happy" and word not in now["camera"]["message"], "a mood again")
    took_s = round(time.monotonic() - began_s, 1)
    house.silence()
    return Outcome(seen, took_s, "the household, where it should see")


GROUP = Group(
    "camera",
    House,
    (
        Fault("silent", _silent),
        Fault("hung", _hung),
        Fault("hung as privacy begins", _hung_in_privacy, quick=True),
        Fault("unplugged", _unplugged, quick=True),
        Fault("unplugged and back in privacy", _unplugged_in_privacy),
        Fault("black", partial(_sees_nothing, view="black", word="darkness")),
        Fault("over-exposed", partial(_sees_nothing, view="white", word="glare")),
    ),
)
