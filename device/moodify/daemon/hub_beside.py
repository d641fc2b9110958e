"""A hub of the appliance's own, on loopback beside the daemon, for a home that has named none.

It is a process of its own (``moodify hub serve --beside``): what it needs is not in the daemon's memory, and it ends when its
standard input does, so also when the daemon is killed.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

from moodify.cloud.port import Endpoint
from moodify.errors import LinkDown, PersonMustAct

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

#: What the extra ``hub`` is made of, without the drivers of PostgreSQL and Redis. By their own names: another's package is called moodify elsewhere.
PACKAGES = "'sqlalchemy>=2,<3' 'alembic>=1.14,<2' 'cachetools>=5.5,<9' 'prometheus-client>=0.21,<1'"
NO_HUB = f"there is no hub and no broker to send to; install what a hub beside the appliance needs with: {sys.executable} -m pip install {PACKAGES}, or name a broker in link.host"
#: Its folder, in the appliance's data folder.
FOLDER = "hub"
#: Longest wait for it to come up, and to end, in seconds. It comes up in about two on a desktop machine, and in about fifteen on a Pi Zero 2 W's kind of core.
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
_LOOK_S = 0.05


class HubBeside:
    """Starts the hub when it is asked where that listens, and ends it with :meth:`close`. All but :meth:`hurry` belongs to one thread at a time."""

    def __init__(self, folder: Path, public_key: Path, *, retention_days: int = 365) -> None:
        """Take the hub's folder, the file with the public key that it lets in, and for how many days it keeps what it is told."""
        self._folder = folder.absolute()
        self._public_key = public_key.absolute()
        self._retention_days = retention_days
        self._address = self._folder / "run" / "address.json"
        self._log = self._folder / "hub.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoint: Endpoint | None = None
        self._hurrying = threading.Event()

    def hurry(self) -> None:
        """Wait for no hub any more: the appliance ends. From any thread."""
        self._hurrying.set()

    def endpoint(self) -> Endpoint:
        """Return where its gate listens, starting it where it does not run.

        Raises:
            LinkDown: it did not come up.
            PersonMustAct: its packages are not installed, or its folder can't be written.
        """
        if self._process is None or self._process.poll() is not None or self._endpoint is None:
            self._endpoint = self._start()
        return self._endpoint

    def close(self) -> None:
        """End it; safe to call twice."""
        process, self._process = self._process, None
        endpoint, self._endpoint = self._endpoint, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        # One that is still being started reads the end of its input late, and has nothing yet to bring to an end.
        gently: tuple[Callable[[], object], ...] = () if endpoint is None else (process.poll,)
        for end in (*gently, process.terminate, process.kill):
            end()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                continue
            return

    def remove(self) -> None:
        """End it, and take what it kept off the disk: this device goes to another hub, and its own history is its own."""
        self.close()
        if self._folder.exists():
            shutil.rmtree(self._folder, ignore_errors=True)
            log.info("The hub beside the appliance is not needed any more; what it kept is deleted")

    def _start(self) -> Endpoint:
        if find_spec("sqlalchemy") is None:
            raise PersonMustAct(NO_HUB)
        self.close()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Of a run before; a new one says anew where it listens.
            self._address.unlink(missing_ok=True)
            # Of a run before; this one is for its owner alone.
            self._log.unlink(missing_ok=True)
            self._log.touch(mode=0o600)
            with self._log.open("wb") as output:
                asked = ["--beside", "--folder", str(self._folder), "--enrol", str(self._public_key), "--retention-days", str(self._retention_days)]
                self._process = process = subprocess.Popen(
                    # -P: a folder named moodify where the daemon was started is another package.
                    [sys.executable, "-P", "-m", "moodify", "hub", "serve", *asked],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    # Ctrl-C is for the daemon, which says goodbye first.
                    start_new_session=True,
                    env={name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"},
                )
        except OSError as error:
            raise PersonMustAct(f"the hub beside the appliance cannot start: {error}; give {self._folder} to the user that runs Moodify") from error
        until_s = time.monotonic() + START_TIMEOUT_S
        while process.poll() is None and time.monotonic() < until_s and not self._hurrying.wait(_LOOK_S):
            if (endpoint := self._listening()) is not None:
                return endpoint
        late = process.poll() is None
        self.close()
        raise LinkDown(f"the hub beside the appliance did not {'come up' if late else 'stay up'}; {self._log} says: {self._last_words()}")

    def _listening(self) -> Endpoint | None:
        try:
            mqtt = json.loads(self._address.read_bytes())["mqtt"]
            return Endpoint(str(mqtt["host"]), int(mqtt["port"]), tls=bool(mqtt["tls"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise LinkDown(f"{self._address} does not say where the hub listens ({error})") from error

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", errors="replace").strip().splitlines() if self._log.exists() else []
        return lines[-1] if lines else "nothing"
