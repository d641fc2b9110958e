"""Everything that carries summaries is killed and cut at random: nothing is lost, and nothing happens twice.

``MOODIFY_FAULTS_S`` says for how many seconds, and ``MOODIFY_FAULTS_SEED`` with which seed.
"""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cutter import Cutter

from moodify.cloud.identity import load_or_make
from moodify.hub.database import open_database
from moodify.hub.port import CommandState
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.store import Store
from moodify.types import Event, EventKind
from waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SECONDS = float(os.environ.get("MOODIFY_FAULTS_S", "60"))
SEED = int(os.environ.get("MOODIFY_FAULTS_SEED", "5"))
PER_SECOND = 150
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
DEVICE = Path(__file__).with_name("device.py")


class House:
    """A hub, a second collector, a way there that is cut, and a device; each is started again when it was killed."""

    def __init__(self, folder):
        self.folder, self.hub_folder = folder, folder / "hub"
        self.device_folder = folder / "device"
        self.device_folder.mkdir()
        self.identity = load_or_make(self.device_folder / "device.key")
        self.processes = {}
        self.commands = {}
        self.environment = {}
        self.kills = Counter()
        self.repeats = 0
        self.moodify("hub", "init", "--folder", self.hub_folder)
        (self.hub_folder / "hub.toml").write_text('host = "127.0.0.1"\nport = 0\ntls = false\napi_port = 0\nannounce = false\n')
        self.cutter = Cutter(self.port)
        self.start("hub", "-m", "moodify", "hub", "serve", "--folder", self.hub_folder)

    def open(self):
        """Wait until the hub is there, and let the device in."""
        self.wait_for_hub()
        with self.database() as database:
            database.registry.enrol(self.identity.device, self.identity.public_pem, datetime.now(UTC))

    def database(self):
        return open_database(self.hub_folder / "hub.db")

    def moodify(self, *arguments):
        return subprocess.run([sys.executable, "-m", "moodify", *map(str, arguments)], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    @property
    def address(self):
        return self.hub_folder / "run" / "address.json"

    def port(self):
        try:
            return json.loads(self.address.read_text())["mqtt"]["port"]
        except (OSError, ValueError) as error:
            raise OSError("the hub is away") from error

    def wait_for_hub(self):
        wait_until(self.address.exists, within_s=120, what=lambda: f"the hub; its log: {self.log('hub')}")

    def start(self, name, *arguments):
        self.commands[name] = arguments
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | (self.environment if name == "device" else {})
            )

    def start_device(self, total, per_second=PER_SECOND):
        self.start("device", DEVICE, self.device_folder, self.cutter.port, total, per_second)

    def start_collector(self):
        self.start("collector", "-m", "moodify", "hub", "collect", "--folder", self.hub_folder)

    def mend(self):
        """Start again what was killed."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None and not (name == "device" and process.returncode == 0):
                self.start(name, *self.commands[name])

    def kill(self, name):
        """SIGKILL; mosquitto is the hub's child."""
        self.kills[name] += 1
        if name == "hub":
            self.note_repeats()
        if name == "network":
            self.cutter.cut()
        elif name == "mosquitto":
            self._kill_mosquittos()
        elif self.processes[name].poll() is None:
            self.processes[name].kill()
            self.processes[name].wait()

    def _kill_mosquittos(self):
        for pid in list(self._mosquittos()):
            # It may have ended by itself meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _mosquittos(self):
        configuration = os.fsencode(self.hub_folder / "run" / "mosquitto.conf")
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    arguments = entry.joinpath("cmdline").read_bytes().split(b"\0")
                    folder = entry.joinpath("cwd").readlink()
                except OSError:
                    continue
                if any(configuration in argument or argument == b"mosquitto.conf" for argument in arguments) and folder == configuration_folder(self):
                    yield int(entry.name)

    def log(self, name):
        file = self.folder / f"{name}.log"
        return file.read_text(errors="replace")[-3000:] if file.exists() else ""

    def finish(self, within_s):
        """Wait until the device knows that all has arrived."""

        def over():
            self.mend()
            return self.processes["device"].poll() == 0

        wait_until(over, within_s=within_s, every_s=0.2, what=lambda: f"the device's end; its log: {self.log('device')}; the hub's: {self.log('hub')}")

    def stored(self):
        """Return how often each event is in the hub's database."""
        found, after = Counter(), 0
        with self.database() as database:
            while page := database.events.events(self.identity.device, after=after, limit=500):
                found.update(event.id for event in page)
                after = page[-1].n
        return found

    def streams(self):
        """Return what came of each outbox."""
        with self.database() as database:
            return database.events.streams(self.identity.device)

    def command(self):
        """Ask the device for something, and return the command's id."""
        with self.database() as database:
            return database.commands.add(self.identity.device, "rescan", {}, datetime.now(UTC), expires_s=600).id

    def answers(self, ids):
        """Return how commands stand."""
        with self.database() as database:
            return [database.commands.get(each).state for each in ids]

    def effects(self):
        """Return how often the device has carried each command out."""
        file = self.device_folder / "done"
        return Counter(file.read_text().split()) if file.exists() else Counter()

    def recorded(self):
        """Return the ids of what the device recorded."""
        from moodify.store.history import History

        with History(self.device_folder / "moodify.db") as history:
            return {event.id for event in history.recent(1_000_000)}

    def note_repeats(self):
        """Add what the hub's own collector has counted since the hub was started; a second one's are not among them."""
        try:
            port = json.loads(self.address.read_text())["api"]["port"]
            token = (self.address.parent / "local.token").read_text()
            request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {token}"})
            with urllib.request.urlopen(request, timeout=2) as answer:
                self.repeats += int(float(re.search(r"^moodify_hub_repeats_absorbed_total (\S+)$", answer.read().decode(), re.MULTILINE)[1]))
        except urllib.error.HTTPError:
            raise
        except (OSError, ValueError):
            # It is being started.
            return

    def close(self):
        self.cutter.close()
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        # A hub that was killed leaves its mosquitto behind.
        self._kill_mosquittos()


