"""``moodify music import``: takes Exportify's CSV files into the catalogue of songs."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from moodify.config import find, load
from moodify.daemon.places import folder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from moodify.music.catalogue.importing import ImportReport

#: From this size on, in bytes, there is a progress bar on a terminal; about 7,000 songs.
LARGE = 1_000_000


def import_files(files: list[Path], *, config_file: Path | None, as_json: bool) -> int:
    """Take CSV files, each as a whole; one that is wrong is said on stderr, changes nothing, and the others go on. Return the exit code.

    Raises:
        ConfigError: the configuration has mistakes.
        StoreBusy, StoreError: the catalogue can't be used.
    """
    from moodify.music.catalogue.catalogue import Catalogue
    from moodify.music.catalogue.exportify import FileError
    from moodify.music.catalogue.file import FILE
    from moodify.music.catalogue.importing import import_file

    config = load(find(config_file))
    reports: list[ImportReport] = []
    exit_code = 0
    with Catalogue(folder_of(config) / FILE, most=config.music.catalogue_max) as catalogue:
        for file in files:
            try:
                with _progress(file) as progress:
                    report = import_file(catalogue, file, progress)
            except FileError as error:
                sys.stderr.write(f"moodify: {error}\n")
                exit_code = error.exit_code
                continue
            reports.append(report)
            if not as_json:
                typer.echo(_text(report, config.music.catalogue_max, online=config.music.features_online))
        songs, judged = catalogue.count()
    if as_json:
        typer.echo(json.dumps({"files": [report.as_json() for report in reports], "catalogue": {"songs": songs, "with_features": judged}}, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"The catalogue holds {_counted(songs, 'song')}, {judged} with features.")
    return exit_code


def _text(report: ImportReport, most: int, *, online: bool) -> str:
    known = report.taken - report.new
    lines = [
        f"{report.file}: {_counted(report.rows, 'row')}, {_counted(report.taken, 'song')} taken ({report.new} new, {known} known before), {report.with_features} with features"
    ]
    if not report.rows:
        lines.append("  It holds no songs, only the names of its columns: choose a playlist with songs in it, and export that at exportify.net")
    left = sum(report.left_by_reason.values())
    if left:
        lines.append(f"  {_counted(left, 'row')} left:")
        lines += [f"    line {row.line}: {row.why}" for row in report.left]
        if left > len(report.left):
            lines.append(f"    and {left - len(report.left)} more")
    if report.beyond:
        lines.append(f"  {_counted(report.beyond, 'song')} had to go, for the catalogue holds {most} (music.catalogue_max)")
    if report.with_features < report.taken and not online:
        # A file that has the columns says all that Exportify knows.
        export = "" if report.has_features else "export them at exportify.net, or "
        lines.append(f"  Songs without features fit no mood: {export}set music.features_online = true")
    return "\n".join(lines)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """Give what draws how far the reading of a file is; nothing for a small one, or where nobody looks."""
    size = file.stat().st_size if file.is_file() else 0
    if size < LARGE or not sys.stderr.isatty():
        yield lambda _bytes: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=sys.stderr, stderr=True), transient=True) as bar:
        task = bar.add_task(file.name.replace("[", "\\["), total=size)
        yield lambda done: bar.update(task, completed=done)
