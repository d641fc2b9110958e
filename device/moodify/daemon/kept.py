"""What survives a restart and is no event: whether privacy is on, what the music policy remembers, and the last date that was known."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moodify.daemon.privacy import ByHand, Standing, after, standing
from moodify.errors import StoreBusy
from moodify.store.settings import DAMAGED
from moodify.system.trust import clock_synchronised, clock_trusted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moodify.config.model import PrivacyHours
    from moodify.music.policy import Policy
    from moodify.music.taste_keeping import KeptTaste
    from moodify.store.settings import Settings
    from moodify.store.store import OutboxCounts, Store

log = logging.getLogger(__name__)

#: Seconds between two tries to keep what could not be written.
RETRY_S = 10.0
#: Seconds between two looks whether the clock can be trusted: music waits for that where there are quiet hours, and a network sets it within a minute of a start.
CLOCK_S = 10.0
#: A clock that is so far beyond what was noted last is not believed unless the network has set it: what it would delete is gone for good, and can go another day.
FAR = timedelta(days=30)
PRIVACY_KEY = "privacy"
#: Where another program leaves what it asks of the one that runs: ``{"on": …, "id": …}``, taken out once it is done.
PRIVACY_ASKED_KEY = "privacy_asked"
LAST_SEEN_KEY = "last_seen_utc"
MUSIC_KEY = "music"
SAMPLE_KEY = "sample"


def privacy_kept(settings: Settings) -> bool:
    """Return whether the camera is to stay closed because somebody wanted it so, whatever the hour."""
    return ByHand.from_json(settings.get(PRIVACY_KEY)).closed


def privacy_standing(settings: Settings, hours: Sequence[PrivacyHours], now: datetime, *, synchronised: Callable[[], bool] = clock_synchronised) -> Standing:
    """Return how privacy stands at a moment, which has the local time zone; ``synchronised`` says whether the network has set the clock."""
    return standing(ByHand.from_json(settings.get(PRIVACY_KEY)), hours, now, doubtful=date_doubted(settings, synchronised=synchronised))


def date_doubted(settings: Settings, *, synchronised: Callable[[], bool] = clock_synchronised) -> bool:
    """Return whether the machine's clock is known to be wrong now."""
    return not clock_trusted(datetime.now(UTC), last_seen(settings), synchronised=synchronised)[0]


def last_seen(settings: Settings) -> datetime | None:
    """Return the last date that this device knew to be right; None where it knows none, or what it noted is damaged."""
    kept = settings.get(LAST_SEEN_KEY)
    try:
        seen = datetime.fromisoformat(kept) if isinstance(kept, str) else None
    except ValueError:
        return None
    return None if seen is None or seen.tzinfo is None else seen


def _wanted(asked: object) -> bool:
    """Return whether privacy is asked for; where that can't be read it is, for that harms nobody."""
    match asked:
        case {"on": bool(on)}:
            return on
    return True


