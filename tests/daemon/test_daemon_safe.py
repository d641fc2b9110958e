"""Safe mode, with the daemon as a process of its own under a service manager's eyes; and what is answered in it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from uuid import uuid4

import pytest
from daemon_house import Lamp

from looks import FIRST, a_look
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role, User
from moodify.config.model import Config
from moodify.daemon.board import Board
from moodify.daemon.courier import NoCourier
from moodify.daemon.display import Display
from moodify.daemon.ending import AGAIN
from moodify.daemon.kept import Kept
from moodify.daemon.places import DATABASE
from moodify.daemon.recorder import Recorder
from moodify.daemon.reset import ResetAnswer
from moodify.daemon.safe_conductor import SafeConductor
from moodify.daemon.signals import Pressed, Stop
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.daemon.skin_sharing import SkinSharing
from moodify.daemon.snapshot import Facts
from moodify.panel.port import Press, Show
from moodify.store.accounts import AccountTransactions
from moodify.store.history import History
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.system.clock import WorldClock
from moodify.system.crashes import FILE, MANY, count_of
from moodify.system.notify import Notifier
from ports import free_port
from processes import open_files
from signed_in import Page
from waiting import wait_until

pytest.importorskip("systemd.daemon", reason="systemd-python is not installed (extra: systemd)")
pytestmark = pytest.mark.timeout(300)

TOML = '[camera]\nsource = "sample"\n[music]\nspeaker = "simulated"\n[link]\nenabled = false\n[web]\nport = {port}\n'


class Supervisor:
    """Starts the daemon as systemd does, in a folder for what lasts, and hears what it says."""

    def __init__(self, folder):
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        self.port = free_port()
        self.configuration = folder / "moodify.toml"
        self.configuration.write_text(TOML.format(port=self.port))
        self.log = folder / "log"
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.manager.settimeout(0.1)
        self._messages, self._heard = [], 0
        self._closing = threading.Event()
        # As a service manager does: who tells it something stands still where ten words wait to be heard.
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def _listen(self):
        while not self._closing.is_set():
            with suppress(TimeoutError):
                self._messages.append(self.manager.recv(4096).decode().splitlines())

    def close(self):
        self._closing.set()
        self._listening.join()
        self.manager.close()

    @contextmanager
    def daemon(self):
        self._heard, self._page = len(self._messages), None
        environment = os.environ | {"NOTIFY_SOCKET": self.manager.getsockname(), "WATCHDOG_USEC": "30000000", "STATE_DIRECTORY": str(self.state)}
        command = [sys.executable, "-m", "moodify", "run", "--config", str(self.configuration)]
        with (
            self.log.open("ab") as log,
            subprocess.Popen(command, cwd=self.state, env=environment, stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def hear(self, word, process):
        """Return what was said up to ``word``."""
        said = []

        def told():
            assert process.poll() is None, self.log.read_text()
            while self._heard < len(self._messages) and not any(line.startswith(word) for line in said):
                said.extend(self._messages[self._heard])
                self._heard += 1
            return any(line.startswith(word) for line in said)

        wait_until(told, within_s=120, what=lambda: f"{word} after {said}")
        return said

    def crash(self, number=signal.SIGKILL):
        with self.daemon() as process:
            self.hear("READY=1", process)
            process.send_signal(number)
            assert process.wait(60) == -number

    def page(self, path="/api/now", method="GET", body=None):
        if self._page is None:
            self._page = Page(f"http://127.0.0.1:{self.port}", self.log.read_text)
        return self._page.ask(path, method, body)


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path)
    yield supervisor
    supervisor.close()


@pytest.fixture
def crashed(supervisor):
    """A daemon that has crashed as often as safe mode takes."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    (supervisor.state / FILE).write_text(json.dumps({"boot": boot, "on": True, "crashes_s": [now_s - 10.0 * each for each in range(1, MANY)], "why": None}))
    return supervisor


@pytest.mark.slow
def test_after_five_crashes_it_starts_without_camera_and_speaker_and_a_press_starts_it_whole_again(supervisor):
    for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV, signal.SIGKILL, signal.SIGKILL):
        supervisor.crash(number)
    with supervisor.daemon() as process:
        said = supervisor.hear("STATUS=camera broken: safe mode", process)
        assert "READY=1" in said
        supervisor.hear("WATCHDOG=1", process)
        now = supervisor.page()
        for part in ("camera", "speaker"):
            assert now[part]["state"] == "broken"
            assert "crashed 5 times within 10 minutes" in now[part]["message"]
            assert "press the button" in now[part]["message"]
        assert not [name for name, _ in open_files([process.pid]) if name.startswith("/dev/video") or name.endswith(".tflite")]
        supervisor.page("/api/scan", "POST")
        assert process.wait(60) == AGAIN
    assert count_of(supervisor.state / FILE) == 0
    with supervisor.daemon() as process:
        supervisor.hear("READY=1", process)
        wait_until(lambda: supervisor.page()["camera"]["state"] == "ok", within_s=60, every_s=0.2, what="the camera")
        process.terminate()
        assert process.wait(60) == 0


