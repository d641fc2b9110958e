"""A hub as a process of its own, and a device that signs in at its gate, packet by packet."""

import json
import signal
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime

from appliance import environment_of
from moodify.cloud.identity import load_or_make
from moodify.cloud.mqtt import Acked, Connected, Connection, Lost, Received, Refused, Subscribed
from moodify.cloud.port import Credentials, Endpoint
from moodify.hub.database import open_database
from moodify.hub.folder import HubFolder
from moodify.hub.mosquitto import end_left_behind
from moodify.hub.setup import initialise
from waiting import wait_until

START_S = 60.0
END_S = 30.0
#: For a test: on loopback, on free ports, unheard by others.
QUIET = {"host": '"127.0.0.1"', "port": "0", "api_port": "0", "announce": "false"}


def configure(folder, **changes):
    """Write a hub's configuration with these keys, as TOML."""
    (folder / "hub.toml").write_text("".join(f"{name} = {value}\n" for name, value in (QUIET | changes).items()))


class HubProcess:
    """``moodify hub serve``; nothing of it is left behind at the end of a ``with``. Without a folder it is the one of who lives there."""

    def __init__(self, home, folder=None, *arguments, stdin=subprocess.DEVNULL, wait=True, module="moodify", environment=None):
        named = [] if folder is None else ["--folder", str(folder)]
        self.home, self.folder = home, folder if folder is not None else home / ".local" / "share" / "moodify-hub"
        self.log_file = home / f"hub-{uuid.uuid4()}.log"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, "hub", "serve", *named, *map(str, arguments)],
                cwd=home,
                env=environment_of(home) | (environment or {}),
                stdin=stdin,
                stdout=log,
                stderr=log,
            )
        if wait:
            self.wait_until_ready()

    @property
    def log(self):
        return self.log_file.read_text("utf-8", errors="replace")

    @property
    def address_file(self):
        return self.folder / "run" / "address.json"

    @property
    def address(self):
        return json.loads(self.address_file.read_text())

    def wait_until_ready(self):
        def ready():
            assert self.process.poll() is None, f"the hub has ended: {self.log}"
            return self.address_file.exists() and self.address["processes"]["hub"] == self.process.pid

        try:
            wait_until(ready, within_s=START_S, what=lambda: f"the hub's start; its log: {self.log}")
        except BaseException:
            self.__exit__()
            raise

    def end(self, number=signal.SIGTERM, timeout_s=END_S):
        """Ask it to end; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout_s)

    def kill(self):
        """Kill it; what it had started is left behind."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        end_left_behind(self.folder / "run" / "mosquitto.conf")


class HubDevice:
    """A device with a key of its own."""

    def __init__(self, folder):
        self.identity = load_or_make(folder / "device.key")
        self.id = self.identity.device
        self.signals = []
        self.connection = None

    def connect(self, hub):
        """Sign in; return self once the hub takes it."""
        mqtt = hub.address["mqtt"]
        endpoint = Endpoint(mqtt["host"], mqtt["port"], tls=mqtt["tls"], ca_file=hub.folder / "certificate.pem" if mqtt["tls"] else None)
        self.signals = []
        self.connection = Connection(endpoint, Credentials(self.id, self.identity.token("moodify", datetime.now(UTC))), client_id=self.id, session_s=0)
        self.wait_for(Connected, Refused, Lost)
        return self

    @property
    def is_in(self):
        return any(isinstance(one, Connected) for one in self.signals) and not any(isinstance(one, Lost | Refused) for one in self.signals)

    def wait_for(self, *kinds, that=lambda _: True):
        """Return the first signal of these kinds."""

        def found():
            return next((one for one in self.signals if isinstance(one, kinds) and that(one)), None)

        wait_until(lambda: found() or self.signals.extend(self.connection.step(0.05)), what=lambda: f"{kinds} instead of {self.signals}")
        return found()

    def say(self, *ids, seq=1, epoch="e1"):
        """Send a summary and wait until the hub says that it is committed."""
        self.connection.subscribe(f"moodify/v1/{self.id}/down/ack")
        self.wait_for(Subscribed)
        self.signals = [one for one in self.signals if not isinstance(one, Received)]
        items = [{"id": one, "kind": "mood", "at": datetime.now(UTC).isoformat(), "data": {"mood": "calm"}} for one in ids]
        summary = json.dumps({"v": 1, "epoch": epoch, "seq": seq, "items": items}).encode()
        until_s, again_s = time.monotonic() + 60, 0.0
        while not any(isinstance(one, Received) and any(first <= seq <= last for first, last in json.loads(one.payload)["ranges"]) for one in self.signals):
            assert time.monotonic() < until_s, f"the hub did not acknowledge {seq}: {self.signals[-10:]}"
            if time.monotonic() > again_s:
                # As a device does: offered until it is acknowledged.
                self.connection.publish(f"moodify/v1/{self.id}/up/ev", summary)
                again_s = time.monotonic() + 10
            self.signals.extend(self.connection.step(0.05))

    def show(self, name, **value):
        """Publish a retained state."""
        mid = self.connection.publish(f"moodify/v1/{self.id}/up/{name}", json.dumps(value).encode(), retain=True)
        self.wait_for(Acked, that=lambda one: one.mid == mid)

    def close(self):
        if self.connection is not None:
            self.connection.close()


def made_hub(home, folder, **changes):
    """Make a hub whose configuration is :data:`QUIET` with ``changes``; return its admin token."""
    token = initialise(HubFolder(folder)).token
    configure(folder, **changes)
    return token


def enrol(folder, device):
    """Let a device in, behind the hub's back."""
    with open_database(folder / "hub.db") as database:
        database.registry.enrol(device.id, device.identity.public_pem, datetime.now(UTC))
