"""mosquitto as a household may have set it up, for the tests of what only another configuration shows."""

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from moodify.cloud.port import Endpoint
from waiting import wait_until

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/sbin")


@dataclass
class Mosquitto:
    """One that runs."""

    process: subprocess.Popen
    log: Path
    endpoint: Endpoint | None


def start(configuration, folder, *, port=None, ready=None):
    """Start one in ``folder``; it listens on loopback at ``port``, or wherever ``ready`` (a socket) appears."""
    file, log = folder / "mosquitto.conf", folder / "mosquitto.log"
    user = f"user {'root' if os.geteuid() == 0 else 'mosquitto'}\n"
    file.write_text(user + "log_dest stderr\n" + configuration)
    with log.open("wb") as out:
        process = subprocess.Popen([PROGRAM, "-c", file.name], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)

    def listens():
        assert process.poll() is None, log.read_text()
        try:
            if ready is None:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            else:
                _connect(ready)
        except OSError:
            return False
        return True

    wait_until(listens, what="mosquitto")
    return Mosquitto(process, log, None if port is None else Endpoint("127.0.0.1", port, tls=False))


def _connect(path):
    """Raise OSError where nobody listens at a socket: its file is there a moment before."""
    folder = os.open(path.parent, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            # By the folder's handle: the path may be longer than the system call takes.
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def end(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