def configuration_folder(house):
    return (house.hub_folder / "run").resolve()


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    try:
        house.open()
        yield house
    finally:
        house.close()


def holds(house, capsys, what, commands=()):
    """Assert that each recorded event is stored exactly once and each command was carried out once at most, and say the numbers."""
    house.note_repeats()
    recorded, stored, effects = house.recorded(), house.stored(), house.effects()
    lost, twice = recorded - set(stored), sum(stored.values()) - len(stored) + sum(effects.values()) - len(effects)
    told = f"sent {len(recorded)}, committed {sum(stored.values())}, lost {len(lost)}, twice {twice}, repeats absorbed {house.repeats}, commands {len(commands)}"
    with capsys.disabled():
        print(f"\n{what}: {told}; killed or cut: {dict(house.kills)}")  # noqa: T201 - it is what the test is to show
    assert lost == set()
    assert set(stored) - recorded == set()
    assert max(stored.values()) == 1
    # One number for each message, whatever came again: none is missing between them, and none was stored under two.
    (stream,) = house.streams()
    assert (stream.received, stream.gaps) == (stream.last, ())
    assert set(effects) <= set(commands)
    assert max(effects.values(), default=0) <= 1
    with Outbox(house.device_folder / "moodify.db") as outbox:
        assert outbox.backlog() == 0


def torment(house, rng, *, until_s, commands=None):
    """Kill and cut for a while, each in its turn at first and then whoever chance says, until the device is done; each at least once."""
    victims = ["network", "mosquitto", "device", "hub", *(["collector"] if "collector" in house.processes else [])]
    first = sum(house.kills.values())
    while len(victims) > sum(house.kills.values()) - first or (time.monotonic() < until_s and house.processes["device"].poll() is None):
        time.sleep(rng.uniform(0.3, 3.0))
        number = sum(house.kills.values()) - first
        house.kill(victims[number] if number < len(victims) else rng.choice(victims))
        if commands is not None:
            commands.append(house.command())
        if rng.random() < 0.8:
            house.mend()


def test_nothing_is_lost_or_doubled_while_everything_is_killed_at_random(house, capsys):
    rng = random.Random(SEED)
    commands = []
    house.start_collector()
    # It takes the device so long to record them, and longer for each time that it is killed.
    house.start_device(max(6000, int(SECONDS * PER_SECOND)))
    began_s = time.monotonic()
    torment(house, rng, until_s=began_s + 2 * SECONDS, commands=commands)
    assert time.monotonic() - began_s >= min(SECONDS, 6000 / PER_SECOND)
    house.finish(within_s=180)
    holds(house, capsys, "killed and cut at random", commands)
    assert len(house.recorded()) >= 6000
    assert set(house.kills) == {"mosquitto", "device", "collector", "hub", "network"}
    # What was answered with ok was done, exactly once; a device that was killed between reading and doing has not done it, and says so.
    done = house.effects()
    assert all(done[each] == 1 for each, state in zip(commands, house.answers(commands), strict=True) if state is CommandState.OK)
    assert done


@pytest.mark.skipif(FAKETIME is None, reason="needs libfaketime, which scripts/test --all installs (package faketime)")
def test_a_clock_that_steps_back_a_day_among_kills_loses_and_doubles_nothing(house, capsys):
    clock = house.folder / "clock"
    clock.write_text("+0")
    house.environment = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    house.start_device(1500, per_second=100)
    wait_until(lambda: len(house.stored()) > 100, within_s=60, every_s=0.2, what="the first events")
    clock.write_text("-86400")
    house.kill("network")
    wait_until(lambda: "waiting for the right time before signing in" in (house.folder / "device.log").read_text(), within_s=30, what="the device's doubt")
    for name in ("device", "hub"):
        house.kill(name)
    house.mend()
    house.wait_for_hub()
    clock.write_text("+0")
    wait_until(lambda: house.log("device").rstrip().endswith("online: connected"), within_s=60, every_s=0.2, what=lambda: f"the device's return; {house.log('device')}")
    torment(house, random.Random(SEED), until_s=time.monotonic() + 10)
    house.finish(within_s=120)
    holds(house, capsys, "the clock a day back for a while, and kills")


def test_a_week_offline_arrives_whole_among_kills(house, capsys):
    """A week of a lively household, recorded while nothing can be reached: what the bounds of the outbox hold by default."""
    prepare(house.device_folder / "moodify.db")
    began = datetime.now(UTC) - timedelta(days=7)
    with Store(house.device_folder / "moodify.db") as store:
        for minute in range(0, 7 * 24 * 60, 2):
            at = began + timedelta(minutes=minute)
            store.record([Event(f"{house.identity.device}-{minute}-{kind}", kind, at, {"mood": "happy", "n": minute}) for kind in (EventKind.MOOD, EventKind.DECISION)])
    house.start_device(1)
    torment(house, random.Random(SEED), until_s=time.monotonic() + 12)
    house.finish(within_s=120)
    holds(house, capsys, "a week offline, and kills")
    assert len(house.recorded()) > 10_000
    assert house.kills["network"]
