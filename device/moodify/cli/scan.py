"""``moodify scan``: looks at picture files."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import typer

from moodify.config import find, load
from moodify.errors import PictureError
from moodify.vision.chatter import without_chatter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from moodify.types import SeenFace
    from moodify.vision.scan import PictureReport


def scan(pictures: Sequence[Path], *, as_json: bool, config_file: Path | None) -> int:
    """Print what is seen in each picture; one that can't be read is said on stderr and the others go on. Return the exit code."""
    from moodify.vision.scan import open_scanner

    config = load(find(config_file)).vision
    with without_chatter():
        scanner = open_scanner(config)
    reports: list[PictureReport] = []
    exit_code = 0
    for picture in pictures:
        try:
            report = scanner.scan(picture)
        except PictureError as error:
            sys.stderr.write(f"moodify: {error}\n")
            exit_code = error.exit_code
            continue
        reports.append(report)
        if not as_json:
            typer.echo(_text(report))
    if as_json:
        typer.echo(json.dumps({"pictures": [report.as_json() for report in reports]}, ensure_ascii=False, indent=2))
    return exit_code


def _text(report: PictureReport) -> str:
    count = len(report.faces)
    head = f"{report.path} ({report.width}x{report.height}): {'no face' if not count else '1 face' if count == 1 else f'{count} faces'}"
    return "\n".join([head, *(_face(seen) for seen in report.faces)])


def _face(seen: SeenFace) -> str:
    box = seen.face.box
    place = f"  at {box.x0:.0f},{box.y0:.0f}, {box.width:.0f}x{box.height:.0f} pixels, {seen.face.confidence:.0%} sure"
    marks = "    " + ", ".join(f"{name.replace('_', ' ')} {point.x:.0f},{point.y:.0f}" for name, point in seen.face.landmarks._asdict().items())
    if seen.scores is None:
        return f"{place}\n{marks}\n    not judged: {seen.not_judged}"
    scores = sorted(seen.scores.probabilities.items(), key=lambda item: -item[1])
    said = ", ".join(f"{emotion.value} {probability:.1%}" for emotion, probability in scores)
    judgement = f"    {seen.scores.top.value}" if seen.judged else f"    not judged: {seen.not_judged}"
    return f"{place}\n{marks}\n{judgement}: valence {seen.scores.valence:+.2f}, arousal {seen.scores.arousal:+.2f}\n    {said}"
