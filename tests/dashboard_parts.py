"""A hub's dashboard on loopback, with levers for what devices say, and people who are signed in."""

import json
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx

from moodify.accounts.accounts import NewUser
from moodify.hub.api.admin import hash_of, new_token
from moodify.hub.api.app import create_api
from moodify.hub.cache import open_states
from moodify.hub.config import HubConfig
from moodify.hub.database import open_database
from moodify.hub.metrics import Metrics
from moodify.hub.people import ForPeople
from moodify.web.guard import Place
from moodify.web.limits import Allowance, Limits
from moodify.web.server import HttpServer, Words
from signed_in import PASSWORD, cookies_of, memory_accounts
from summaries import enrolled, summary

TOKEN = new_token()
CAMERA = {"state": "ok", "message": "The Pi's camera."}
SPEAKER = {"state": "ok", "message": "Kitchen, by Spotify."}
MEMBER = "grace@example.org"


class DashboardHub:
    """API, dashboard and alerts over a real database; what devices say comes as a collector would store it."""

    def __init__(self, folder, **configuration):
        self.database = open_database(folder / "hub.db")
        self.states = open_states(None, 3600)
        self.connected = set()
        self.accounts = memory_accounts("moodify-hub")
        self.woken = 0
        self._seqs = {}
        self._stack = ExitStack()
        self.people = ForPeople(HubConfig(**configuration), self.database, self.states, lambda: frozenset(self.connected), self.accounts)
        app = create_api(
            self.database.registry,
            self.database.commands,
            self.database.events,
            self.states,
            gate_connected=lambda: frozenset(self.connected),
            admin_hashes=lambda: (hash_of(TOKEN),),
            metrics=Metrics(),
            ready=dict,
            accounts=self.accounts,
            on_command=self._wake,
            place=Place(limits=Limits(Allowance(10**9, 10**9), Allowance(10**9, 10**9))),
            routers=self.people.routers,
        )

        def end_streams():
            self.people.end_streams()
            app.state.close()

        self.schema = app.openapi()
        self.server = HttpServer(app, "127.0.0.1", 0, words=Words("API", "api_host", "api_port", "in hub.toml", "Start it again."), end_streams=end_streams)
        self.people.start()
        self.server.start()
        self.url = self.server.url

    # People.

    def client(self, cookies=None, **headers):
        """Return a client, closed with the hub."""
        client = httpx.Client(base_url=self.url, cookies=cookies, headers={"X-Moodify": "1"} | headers, trust_env=False, timeout=40)
        return self._stack.enter_context(client)

    def owner(self):
        return self.client(cookies_of(self.url, self.accounts))

    def member(self):
        """Return somebody whom an owner has invited; once."""
        code = self.owner().post("/api/invitations", json={"first_name": "Grace", "role": "member"}).json()["code"]
        self.accounts.claim(code, NewUser(MEMBER, "Grace", PASSWORD), "a test")
        client = self.client()
        assert client.post("/api/session", json={"email": MEMBER, "password": PASSWORD}).status_code == 200
        return client

    def program(self):
        return self.client(Authorization=f"Bearer {TOKEN}")

    # Devices.

    def enrol(self, name="Kitchen"):
        return enrolled(self.database, now=datetime.now(UTC), name=name)

    def say(self, device, name, **value):
        self.states.put(device, name, value, datetime.now(UTC))

    def come(self, device, *, mood="calm", title="Weightless", **state):
        """Let a device be there and say how it is."""
        self.connected.add(device)
        self.say(device, "status", state="online")
        since = (datetime.now(UTC) - timedelta(minutes=12)).isoformat(timespec="seconds")
        self.say(
            device,
            "now",
            people=1,
            mood=mood,
            since=since,
            confidence=0.9,
            valence=0.3,
            arousal=-0.1,
            override=None,
            playing=True,
            title=title,
            artist="Marconi Union",
            next="Avril 14th by Aphex Twin",
            reason="Calm, so something slow that you like.",
            goal="match",
        )
        self.say(device, "state", **{"camera": CAMERA, "speaker": SPEAKER, "privacy": False, "version": "0.1.0"} | state)
        self.say(device, "health", ok=True, reasons=[], outbox={"waiting": 0, "merged": 0, "lost": 0, "refused": 0}, disk_free_mb=21_400, temperature_c=50)

    def go(self, device):
        """Let a device's last will come."""
        self.connected.discard(device)
        self.say(device, "status", state="offline")

    def send(self, device, kind, at, **data):
        """Store an event of a device, as a collector does."""
        self._seqs[device] = self._seqs.get(device, 0) + 1
        item = {"id": str(uuid.uuid4()), "kind": kind, "at": at.isoformat(), "data": data}
        self.database.intake.commit([summary(device, self._seqs[device], item)], datetime.now(UTC))

    def feel(self, device, mood, ago):
        at = datetime.now(UTC) - ago
        self.send(device, "mood", at, mood=mood, confidence=0.91, valence=0.2, arousal=0.1, people=1, since=at.isoformat(), asked=False)

    def answer(self, order, status, error=None):
        """Let a device answer an order."""
        assert self.database.commands.answered(order.device, order.id, status=status, error=error, data={}, now=datetime.now(UTC))

    def _wake(self):
        self.woken += 1

    def close(self):
        self._stack.close()
        self.server.stop()
        self.people.close()
        self.states.close()
        self.database.close()


class Stream:
    """An open event stream."""

    def __init__(self, client):
        self._answer = client.stream("GET", "/api/stream", timeout=20)
        self._lines = self._answer.__enter__().iter_lines()

    def next(self, name="now"):
        """Return the data of the next event of a name."""
        for line in self._lines:
            if line == f"event: {name}":
                return json.loads(next(self._lines).removeprefix("data: "))
        raise AssertionError("the stream has ended")

    def until(self, condition):
        """Return the first state of which something is so."""
        while not condition(now := self.next()):
            pass
        return now

    def close(self):
        self._answer.__exit__(None, None, None)
