"""A house with an appliance that runs as a process of its own, a Spotify with a speaker before it, and a camera that is a file."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from appliance import Appliance, data_folder, hubs_of, moodify, tree_of
from faults_week import levers
from faults_week.promises import HeardSpeaker, Wishes, events_lost, music_unasked, privacy_opened
from moodify.daemon.ending import AGAIN
from moodify.daemon.hub_beside import FOLDER as HUB_FOLDER
from moodify.daemon.kept import privacy_kept
from moodify.daemon.places import DATABASE
from moodify.music.spotify.signin import SignIn
from moodify.music.spotify.tokens import TokenFile
from moodify.store.outbox import Outbox
from moodify.store.settings import Settings
from processes import open_files
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

CLIENT = "0123456789abcdef0123456789abcdef"
SCRIPTS = Path(__file__).parents[1]
#: Longest wait for what is to come of a fault, in seconds: the machine may be busy.
PATIENCE_S = 60.0
#: Who pauses music has heard it for so long, in seconds: right after an order a look at the speaker is taken for one from before.
HEARD_S = 5.0
#: The waiting times of an appliance, shortened; it may start nothing by itself.
TOML = """\
[camera]
source = "usb"
timeout_s = 2.0
retry_max_s = 1.0
[mood]
smoothing_s = 0.5
steady_s = 0.5
absent_s = 1.0
[music]
speaker = "spotify"
start_when_silent = false
dwell_s = 0.5
max_changes = 100
change_window_s = 1.0
fade_s = 0.0
[music.spotify]
poll_s = 5.0
[web]
port = 0
[system]
health_s = 5.0
"""


class House:
    """Opens with somebody before the camera and a silent speaker that nobody may start but a person. Everything it breaks it can mend."""

    def __init__(self, folder: Path, *, toml: str = "", link: bool = True, environment: Mapping[str, str] | None = None) -> None:
        """Lay it out; :meth:`start` switches the appliance on.

        Args:
            folder: empty.
            toml: what the configuration says beside :data:`TOML`: whole sections that are not in it.
            link: whether summaries go to the hub that the appliance starts beside itself; with False, ``toml`` says ``[link]`` itself or nothing is sent.
            environment: of the appliance, beside what its levers need.
        """
        self.home = folder / "home"
        self.data: Path = data_folder(self.home)
        self.data.mkdir(mode=0o700, parents=True)
        self.speaker = HeardSpeaker()
        self.camera = folder / "video0"
        self.show("person")
        self.victim = folder / "victim"
        self.toml = TOML + toml + ("" if link or "[link]" in toml else "[link]\nenabled = false\n")
        self.environment = {
            "PYTHONPATH": str(SCRIPTS),
            "MOODIFY_SPOTIFY_AT": self.speaker.accounts_url,
            levers.CAMERA: str(self.camera),
            levers.THREAD: str(self.victim),
            **(environment or {}),
        }
        self.wishes = Wishes()
        self.runs: list[Any] = []
        self._closing = ExitStack()
        self._closing.callback(self.speaker.close)
        self._sign_in()

    def _sign_in(self) -> None:
        sign_in = SignIn(CLIENT, TokenFile(self.data), accounts_url=self.speaker.accounts_url)
        # The simulated owner agrees at once.
        sign_in.finish(requests.get(sign_in.link, allow_redirects=False, timeout=10).headers["Location"])

    # -- the appliance

    @property
    def appliance(self) -> Any:
        """The process that runs, or ran last (:class:`appliance.Appliance`)."""
        return self.runs[-1]

    @property
    def database(self) -> Path:
        """The device's database."""
        return self.data / DATABASE

    @property
    def hub_database(self) -> Path:
        """That of the hub beside the appliance."""
        return self.data / HUB_FOLDER / "hub.db"

    def start(self, *, before: Sequence[str] = ()) -> Any:
        """Switch it on, as after a loss of power or as a service manager does; return the process, which may not come up."""
        log = self.home / "log"
        if log.exists():
            # Each run has a log of its own: what the last one said is not what this one says.
            self.appliance.log_file = log.rename(log.with_name(f"log.{len(self.runs)}"))
        run = Appliance(self.home, toml=self.toml, environment=self.environment, before=before, module="faults_week.levers")
        self.runs.append(self._closing.enter_context(run))
        return run

    def started(self) -> Self:
        """Switch it on, and wait until all is well."""
        self.start()
        self.await_well()
        return self

    def stop(self) -> int:
        """Switch it off, as ``systemctl stop`` does; return the exit code."""
        code: int = self.appliance.end(signal.SIGTERM)
        return code

    def kill(self) -> None:
        """Kill it, and wait until nothing of it is left."""
        self.appliance.kill()
        self.await_nothing_left()

    def await_nothing_left(self) -> None:
        """Wait until the hub beside an appliance that was killed has ended by itself."""
        wait_until(lambda: not hubs_of(self.home), within_s=PATIENCE_S, what="the end of the hub beside the appliance")

    def ended(self) -> int:
        """Wait for its end, which a fault brought about; return the exit code."""
        code: int = self.appliance.wait(PATIENCE_S)
        return code

    def start_again(self) -> int:
        """Wait for its end, and start it again where the unit's ``Restart=on-failure`` would; return the exit code."""
        code = self.ended()
        assert code not in {0, 2}, f"it ended with {code}, after which a service manager does not start it again; log: {self.appliance.log[-2000:]}"
        assert code in {AGAIN, 1} or code < 0, f"it ended with {code}"
        self.start()
        return code

    def command(self, *arguments: object) -> Any:
        """Run a ``moodify`` command in this home to its end; return it (:class:`subprocess.CompletedProcess`)."""
        return moodify(self.home, *arguments)

    # -- what is to be seen

    def seen(self, kind: str, *, after: int = 0, within_s: float = PATIENCE_S, **data: Any) -> str:
        """Wait for an event of the run; return what it says for a person."""
        event = self.appliance.wait_for(kind, within_s, after=after, **data)
        said = event["data"]
        return str(said.get("message") or said.get("reason") or "; ".join(said.get("reasons", ())) or said)

    def mark(self) -> int:
        """Return how many events there were, to look :meth:`seen` from here on."""
        return len(self.appliance.events)

    def logged(self, pattern: str, *, within_s: float = PATIENCE_S) -> str:
        """Wait for a line of the last run's log that holds a regular expression; return it from there on."""

        def found() -> str | None:
            match = re.search(rf"(?:{pattern}).*", self.appliance.log)
            return None if match is None else " ".join(match.group().split())

        line: str = wait_until(found, within_s=within_s, what=lambda: f"{pattern!r} in the log, which ends: {self.appliance.log[-1500:]}")
        return line

    def last_words(self, holding: str = "") -> str:
        """Return the last line of the log that holds a text, of the run before where the last one has not said anything yet."""
        for run in reversed(self.runs):
            if lines := [line for line in run.log.splitlines() if holding in line and line.strip()]:
                return str(" ".join(lines[-1].split()))
        return ""

    def now(self) -> dict[str, Any]:
        """Return what the page shows now."""
        state: dict[str, Any] = self.appliance.ask("/api/now")
        return state

    def await_now(self, that: Callable[[dict[str, Any]], object], what: str, *, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until the page shows something; return it."""
        shown: dict[str, Any] = {}

        def holds() -> bool:
            nonlocal shown
            shown = self.now()
            return bool(that(shown))

        wait_until(holds, within_s=within_s, every_s=0.05, what=lambda: f"{what}; the page shows {shown}")
        return shown

    def await_well(self, *, within_s: float = PATIENCE_S) -> None:
        """Wait until camera (unless in privacy), speaker and link say that they are well."""
        camera = "off" if self.wishes.private else "ok"
        link = "off" if "enabled = false" in self.toml.partition("[link]")[2] else "ok"

        def well(now: dict[str, Any]) -> bool:
            return (now["camera"]["state"], now["speaker"]["state"], now["link"]["state"]) == (camera, "ok", link)

        self.await_now(well, "camera, speaker and link being well", within_s=within_s)

    def time_until_well(self) -> float:
        """Return the seconds until all is well, from now."""
        began_s = time.monotonic()
        self.await_well()
        return round(time.monotonic() - began_s, 1)

    # -- what people do

    def show(self, view: str) -> None:
        """Put something before the camera, or let its driver do something (:mod:`faults_week.levers`)."""
        if self.camera.exists():
            # In place: who has the device open sees it.
            self.camera.write_text(f"{view}", "ascii")
        else:
            new = self.camera.with_suffix(".new")
            new.write_text(view, "ascii")
            new.rename(self.camera)

    def unplug(self) -> None:
        """Pull the camera's cable; :meth:`show` plugs it in again."""
        self.camera.unlink()

    def press(self) -> None:
        """Press the button, on the page: a look, and music that fits."""
        self.wishes.asked_s.append(time.monotonic())
        self.appliance.ask("/api/scan", "POST")

    def private(self, on: bool) -> None:  # noqa: FBT001 - it is the value that is set
        """Turn privacy on or off on the page, and wait until the camera says so."""
        self.ask_for_privacy(on)
        if on:
            self.await_privacy()
        else:
            self.await_now(lambda now: not now["privacy"] and now["camera"]["state"] != "off", "the end of privacy")

    def ask_for_privacy(self, on: bool) -> None:  # noqa: FBT001 - it is the value that is set
        """Turn privacy on or off on the page."""
        if not on:
            self.wishes.privacy_ends()
        self.appliance.ask("/api/privacy", "PUT", {"on": on})

    def await_privacy(self) -> None:
        """Wait until the camera says that it is off for privacy, which it is held to from then on."""
        self.await_now(lambda now: now["privacy"] and now["camera"]["state"] == "off", "privacy")
        self.wishes.privacy_begins()

    def play(self) -> None:
        """Let music play that somebody asked for."""
        at = self.mark()
        self.press()
        self.await_music(at)

    def await_music(self, after: int) -> None:
        """Wait until music plays; where it does not, tell what was decided and ordered from an event on."""

        def told() -> str:
            last = [f"{event['kind']} {event['data']}" for event in self.appliance.events[after:] if event["kind"] in {"decision", "order", "speaker"}]
            return f"music; the page says {self.now()['music']}, {self.now()['speaker']}, and there were: {'; '.join(last)}"

        wait_until(lambda: self.speaker.now_playing, within_s=PATIENCE_S, what=told)

    def silence(self) -> None:
        """Pause what plays by hand, on the speaker, and wait until the appliance has seen it: a press at the same moment would be for music that plays."""
        if self.speaker.now_playing is not None:
            # What the appliance has not seen play it would not see end either.
            self.await_now(lambda now: now["music"]["playing"], "the page's showing music")
            if self.speaker.starts:
                time.sleep(max(self.speaker.starts[-1].at_s + HEARD_S - time.monotonic(), 0))
            self.wishes.silenced_s.append(time.monotonic())
            self.speaker.pause_by_hand()
        self.await_now(lambda now: not now["music"]["playing"], "silence")

    def await_delivered(self) -> None:
        """Wait until all that was kept is at the hub too."""
        with Outbox(self.database) as outbox:
            wait_until(lambda: outbox.backlog() == 0, within_s=PATIENCE_S, what="an empty outbox")

    def privacy_is_kept(self) -> bool:
        """Return whether the next start would find privacy on."""
        with Settings(self.database) as settings:
            return privacy_kept(settings)

    # -- the promises

    def acknowledged(self) -> list[str]:
        """Return the ids of all events that were printed, which are committed by then."""
        return [event["id"] for run in self.runs for event in list(run.events)]

    def databases(self) -> list[Path]:
        """Return the device's database and those that were set aside."""
        return [
            self.database,
            *sorted(path for path in self.data.glob(f"{DATABASE}.corrupt.*") if path.suffix not in {".db-wal", ".db-shm"} and not path.name.endswith(("-wal", "-shm"))),
        ]

    def openings_s(self) -> list[float]:
        """Return when the camera's device was opened."""
        log = Path(f"{self.camera}.opened")
        return [float(line.split()[0]) for line in log.read_text("ascii").splitlines()] if log.exists() else []

    def holders(self) -> list[str]:
        """Return which processes of the appliance have the camera's device open; those that this user may look into."""
        if not self.runs or self.appliance.process.poll() is not None or os.geteuid() != 0:
            return []
        return [
            f"process {pid}"
            for pid in tree_of(self.appliance.process.pid)
            if any(name.startswith(str(self.camera)) and not name.endswith((".opened", levers.HANGS)) for name, _ in open_files([pid]))
        ]

    def broken(self) -> list[str]:
        """Return which promises were not kept."""
        return [
            *events_lost(self.acknowledged(), self.databases(), self.hub_database if "[link]" not in self.toml else None),
            *music_unasked(self.speaker.starts, self.wishes),
            *privacy_opened(self.openings_s(), self.holders(), self.wishes),
        ]

    def __enter__(self) -> Self:
        """Switch it on."""
        try:
            return self.started()
        except BaseException:
            self._closing.close()
            raise

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""
        self._closing.close()
