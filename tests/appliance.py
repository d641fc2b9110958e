"""The appliance as a process of its own, for the tests that run it as a household does."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from moodify.config.load import SYSTEM_FILE
from moodify.daemon.hub_beside import FOLDER
from moodify.errors import RetryLater
from moodify.hub.database import open_database
from processes import open_files
from signed_in import Page
from waiting import wait_until

START_S = 60.0
END_S = 60.0


def environment_of(home):
    """Return the environment of somebody whose home is ``home``."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV"}}
    if SYSTEM_FILE.exists():
        # Where an appliance is installed, its configuration comes before the home's and would lead to its data.
        own = home / ".config" / "moodify" / "moodify.toml"
        kept["MOODIFY_CONFIG"] = str(own if own.exists() else os.devnull)
    return kept | {"HOME": str(home), "PYTHONUTF8": "1"}


def data_folder(home):
    return home / ".local" / "share" / "moodify"


def configure(home, toml=""):
    """Write a home's configuration; the page takes any free port, for several tests may run at once."""
    file = home / ".config" / "moodify" / "moodify.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = toml if "[web]" in toml else f"{toml}\n[web]\nport = 0\n"
    file.write_text(text, "utf-8")
    return file


def moodify(home, *arguments, timeout_s=60.0, **options):
    """Run a command to its end."""
    given = {"cwd": home, "env": environment_of(home), "capture_output": True, "text": True, "timeout": timeout_s, "stdin": subprocess.DEVNULL}
    return subprocess.run([sys.executable, "-m", "moodify", *map(str, arguments)], check=False, **(given | options))


class Appliance:
    """``moodify run --events -``; everything it prints is kept, and nothing of it is left behind at the end of a ``with``."""

    def __init__(self, home, *arguments, toml="", stdin=subprocess.DEVNULL, environment=None, before=(), module="moodify"):
        self.home = home
        self.log_file = home / "log"
        configure(home, toml)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", module, "run", "--events", "-", *map(str, arguments)],
                cwd=home,
                env=environment_of(home) | (environment or {}),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.events = []
        self._signed_in = None
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            # The last line of a killed process may be half of one.
            if line.endswith("\n"):
                with self._news:
                    self.events.append(json.loads(line))
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def log(self):
        return self.log_file.read_text("utf-8", errors="replace")

    def of(self, kind):
        return [event for event in self.events if event["kind"] == kind]

    def wait_for(self, kind, timeout_s=START_S, after=0, **data):
        """Return the first event of a kind whose data hold these values, looking from number ``after`` on."""

        def found():
            return next((event for event in self.events[after:] if event["kind"] == kind and data.items() <= event["data"].items()), None)

        with self._news:
            self._news.wait_for(lambda: found() is not None or not self._reader.is_alive(), timeout_s)
            assert found() is not None, f"no {kind} with {data} in {timeout_s} s; events: {self.events}; log: {self.log}"
            return found()

    @property
    def page(self):
        """Where its page is."""
        return wait_until(
            lambda: re.findall(r"The page is on (https?://\S+)", self.log), within_s=START_S, what=lambda: f"the page (exit code {self.process.poll()}; log: {self.log[-3000:]})"
        )[-1]

    @property
    def signed_in(self):
        """Its page, signed in to as the owner."""
        if self._signed_in is None:
            self._signed_in = Page(self.page, lambda: self.log)
        return self._signed_in

    def ask(self, path, method="GET", body=None):
        """Ask its page, as its owner; return the answer's JSON."""
        return self.signed_in.ask(path, method, body)

    def wait(self, timeout_s=END_S):
        """Wait for its end; return the exit code."""
        code = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

    def end(self, number=signal.SIGINT, timeout_s=END_S):
        """Ask it to end; return the exit code."""
        self.process.send_signal(number)
        return self.wait(timeout_s)

    def kill(self):
        """Kill it; what it had started is left behind."""
        self.process.kill()
        self.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        self.wait()
        self.process.stdout.close()
        # A hub whose appliance was killed ends by itself, and its mosquitto with it.
        wait_until(lambda: not hubs_of(self.home), within_s=END_S, what="the end of the hub beside the appliance")


class Subscriber:
    """Reads on a thread of its own what the hub beside a home's appliance stores: ``heard`` grows by each event, in the order of storing."""

    def __init__(self, home):
        self.file = data_folder(home) / FOLDER / "hub.db"
        self.heard = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        database, after = open_database(f"sqlite:///{self.file}"), 0
        while not self._closing.wait(0.1):
            try:
                page = database.events.events(after=after, limit=500)
            except RetryLater:
                continue
            self.heard += page
            after = page[-1].n if page else after
        database.close()

    def __enter__(self):
        wait_until(lambda: hubs_of(self.file.parents[4]) and (self.file.parent / "run" / "address.json").exists(), within_s=START_S, what="the hub beside the appliance")
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._thread.join(END_S)


def as_printed(stored):
    """Return a stored event as ``--events`` prints it."""
    return {"id": stored.id, "kind": stored.kind, "at": stored.at.isoformat(timespec="milliseconds"), "data": stored.data}


def hubs_of(home):
    """Return the process ids of the hub beside a home's appliance and of its mosquitto."""
    folder = data_folder(home) / FOLDER
    return [pid for pid, arguments in _processes() if os.fsencode(folder) in arguments or any(argument.startswith(os.fsencode(folder / "run")) for argument in arguments)]


def _processes():
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), entry.joinpath("cmdline").read_bytes().split(b"\0")
            except OSError:
                continue


def tree_of(pid):
    """Return a process and all that it has started."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            # A thread may end meanwhile.
            with contextlib.suppress(OSError):
                found += [int(child) for child in task.read_text().split()]
    return found


def listening_on(pids):
    """Return the addresses that processes listen on (TCP) or are bound to (UDP): (address, port)."""
    inodes = {name[8:-1] for name, _ in open_files(pids) if name.startswith("socket:[")}
    found = set()
    for name, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", None), ("udp6", None)):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[9] in inodes and state in {None, words[3]}:
                address, port = words[1].split(":")
                raw = b"".join(bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8))
                found.add((socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw), int(port, 16)))
    return found
