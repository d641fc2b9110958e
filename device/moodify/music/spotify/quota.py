"""Until when Spotify wants to be left alone: what a 429 said, kept over a restart."""

from __future__ import annotations

import json
import logging
import math
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from moodify.errors import SpeakerUnavailable
from moodify.files import write_private
from moodify.music.guards.retry_after import LONGEST_RETRY_S
from moodify.music.words import span

from .ending import utc_now
from .mapping import one_line, too_many

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from .mapping import Refusal

logger = logging.getLogger(__name__)

FILE = "spotify-quota.json"
#: Shorter waits are neither kept nor told: a start takes about as long.
WORTH_TELLING_S = 60.0
#: What is kept is far shorter; a longer file is not ours.
LONGEST_FILE = 2048


class Quota:
    """A way that a 429 shuts for as long as it asked. No thread waits: each call is answered at once by when it opens again.

    The moment is held on both clocks, and the one that comes first counts: the wall clock of a device without a battery is
    behind at its start, and a restored moment would be too far away by that. A moment that comes too early costs one request.
    """

    def __init__(self, folder: Path | None = None, *, app: str = "", now_s: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = utc_now) -> None:
        """Read what was kept.

        Args:
            folder: where the moment is kept; None keeps nothing.
            app: client id of the app whose quota it is; another app's is forgotten.
            now_s: monotonic seconds.
            now: the wall clock, timezone-aware.
        """
        self._path, self._app, self._now_s, self._now = None if folder is None else folder / FILE, app, now_s, now
        self._open_s, self._open_at, self._because = -math.inf, now(), ""
        if self._path is not None:
            self._restore(self._path)

    @property
    def left_s(self) -> float:
        """Seconds until requests may be sent again; 0 where they may be."""
        left_s = self._open_s - self._now_s()
        return max(min(left_s, (self._open_at - self._now()).total_seconds()), 0.0) if left_s > 0 else 0.0

    def check(self) -> None:
        """Let a request pass.

        Raises:
            SpeakerUnavailable: the way is shut.
        """
        left_s = self.left_s
        if left_s > 0:
            raise self._error(left_s)

    def shut(self, refusal: Refusal) -> SpeakerUnavailable:
        """Shut the way for as long as a 429 asks, and return the error that it is."""
        wait_s = refusal.wait_s
        self._open_s, self._open_at, self._because = self._now_s() + wait_s, self._now() + timedelta(seconds=wait_s), too_many(refusal)
        logger.warning("%s: no requests for %s", self._because, span(wait_s))
        if wait_s >= WORTH_TELLING_S and self._path is not None:
            self._keep(self._path)
        return self._error(wait_s)

    def notice(self) -> str | None:
        """Return what a person should know; None where there is nothing worth it."""
        left_s = self.left_s
        if left_s < WORTH_TELLING_S:
            return None
        return f"{self._because} {self._until(left_s)}: what plays goes on, but Moodify can't change it or look anything up"

    def _error(self, left_s: float) -> SpeakerUnavailable:
        return SpeakerUnavailable(f"{self._because} {self._until(left_s)}; it is tried again by itself then", retry_after_s=left_s)

    def _until(self, left_s: float) -> str:
        if left_s < WORTH_TELLING_S:
            return f"for {span(left_s)}"
        now = self._now().astimezone()
        # Up to the next full minute, so that a person who comes back then does not come too early.
        at = (now + timedelta(seconds=left_s + WORTH_TELLING_S - 1)).replace(second=0, microsecond=0)
        return f"until {at:%H:%M}{' tomorrow' if at.date() != now.date() else ''} (in {span(left_s)})"

    def _keep(self, path: Path) -> None:
        kept = {"app": self._app, "open_at": self._open_at.timestamp(), "because": self._because}
        try:
            write_private(path, json.dumps(kept).encode())
        except OSError as error:
            logger.warning("%s can't be written (%s): a restart will ask Spotify too early; free some space or fix the folder's owner", path, error.strerror)

    def _restore(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                kept = json.loads(file.read(LONGEST_FILE))
            app, open_at, because = kept["app"], float(kept["open_at"]), one_line(kept["because"])
            left_s = open_at - self._now().timestamp()
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            logger.warning("%s makes no sense (%s) and is not used", path, type(error).__name__)
            return
        if app == self._app and because and 0 < left_s <= LONGEST_RETRY_S:
            self._open_s, self._open_at, self._because = self._now_s() + left_s, self._now() + timedelta(seconds=left_s), because
            logger.info("%s since before the start: no requests for %s", because, span(left_s))
