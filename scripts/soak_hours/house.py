"""The whole appliance as a process, with everything on: page and viewer, hub and broker beside it, a Spotify over HTTP, button and light."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import requests
from faults_week.promises import events_lost

from appliance import Appliance, data_folder
from moodify.daemon.hub_beside import FOLDER as HUB_FOLDER
from moodify.daemon.places import DATABASE
from moodify.music.spotify.signin import SignIn
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.music.spotify.tokens import TokenFile
from soak_hours import levers
from soak_hours.stage import paint
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

CLIENT = "0123456789abcdef0123456789abcdef"
SCRIPTS = Path(__file__).parents[1]
START_S = 90.0
TOML = """\
[camera]
source = "sample"
{camera}
[music]
speaker = "spotify"
{music}
[web]
port = 0
{rest}
"""


class Viewer:
    """Somebody who has the page open: reads its stream on a thread of its own."""

    def __init__(self, opened: Any) -> None:
        """Take the answer to ``/api/stream``."""
        self._opened = opened
        self.messages = 0
        self.last_s = time.monotonic()
        self.longest_silence_s = 0.0
        self.ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for line in self._opened:
                if line.startswith(b"event:"):
                    now_s = time.monotonic()
                    self.longest_silence_s = max(self.longest_silence_s, now_s - self.last_s)
                    self.messages, self.last_s = self.messages + 1, now_s
        except OSError:
            # The appliance was ended, or the page cut it off; whether it was time is the caller's to say.
            pass
        finally:
            self.ended = True

    def await_end(self) -> None:
        """Wait until the stream is over."""
        self._thread.join(30)


class House:
    """Runs for as long as a ``with`` lasts; signed in to, with one viewer, and all parts well.

    Args:
        play: who is to be seen (:func:`soak_hours.stage.read_play`).
        camera: lines of the section ``[camera]``.
        music: lines of the section ``[music]``.
        rest: further sections.
        ready: told what the data folder is before the first start.
        wait: whether the ``with`` begins once all is well and somebody looks at the page, or at once.
        environment: more of it, for the levers (:mod:`soak_hours.levers`).
    """

    def __init__(
        self,
        play: str,
        *,
        camera: str = "",
        music: str = "",
        rest: str = "",
        ready: Callable[[Path], object] = lambda _data: None,
        wait: bool = True,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Lay it out."""
        self._closing = ExitStack()
        folder = Path(self._closing.enter_context(TemporaryDirectory(prefix="moodify-house-")))
        self._wait = wait
        self.home = folder / "home"
        self.data: Path = data_folder(self.home)
        self.data.mkdir(mode=0o700, parents=True)
        self.speaker = SimulatedSpeaker()
        self.toml = TOML.format(camera=camera, music=music, rest=rest)
        self.frames_file = folder / "frames"
        stage = folder / "stage"
        paint(stage)
        self._environment = {
            "PYTHONPATH": str(SCRIPTS),
            "MOODIFY_SPOTIFY_AT": self.speaker.accounts_url,
            levers.STAGE: str(stage),
            levers.PLAY: play,
            levers.LOG: str(self.frames_file),
            **environment,
        }
        sign_in = SignIn(CLIENT, TokenFile(self.data), accounts_url=self.speaker.accounts_url)
        # The simulated owner agrees at once.
        sign_in.finish(requests.get(sign_in.link, allow_redirects=False, timeout=10).headers["Location"])
        ready(self.data)
        self._closing.callback(self.speaker.close)
        self.started_s = 0.0
        self.appliance: Any = None
        self.viewer: Viewer
        self.code: int | None = None

    @property
    def database(self) -> Path:
        """The device's database."""
        return self.data / DATABASE

    @property
    def hub_database(self) -> Path:
        """That of the hub beside the appliance."""
        return self.data / HUB_FOLDER / "hub.db"

    def frames(self) -> list[tuple[float, float]]:
        """Return of each frame so far when it was taken, and when it was decided what follows, in monotonic seconds."""
        raw = self.frames_file.read_bytes() if self.frames_file.exists() else b""
        return [(float(taken_s), float(decided_s)) for taken_s, decided_s in levers.RECORD.iter_unpack(raw[: len(raw) // levers.RECORD.size * levers.RECORD.size])]

    def start(self) -> None:
        """Switch it on; it is not waited for."""
        self.started_s = time.monotonic()
        self.appliance = self._closing.enter_context(Appliance(self.home, toml=self.toml, environment=self._environment, module="soak_hours.levers"))

    def await_well(self) -> None:
        """Wait until camera, speaker and link say that they are well."""
        said: dict[str, Any] = {}

        def well() -> bool:
            nonlocal said
            said = self.appliance.ask("/api/now")
            return all(said[part]["state"] == "ok" for part in ("camera", "speaker", "link"))

        wait_until(self.frames, within_s=START_S, what=lambda: f"the first frame; log: {self.appliance.log[-1500:]}")
        wait_until(well, within_s=START_S, every_s=0.1, what=lambda: f"camera, speaker and link being well; the page shows {said}; log: {self.appliance.log[-1500:]}")

    def open_page(self) -> None:
        """Have somebody look at the page from now on."""
        self.viewer = Viewer(self.appliance.signed_in.open("/api/stream"))

    def end(self) -> int:
        """End it as ``systemctl stop`` does; return the exit code."""
        code: int = self.appliance.end(signal.SIGTERM)
        self.viewer.await_end()
        self.code = code
        return code

    def lost(self) -> Sequence[str]:
        """Return which events are gone of those that were acknowledged, in words."""
        return events_lost([event["id"] for event in list(self.appliance.events)], [self.database], self.hub_database)

    def __enter__(self) -> Self:
        """Switch it on, and wait until all is well."""
        try:
            self.start()
            if self._wait:
                self.await_well()
                self.open_page()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""
        self._closing.close()
