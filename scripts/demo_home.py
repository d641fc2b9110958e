"""A home to look at: a made-up week, and the appliance over it on the sample and the simulated speaker. Part of ``scripts/screenshots`` and ``scripts/bench``."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from playwright.sync_api import Error, Page, sync_playwright

from moodify.daemon.places import DATABASE
from moodify.music.spotify.simulated.catalogue import Catalogue, Song
from moodify.store.prepare import prepare
from moodify.store.store import Store
from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

EMAIL: Final = "ada@example.org"
PASSWORD: Final = "lantern over the slow river"  # noqa: S105 - of a home that is gone with the run
START_S: Final = 60.0

Plan: TypeAlias = "tuple[tuple[float, str, int], ...]"

#: How a day of the week goes: from which hour on, how it feels, how many people are there.
WORKDAY: Final[Plan] = (
    (6.6, "calm", 1), (7.1, "unsure", 1), (7.3, "happy", 2), (7.9, "tense", 2), (8.2, "absent", 0),
    (16.8, "calm", 1), (17.4, "unsure", 2), (17.6, "happy", 3), (18.6, "surprised", 3), (18.8, "happy", 3), (19.7, "calm", 2), (20.9, "sad", 1), (21.5, "calm", 1),
)  # fmt: skip
WEEKEND: Final[Plan] = (
    (8.4, "calm", 1), (9.2, "happy", 2), (10.3, "unsure", 2), (10.6, "happy", 3), (11.5, "absent", 0), (14.0, "calm", 2), (15.6, "happy", 4),
    (16.9, "surprised", 4), (17.2, "angry", 2), (17.5, "tense", 2), (17.9, "calm", 2), (19.3, "happy", 4), (21.6, "calm", 2),
)  # fmt: skip
#: From when to when the camera is closed.
NIGHT: Final = (22.9, 6.4)
#: Where a mood lies: valence and arousal.
PLACES: Final = {
    "happy": (0.72, 0.38), "surprised": (0.28, 0.74), "calm": (0.34, -0.42), "sad": (-0.58, -0.38), "angry": (-0.62, 0.52), "tense": (-0.36, 0.62),
    "unsure": (0.05, 0.02), "absent": (0.0, 0.0),
}  # fmt: skip
_HEALTH: Final = {"disk_free_mb": 22_480, "load_1min": 0.4, "rss_mb": 118.2, "rss_anon_mb": 66.1, "uptime_s": 604_800.0, "temperature_c": 48.3, "throttled": [], "reasons": []}
_FRIDAY: Final = 4
_COUNTS: Final = ("Nobody", "One person", "Two people", "Three people", "Four people")


def week(until: datetime, rng: random.Random, days: int = 7, plan: Plan | None = None) -> Iterator[Event]:
    """Give the events of a household's week, oldest first.

    Args:
        until: when it ends; aware. Days are those of its time zone.
        rng: the same seed gives the same week but for the events' ids.
        days: how many, today among them.
        plan: how each goes; None is by the day of the week.
    """
    songs = {mood: [song for song in Catalogue.shipped().songs.values() if song.mood == mood] for mood in PLACES}
    for ago in range(days - 1, -1, -1):
        midnight = (until - timedelta(days=ago)).replace(hour=0, minute=0, second=0, microsecond=0)
        happened = sorted(_day(midnight, plan or (WEEKEND if midnight.weekday() > _FRIDAY else WORKDAY), rng, songs), key=lambda one: one[0])
        yield from (Event(str(uuid.UUID(int=rng.getrandbits(128), version=4)), kind, at, data) for at, kind, data in happened if at < until)


def _day(midnight: datetime, plan: Plan, rng: random.Random, songs: dict[str, list[Song]]) -> Iterator[tuple[datetime, EventKind, dict[str, Any]]]:
    def at(hour: float) -> datetime:
        return midnight + timedelta(hours=hour)

    yield from ((at(minute / 60 + 0.01), EventKind.HEALTH, _HEALTH) for minute in range(0, 24 * 60, 5))
    evening, morning = NIGHT
    yield at(0), EventKind.CAMERA, {"state": "off", "message": "privacy is on"}
    yield at(morning), EventKind.CAMERA, {"state": "ok", "message": "the camera sees"}
    yield at(evening), EventKind.CAMERA, {"state": "off", "message": "privacy is on"}
    moods = [(hour + rng.uniform(-0.12, 0.12), mood, people) for hour, mood, people in plan]
    for (begins, mood, people), (ends, *_) in zip(moods, [*moods[1:], (evening, "", 0)], strict=True):
        yield at(begins), EventKind.PRESENCE, {"present": people > 0, "people": people}
        yield from ((at(hour), EventKind.MOOD, data) for hour, data in _felt(begins, ends, mood, people, rng))
        if songs[mood]:
            yield from _music(at(begins + 0.04), at(ends), mood, people, rng.sample(songs[mood], len(songs[mood])))


def _felt(begins: float, ends: float, mood: str, people: int, rng: random.Random) -> Iterator[tuple[float, dict[str, Any]]]:
    """Give the readings of one mood: sure ones that wander a little."""
    valence, arousal = PLACES[mood]
    hour = begins
    while hour < ends:
        sure = rng.uniform(0.4, 0.6) if mood == "unsure" else rng.uniform(0.74, 0.96)
        yield (
            hour,
            {
                "mood": mood,
                "confidence": round(sure, 2),
                "valence": round(valence + rng.gauss(0, 0.09), 2),
                "arousal": round(arousal + rng.gauss(0, 0.09), 2),
                "people": people,
                "since": "",
                "asked": False,
            },
        )
        hour += rng.uniform(0.8, 1.6)


def _music(begins: datetime, ends: datetime, mood: str, people: int, songs: list[Song]) -> Iterator[tuple[datetime, EventKind, dict[str, Any]]]:
    """Give what was decided and played while a mood lasted."""
    at, first = begins, True
    for song in songs * 3:
        if at > ends:
            return
        order, act = str(uuid.uuid4()), "play" if first else "queue"
        track = {"uri": song.uri, "title": song.title, "artist": song.album.artist.name, "duration_ms": song.duration_ms}
        comes = f"playing {song.title!r} now" if first else f"{song.title!r} comes next"
        words = f"{_COUNTS[people]}, {mood} for {'2 min' if first else 'a while'}: {comes}, from your playlist for {mood}"
        yield at, EventKind.DECISION, {"act": act, "mood": mood, "reason": words, "track": track, "order": order}
        yield at + timedelta(seconds=1), EventKind.ORDER, {"order": order, "act": act, "status": "done", "track": track, "took_ms": 160, "message": None}
        # The next one is queued while this one plays.
        at += timedelta(milliseconds=song.duration_ms) - timedelta(seconds=0 if not first else 20)
        first = False


def fill(folder: Path, until: datetime, seed: int = 7) -> None:
    """Write a week into a folder that is to be an appliance's."""
    prepare(folder / DATABASE)
    with Store(folder / DATABASE) as store:
        events = list(week(until, random.Random(seed)))  # noqa: S311 - a made-up week
        for first in range(0, len(events), 500):
            store.record(events[first : first + 500])


