"""A mosquitto of the appliance's own, on loopback, for a home without a broker.

It listens on 127.0.0.1 only and asks for no password: its user names are roles that keep parties apart,
not a protection from other programs of the same machine. A device's name may write below its own ``up/``
and read below its own ``down/``; ``observer`` reads every ``up/``; ``household`` also sends commands, of which a
device carries out those that its owner allows. Neither speaks as a device.
:data:`ADDRESS_FILE` in the state folder says where it listens.
"""

from __future__ import annotations

import json
import logging
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from moodify.cloud.port import Endpoint
from moodify.errors import LinkDown, PersonMustAct
from moodify.files import write_private

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
#: Says, in the state folder, where it listens: ``{"host": …, "port": …}``.
ADDRESS_FILE = "broker.json"
#: Name of the user that reads what every device sends.
OBSERVER = "observer"
#: Longest wait for mosquitto to listen, and to end, in seconds.
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 2.0
#: Longest wait for one left behind to write what it keeps: nothing hurries then.
SAVE_TIMEOUT_S = 10.0
_TRIES = 5

_ACCESS = """\
pattern write moodify/v1/%u/up/#
pattern read moodify/v1/%u/down/#

user observer
topic deny moodify/v1/observer/#
topic read moodify/v1/+/up/#

user household
topic deny moodify/v1/household/#
topic read moodify/v1/+/up/#
topic write moodify/v1/+/down/cmd/+
"""

# A user is named for when root starts it: its own user could not write to our folder.
# per_listener_settings is left out: with it mosquitto 2.0.21 sends no delayed will and keeps nothing for clients that are away.
# What it keeps on disk is its clients' sessions, and what waits there for one that is away; events themselves are in the
# device's database, and the outbox holds them until they are acknowledged. It is written when it is ended by SIGTERM, so also
# when one left behind is, and every five minutes, not at each change: this is an SD card. A power cut, or a broker that is
# killed, costs a client that was away what came for it since, and one that is new its session.
_CONFIGURATION = """\
user {user}
log_dest stderr
log_type error
log_type warning
persistence true
persistence_location {state}/
autosave_on_changes false
autosave_interval 300
max_queued_messages 20000
listener {port} {host}
socket_domain ipv4
allow_anonymous true
acl_file {access}
"""


class PrivateBroker:
    """Starts mosquitto when it is asked where it listens, and ends it with :meth:`close`.

    Every call belongs to one thread at a time. Only one process may use a state folder.
    """

    def __init__(self, state: Path, runtime: Path, *, program: str = "mosquitto") -> None:
        """Take the folders for what it keeps and for its configuration, and the program's name."""
        self._state = state.absolute()
        self._runtime = runtime.absolute()
        self._program = program
        self._file = self._state / ADDRESS_FILE
        self._configuration = self._runtime / "mosquitto.conf"
        self._log = self._runtime / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def endpoint(self) -> Endpoint:
        """Return where it listens, starting it where it does not run.

        Raises:
            LinkDown: it did not come up.
            PersonMustAct: mosquitto is not installed, or a folder cannot be written.
        """
        if self._process is None or self._process.poll() is not None:
            self._start()
        return Endpoint(HOST, self._port, tls=False)

    def close(self) -> None:
        """End it; safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End it."""
        self.close()

    def _start(self) -> None:
        # Debian keeps it where a person's PATH does not look.
        program = shutil.which(self._program) or shutil.which(self._program, path="/usr/sbin:/usr/local/sbin:/sbin")
        if program is None:
            raise PersonMustAct("mosquitto is not installed; run: sudo apt install mosquitto, or set [link] host to a broker of yours")
        try:
            for folder in (self._runtime, self._state / "broker"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            end_left_behind(self._configuration)
            for attempt in range(_TRIES):
                self._port = self._choose_port(again=attempt > 0)
                if self._came_up(program):
                    self._publish_address()
                    return
        except OSError as error:
            raise PersonMustAct(f"the private broker cannot start: {error}; give {self._state} and {self._runtime} to the user that runs Moodify") from error
        raise LinkDown(f"the private broker did not start; {self._log} says: {self._last_words()}")

    def _choose_port(self, *, again: bool) -> int:
        wanted = 0
        if not again and self._file.exists():
            try:
                wanted = int(json.loads(self._file.read_bytes())["port"])
            except (ValueError, KeyError, TypeError):
                logger.warning("%s is damaged: another port is chosen", self._file)
        for port in (wanted, 0):
            with socket.socket() as probe:
                # As mosquitto does: connections of its predecessor that still linger are no obstacle.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError:
                    continue
                return int(probe.getsockname()[1])
        raise OSError("no port is free")

    def _came_up(self, program: str) -> bool:
        access = self._runtime / "mosquitto.acl"
        access.write_text(_ACCESS)
        access.chmod(0o600)
        self._configuration.write_text(
            _CONFIGURATION.format(user="root" if os.geteuid() == 0 else "mosquitto", state=self._state / "broker", port=self._port, host=HOST, access=access)
        )
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C is for the daemon, which says goodbye to the broker first.
            self._process = subprocess.Popen(
                [program, "-c", str(self._configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._runtime,
                # That the service is ready is the daemon's to say; mosquitto would tell systemd too.
                env={name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"},
            )
        until_s = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < until_s:
            try:
                socket.create_connection((HOST, self._port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                # Somebody answers; it is ours if it did not end for want of the port.
                return self._process.poll() is None
        self.close()
        return False

    def _publish_address(self) -> None:
        write_private(self._file, json.dumps({"host": HOST, "port": self._port}).encode() + b"\n")

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.exists() else []
        return lines[-1] if lines else "nothing"


def end_left_behind(configuration: Path) -> None:
    """End every mosquitto of this machine that was started with exactly this configuration file, and no other.

    It looks at the processes themselves: a note of the process id could be missing when the daemon is
    killed before it is written, or name a stranger after a reboot.
    """
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                handle = os.pidfd_open(int(entry.name))
            except OSError:
                continue
            try:
                # The handle first, then the look: it cannot come to mean another process in between.
                if _is_ours(entry, configuration):
                    logger.info("ending the broker that was left behind (process %s)", entry.name)
                    _end(handle)
            finally:
                os.close(handle)


def _is_ours(process: Path, configuration: Path) -> bool:
    try:
        arguments = process.joinpath("cmdline").read_bytes().split(b"\0")
        # The processes of a container and of a chroot are seen from its host, and may use the same path for another file.
        same_house = process.joinpath("ns/pid").readlink() == Path("/proc/self/ns/pid").readlink() and process.joinpath("root").samefile("/proc/self/root")
    except OSError:
        return False
    return same_house and Path(os.fsdecode(arguments[0])).name == "mosquitto" and os.fsencode(configuration) in arguments


def _end(handle: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return
        ended, _, _ = select.select([handle], [], [], SAVE_TIMEOUT_S)
        if ended:
            return
