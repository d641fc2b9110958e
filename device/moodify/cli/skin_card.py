"""``moodify skin card``: the reference card, as a PDF to print."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import typer

from moodify.errors import CannotWork, PersonMustAct, StoreBusy

if TYPE_CHECKING:
    from pathlib import Path


def card(file: Path, print_number: int) -> int:
    """Write the card of a print; return the exit code.

    Raises:
        CannotWork: there is no such print, or something is at ``file`` already.
        PersonMustAct: it can't be written there.
        StoreBusy: the disk is full.
    """
    from moodify.skin.card_pdf import card_pdf

    try:
        content = card_pdf(print_number)
    except ValueError as error:
        raise CannotWork(f"{error}; name one of them with --print") from error
    try:
        with file.open("xb") as out:
            out.write(content)
    except FileExistsError as error:
        raise CannotWork(f"{file} is there already; name another file, nothing was changed") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreBusy(f"{file}: {error.strerror}; free disk space, and write the card again") from error
        raise PersonMustAct(f"{file}: {error.strerror}; name a place that you can write") from error
    typer.echo(f"{file} is the reference card, print {print_number}. Print it on matte paper at 100 %, in colour; the line below it must be 100 mm long.")
    typer.echo("Colours are compared between looks with the same print only: give the next card that you print another number.")
    return 0
