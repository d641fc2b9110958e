"""What the machine answers in this process: a resolver that goes by a file, and whether the network has set the clock.

Each line of the file is a name and its address. A name below ``.test`` (RFC 6761: no resolver knows one) that is not in it can't be looked up
now, as where no DNS server answers; with a line ``slow`` that takes as long as it does then.

The clock counts as set by the network while a file is there.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from moodify.system import trust

if TYPE_CHECKING:
    from pathlib import Path

#: In the environment: the files.
NAMES, SYNCHRONISED = "MOODIFY_FAULTS_NAMES", "MOODIFY_FAULTS_SYNCHRONISED"
#: glibc's default: one server, two attempts of five seconds each (resolv.conf(5)).
SLOW_S = 10.0


def answer_from(file: Path) -> None:
    """Let the file answer from now on."""
    asked = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(host, str) and host.endswith(".test"):
            lines = [line.split() for line in file.read_text("ascii").splitlines()]
            found = next((line[1] for line in lines if line[0] == host), None)
            if found is None:
                time.sleep(SLOW_S if ["slow"] in lines else 0)
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            host = found
        return asked(host, *arguments, **options)

    socket.getaddrinfo = look_up


def synchronised_while(file: Path) -> None:
    """Let the clock count as set by the network while the file is there."""
    trust.kernel_synchronised = file.exists
