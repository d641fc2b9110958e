"""How many files a process may have open: each connection of a device is one, or two."""

from __future__ import annotations

import logging
import resource
import sys
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

#: What POSIX programs may count on where even that can't be read: systemd's and Debian's soft limit.
_USUAL: Final = 1024
_ROW: Final = "Max open files"


def allow_open_files(wanted: int, *, pid: int = 0) -> int:
    """Let a process (0: this one) have ``wanted`` files open, or as many as the system lets it have; return how many it may.

    systemd and Debian start a process with 1,024, for programs that use select(2), and let it have many more.
    """
    try:
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        allowed = hard if hard != resource.RLIM_INFINITY and hard < wanted else wanted
        if soft == resource.RLIM_INFINITY or soft >= allowed:
            return wanted if soft == resource.RLIM_INFINITY else soft
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (allowed, hard))
    except (ProcessLookupError, PermissionError) as error:
        # It has ended already, which is seen elsewhere, belongs to another user, or the service's filter of system calls forbids it.
        allowed = _open_files_of(pid)
        if allowed < wanted:
            logger.info("the limit on open files can't be raised (%s), so it stays at %s", error, allowed)
    return allowed


def _open_files_of(pid: int) -> int:
    if not pid:
        try:
            soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        except OSError:
            # glibc asks with the very call that is forbidden.
            pass
        else:
            return sys.maxsize if soft == resource.RLIM_INFINITY else soft
    try:
        row = next(line for line in Path(f"/proc/{pid or 'self'}/limits").read_text().splitlines() if line.startswith(_ROW))
        return int(row.removeprefix(_ROW).split()[0])
    except (OSError, StopIteration, ValueError):
        return _USUAL
