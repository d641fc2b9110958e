"""Opens a hub in order, minds it, and closes it in reverse: the one module of the hub that knows every part."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from moodify.cloud.announcing import announce_hub
from moodify.cloud.port import Endpoint
from moodify.errors import MoodifyError, RetryLater
from moodify.files import write_private
from moodify.hub.api.admin import hash_of, new_token
from moodify.hub.api.app import create_api
from moodify.hub.beside import enrol_from, loopback_only
from moodify.hub.cache import open_states
from moodify.hub.certificate import server_context
from moodify.hub.collecting import CollectorThread
from moodify.hub.database import open_database
from moodify.hub.dispatch import Dispatcher
from moodify.hub.front import encryption_of, open_accounts, place_of, say_how_to_come_in
from moodify.hub.gate.server import Gate
from moodify.hub.metrics import Metrics
from moodify.hub.minding import BrokerKeeper, GateThread, deaths
from moodify.hub.mosquitto import Mosquitto
from moodify.hub.setup import certificate_files, database_target, refuse_half, shown_fingerprint
from moodify.hub.upkeep import Retention
from moodify.store.lock import FolderLock
from moodify.web.server import HttpServer, Words

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from moodify.accounts.accounts import Accounts
    from moodify.hub.config import HubConfig
    from moodify.hub.database import Database
    from moodify.hub.folder import HubFolder
    from moodify.hub.front import Encryption
    from moodify.hub.people import ForPeople
    from moodify.hub.port import States
    from moodify.system.notify import Notifier

logger = logging.getLogger(__name__)

_API: Final = Words("API", "api_host", "api_port", "in hub.toml", "Start the hub again.")
#: How often it is looked whether all parts live, in seconds.
_LOOK_S: Final = 1.0


class Part(Protocol):
    """What runs on a thread of its own."""

    @property
    def alive(self) -> bool:
        """Whether it runs; where one does not, the hub ends."""

    @property
    def trouble(self) -> str | None:
        """Why it can't do its work now; None while it can."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to the configuration."""

    beside: bool = False
    """Whether an appliance started it: loopback only."""
    enrol: Path | None = None
    """File with the public key of a device to let in."""


def serve(folder: HubFolder, config: HubConfig, options: Options, *, stop: threading.Event, notifier: Notifier) -> None:
    """Run a hub until ``stop`` is set.

    Raises:
        MoodifyError: a part can't be opened, or has ended by itself; the rest is closed.
    """
    if options.beside:
        config = loopback_only(config)
    with deaths() as died, ExitStack() as stack:
        _take(folder, stack)
        metrics = Metrics()
        database = stack.enter_context(open_database(database_target(folder, config)))
        if options.enrol is not None:
            enrol_from(options.enrol, database.registry)
        states = open_states(None if config.cache_url is None else config.cache_url.get_secret_value(), config.states_ttl_s)
        stack.callback(states.close)

        mosquitto = Mosquitto(folder.run, config.mosquitto)
        keeper = BrokerKeeper(mosquitto)
        stack.callback(keeper.close)
        keeper.start()
        gate = GateThread(lambda: _gate(folder, config, database, mosquitto))
        stack.callback(gate.close)
        gate.start()
        metrics.watch_gate(gate.gate.connected, lambda: gate.gate.counters)
        parts: dict[str, Part] = {"mosquitto": keeper, "gate": gate}
        for number in range(1, config.collectors + 1):
            parts[f"collector-{number}"] = collector = _collector(number, folder, config, database, states, metrics, gate)
            _start(stack, collector)
        parts["dispatcher"] = dispatcher = Dispatcher(lambda: _endpoint(folder), database.commands, metrics, connected=gate.gate.connected)
        _start(stack, dispatcher)

        stack.callback(folder.local.unlink, missing_ok=True)
        accounts, encryption = open_accounts(folder, database), encryption_of(folder, config)
        # A hub beside an appliance is the appliance's, and its dashboard nobody's.
        people = None if options.beside else _for_people(stack, config, database, states, gate, accounts)
        parts |= {} if people is None else {"alerts": people.watch, "alert-sender": people.sender}
        api = _api(folder, config, database, states, metrics, gate, dispatcher, parts, accounts, encryption, people)
        stack.callback(api.stop)
        api.start()
        if people is not None:
            say_how_to_come_in(accounts, api.url, encryption)
        _start(stack, Retention(database, config.retention_days))
        fingerprint = shown_fingerprint(folder, config)
        if config.announce and fingerprint is not None:
            stack.enter_context(announce_hub(config.host, gate.gate.port, socket.gethostname(), fingerprint))

        since = datetime.now(UTC)

        def publish() -> None:
            folder.publish(_address(folder, config, gate, api, mosquitto, since, encryption))

        stack.callback(notifier.stopping)
        stack.callback(folder.withdraw)
        publish()
        where = f"devices at {config.host} port {gate.gate.port} ({'TLS' if config.tls else 'not encrypted'}), API at {api.url}"
        logger.info("the hub is ready: %s", where)
        notifier.ready(where)
        _mind({name: lambda part=part: part.alive for name, part in parts.items()} | {"API": lambda: api.alive}, keeper, publish, stop, notifier, died)
        logger.info("the hub ends; events stored: %s, repeats absorbed: %s", *metrics.stored())


