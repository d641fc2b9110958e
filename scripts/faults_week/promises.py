"""The three promises, held against what can be seen from outside: the databases, the speaker's own log, the camera's device."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moodify.hub.database import open_database
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from moodify.music.spotify.simulated.http import Answer, Request

#: What a person asks for may begin so late, in seconds: a sleeping speaker is woken first, and what failed is tried again.
ASKED_S = 120.0
#: Music that the appliance may start and that broke off may go on for so long, in seconds (the configuration's words on start_when_silent).
BROKE_OFF_S = 300.0


@dataclass(frozen=True, slots=True)
class Start:
    """Music that an app started in silence."""

    at_s: float
    """On the machine's monotonic clock."""
    request: str


class HeardSpeaker(SimulatedSpeaker):
    """A simulated speaker that notes, in its service, each order that broke a silence."""

    starts: tuple[Start, ...] = ()

    def _answer(self, request: Request) -> Answer:
        self._connect.pass_time()
        silent = not self._connect.head.playing
        answer = super()._answer(request)
        if silent and self._connect.head.playing:
            self.starts = (*self.starts, Start(time.monotonic(), f"{request.method} {request.path}"))
        return answer


@dataclass(slots=True)
class Wishes:
    """What people asked for and when, on the machine's monotonic clock."""

    asked_s: list[float] = field(default_factory=list)
    """Presses that may start music."""
    silenced_s: list[float] = field(default_factory=list)
    """When somebody paused the music by hand."""
    private_s: list[tuple[float, float | None]] = field(default_factory=list)
    """From when, as was answered, to when privacy was wanted; None where it still is."""

    def privacy_begins(self) -> None:
        """Take note that privacy is on: it was answered, and the camera said so."""
        self.private_s.append((time.monotonic(), None))

    def privacy_ends(self) -> None:
        """Take note that somebody is about to end it."""
        if self.private:
            self.private_s[-1] = (self.private_s[-1][0], time.monotonic())

    @property
    def private(self) -> bool:
        """Whether privacy is wanted now."""
        return bool(self.private_s) and self.private_s[-1][1] is None


def music_unasked(starts: Iterable[Start], wishes: Wishes) -> Sequence[str]:
    """Return which music started although nobody had asked for it."""
    wrong, lawful_s = [], float("-inf")
    for start in starts:
        asked = any(0 <= start.at_s - at_s <= ASKED_S for at_s in wishes.asked_s)
        stopped_by_hand = any(lawful_s <= at_s <= start.at_s for at_s in wishes.silenced_s)
        if asked or (start.at_s - lawful_s <= BROKE_OFF_S and not stopped_by_hand):
            lawful_s = start.at_s
        else:
            wrong.append(f"music started unasked ({start.request}, {time.monotonic() - start.at_s:.0f} s ago)")
    return wrong


def privacy_opened(openings_s: Iterable[float], holders: Sequence[str], wishes: Wishes) -> Sequence[str]:
    """Return when the camera was open although privacy was on.

    Args:
        openings_s: when its device was opened.
        holders: who has it open now.
        wishes: when privacy was on.
    """
    wrong = [
        f"the camera was opened {opened_s - begins_s:.1f} s after privacy began"
        for begins_s, ends_s in wishes.private_s
        for opened_s in openings_s
        if begins_s <= opened_s and (ends_s is None or opened_s < ends_s)
    ]
    return [*wrong, *(f"in privacy {holder} holds the camera's device" for holder in holders if wishes.private)]


def events_lost(acknowledged: Iterable[str], databases: Sequence[Path], hub: Path | None) -> Sequence[str]:
    """Return how many events are gone of those that were said to be kept.

    An event is acknowledged once it is printed, for it is committed first. It must be in the store; where that was damaged and set aside, in
    what can still be read of it, or at the hub. And what the outbox no longer has must be at the hub, once.

    Args:
        acknowledged: ids of the events.
        databases: the device's; the one in use first, then those that were set aside.
        hub: its database; None where there is none.
    """
    told = set(acknowledged)
    kept = set[str]().union(*(_ids(database, "SELECT id FROM events") for database in databases))
    # Before the hub is asked: what has left it by now is there by then.
    waiting = set[str]().union(*(_ids(database, "SELECT json_extract(value, '$.id') FROM outbox, json_each(outbox.items)") for database in databases))
    at_hub = _at(hub) if hub is not None and hub.exists() else []
    wrong = []
    if missing := told - kept - (set(at_hub) if len(databases) > 1 else set()):
        wrong.append(f"{len(missing)} of {len(told)} events that were acknowledged are not in the store")
    if hub is not None and (undelivered := (told & kept) - waiting - set(at_hub)):
        wrong.append(f"{len(undelivered)} events left the outbox and are not at the hub")
    if len(at_hub) > len(set(at_hub)):
        wrong.append(f"{len(at_hub) - len(set(at_hub))} events are at the hub twice")
    return wrong


def _at(hub: Path) -> Sequence[str]:
    found, after = [], 0
    with open_database(hub) as stored:
        while page := stored.events.events(after=after, limit=500):
            found += [event.id for event in page]
            after = page[-1].n
    return found


def _ids(database: Path, sql: str) -> set[str]:
    if not database.exists():
        return set()
    # Read only: a look must not mend what is to be looked at.
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=20)) as connection:
        try:
            return {row[0] for row in connection.execute(sql)}
        except sqlite3.DatabaseError:
            # Damaged: what can be read no more is not there.
            return set()
