"""What a fault is, what comes of it, and the house that it happens to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path


class Home(Protocol):
    """Something that faults happen to."""

    def broken(self) -> Sequence[str]:
        """Return which promises it has not kept so far, in words; empty where it kept all. Asked after every fault."""


H = TypeVar("H", bound=Home)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a fault."""

    seen: str
    """What the appliance said of it, in its own words."""
    recovered_s: float | None
    """Seconds from when what was broken was whole again until all was well; None where nothing is to be waited for, as with what refuses to start."""
    who_must: str = ""
    """Who must do what; empty where it heals by itself."""


@dataclass(frozen=True, slots=True)
class Fault(Generic[H]):
    """One thing that breaks."""

    name: str
    act: Callable[[H], Outcome]
    """Breaks it, sees what is said, mends it and waits until all is well. Raises an AssertionError where that does not come."""
    quick: bool = False
    """Whether it belongs to the cut that every change must pass."""


@dataclass(frozen=True, slots=True)
class Group(Generic[H]):
    """Faults that happen to one house, one after the other."""

    name: str
    open: Callable[[Path], AbstractContextManager[H]]
    """Opens the house in an empty folder; closes it, and leaves no process behind."""
    faults: Sequence[Fault[H]]


AnyGroup = Group[Any]
AnyFault = Fault[Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    group: str
    name: str
    outcome: Outcome | None
    """None where the fault did not come to its end."""
    wrong: tuple[str, ...]
    """What went wrong: a promise that was broken, or what did not come; empty where all is as it should be."""
    took_s: float

    def without(self, folder: Path) -> Row:
        """Return the row as it reads wherever its house stood: what is said names paths below ``folder``, whose name is by chance."""

        def plain(text: str) -> str:
            return text.replace(f"{folder}", "…")

        outcome = self.outcome and replace(self.outcome, seen=plain(self.outcome.seen), who_must=plain(self.outcome.who_must))
        return replace(self, outcome=outcome, wrong=tuple(map(plain, self.wrong)))
