"""How many files a process may have open: each connection of a device is one, or two."""

from __future__ import annotations

import logging
import resource

logger = logging.getLogger(__name__)


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
        # It has ended already, which is seen elsewhere, or belongs to another user.
        logger.warning("a limit on open files could not be raised: %s", error)
        return 0
    return allowed
