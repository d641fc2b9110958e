"""The way to a hub of its own: the network down, flapping, slow and silent; DNS gone; a stranger who answers; a device that is shut out."""

from __future__ import annotations

import re
import socket
import sqlite3
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from cutter import Cutter

from faults_week.fault import Fault, Group, Outcome
from faults_week.house import PATIENCE_S, House
from faults_week.names import NAMES
from faults_week.promises import events_lost
from hub_process import HubProcess, made_hub
from moodify.cloud.identity import load_or_make
from moodify.daemon.places import DEVICE_KEY
from moodify.hub.database import open_database
from tls import make_certificate, tls_server
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HUB = "hub.moodify.test"
#: An outage lasts so long, in seconds; while it does, people go on pressing.
OUTAGE_S = 4.0
#: The unit's TimeoutStopSec, in seconds: a service manager kills what takes longer to end.
STOP_S = 15.0
HUB_OWNER = "the hub's owner"


class LinkedHouse(House):
    """A house whose appliance sends its summaries over TLS to a hub of its own, which it knows by name, by a way that can be cut, held and slowed."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        """Make the hub, let the device in, and begin to serve; :meth:`start` switches the appliance on."""
        self.hub_home, self.hub_folder = folder / "hub-home", folder / "hub-home" / "hub"
        self.hub_home.mkdir(parents=True)
        made_hub(self.hub_home, self.hub_folder)
        make_certificate(self.hub_folder, names=(HUB,))
        self.start_hub()
        self.cutter = Cutter(self._hub_port)
        self.names = folder / "names"
        self.find()
        ca = self.hub_folder / "certificate.pem"
        link = f'[link]\nhost = "{HUB}"\nport = {self.cutter.port}\nca_file = "{ca}"\ndelivery = "hub"\nkeepalive_s = 5\n'
        super().__init__(folder, toml=link, environment={NAMES: str(self.names), **(environment or {})})
        self._closing.callback(self._end_hub)
        self._closing.callback(self.cutter.close)
        identity = load_or_make(self.data / DEVICE_KEY)
        self.device = identity.device
        self._let_in(identity.public_pem)

    def _end_hub(self) -> None:
        # Another one by then, where that was a fault.
        self.hub.__exit__()

    def _let_in(self, public_pem: Any) -> None:
        with open_database(self.hub_folder / "hub.db") as database:
            database.registry.enrol(self.device, public_pem, datetime.now(UTC))

    def _hub_port(self) -> int:
        try:
            port: int = self.hub.address["mqtt"]["port"]
        except (OSError, ValueError) as error:
            raise OSError("the hub is away") from error
        return port

    @property
    def hub_database(self) -> Path:
        """That of the hub."""
        return self.hub_folder / "hub.db"

    def broken(self) -> list[str]:
        """Return which promises were not kept; what has left the outbox must be at the hub."""
        return list(dict.fromkeys([*super().broken(), *events_lost(self.acknowledged(), self.databases(), self.hub_database)]))

    # -- what breaks

    def lose(self) -> None:
        """Let DNS answer no more."""
        self.names.write_text("", "ascii")

    def find(self) -> None:
        """Let DNS answer."""
        self.names.write_text(f"{HUB} 127.0.0.1\n", "ascii")

    @contextmanager
    def without_network(self) -> Iterator[None]:
        """Cut what goes through the network, and let nothing in, as long as a ``with`` lasts."""
        target = self.cutter.target

        def nowhere() -> int:
            raise OSError("the network is down")

        self.cutter.target = nowhere
        self.cutter.cut()
        yield
        self.cutter.target = target

    def mosquitto(self) -> int:
        """Return the process id of the hub's broker."""
        pid: int = self.hub.address["processes"]["mosquitto"]
        return pid

    def start_hub(self) -> None:
        """Start the hub."""
        self.hub = HubProcess(self.hub_home, self.hub_folder)

    # -- what is to be seen

    def link(self, words: str, *states: str) -> str:
        """Wait until the link's part says something; return all of it."""
        now = self.await_now(lambda now: words in now["link"]["message"] and (not states or now["link"]["state"] in states), f"{words!r} of the link")
        message: str = now["link"]["message"]
        return message

    def waiting(self) -> int:
        """Return how many summaries wait to be sent."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=20)) as connection:
            count: int = connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
            return count

    def until_arrived(self) -> float:
        """Return the seconds until the link is up and everything has arrived."""
        began_s = time.monotonic()
        self.await_well()
        wait_until(lambda: self.waiting() == 0, within_s=PATIENCE_S, every_s=0.05, what=lambda: f"an empty outbox; {self.waiting()} wait, {self.now()['link']}")
        return round(time.monotonic() - began_s, 1)

    def afresh(self) -> None:
        """Switch the appliance off and on: what it waits after a failure grows with those before, until a connection has lasted for half a minute."""
        self.stop()
        self.started()

    def something_happens(self) -> None:
        """Press until something new is kept."""
        before = len(self.appliance.events)
        self.press()
        wait_until(lambda: len(self.appliance.events) > before, within_s=PATIENCE_S, what="an event")

    def __enter__(self) -> Self:
        """Switch it on, with music that somebody asked for."""
        super().__enter__()
        self.play()
        return self


def lasting(house: LinkedHouse, words: str, *states: str) -> str:
    """Let an outage last for a while, in which things happen; return what the link says."""
    until_s = time.monotonic() + OUTAGE_S
    seen = house.link(words, *states)
    while time.monotonic() < until_s:
        house.something_happens()
        time.sleep(0.3)
    return seen


def _network_down(house: LinkedHouse) -> Outcome:
    house.afresh()
    with house.without_network():
        seen = lasting(house, "", "degraded")
    return Outcome(seen, house.until_arrived())


def _flapping(house: LinkedHouse) -> Outcome:
    house.afresh()
    for number in range(20):
        house.cutter.cut()
        if number % 4 == 0:
            house.something_happens()
        time.sleep(0.25)
    seen = house.seen("link", state="degraded")
    return Outcome(seen, house.until_arrived())


def _slow(house: LinkedHouse) -> Outcome:
    house.afresh()
    house.cutter.delay_s = 0.5
    began_s = time.monotonic()
    for _ in range(5):
        house.something_happens()
    wait_until(lambda: house.waiting() == 0, within_s=PATIENCE_S, every_s=0.05, what="an empty outbox although each byte takes its time")
    took_s = time.monotonic() - began_s
    assert took_s >= house.cutter.delay_s, "the network was not slow"
    assert house.now()["link"]["state"] == "ok", house.now()["link"]
    # Also one that is made anew: TLS, CONNECT, all the words.
    house.cutter.cut()
    house.link("", "degraded")
    house.link("connected", "ok")
    house.cutter.delay_s = 0.0
    return Outcome(f"connected; summaries took {took_s:.0f} s", house.until_arrived())


def _silent(house: LinkedHouse) -> Outcome:
    house.afresh()
    house.cutter.hold()
    house.something_happens()
    seen = house.link("", "degraded")
    house.cutter.let_go()
    return Outcome(seen, house.until_arrived())


def _no_dns(house: LinkedHouse) -> Outcome:
    house.afresh()
    house.lose()
    house.cutter.cut()
    seen = lasting(house, "name resolution", "degraded")
    house.find()
    return Outcome(seen, house.until_arrived())


def _slow_dns(house: LinkedHouse) -> Outcome:
    house.afresh()
    house.names.write_text("slow\n", "ascii")
    house.cutter.cut()
    seen = lasting(house, "", "degraded")
    began_s = time.monotonic()
    assert house.stop() == 0, "it did not end well"
    took_s = time.monotonic() - began_s
    assert took_s < STOP_S, f"it took {took_s:.0f} s to end: a service manager would kill it"
    house.find()
    house.start()
    return Outcome(f"{seen}; asked to end meanwhile it does so in {took_s:.0f} s", house.until_arrived())


def _a_stranger(house: LinkedHouse) -> Outcome:
    house.afresh()
    files = make_certificate(house.hub_home / "stranger", names=(HUB,))
    said: list[bytes] = []
    target = house.cutter.target
    with tls_server(files, said=said) as port:
        house.cutter.target = lambda: port
        house.cutter.cut()
        seen = house.link("certificate", "broken")
        house.cutter.target = target
        house.cutter.cut()
    assert not said, "a stranger was told something"
    return Outcome(seen, house.until_arrived(), "nobody, where it was a stranger; else the owner names its certificate")


def _shut_out(house: LinkedHouse) -> Outcome:
    house.afresh()
    with open_database(house.hub_database) as database:
        database.registry.revoke(house.device, datetime.now(UTC))
    seen = house.link("", "broken")
    house.something_happens()
    house._let_in(load_or_make(house.data / DEVICE_KEY).public_pem)  # noqa: SLF001 - as at the beginning
    return Outcome(seen, house.until_arrived(), f"{HUB_OWNER}: moodify hub enroll")


def _another_port(house: LinkedHouse) -> Outcome:
    """Somebody else listens where the hub was: no MQTT at all."""
    house.afresh()
    target = house.cutter.target
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        house.cutter.target = lambda: nobody.getsockname()[1]
        house.cutter.cut()
        seen = house.link("cannot be reached", "degraded")
        assert not re.search(r"Traceback|Error\(", seen), seen
        house.cutter.target = target
        house.cutter.cut()
    return Outcome(seen, house.until_arrived())


GROUP = Group(
    "link",
    LinkedHouse,
    (
        Fault("network down", _network_down),
        Fault("flapping", _flapping),
        Fault("slow network", _slow),
        Fault("silent network", _silent),
        Fault("DNS gone", _no_dns),
        Fault("DNS slow to fail", _slow_dns),
        Fault("a stranger answers", _a_stranger),
        Fault("something else than a broker answers", _another_port),
        Fault("shut out", _shut_out),
    ),
)
