"""Names of speakers, compared as people mean them."""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How alike two names must be, from 0 to 1 (difflib's ratio), for one to be taken for the other's new name.
CLOSE = 0.6
#: Phones set typographic apostrophes where people type straight ones.
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc", "'''")


def folded(name: str) -> str:
    """Return a name without what people don't see or don't mind: case, surrounding and doubled spaces, ways to write a letter.

    Unicode's compatibility caseless match (Unicode 15, section 3.13, D146), spaces and apostrophes beside it.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", name).casefold()).casefold()
    return " ".join(unicodedata.normalize("NFKD", decomposed).translate(_APOSTROPHES).split())


def same_speaker(one: str, other: str) -> bool:
    """Return whether two names mean the same speaker."""
    return folded(one) == folded(other)


def nearest(name: str, others: Iterable[str]) -> str | None:
    """Return the one of other names that is most like this one, as after a renaming; None where none is close."""
    by_folded = {folded(other): other for other in sorted(others)}
    wanted = folded(name)
    by_folded.pop(wanted, None)
    longer_or_shorter = [key for key in by_folded if f" {wanted} " in f" {key} " or f" {key} " in f" {wanted} "]
    close = longer_or_shorter or get_close_matches(wanted, by_folded, n=1, cutoff=CLOSE)
    return by_folded[close[0]] if close else None
