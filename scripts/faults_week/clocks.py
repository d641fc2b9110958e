"""The clock of the device: a day back, a day forth, before 2020, within the life of a token. Nothing has set it until the network does; the hub's is right."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from faults_week.fault import Fault, Group, Outcome
from faults_week.house import PATIENCE_S, SCRIPTS
from faults_week.link import LinkedHouse
from faults_week.names import SYNCHRONISED
from faults_week.spotify import fetched, until_music
from moodify.daemon.kept import last_seen
from moodify.store.settings import Settings
from waiting import wait_until

DAY_S, HOUR_S = 86_400, 3_600
#: What a clock without a battery may begin with.
LONG_AGO = datetime(2019, 6, 1, 3, tzinfo=UTC)
NETWORK = "nobody: the network sets the clock; without one somebody sets it, or connects it"


class ClockHouse(LinkedHouse):
    """A house whose appliance has a clock that can be set at any moment (libfaketime), and that no network sets."""

    def __init__(self, folder: Path, *, toml: str = "") -> None:
        """Let the clock be right."""
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
        if library is None:
            raise FileNotFoundError("libfaketime is not installed; scripts/faults installs it (package faketime)")
        self.clock, self.synchronised = folder / "clock", folder / "synchronised"
        self.ahead(0)
        faked = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        path = os.pathsep.join([str(SCRIPTS / "faults_week" / "faked"), str(SCRIPTS)])
        super().__init__(folder, environment={**faked, "PYTHONPATH": path, SYNCHRONISED: str(self.synchronised)})
        self.toml += toml

    def ahead(self, seconds: float) -> None:
        """Set the clock so many seconds beyond the right time; people sign in to the page anew where that ended their session."""
        new = self.clock.with_suffix(".new")
        new.write_text(f"{seconds:+.0f}", "ascii")
        # At one stroke: it is read at any moment.
        new.replace(self.clock)
        for run in getattr(self, "runs", ()):
            run._signed_in = None  # noqa: SLF001 - as a browser that was closed

    def happens_by(self, ahead_s: float) -> None:
        """Press until something is kept with the time that a clock says which is so many seconds ahead: it was stepped indeed."""
        at = self.mark()
        self.something_happens()
        wait_until(
            lambda: any(abs(away_s - ahead_s) < HOUR_S / 2 for away_s in self._away_s(at)), within_s=PATIENCE_S, what=lambda: f"an event {ahead_s} s ahead: {self._away_s(at)}"
        )

    def _away_s(self, after: int) -> list[float]:
        """Return how far ahead of the right time events are, in seconds."""
        now = datetime.now(UTC)
        return [(datetime.fromisoformat(event["at"]) - now).total_seconds() for event in self.appliance.events[after:]]

    def noted(self) -> datetime:
        """Return the last date that the device has noted."""
        with Settings(self.database) as settings:
            return last_seen(settings) or datetime.min.replace(tzinfo=UTC)

    def set_by_network(self) -> None:
        """Set the clock right, and let the kernel know that it is."""
        self.ahead(0)
        self.synchronised.touch()

    def nobody_sets_it(self) -> None:
        """Let the clock be right, and nobody know that it is."""
        self.ahead(0)
        self.synchronised.unlink(missing_ok=True)


def _wrong(house: ClockHouse, ahead_s: float, words: str, *states: str) -> str:
    """Set the clock wrong and make the device sign in by it; return what the link says, once something has happened by that clock."""
    house.afresh()
    house.ahead(ahead_s)
    house.cutter.cut()
    seen = house.link(words, *states)
    house.happens_by(ahead_s)
    return seen


def _a_day_back(house: ClockHouse) -> Outcome:
    house.nobody_sets_it()
    seen = _wrong(house, -DAY_S, "waiting for the right time", "degraded")
    house.ahead(0)
    return Outcome(seen, house.until_arrived(), NETWORK)


def _a_day_forth(house: ClockHouse) -> Outcome:
    house.nobody_sets_it()
    seen = _wrong(house, DAY_S, "clock", "broken")
    # What has been noted meanwhile is ahead of the right time, which only a clock that the network has set is believed against.
    wait_until(lambda: house.noted() > datetime.now(UTC), within_s=PATIENCE_S, what=lambda: f"a note of the date, not only of {house.noted()}")
    house.set_by_network()
    return Outcome(seen, house.until_arrived(), NETWORK)


def _there_and_back(house: ClockHouse) -> Outcome:
    """Stepped while nobody signs in: what is connected stays so."""
    house.nobody_sets_it()
    at = house.mark()
    for ahead_s in (DAY_S, -DAY_S, HOUR_S, -HOUR_S, 0):
        house.ahead(ahead_s)
        house.happens_by(ahead_s)
        wait_until(lambda: house.waiting() == 0, within_s=PATIENCE_S, every_s=0.05, what="an empty outbox")
    links = [event["data"] for event in house.appliance.events[at:] if event["kind"] == "link"]
    assert not links, f"the link changed: {links}"
    return Outcome("nothing: the link stays, summaries go on", house.until_arrived())


def _starts_before_2020(house: ClockHouse) -> Outcome:
    house.synchronised.unlink(missing_ok=True)
    kept = house.acknowledged()
    house.stop()
    house.ahead((LONG_AGO - datetime.now(UTC)).total_seconds())
    house.start()
    seen = house.link("waiting for the right time", "degraded")
    house.await_now(lambda now: (now["camera"]["state"], now["speaker"]["state"]) == ("ok", "ok"), "camera and speaker, which need no date")
    house.silence()
    house.press()
    wait_until(lambda: house.speaker.now_playing, within_s=PATIENCE_S, what="music after a press")
    house.set_by_network()
    taken_s = house.until_arrived()
    assert set(kept) <= set(house.acknowledged())
    return Outcome(seen, taken_s, NETWORK)


def _within_a_tokens_life(house: ClockHouse) -> Outcome:
    house.nobody_sets_it()
    house.silence()
    # One that was fetched a day ahead would be good until tomorrow.
    house.speaker.expire_access_token()
    until_music(house, press=True)
    house.silence()
    before = fetched(house)
    house.ahead(2 * HOUR_S)
    # By the clock the access token is over, so another is fetched.
    taken_s = until_music(house, press=True)
    assert fetched(house) == before + 1, f"{fetched(house) - before} tokens were fetched"
    house.ahead(0)
    # By the clock this one is good for three hours; Spotify knows better.
    house.speaker.expire_access_token()
    house.silence()
    taken_s = max(taken_s, until_music(house, press=True))
    assert fetched(house) == before + 2, f"{fetched(house) - before} tokens were fetched"
    return Outcome("nothing: another token is fetched when the clock or Spotify says so", taken_s)


def _privacy_by_hand(house: ClockHouse) -> Outcome:
    house.nobody_sets_it()
    house.private(on=True)
    for ahead_s in (-DAY_S, DAY_S, (LONG_AGO - datetime.now(UTC)).total_seconds()):
        house.ahead(ahead_s)
        house.happens_by(ahead_s)
        assert house.now()["privacy"], "privacy has ended with a step of the clock"
    house.stop()
    house.start()
    house.await_now(lambda now: now["camera"]["state"] == "off", "the camera's being off after a start")
    seen: str = house.now()["camera"]["message"]
    house.set_by_network()
    assert house.now()["privacy"]
    house.private(on=False)
    return Outcome(seen, house.until_arrived())


def _privacy_by_the_hour(house: ClockHouse) -> Outcome:
    house.nobody_sets_it()
    toml, now = house.toml, datetime.now().astimezone()
    hours = ((now + timedelta(hours=difference)).strftime("%H:%M:00") for difference in (-1, 1))
    house.toml = f"{toml}[[privacy.hours]]\nstart = {next(hours)}\nend = {next(hours)}\n"
    house.stop()
    house.start()
    house.await_privacy()
    # Long ago, and by day where it is night: by this clock nobody wants privacy.
    away = (now + timedelta(hours=6)).replace(year=LONG_AGO.year, month=LONG_AGO.month, day=LONG_AGO.day) - now
    house.ahead(away.total_seconds())
    house.happens_by(away.total_seconds())
    assert house.now()["privacy"], "privacy has ended with a step of the clock"
    house.stop()
    house.start()
    seen = house.await_now(lambda now: "clock" in now["camera"]["message"], "the camera's telling of the clock after a start")["camera"]["message"]
    house.set_by_network()
    taken_s = house.until_arrived()
    house.toml = toml
    house.stop()
    house.wishes.privacy_ends()
    house.started()
    return Outcome(str(seen), taken_s, NETWORK)


GROUP = Group(
    "clock",
    ClockHouse,
    (
        Fault("a day back", _a_day_back),
        Fault("a day forth", _a_day_forth),
        Fault("to and fro while connected", _there_and_back),
        Fault("before 2020 at the start", _starts_before_2020),
        Fault("within a token's life", _within_a_tokens_life),
        Fault("privacy by hand, and a clock that is set", _privacy_by_hand),
        Fault("privacy by the hour, and a clock of long ago", _privacy_by_the_hour),
    ),
)
