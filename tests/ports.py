"""Ports for who has to know theirs before they listen there."""

import errno
import secrets
import socket
from pathlib import Path

#: Of these the system gives some to whoever lets it choose, and to each connection that goes out.
_CHOSEN_BY_THE_SYSTEM = Path("/proc/sys/net/ipv4/ip_local_port_range")
#: Below are the ones that Moodify has by default.
_LOWEST = 20_000


def free_port(host="127.0.0.1"):
    """Return a port that nobody listens at, and that the system gives to nobody: one that it chose could be another's by the time that somebody listens there."""
    beyond = int(_CHOSEN_BY_THE_SYSTEM.read_text().split()[0])
    for _ in range(1000):
        with socket.socket() as probe:
            try:
                probe.bind((host, _LOWEST + secrets.randbelow(beyond - _LOWEST) if beyond > _LOWEST else 0))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return probe.getsockname()[1]
    raise AssertionError(f"no port below {beyond} is free")
