"""``moodify notice``: prints the notice for visitors, true of this appliance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from moodify.config import find, load
from moodify.notice import LANGUAGES, facts_of
from moodify.notice import notice as text_of

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.notice import Language


def notice(language: Language | None, config_file: Path | None) -> int:
    """Print it in one language, or in all of them; return the exit code."""
    facts = facts_of(load(find(config_file)))
    typer.echo("\n".join(text_of(each, facts) for each in ([language] if language is not None else LANGUAGES)), nl=False)
    return 0