def _take(folder: HubFolder, stack: ExitStack) -> None:
    """Make the folder the hub's alone."""
    folder.make()
    stack.enter_context(FolderLock(folder.path, other="name another folder with --folder"))
    # One beside an appliance has no configuration that was looked at: what half a hub was told now, the next restore would take away.
    refuse_half(folder)
    folder.withdraw()


def _start(stack: ExitStack, part: CollectorThread | Dispatcher | Retention) -> None:
    stack.callback(part.close)
    part.start()


def _mind(alive: Mapping[str, Callable[[], bool]], keeper: BrokerKeeper, publish: Callable[[], None], stop: threading.Event, notifier: Notifier, died: Sequence[str] = ()) -> None:
    restarts = keeper.restarts
    look_s = min(_LOOK_S, (notifier.watchdog_s or 2 * _LOOK_S) / 2)
    while not stop.wait(look_s):
        for name in (*(name for name, lives in alive.items() if not lives()), *died):
            raise RetryLater(f"the hub's {name} has ended by itself, so the hub ends; its log says why. Start it again: moodify hub serve")
        if keeper.restarts != restarts:
            # It has another process id.
            restarts = keeper.restarts
            publish()
        notifier.alive()


def _gate(folder: HubFolder, config: HubConfig, database: Database, mosquitto: Mosquitto) -> Gate:
    files = certificate_files(folder, config)
    return Gate(
        database.registry,
        upstream=lambda: mosquitto.socket,
        host=config.host,
        port=config.port,
        ssl_context=None if files is None else server_context(*files),
        audience=config.audience,
        leeway_s=config.leeway_s,
        token_max_s=config.token_max_s,
        attempts_per_minute=config.attempts_per_minute,
        connections_max=config.connections_max,
    )


def _collector(number: int, folder: HubFolder, config: HubConfig, database: Database, states: States, metrics: Metrics, gate: GateThread) -> CollectorThread:
    return CollectorThread(
        lambda: _endpoint(folder),
        database.intake,
        database.commands,
        states if number == 1 else None,
        database.registry,
        metrics,
        name=f"collector-{number}",
        connected=gate.gate.connected,
        audience=config.audience,
        leeway_s=config.leeway_s,
    )


def _for_people(stack: ExitStack, config: HubConfig, database: Database, states: States, gate: GateThread, accounts: Accounts) -> ForPeople:
    # With what posts to webhooks 7 MB, which a hub beside an appliance does not need.
    from moodify.hub.people import ForPeople

    people = ForPeople(config, database, states, gate.gate.connected, accounts)
    stack.callback(people.close)
    people.start()
    return people


def _api(
    folder: HubFolder,
    config: HubConfig,
    database: Database,
    states: States,
    metrics: Metrics,
    gate: GateThread,
    dispatcher: Dispatcher,
    parts: Mapping[str, Part],
    accounts: Accounts,
    encryption: Encryption | None,
    people: ForPeople | None,
) -> HttpServer:
    local = new_token()
    write_private(folder.local, local.encode())
    app = create_api(
        database.registry,
        database.commands,
        database.events,
        states,
        gate_connected=gate.gate.connected,
        admin_hashes=lambda: _hashes(folder, hash_of(local)),
        metrics=metrics,
        ready=lambda: {"database": _trouble(database.check), **{name: part.trouble for name, part in parts.items()}},
        accounts=accounts,
        on_command=dispatcher.wake,
        place=place_of(config),
        routers=() if people is None else people.routers,
    )

    def end_streams() -> None:
        if people is not None:
            people.end_streams()
        app.state.close()

    return HttpServer(app, config.api_host, config.api_port, words=_API, end_streams=end_streams, tls=None if encryption is None else encryption.context)


def _endpoint(folder: HubFolder) -> Endpoint:
    return Endpoint("", 0, tls=False, socket=folder.socket)


def _hashes(folder: HubFolder, local: str) -> tuple[str, ...]:
    """Return what the tokens that may ask the API are known by: the admin's, read anew so that another one counts at once, and the one of who can read the hub's folder."""
    try:
        admin = folder.admin.read_text("ascii").strip()
    except FileNotFoundError:
        # A hub beside an appliance has none.
        return (local,)
    return admin, local


def _address(folder: HubFolder, config: HubConfig, gate: GateThread, api: HttpServer, mosquitto: Mosquitto, since: datetime, encryption: Encryption | None) -> Mapping[str, Any]:
    return {
        "mqtt": {"host": config.host, "port": gate.gate.port, "tls": config.tls},
        "api": {"host": config.api_host, "port": api.port, "certificate": None if encryption is None else str(encryption.certificate)},
        "socket": str(folder.socket),
        "processes": {"hub": os.getpid(), "mosquitto": mosquitto.pid},
        "since": since.isoformat(timespec="seconds"),
    }


def _trouble(check: Callable[[], object]) -> str | None:
    try:
        check()
    except MoodifyError as error:
        return str(error)
    return None
