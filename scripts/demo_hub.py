"""A hub's dashboard to look at, with made-up devices: what they say comes as a collector would store it. Part of ``scripts/screenshots``."""

from __future__ import annotations

import random
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from demo_home import WEEKEND, WORKDAY, week

from moodify.accounts.accounts import Accounts
from moodify.accounts.memory import MemoryAccounts
from moodify.accounts.passwords import Hasher
from moodify.cloud.keys import device_of, pem_of
from moodify.hub.api.app import create_api
from moodify.hub.cache import open_states
from moodify.hub.config import HubConfig
from moodify.hub.database import open_database
from moodify.hub.metrics import Metrics
from moodify.hub.people import ForPeople
from moodify.hub.port import Summary
from moodify.types import EventKind
from moodify.web.guard import Place
from moodify.web.server import HttpServer, Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Name, mood, what plays, and what is out of order with camera and speaker.
DEVICES: Final = (
    ("Living room", "happy", "Every Window Open", "Lantern Parade", None),
    ("Kitchen", "calm", "Lanterns on the Water", "Field of Eight", None),
    ("Studio", "surprised", "Strawberry Weather", "Juno Pell", ("speaker", "Spotify asks to be left alone for 2 min; what plays goes on.")),
    ("Bedroom", "calm", "Idle Loom", "Field of Eight", None),
    ("Hall", "happy", "Brass in the Driveway", "Marigold Motors", None),
    ("Attic", "sad", None, None, None),
)
AWAY: Final = "Attic"
_WELL: Final = {"ok": True, "reasons": [], "outbox": {"waiting": 0, "merged": 0, "lost": 0, "refused": 0}, "disk_free_mb": 21_400, "temperature_c": 50}


@contextmanager
def hub(folder: Path) -> Iterator[tuple[str, str]]:
    """Give the address of a dashboard that nobody owns yet, and its claim code."""
    database = open_database(f"sqlite:///{folder / 'hub.db'}")
    states = open_states(None, 86_400)
    connected: set[str] = set()
    accounts = Accounts(MemoryAccounts(), Hasher(), bytes(32), audience="moodify-hub")
    people = ForPeople(HubConfig(), database, states, lambda: frozenset(connected), accounts)
    app = create_api(
        database.registry,
        database.commands,
        database.events,
        states,
        gate_connected=lambda: frozenset(connected),
        admin_hashes=tuple,
        metrics=Metrics(),
        ready=dict,
        accounts=accounts,
        on_command=lambda: None,
        place=Place(),
        routers=people.routers,
    )

    def end_streams() -> None:
        people.end_streams()
        app.state.close()

    def say(device: str, name: str, value: dict[str, Any]) -> None:
        states.put(device, name, value, datetime.now(UTC))

    server = HttpServer(app, "127.0.0.1", 0, words=Words("API", "api_host", "api_port", "in hub.toml", "Start it again."), end_streams=end_streams)
    rng = random.Random(3)  # noqa: S311 - a made-up day
    now = datetime.now().astimezone()
    for number, (name, mood, title, artist, trouble) in enumerate(DEVICES):
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        device = database.registry.enrol(device_of(key), pem_of(key), datetime.now(UTC), name=name).id
        plan = (*(WORKDAY if number % 2 else WEEKEND), (22.7 - number / 4, "absent", 0))
        moods = [event for event in week(now, rng, days=2, plan=plan) if event.kind is EventKind.MOOD]
        items = tuple({"id": event.id, "kind": "mood", "at": event.at.astimezone(UTC).isoformat(), "data": dict(event.data)} for event in moods)
        database.intake.commit([Summary(device, "made-up", 1, items)], datetime.now(UTC))
        away = name == AWAY
        say(device, "status", {"state": "offline" if away else "online"})
        well = {"state": "ok", "message": "well"}
        parts = {"camera": well, "speaker": well} | ({trouble[0]: {"state": "degraded", "message": trouble[1]}} if trouble else {})
        say(device, "state", {**parts, "privacy": False, "version": "0.1.0"})
        say(device, "health", _WELL)
        if away:
            continue
        connected.add(device)
        since = (now - timedelta(minutes=12)).isoformat(timespec="seconds")
        felt = {"people": 2, "mood": mood, "since": since, "confidence": 0.9, "valence": 0.4, "arousal": 0.1, "override": None}
        say(
            device,
            "now",
            felt | {"playing": True, "title": title, "artist": artist, "next": None, "reason": f"Two people, {mood} for 12 min: {title!r}, from your playlist", "goal": "match"},
        )
    people.start()
    server.start()
    try:
        yield server.url, accounts.make_claim_code()
    finally:
        server.stop()
        people.close()
        states.close()
        database.close()
