"""``moodify skin history``: the looks at people's skin that are kept, and where they go, with how sure that is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moodify.cli.skin_people import opened
from moodify.cli.skin_words import FIELDS, TRAITS, level
from moodify.cli.users import of_address
from moodify.skin.advice import SEE_A_PROFESSIONAL
from moodify.skin.record import MEASURED, Trait
from moodify.skin.trend import MIN_DAYS, MIN_LOOKS, MOST_LOOKS, trend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from moodify.accounts.user import User
    from moodify.skin.record import FaceRecord
    from moodify.skin.trend import Trend
    from moodify.web.skin_port import KeptLook, Standing

#: So many of the newest looks are shown at a terminal.
_SHOWN: Final = 20


def history(config_file: Path | None, email: str | None, *, as_json: bool) -> int:
    """Print the looks of one person, or of everybody who allows any; return the exit code.

    Raises:
        MoodifyError: nobody has the address, or what is kept can't be read.
    """
    with opened(config_file) as (everybody, keeping):
        wanted = everybody if email is None else (of_address(everybody, email),)
        kept = [(user, keeping.standing(user.id), keeping.looks(user.id)) for user in wanted]
    if email is None:
        kept = [each for each in kept if each[1].opted_in_at is not None]
    if as_json:
        typer.echo(json.dumps({"people": [_as_json(*each) for each in kept]}, ensure_ascii=False))
        return 0
    if not kept:
        typer.echo('Nobody has allowed looks at their skin. Everybody does so for themselves, on the page under "Your skin".')
        return 0
    console = Console()
    for each in kept:
        _show(console, *each)
    console.print(Text(SEE_A_PROFESSIONAL))
    return 0


def _show(console: Console, user: User, standing: Standing, looks: Sequence[KeptLook]) -> None:
    who = f"{user.name} ({user.email})"
    if standing.opted_in_at is None:
        console.print(Text(f"{who} has not allowed looks at their skin.\n"))
        return
    shared = ", and shares the newest over MQTT" if standing.shared else ""
    console.print(Text(f"{who} allows looks since {standing.opted_in_at.astimezone():%Y-%m-%d}{shared}."))
    if not looks:
        console.print(Text("There is none yet. moodify skin scan takes one, and so does the page.\n"))
        return
    if len(looks) > _SHOWN:
        console.print(Text(f"The newest {_SHOWN} of {len(looks)}; --json has all."))
    table = Table(box=None, pad_edge=False)
    table.add_column("look", no_wrap=True)
    for name in (*TRAITS.values(), "score", "confidence"):
        table.add_column(name, justify="right", no_wrap=True)
    for look in looks[-_SHOWN:]:
        record = look.record
        levels = (level(getattr(record, trait), record.spread.get(trait)) for trait in Trait)
        table.add_row(f"{record.looked_at.astimezone():%Y-%m-%d %H:%M}{' ?' if record.date_doubted else ''}", *levels, level(record.skin_score), level(record.confidence_score))
    console.print(table)
    if any(look.record.date_doubted for look in looks[-_SHOWN:]):
        console.print(Text("?: taken while the clock was known to be wrong; no trend has it."))
    records = [look.record for look in looks]
    for trait, word in TRAITS.items():
        console.print(Text(f"{word}: {_said(trend(records[-MOST_LOOKS:], trait))}"))
    for line in _newest(records[-1]):
        console.print(Text(line))
    console.print()


def _newest(record: FaceRecord) -> list[str]:
    """Return what there is to say of the newest look beside its numbers."""
    lines = [f"The newest look: {', '.join(record.conditions)}."] if record.conditions else []
    why: dict[str, list[str]] = {}
    for name in MEASURED:
        if name in record.reasons:
            why.setdefault(record.reasons[name], []).append(FIELDS[name])
    return [*lines, *(f"Without {', '.join(names)}: {reason}." for reason, names in why.items())]


def _said(found: Trend | None) -> str:
    if found is None:
        return f"no trend yet, which takes {MIN_LOOKS} looks that can be compared, over {MIN_DAYS} days or more"
    return f"{found.direction}: {found.per_month:+.1f} points in 30 days (95 %: {found.low:+.1f} to {found.high:+.1f}), by {found.looks} looks"


def _as_json(user: User, standing: Standing, looks: Sequence[KeptLook]) -> dict[str, Any]:
    records = [look.record for look in looks]
    return {
        "id": str(user.id),
        "email": user.email,
        "opted_in": None if standing.opted_in_at is None else standing.opted_in_at.isoformat(),
        "shared": standing.shared,
        "looks": [{"id": str(look.id), "record": look.record.model_dump(mode="json")} for look in looks],
        "trends": {trait.value: _trend_as_json(trend(records[-MOST_LOOKS:], trait)) for trait in Trait},
    }


def _trend_as_json(found: Trend | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"per_month": found.per_month, "low": found.low, "high": found.high, "looks": found.looks, "direction": found.direction.value}
