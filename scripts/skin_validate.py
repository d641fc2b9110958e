"""What ``scripts/skin-validate`` prints: the tables of ``docs/skin-card.md``, as Markdown."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from moodify.errors import MoodifyError
from moodify.skin.record import Trait
from moodify.skin.validation import CAUSES, LOOKS, TONES, following, over_tones, repeated, unmoved

TRAITS = tuple(Trait)


def say(*cells: object) -> None:
    """Print a row of a table, numbers with one decimal."""
    print("| " + " | ".join(f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |", flush=True)  # noqa: T201 - what this is for


def head(title: str, *names: str) -> None:
    """Print a title and a table's head."""
    print(f"\n### {title}\n")  # noqa: T201 - what this is for
    say(*names)
    say(*["---"] * len(names))


def main() -> int:
    """Print the figures; 1 where a measure does not follow its cause."""
    parser = argparse.ArgumentParser(prog="scripts/skin-validate", description="Measures faces with known skin and prints the figures of docs/skin-card.md.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with detection/people, for pictures of people (default: %(default)s)")
    data: Path = parser.parse_args().data
    found = [following(cause) for cause in CAUSES]
    head("Each index and its cause", "cause", "field", "levels from the least to the most", "one way all along")
    for each in found:
        levels = [level[each.follows] for _, level in each.levels]
        say(each.cause, each.follows, ", ".join("–" if level is None else f"{level:.1f}" for level in levels), "yes" if each.is_monotonic else "NO")
    head("Points that each field moves over a cause's whole range", "cause", *TRAITS)
    for each in found:
        say(each.cause, *(each.swing(trait) for trait in TRAITS))
    head("Points that each field moves when the same face is looked at differently", "what changes", *TRAITS)
    for what in LOOKS:
        moved = unmoved(what)
        say(what, *(moved[trait] for trait in TRAITS))
    tones = [over_tones(melanin) for melanin in TONES]
    head("The same skin in other tones", *tones[0])
    for row in tones:
        say(*row.values())
    if (data / "detection" / "people.jsonl").exists():
        figures, count = repeated(data)
        head(f"{count} pictures of people, each in 3 sizes and 4 lights: standard deviation in points", *figures)
        say(*figures.values())
    else:
        print(f"\n{data} has no pictures of people: repeatability on them is left out")  # noqa: T201 - what this is for
    return 0 if all(each.is_monotonic for each in found) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MoodifyError as error:
        sys.exit(f"skin-validate: {error}")