class Kept:
    """The conductor's part of it; belongs to its thread. A database that can't be written now never ends the house."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        retention_days: int,
        privacy_hours: Sequence[PrivacyHours] = (),
        local: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        synchronised: Callable[[], bool] = clock_synchronised,
    ) -> None:
        """Read what is kept; ``local`` gives the date with the local time zone, for the hours of privacy, ``synchronised`` says whether the network has set the clock."""
        self._store = store
        self._settings = settings
        self._retention_days = retention_days
        self._by_hand = ByHand.from_json(settings.get(PRIVACY_KEY))
        self._privacy_hours = privacy_hours
        self._local = local
        self._taken: Any = None
        self._unwritten: dict[str, Any] = {}
        self._again_s: float | None = None
        self._music_version: int | None = None
        self._music_again_s = float("-inf")
        self._taste: KeptTaste | None = None
        self._synchronised = synchronised
        self._doubted = False
        self._seen = last_seen(settings)
        self.clock_trusted = not self._date_doubted()
        """Whether the date could be trusted when it was last asked, some seconds ago at most."""
        self._clock_due_s = time.monotonic() + CLOCK_S

    @property
    def privacy(self) -> bool:
        """Whether the camera is to stay closed now."""
        return self.privacy_standing.on

    @property
    def privacy_standing(self) -> Standing:
        """Whether, and why."""
        return standing(self._by_hand, self._privacy_hours, self._local(), doubtful=self._hours_doubted())

    def set_privacy(self, *, on: bool, origin: str) -> None:
        """Take what is done by hand, where (see :func:`~moodify.daemon.privacy.after`), and write it down for the next start."""
        before, self._by_hand = self._by_hand, after(self._by_hand, self._privacy_hours, self._local(), on=on, origin=origin, doubtful=self._hours_doubted())
        if self._by_hand != before:
            self.keep(PRIVACY_KEY, self._by_hand.as_json())

    def take_asked(self) -> None:
        """Do once what another program on this machine asks for, and take that out when it is kept."""
        try:
            asked = self._settings.get(PRIVACY_ASKED_KEY)
            if asked is None:
                return
            if asked != self._taken:
                self._taken = asked
                self.set_privacy(on=_wanted(asked), origin="command")
            if PRIVACY_KEY not in self._unwritten:
                self._settings.remove(PRIVACY_ASKED_KEY, asked)
                if asked == DAMAGED:
                    self._settings.put(PRIVACY_ASKED_KEY, None)
        except StoreBusy as error:
            log.debug("what is asked for is taken later: %s", error)

    def keep(self, key: str, value: Any) -> None:
        """Write a JSON value down for the next start, now or as soon as the database can be written."""
        self._unwritten[key] = value
        self._write()

    def recalled(self, key: str) -> Any:
        """Return what was kept last, by this run or one before; None where nothing was.

        Raises:
            StoreError: the database can't be used.
        """
        return self._unwritten[key] if key in self._unwritten else self._settings.get(key)

    def outbox(self) -> OutboxCounts | None:
        """Return how the outbox stands; None while the database is locked."""
        try:
            return self._store.outbox()
        except StoreBusy:
            # The recorder meets the same, and says so.
            return None

    def tick(self) -> None:
        """Write down what is due, and take what was asked for; look at the clock."""
        self.take_asked()
        if time.monotonic() >= self._clock_due_s:
            self._judge_clock()
        if self._again_s is not None and time.monotonic() >= self._again_s:
            self._write()

    @property
    def sample(self) -> bool:
        """Whether the last run that opened a camera took the sample."""
        return self._settings.get(SAMPLE_KEY) is True

    def note_sample(self, taken: bool) -> None:  # noqa: FBT001 - it is the value that is noted
        """Note whether this run took the sample, for a start in privacy, which opens no camera to find out."""
        if taken != self.sample:
            self._settings.put(SAMPLE_KEY, taken)

    def recall_music(self, policy: Policy, now_s: float, now: datetime) -> None:
        """Give a new policy what the last one remembered, and keep its memory from now on.

        Without this call nothing is kept: the simulated speaker, and what was played on it, end with the run.
        """
        policy.recall(self._settings.get(MUSIC_KEY), now_s, now)
        self._music_version = policy.memory_version

    def keep_music(self, policy: Policy, now_s: float, now: datetime) -> None:
        """Write down what the policy remembers where that has changed."""
        version = policy.memory_version
        if self._music_version is None or version == self._music_version or time.monotonic() < self._music_again_s:
            return
        try:
            self._settings.put(MUSIC_KEY, policy.memory_as_json(now_s, now))
        except StoreBusy as error:
            log.warning("What was played would be forgotten by a restart: %s", error)
            self._music_again_s = time.monotonic() + RETRY_S
        else:
            self._music_version = version

    def forgo_music(self) -> None:
        """Keep nothing of the music from now on: it is a simulated speaker's."""
        self._music_version = self._taste = None

    def recall_taste(self, kept: KeptTaste) -> None:
        """Keep what is learned of the household's taste from now on; without this call it ends with the run."""
        self._taste = kept

    def keep_taste(self, now: datetime) -> None:
        """Write down what was learned, where that is due."""
        if self._taste is not None:
            self._taste.tick(now)

    def finish(self, policy: Policy, now_s: float, now: datetime) -> None:
        """Write down at the end what has not been."""
        self.keep_music(policy, now_s, now)
        if self._taste is not None:
            self._taste.finish()

    def housekeep(self) -> None:
        """Delete what is older than the owner keeps, and note the date; by no clock that can't be trusted."""
        now = datetime.now(UTC)
        self._judge_clock()
        if not self.clock_trusted or self._far(now, self._seen):
            return
        try:
            self._store.retain(self._retention_days, now=now)
            self._store.merge_old(now=now)
            self._settings.put(LAST_SEEN_KEY, now.isoformat(timespec="seconds"))
            self._seen = now
        except StoreBusy as error:
            log.warning("Old events are deleted later: %s", error)

    def _judge_clock(self) -> None:
        self.clock_trusted = not self._date_doubted()
        self._clock_due_s = time.monotonic() + CLOCK_S

    def _date_doubted(self) -> bool:
        return not clock_trusted(datetime.now(UTC), self._seen, synchronised=self._synchronised)[0]

    def _hours_doubted(self) -> bool:
        # Asked with each frame: where there are no hours nothing depends on it.
        return bool(self._privacy_hours) and self._date_doubted()

    def _far(self, now: datetime, seen: datetime | None) -> bool:
        far = seen is not None and now - seen > FAR and not self._synchronised()
        if far and not self._doubted:
            log.warning("Old events are not deleted: the clock says %s, and this device last noted %s; connect the network so that it is set", now.date(), seen and seen.date())
        self._doubted = far
        return far

    def _write(self) -> None:
        try:
            for key in list(self._unwritten):
                self._settings.put(key, self._unwritten[key])
                del self._unwritten[key]
        except StoreBusy as error:
            if PRIVACY_KEY in self._unwritten and self._store.make_room():
                # A camera that was closed must not open again because the power goes before there is room.
                self._write()
                return
            if self._again_s is None:
                log.warning("A restart would forget what was set (%s): %s", ", ".join(self._unwritten), error)
            self._again_s = time.monotonic() + RETRY_S
        else:
            self._again_s = None