def test_the_fifth_crash_counts_and_the_history_says_why(crashed):
    with crashed.daemon() as process:
        crashed.hear("STATUS=camera broken: safe mode", process)
        process.terminate()
        assert process.wait(60) == 0
    with History(crashed.state / "moodify.db") as history:
        assert any("safe mode" in str(event.data) for event in history.recent(20))


def test_stopped_by_a_person_the_next_start_is_whole(crashed):
    with crashed.daemon() as process:
        crashed.hear("STATUS=camera broken: safe mode", process)
        process.terminate()
        assert process.wait(60) == 0
    with crashed.daemon() as process:
        crashed.hear("READY=1", process)
        wait_until(lambda: crashed.page()["camera"]["state"] == "ok", within_s=60, every_s=0.2, what="the camera")


def test_a_crash_in_safe_mode_is_one_more(crashed):
    crashed.crash()
    with crashed.daemon() as process:
        crashed.hear("STATUS=camera broken: safe mode", process)
        assert count_of(crashed.state / FILE) == MANY + 1


def test_privacy_is_kept_and_shown_in_safe_mode(crashed):
    with crashed.daemon() as process:
        crashed.hear("STATUS=camera broken: safe mode", process)
        crashed.page("/api/privacy", "PUT", {"on": True})
        crashed.hear("STATUS=camera off: off for privacy", process)
        now = crashed.page()
        assert now["privacy"] is True
        assert now["speaker"]["message"].startswith("safe mode")


def test_four_crashes_are_not_yet_safe_mode(crashed):
    kept = json.loads((crashed.state / FILE).read_text())
    (crashed.state / FILE).write_text(json.dumps(kept | {"crashes_s": kept["crashes_s"][1:]}))
    with crashed.daemon() as process:
        crashed.hear("READY=1", process)
        wait_until(lambda: crashed.page()["camera"]["state"] == "ok", within_s=60, every_s=0.2, what="the camera")


def run_safely(folder, inbox, *, share=lambda: None, reset=None):
    """Run over a prepared database until something in the inbox ends it; return what the board shows then, and the light."""
    clock, lamp = WorldClock(), Lamp()
    with Store(folder / DATABASE) as store, Settings(folder / DATABASE) as settings:
        conductor = SafeConductor(
            Config.model_validate({}),
            Facts("m-test", "1", "none", demo=False),
            clock,
            inbox,
            "safe mode",
            recorder=Recorder(store, clock, flush_s=60),
            kept=Kept(store, settings, retention_days=365),
            courier=NoCourier(),
            reset_held=lambda: reset,
            share=share,
        )
        board = Board(conductor.now())
        assert conductor.run(Display(board, lamp, Notifier(environ={}), lambda _name, _value: None), lambda: None) == 0
    return board.now(), lamp


def test_a_hold_for_a_reset_counts_in_safe_mode_too(tmp_path):
    prepare(tmp_path / DATABASE)
    inbox = SimpleQueue()
    inbox.put(Pressed(Press.RESET, "button"))
    inbox.put(Stop("the end"))
    now, lamp = run_safely(tmp_path, inbox, reset=ResetAnswer(done=True, said="For five minutes"))
    assert now["music"]["reason"] == "For five minutes"
    assert lamp.shown[-1] == (Show.HOLD_RESET, None)


def test_what_its_person_takes_back_of_a_look_is_withdrawn_in_safe_mode_too(tmp_path):
    prepare(tmp_path / DATABASE)
    keeping, ada, said, inbox = RunningSkinKeeping(tmp_path / DATABASE), uuid4(), [], SimpleQueue()
    with AccountTransactions(tmp_path / DATABASE) as transactions:
        TableAccounts(transactions).add(User(ada, "ada@example.org", "Ada", "Lovelace", Role.OWNER, active=True, created_at=FIRST, updated_at=FIRST), "hash")
    keeping.opt_in(ada)
    keeping.share(ada, on=True)
    keeping.keep(ada, a_look())

    def publish(_name, state):
        said.append([*state.get("looks", ())])
        if len(said) == 1:
            keeping.opt_out(ada)
        else:
            inbox.put(Stop("the end"))

    with ExitStack() as house:
        run_safely(tmp_path, inbox, share=SkinSharing(tmp_path / DATABASE, publish, house).tick)
    assert said == [[str(ada)], []]
