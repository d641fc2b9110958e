"""What the processes of an appliance have open, and who may see it."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest


def open_files(pids):
    """Return the open files of processes: (its name as /proc tells it, the path through which it can be read)."""
    if os.geteuid() != 0 and pids != ["self"]:
        pytest.skip("root: what the appliance's processes have open is shown to root alone")
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    found.append((str(handle.readlink()), handle))
    return found


#: Runs a command as one whom another's processes are not shown: root is, for a capability of its own, and without it is a user like any other.
AS_A_USER = ("setpriv", "--bounding-set=-sys_ptrace") if os.geteuid() == 0 else ()


def may_be_looked_into(pid):
    """Whether another process of the same user may see what a process, started with :data:`AS_A_USER`, has open."""
    return subprocess.run([*AS_A_USER, "readlink", f"/proc/{pid}/fd/0"], stdout=subprocess.DEVNULL, check=False).returncode == 0
