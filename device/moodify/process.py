"""What a process asks of the kernel for itself, by prctl(2)."""

from __future__ import annotations

import ctypes
import os

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def keep_memory_to_itself() -> None:
    """Let only root read this process's memory and open files, and the kernel write no core dump of it: there are pixels in it.

    Without this every process of the same user may open them through ``/proc``, and a crash may end up in a file as a whole.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def end_with(parent: int, number: int) -> None:
    """Take this signal when the thread that started this process ends, or at once where its process, ``parent``, has ended already."""
    _prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
