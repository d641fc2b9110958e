"""The speaker: asleep, gone, renamed, shut, back late, under another id."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from faults_week.fault import Fault, Group, Outcome
from faults_week.spotify import OWNER, answered, house_with_music, pressed_in_vain, told, until_music

if TYPE_CHECKING:
    from faults_week.house import House

HOUSEHOLD = "the household"
#: A speaker carries an order out so late that the appliance has given it up, in seconds.
LATE_S = 12.0


def _asleep(house: House) -> Outcome:
    house.silence()
    house.speaker.fall_asleep(wakes_after_s=3)
    return Outcome("nothing: an order wakes it, and is given again", until_music(house, press=True))


def _asleep_in_the_music(house: House) -> Outcome:
    house.speaker.fall_asleep(wakes_after_s=3)
    seen = answered(house, "is not started unasked")
    return Outcome(seen, until_music(house, press=True), f"{HOUSEHOLD} presses for music")


def _gone(house: House) -> Outcome:
    return pressed_in_vain(house, house.speaker.vanish, "is not on the network", house.speaker.reappear, press=True, who=f"{HOUSEHOLD} plugs it in; then a press")


def _gone_in_the_music(house: House) -> Outcome:
    house.speaker.vanish()
    seen = answered(house, "is not started unasked")
    house.speaker.reappear()
    time.sleep(6)
    # Two looks later: what has come back is not started by itself.
    assert house.speaker.now_playing is None, "a speaker that came back was started unasked"
    return Outcome(seen, until_music(house, press=True), f"{HOUSEHOLD} plugs it in; then a press")


def _renamed(house: House) -> Outcome:
    name = house.speaker.name
    house.silence()
    # While it is away, so that the appliance must look for it.
    house.speaker.vanish()
    house.press()
    told(house, "is not on the network")
    house.speaker.rename("Disco")
    house.speaker.reappear()
    house.press()
    seen = told(house, '"Disco"')
    assert house.speaker.now_playing is None, "music plays on a speaker of another name"
    house.speaker.rename(name)
    return Outcome(seen, until_music(house, press=True), f"{OWNER} sets music.spotify.speaker, on the page or in the file; then a press")


def _another_id(house: House) -> Outcome:
    house.silence()
    house.speaker.new_id()
    return Outcome("nothing: it is found by its name", until_music(house, press=True))


def _shut(house: House) -> Outcome:
    return pressed_in_vain(house, house.speaker.restrict, "takes no orders from apps", house.speaker.unrestrict, press=True, who=f"{OWNER} names another speaker; then a press")


def _late(house: House) -> Outcome:
    house.silence()
    before = len(house.speaker.orders)
    house.speaker.accept_late(3)
    taken_s = until_music(house, press=True)
    given = [order.verb for order in house.speaker.orders[before:] if order.verb in {"play", "resume"}]
    assert len(given) == 1, f"what was accepted was ordered again: {given}"
    return Outcome("nothing: what was only accepted is waited for", taken_s)


def _never(house: House) -> Outcome:
    house.silence()
    house.speaker.accept_late(LATE_S)
    began_s = time.monotonic()
    house.press()
    seen = answered(house, "did not carry it out")
    # Once the press is repeated.
    taken_s = until_music(house, press=False)
    # What it was told first it does at last: not in the next fault's silence.
    time.sleep(max(began_s + LATE_S + 2 - time.monotonic(), 0))
    return Outcome(seen, taken_s)


def _forgets(house: House) -> Outcome:
    house.silence()
    house.speaker.forget_music()
    return Outcome("nothing: music that fits is chosen anew", until_music(house, press=True))


def _paused_by_hand(house: House) -> Outcome:
    house.silence()
    seen = answered(house, "is not started unasked")
    time.sleep(6)
    assert house.speaker.now_playing is None, "music that somebody had paused went on unasked"
    return Outcome(seen, until_music(house, press=True), "nobody; a press brings music")


GROUP = Group(
    "speaker",
    house_with_music,
    (
        Fault("asleep", _asleep),
        Fault("falls asleep while it plays", _asleep_in_the_music),
        Fault("gone", _gone),
        Fault("gone while it plays", _gone_in_the_music),
        Fault("renamed", _renamed),
        Fault("back under another id", _another_id),
        Fault("shut to apps", _shut),
        Fault("answers late", _late),
        Fault("accepts, and does not do it", _never),
        Fault("forgets its music", _forgets),
        Fault("paused by hand", _paused_by_hand, quick=True),
    ),
)