class Home:
    """``moodify run`` on the sample and the simulated speaker, in a folder of its own."""

    def __init__(self, folder: Path, *, link: bool = True, history: bool = False) -> None:
        """Start it; ``history`` puts the made-up week under it."""
        data = folder / "data"
        data.mkdir(parents=True)
        if history:
            fill(data, datetime.now().astimezone() - timedelta(minutes=12))
        config = folder / "moodify.toml"
        config.write_text(f'[store]\nfolder = "{data}"\n[web]\nport = 0\n[link]\nenabled = {str(link).lower()}\n', "utf-8")
        self._log = folder / "log"
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "moodify", "run", "--config", str(config), "--camera", "sample", "--speaker", "simulated"]
            environment = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "TMPDIR"}} | {"HOME": str(folder), "PYTHONUTF8": "1"}
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=environment, cwd=folder)

    @property
    def url(self) -> str:
        """Where its page is."""
        return self._told(r"The page is on (http://\S+)")

    @property
    def claim_url(self) -> str:
        """Where its first owner is made."""
        return self._told(r"(http://\S+/#/claim/[0-9A-Z-]+)")

    def close(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _told(self, pattern: str) -> str:
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s and self.process.poll() is None:
            if found := re.findall(pattern, self._log.read_text("utf-8", errors="replace")):
                return str(found[-1])
            time.sleep(0.1)
        raise SystemExit(f"the appliance did not start; its log: {self._log.read_text('utf-8', errors='replace')[-2000:]}")


@contextmanager
def home(folder: Path, **options: bool) -> Iterator[Home]:
    """Give a home; see :class:`Home`."""
    running = Home(folder, **options)
    try:
        yield running
    finally:
        running.close()


@contextmanager
def browser() -> Iterator[Browser]:
    """Give Debian's Chromium, which asks nobody but the page."""
    names = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "force-color-profile=srgb")
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[f"--{name}" for name in names])
        except Error as error:
            raise SystemExit(f"Chromium did not start: {error}\nInstall it: apt-get install chromium") from error
        yield chromium
        chromium.close()


def claim(page: Page, url: str) -> None:
    """Make Ada the owner, as a person does it in the form."""
    page.goto(url)
    for label, value in (("First name", "Ada"), ("Last name", "Lovelace"), ("E-mail address", EMAIL), ("Password", PASSWORD)):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Make the account").click()
    page.locator("body:not(.signed-out) main:not([aria-busy]) h1").first.wait_for(state="attached")
