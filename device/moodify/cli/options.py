"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration to read; default: $MOODIFY_CONFIG, /etc/moodify/moodify.toml, ~/.config/moodify/moodify.toml, or the defaults."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
