"""A hub, who owns it, and devices that go there: for the tests that run both as docs/hub.md says."""

import json
import re
import shlex
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime

from appliance import environment_of
from moodify.cloud.backoff import Backoff
from moodify.cloud.identity import load_or_make
from moodify.cloud.link import Link
from moodify.cloud.mqtt import Connected, Connection, Received
from moodify.cloud.passwords import SignedToken
from moodify.cloud.port import Credentials, Delivery, Endpoint, Target
from moodify.hub.mosquitto import OBSERVER
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind
from waiting import wait_until

#: Longest wait for the answer to a command; the API itself waits as long.
ANSWER_S = 25


def documented(root):
    """Return the commands that docs/hub.md shows, in their order, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (root / "docs" / "hub.md").read_text("utf-8"), re.DOTALL)
    return [line.partition("  #")[0].strip() for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def typed(home, line):
    """Type a line that begins with ``moodify`` in somebody's home, where nobody answers; return what it printed."""
    words = shlex.split(line)
    assert words[0] == "moodify"
    done = subprocess.run([sys.executable, "-m", *words], cwd=home, env=environment_of(home), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


class Api:
    """Asks a hub's API as its owner."""

    def __init__(self, hub, token):
        self.hub, self.token = hub, token

    def ask(self, path, body=None, *, method=None):
        """Return status and content of the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.hub.address['api']['port']}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S + 10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def get(self, path):
        status, content = self.ask(path)
        assert status == 200, content
        return content

    def give(self, device, name, **args):
        """Give a device a command; return its id."""
        status, content = self.ask(f"/v1/devices/{device}/commands", {"name": name, "args": args})
        assert status == 202, content
        return content["id"]

    def answer(self, command):
        """Return a command once it was answered."""
        answered = self.get(f"/v1/commands/{command}?wait_s={ANSWER_S}")
        assert answered["state"] != "waiting", answered
        return answered

    def done(self, device, name, **args):
        """Have a device do something; return what it answered beside ok."""
        answered = self.answer(self.give(device, name, **args))
        assert answered["state"] == "ok", answered
        return answered["data"]

    def states(self, device):
        return self.get(f"/v1/devices/{device}/states")["states"]

    def is_online(self, device):
        return self.get(f"/v1/devices/{device}/states")["online"]

    def history(self, device, after=0):
        """Return a device's events in the order of storing."""
        found = []
        while page := self.get(f"/v1/devices/{device}/history?after={after}&limit=500")["events"]:
            found += page
            after = page[-1]["n"]
        return found


class Ears:
    """Hears at a hub's own mosquitto which states devices publish, on a thread of its own."""

    def __init__(self, hub, topic):
        self.heard = []
        self._connection = Connection(
            Endpoint("", 0, tls=False, socket=hub.folder / "run" / "mosquitto.sock"), Credentials(OBSERVER, None), client_id=str(uuid.uuid4()), session_s=0
        )
        self._topic = topic
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._closing.is_set():
            for signal in self._connection.step(0.2):
                if isinstance(signal, Connected):
                    self._connection.subscribe(self._topic)
                if isinstance(signal, Received):
                    self.heard.append(json.loads(signal.payload))
        self._connection.close()

    def __enter__(self):
        self._thread.start()
        wait_until(lambda: self.heard, what="a first state")
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._thread.join(30)


class Traveller:
    """A device's store and link on a thread of its own, which goes from hub to hub; it carries every command out at once."""

    def __init__(self, folder, hub):
        folder.mkdir()
        self.identity = load_or_make(folder / "device.key")
        self.id = self.identity.device
        self.heads_for(hub)
        self.recorded, self.done, self.changes = [], [], []
        self._database = folder / "moodify.db"
        prepare(self._database)
        self._store = Store(self._database)
        self._link = None
        self._leave, self._closing, self._started = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"device {self.id}")

    def happen(self, count=1):
        """Record events, each a message of its own."""
        for _ in range(count):
            event = Event(str(uuid.uuid4()), EventKind.MOOD, datetime.now(UTC), {"mood": "happy"})
            self._store.record([event])
            self.recorded.append(event.id)
        self._link.wake()

    def until_empty(self):
        """Wait until all that was recorded is sent, counted by a connection of its own."""
        with Outbox(self._database) as outbox:
            wait_until(lambda: outbox.backlog() == 0, within_s=60, every_s=0.05, what=lambda: f"an empty outbox ({outbox.backlog()}; {self.changes})")

    def show(self, **state):
        """Publish a retained state."""
        self._link.publish_state("now", state)

    def heads_for(self, hub):
        """Go to a hub at the next connect; what it says of itself is kept, for it may die."""
        mqtt = hub.address["mqtt"]
        self._endpoint = Endpoint(mqtt["host"], mqtt["port"], tls=mqtt["tls"], ca_file=hub.folder / "certificate.pem")

    def go_to(self, hub, *, gently):
        """Go over to another hub: between two words, or cut off in the middle of one."""
        self.heads_for(hub)
        if gently:
            self._link.renew()
        else:
            self._leave.set()
            self._link.wake()

    def _target(self):
        return Target(self._endpoint, SignedToken(lambda: self.identity, "moodify", lambda: (True, "")), Delivery.HUB)

    def _run(self):
        with Outbox(self._database) as outbox, Settings(self._database) as memory:
            self._link = link = Link(
                self.id,
                target=self._target,
                memory=memory,
                commands=("rescan", "goal"),
                on_command=self._do,
                on_change=lambda state, reason: self.changes.append((state.value, reason)),
                clock_trusted=lambda: True,
                silence_s=1.0,
                backoff=Backoff(0.05, 0.5),
            )
            while not self._closing.is_set():
                link.pump(outbox, 0.05)
                self._started.set()
                if self._leave.is_set() and link._connection is not None:
                    self._leave.clear()
                    link._connection.abandon()
            link.close()

    def _do(self, command):
        self.done.append(command.id)
        self._link.answer(command.id, "ok", data={"did": command.name})

    def __enter__(self):
        self._thread.start()
        assert self._started.wait(15)
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._thread.join(15)
        self._store.close()
