"""The mosquitto behind the gate: its configuration and its process.

It listens on a unix socket in a folder that only its owner may enter, and on no port. Whoever reaches that socket is
believed: user names are roles that keep parties apart. :data:`HUB` reads what devices say and speaks to them, :data:`OBSERVER`
only reads, and any other name is a device's id, for which the gate vouches: it writes the topics of docs/mqtt.md below its own ``up/`` and reads below its own ``down/``.

Nothing is kept on disk. Summaries are offered again until they are committed, commands until they are answered, and
retained states come again with each connect; so an SD card lives longer, and nothing is lost when mosquitto is killed.
"""

from __future__ import annotations

import logging
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from moodify.cloud.topics import PREFIX, STATES
from moodify.errors import LinkDown, PersonMustAct
from moodify.files import write_private
from moodify.hub.open_files import allow_open_files

if TYPE_CHECKING:
    from io import TextIOWrapper
    from types import TracebackType

logger = logging.getLogger(__name__)

#: The user that reads what devices say and speaks to them.
HUB = "hub"
#: The user that reads what devices say.
OBSERVER = "observer"
#: Largest packet that is taken, in bytes: the largest summary (256 kB) with what goes around it. CONNACK tells it to devices.
PACKET_AT_MOST = 272 * 1024
#: Longest wait for mosquitto to listen, and to end, in seconds.
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 2.0
#: Size at which the log begins anew, in bytes; the one before is kept as ``mosquitto.log.1``.
LOG_AT_MOST = 128 * 1024
#: Open files that it may have, where the system lets it.
_FILES = 110_000
#: Longest address of a unix socket on Linux, in bytes (unix(7): 108 with the closing zero).
_ADDRESS_AT_MOST = 107
#: Name of the socket in the folder.
SOCKET = "mosquitto.sock"
_CONFIGURATION, _ACCESS, _LOG = "mosquitto.conf", "mosquitto.acl", "mosquitto.log"

_STATE_RULES = "".join(f"topic write {PREFIX}/+/up/{state}\n" for state in STATES)
# The hub clears the states of a device that was revoked.
_ACCESS_RULES = f"""\
{"".join(f"pattern write {PREFIX}/%u/up/{topic}" + chr(10) for topic in ("ev", "key", "erase", "res/+", *STATES))}\
pattern read {PREFIX}/%u/down/#

user {HUB}
topic deny {PREFIX}/{HUB}/#
topic read {PREFIX}/+/up/#
topic write {PREFIX}/+/down/#
{_STATE_RULES}\

user {OBSERVER}
topic deny {PREFIX}/{OBSERVER}/#
topic read {PREFIX}/+/up/#
"""

# A user is named for when root starts it: its own user could not enter our folder.
# per_listener_settings is left out: with it mosquitto 2.0.21 sends no delayed will and keeps nothing for clients that are away.
# No option of a listener may stand before the first listener line: it would open port 1883 everywhere.
# In flight: a batch of the collector's, which acknowledges when it is committed; a device caps itself at less.
# Queued: what 500 devices may have offered (100 each) while the collector waits for its database; what no longer fits is offered
# again by the device. Topics have no aliases: the gate looks at their names. Of quality of service 2 it would keep 500 large messages
# for whoever never finishes them. A keep-alive of 0 would let a device that has vanished be "online" for as long as its token is good.
_SETTINGS = """\
user {user}
log_dest stderr
log_type error
log_type warning
persistence false
sys_interval 0
max_packet_size {packet}
max_inflight_messages 500
max_queued_messages 50000
max_queued_bytes 67108864
memory_limit {memory}
max_keepalive 300
max_topic_alias 0
persistent_client_expiration 1d
acl_file {access}
allow_anonymous true
listener 0 {socket}
max_qos 1
"""


