"""``moodify notice``: prints the notice for visitors, true of this appliance, to be read here or to be printed and put up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from moodify.config import find, load
from moodify.daemon.places import folder_of
from moodify.notice import LANGUAGES, facts_of, notice_of, plain, printable

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.notice import Language


def notice(language: Language | None, config_file: Path | None, *, as_html: bool) -> int:
    """Print it in one language, or in all of them, as text or as a page for a browser; return the exit code.

    Raises:
        MoodifyError: the configuration, or what stands in the data folder, can't be read.
    """
    config = load(find(config_file))
    facts = facts_of(config, folder_of(config))
    notices = [notice_of(each, facts) for each in ([language] if language is not None else LANGUAGES)]
    typer.echo(printable(notices) if as_html else "\n\n".join(map(plain, notices)), nl=False)
    return 0
