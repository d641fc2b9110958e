"""Where the log goes: the journal under systemd, the terminal elsewhere."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from moodify.system.redact import RedactingFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

#: Chatty at DEBUG, some with tokens or whole answers in it.
_THIRD_PARTIES = ("asyncio", "httpcore", "httpx", "paho", "PIL", "picamera2", "redis", "spotipy", "sqlite_utils", "urllib3", "uvicorn", "zeroconf")


def set_up_logging(level: str = "info", *, console: Console | None = None, environ: Mapping[str, str] = os.environ) -> logging.Handler:
    """Send the log of the whole process to one place, and return the handler that does it.

    Replaces what an earlier call set up. Third parties never log below INFO; whatever looks like a secret is masked.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        console: a rich console that owns stderr, so that lines go above its live view; None writes plain lines.
        environ: ``INVOCATION_ID`` and ``JOURNAL_STREAM`` say that systemd started the process and reads its output.
    """
    handler = _journal(environ) or (_rich(console) if console is not None else _plain(environ))
    handler.addFilter(RedactingFilter())
    root = logging.getLogger()
    for old in list(root.handlers):
        if any(isinstance(each, RedactingFilter) for each in old.filters):
            root.removeHandler(old)
            old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _THIRD_PARTIES:
        logging.getLogger(name).setLevel(max(root.level, logging.INFO))
    # One calls its INFO "error", and tells of processes where there is only a thread; the others tell of each statement and step.
    for name in ("uvicorn.error", "sqlalchemy", "alembic"):
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(capture=True)
    return handler


def under_systemd(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether systemd started the process and its output goes to the journal."""
    return "INVOCATION_ID" in environ and _is_journal(environ.get("JOURNAL_STREAM", ""))


def _is_journal(stream: str) -> bool:
    # systemd.exec(5): device and inode of the journal's socket; a program started from the service with a redirected stderr inherits the variable only.
    try:
        stat = os.fstat(2)
    except OSError:
        return False
    return stream == f"{stat.st_dev}:{stat.st_ino}"


def _journal(environ: Mapping[str, str]) -> logging.Handler | None:
    if not under_systemd(environ):
        return None
    try:
        from systemd.journal import JournalHandler
    except ImportError:
        return None
    handler: logging.Handler = JournalHandler(SYSLOG_IDENTIFIER="moodify")
    return handler


def _rich(console: Console) -> logging.Handler:
    from rich.logging import RichHandler

    handler = RichHandler(console=console, show_path=False, log_time_format="[%X]", markup=False, rich_tracebacks=False)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    return handler


def _plain(environ: Mapping[str, str]) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Syslog() if under_systemd(environ) else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    return handler


class _Syslog(logging.Formatter):
    """The journal's own prefix for the priority (sd-daemon(3)), for a systemd without systemd-python; the journal knows the time."""

    _PRIORITY = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))

    def format(self, record: logging.LogRecord) -> str:
        priority = next((number for level, number in self._PRIORITY if record.levelno >= level), 7)
        # Each line is an entry of its own.
        return "\n".join(f"<{priority}>{line}" for line in f"{record.name}: {super().format(record)}".splitlines())