class Mosquitto:
    """Starts mosquitto in a folder and ends it with :meth:`close`.

    Every call but :attr:`alive`, :attr:`socket` and :meth:`wait` belongs to one thread at a time. Only one process may use a folder.
    """

    def __init__(self, run: Path, program: str = "mosquitto", *, memory_bytes: int = 256 * 1024 * 1024) -> None:
        """Take the folder for its socket, configuration and log, the program's name, and how much memory it may take."""
        self._run = run.absolute()
        self._program = program
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: int | None = None
        self._scribe: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        process = self._process
        return process is not None and process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process id, None before the first start and after the end."""
        process = self._process
        return None if process is None else process.pid

    @property
    def socket(self) -> Path:
        """Where it listens, short enough for a socket's address; good while this process lives and it is not closed."""
        path = self._run / SOCKET
        if len(os.fsencode(path)) <= _ADDRESS_AT_MOST or self._folder is None:
            return path
        return Path(f"/proc/{os.getpid()}/fd/{self._folder}/{SOCKET}")

    def start(self) -> None:
        """Start it, or start it anew where it has ended; return when it listens.

        Raises:
            LinkDown: it did not come up.
            PersonMustAct: mosquitto is not installed, or the folder cannot be written.
        """
        if self.alive:
            return
        self.close()
        # Debian keeps it where a person's PATH does not look.
        program = shutil.which(self._program) or shutil.which(self._program, path="/usr/sbin:/usr/local/sbin:/sbin")
        if program is None:
            raise PersonMustAct("mosquitto is not installed; run: sudo apt install mosquitto")
        try:
            self._run.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._run.chmod(0o700)
            end_left_behind(self._run / _CONFIGURATION)
            self._folder = os.open(self._run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._launch(program)
            came_up = self._came_up()
        except OSError as error:
            self.close()
            raise PersonMustAct(f"the hub's broker cannot start: {error}; give {self._run} to the user that runs the hub") from error
        if not came_up:
            self.close()
            raise LinkDown(f"the hub's broker did not start; {self._run / _LOG} says: {self._last_words()}")

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended, at most ``timeout_s``, and return whether it has; True where it never started."""
        process = self._process
        if process is None:
            return True
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

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
        scribe, self._scribe = self._scribe, None
        if scribe is not None:
            scribe.join()
        folder, self._folder = self._folder, None
        if folder is not None:
            os.close(folder)

    def __enter__(self) -> Self:
        """Return self; it is not started."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End it."""
        self.close()

    def _launch(self, program: str) -> None:
        write_private(self._run / _ACCESS, _ACCESS_RULES.encode())
        # Names are relative: it starts in the folder, whose own name may be longer than a socket's address or hold any character.
        settings = _SETTINGS.format(user="root" if os.geteuid() == 0 else "mosquitto", packet=PACKET_AT_MOST, memory=self._memory_bytes, access=_ACCESS, socket=SOCKET)
        write_private(self._run / _CONFIGURATION, settings.encode())
        (self._run / SOCKET).unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [program, "-c", str(self._run / _CONFIGURATION)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C is for the hub, which ends its connections first.
            start_new_session=True,
            cwd=self._run,
            # That the service is ready is the hub's to say; mosquitto would tell systemd too.
            env={name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"},
        )
        assert self._process.stdout is not None  # noqa: S101 - it was asked for above
        self._scribe = threading.Thread(target=_write_log, args=(self._process.stdout, self._run / _LOG), name="mosquitto-log", daemon=True)
        self._scribe.start()
        # Each device is one.
        allow_open_files(_FILES, pid=self._process.pid)

    def _came_up(self) -> bool:
        until_s = time.monotonic() + START_TIMEOUT_S
        while self.alive and time.monotonic() < until_s:
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(str(self.socket))
                except OSError:
                    time.sleep(0.01)
                else:
                    return True
        return False

    def _last_words(self) -> str:
        lines = (self._run / _LOG).read_text(errors="replace").strip().splitlines() if (self._run / _LOG).exists() else []
        return lines[-1] if lines else "nothing"


class _PrivateLog(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return super()._open()


def _write_log(lines: IO[bytes], path: Path) -> None:
    # mosquitto itself would write on for ever, or refuse a client's connection for want of room.
    handler = _PrivateLog(path, maxBytes=LOG_AT_MOST, backupCount=1, encoding="utf-8", errors="replace", delay=True)
    with lines:
        for line in lines:
            handler.handle(logging.makeLogRecord({"msg": line.decode(errors="replace").rstrip()}))
    handler.close()


def end_left_behind(configuration: Path) -> None:
    """End every mosquitto of this machine that was started with exactly this configuration file, and no other.

    It looks at the processes themselves: a note of the process id could be missing when the hub is
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
    ended = select.poll()
    ended.register(handle, select.POLLIN)
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return
        if ended.poll(STOP_TIMEOUT_S * 1000):
            return
