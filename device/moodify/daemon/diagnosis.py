"""What somebody who is not at the device may want to know of it, in one answer; without secrets, and without the names of its folders."""

from __future__ import annotations

import json
import platform
import re
from typing import TYPE_CHECKING, Any

from moodify.system.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from moodify.daemon.snapshot import Facts
    from moodify.store.store import OutboxCounts
    from moodify.system.health import Health
    from moodify.web.port import Now

#: An answer has no more bytes than a command may have (docs/mqtt.md), with room for what stands around it.
BYTES_AT_MOST = 4000
#: Texts are cut at the first of these lengths with which the answer fits.
TEXT_LENGTHS = (200, 80, 30)

# From the second folder on: "/dev/video0" says which camera, a home says who lives there.
_PATH = re.compile(r"(?:~|/[^\s/:;,'\"]+)(?:/[^\s/:;,'\"]+)*/([^\s/:;,'\"]+)")


def diagnose(
    facts: Facts, now: Now, *, health: Health | None, reasons: Sequence[str], outbox: OutboxCounts | None, clock_trusted: bool, at: datetime, running_s: float
) -> dict[str, Any]:
    """Return JSON values of at most :data:`BYTES_AT_MOST` bytes.

    Args:
        facts: of this run.
        now: what is shown of the house.
        health: the last reading of the machine; None before the first.
        reasons: what was wrong at it.
        outbox: how the outbox stands; None where the database can't be asked.
        clock_trusted: whether the date can be believed.
        at: the date by this device's clock.
        running_s: since the start of this run.
    """
    parts = {"camera": now["camera"], "speaker": now["speaker"], "link": now["link"]}

    def told(length: int) -> dict[str, Any]:
        return {
            "version": facts.version,
            "python": platform.python_version(),
            "system": plain(f"{platform.system()} {platform.release()} {platform.machine()}", length),
            "models": [plain(model, length) for model in facts.models],
            "demo": facts.demo,
            "parts": {name: {"state": part["state"], "message": plain(part["message"], length)} for name, part in parts.items()},
            "privacy": now["privacy"],
            "override": now["override"],
            "goal": now["music"]["goal"],
            "outbox": None if outbox is None else {"waiting": outbox.waiting, "merged": outbox.merged, "lost": outbox.lost, "refused": outbox.refused},
            "clock": {"now": at.isoformat(timespec="seconds"), "trusted": clock_trusted},
            "running_s": round(running_s),
            "machine": None if health is None else health.as_json(),
            "reasons": [plain(reason, length) for reason in reasons],
        }

    return next((data for length in TEXT_LENGTHS if len(json.dumps(data := told(length))) <= BYTES_AT_MOST), {"version": facts.version})


def plain(text: str, length: int) -> str:
    """Return a text without secrets, and without the folders that its paths lie in, cut to a length."""
    told = _PATH.sub(r"…/\1", redact(text))
    return told if len(told) <= length else f"{told[: length - 1]}…"
