"""A household's own broker that runs, and who listens there: for the tests on both of its sides.

It asks for no password: its user names are roles, as an owner would set them up with passwords. A device's name may write below its
own ``up/`` and read below its own ``down/``; ``observer`` reads every ``up/``; ``household`` also sends commands.
"""

import os
import shutil
import socket
import subprocess

from moodify.cloud.port import Credentials, Endpoint
from ports import free_port
from waiting import wait_until

OBSERVER = Credentials("observer", None)
HOST = "127.0.0.1"

_ACCESS = """\
pattern write moodify/v1/%u/up/#
pattern read moodify/v1/%u/down/#

user observer
topic read moodify/v1/+/up/#

user household
topic read moodify/v1/+/up/#
topic write moodify/v1/+/down/cmd/+
topic readwrite homeassistant/#

pattern readwrite homeassistant/device/%u/config
pattern read homeassistant/status
"""

_CONFIGURATION = """\
user {user}
log_dest stderr
log_type error
log_type warning
persistence true
persistence_location {state}/
autosave_interval 300
max_queued_messages 20000
listener {port} 127.0.0.1
socket_domain ipv4
allow_anonymous true
acl_file {access}
"""


class Broker:
    """Starts mosquitto when it is asked where it listens, on the same port each time, and ends it with :meth:`close`."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self._port = 0

    def endpoint(self):
        if self.process is None or self.process.poll() is not None:
            self._start()
        return Endpoint(HOST, self._port, tls=False)

    def _start(self):
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        self._port = self._port or free_port(HOST)
        access = self.folder / "mosquitto.acl"
        access.write_text(_ACCESS)
        access.chmod(0o600)
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(_CONFIGURATION.format(user="root" if os.geteuid() == 0 else "mosquitto", state=state, port=self._port, access=access))
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([program, "-c", str(configuration)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._answers, what=lambda: f"the broker; it said: {(self.folder / 'mosquitto.log').read_text()}")

    def _answers(self):
        try:
            socket.create_connection((HOST, self._port), timeout=1).close()
        except OSError:
            return False
        return True

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def __enter__(self):
        self.endpoint()
        return self

    def __exit__(self, *_):
        self.close()


def running_broker(folder):
    """Give a broker that listens for as long as a ``with`` lasts, with all that is its own below ``folder``."""
    return Broker(folder / "broker")


def subscribed(listener):
    """Return a listener once it hears what is sent; there must be nothing to hear yet."""

    def listening():
        assert listener.poll(0.02) == []
        return listener.subscribed

    wait_until(listening, what="the subscription")
    return listener
