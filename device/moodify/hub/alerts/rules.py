"""When a device needs somebody: four rules that an owner switches on and off. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: A disk is well again once it has a tenth more than the limit free: devices say it in steps, and one at the limit would come and go.
_MORE: Final = 1.1
_TROUBLED: Final = frozenset({"degraded", "broken"})
_PARTS: Final = ("camera", "speaker")
#: Characters of what a device says that a message repeats.
_SHOWN: Final = 300


class RuleKind(StrEnum):
    """What an alert is about."""

    OFFLINE = "offline"
    DEGRADED = "degraded"
    SIGN_IN = "sign_in"
    DISK = "disk"


class Bounds(NamedTuple):
    """What the limit of a rule may be."""

    least: int
    most: int
    usual: int
    unit: str


#: Offline and degraded: for longer than so many minutes; Spotify's sign-in: at most so many days away from its end; disk: less than so many 10^6 bytes free.
BOUNDS: Final[Mapping[RuleKind, Bounds]] = {
    RuleKind.OFFLINE: Bounds(1, 10_080, 10, "minutes"),
    RuleKind.DEGRADED: Bounds(1, 10_080, 10, "minutes"),
    RuleKind.SIGN_IN: Bounds(1, 60, 14, "days"),
    RuleKind.DISK: Bounds(50, 100_000, 500, "MB"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as its owner set it."""

    kind: RuleKind
    enabled: bool
    limit: int
    """In the unit of :data:`BOUNDS`."""

    @property
    def patience(self) -> timedelta:
        """How long it has to be so before anybody is told."""
        return timedelta(minutes=self.limit) if self.kind in {RuleKind.OFFLINE, RuleKind.DEGRADED} else timedelta()


#: What holds where an owner has set nothing.
USUAL: Final = {kind: Rule(kind, enabled=True, limit=bounds.usual) for kind, bounds in BOUNDS.items()}


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a device at one moment."""

    name: str
    online: bool | None
    """None where that can't be told, as while the cache of states is away, or where nothing was ever heard of it."""
    last_seen: datetime | None
    states: Mapping[str, Mapping[str, Any]]
    """What it last said of itself: of :class:`moodify.hub.port.States`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a look."""

    wrong: bool | None
    """None where it can't be told: then what was so goes on."""
    words: str = ""
    """One or two sentences for a person; the last is the next step where something is wrong."""


def judge(rule: Rule, look: Look, now: datetime, *, alerted: bool) -> Finding:
    """Return whether something is wrong by ``rule``; ``alerted`` where that was so already and told."""
    if rule.kind is RuleKind.OFFLINE:
        return _offline(look, now)
    if not look.online:
        # What it said before it went may be long over.
        return Finding(None)
    match rule.kind:
        case RuleKind.DEGRADED:
            return _degraded(look)
        case RuleKind.SIGN_IN:
            return _sign_in(rule, look, now)
        case RuleKind.DISK:
            return _disk(rule, look, alerted=alerted)


def _offline(look: Look, now: datetime) -> Finding:
    if look.online is None:
        return Finding(None)
    if look.online:
        return Finding(wrong=False, words=f"{look.name} is online again.")
    seen = "" if look.last_seen is None else f" Something of it was last heard {at(look.last_seen, now)}."
    return Finding(wrong=True, words=f"{look.name} is offline.{seen} Look whether it has power and network.")


def _degraded(look: Look) -> Finding:
    state, health = look.states.get("state"), look.states.get("health")
    if state is None and health is None:
        return Finding(None)
    complaints = [f"{name}: {_text(part.get('message'))}" for name in _PARTS if _text((part := _mapping(state, name)).get("state")) in _TROUBLED]
    reasons = (health or {}).get("reasons")
    complaints += [_text(reason) for reason in reasons] if isinstance(reasons, list) else []
    if not complaints:
        return Finding(wrong=False, words=f"{look.name} works as it should again.")
    said = "; ".join(complaint.rstrip(".") for complaint in complaints)
    return Finding(wrong=True, words=f"{look.name} says: {_text(said)}.")


def _sign_in(rule: Rule, look: Look, now: datetime) -> Finding:
    spotify = _mapping(look.states.get("health"), "spotify")
    ended, ends = spotify.get("ended"), _day(spotify.get("ends"))
    step = "Sign in again on the device's page, or with: moodify spotify login."
    if ended is True:
        return Finding(wrong=True, words=f"{look.name}'s sign-in to Spotify has ended, and no music plays. {step}")
    if ends is None:
        return Finding(None)
    days = (ends - now.astimezone().date()).days
    if days > rule.limit:
        return Finding(wrong=False, words=f"{look.name} is signed in to Spotify until {ends.isoformat()}.")
    near = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days, on {ends.isoformat()}" if days > 0 else f"on {ends.isoformat()}")
    return Finding(wrong=True, words=f"{look.name}'s sign-in to Spotify {'ends' if days >= 0 else 'was to end'} {near}. {step}")


def _disk(rule: Rule, look: Look, *, alerted: bool) -> Finding:
    free_mb = (look.states.get("health") or {}).get("disk_free_mb")
    if not isinstance(free_mb, int) or isinstance(free_mb, bool):
        return Finding(None)
    if free_mb >= rule.limit * (_MORE if alerted else 1.0):
        return Finding(wrong=False, words=f"{look.name} has {free_mb} MB free on its disk again.")
    return Finding(
        wrong=True, words=f"{look.name} has {free_mb} MB free on its disk, less than {rule.limit}. Delete what is not needed, keep events for fewer days, or take a larger card."
    )


def at(moment: datetime, now: datetime) -> str:
    """Return a moment for a person, in this machine's time: ``at 19:32`` of today, else with its day."""
    local, today = moment.astimezone(), now.astimezone().date()
    return f"at {local:%H:%M}" if local.date() == today else f"on {local:%Y-%m-%d at %H:%M}"


def _mapping(state: Mapping[str, Any] | None, key: str) -> Mapping[str, Any]:
    found = (state or {}).get(key)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    # A device may say anything; this goes into a message's line.
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in str(value)).split())
    return plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN - 1]}…"


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
