"""What the recipe says to a person when it cannot go on.

RecipeError
├── DataMissingError       the data folder lacks something: the command ends with status 2
└── ExportError            the exported file breaks the contract with the runtime
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class RecipeError(Exception):
    """The recipe cannot go on; the message ends with the next step."""


class DataMissingError(RecipeError):
    """The data folder, or a file in it, is not there."""

    @classmethod
    def of(cls, path: Path) -> Self:
        """Say that ``path`` is missing, and what to do."""
        return cls(f"{path} is missing: put the training data there, or name its folder with --data DIR")


class ExportError(RecipeError):
    """A converted model does not keep the contract that the runtime relies on."""
