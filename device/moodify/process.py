"""What a process asks of kernel and libc for itself."""

from __future__ import annotations

import ctypes
import os

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
# malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


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


def keep_large_blocks_apart() -> None:
    """Have blocks of 4 MB and more go back to the kernel when they are freed, from any thread (mallopt(3)).

    By itself glibc raises the size from which it does so to that of the largest block that was freed, up to 32 MB, and from then on keeps
    as much as twice that in each thread's heap. Frames, which are smaller, stay there as before. Another libc has no such call, and keeps less.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 4 * 1024 * 1024)
        mallopt(_M_TRIM_THRESHOLD, 2 * 1024 * 1024)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
