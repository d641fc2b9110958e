"""Typer, whose help shows an option that is there or not without a value beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable


def _shown(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            # Typer would write <bool>, as if one were to be given.
            parameter.metavar = ""
    return parameters


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _shown(super().get_params(ctx))


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _shown(super().get_params(ctx))


class Commands(typer.Typer):
    """A group of commands."""

    def __init__(self, **options: Any) -> None:
        """Take what Typer takes."""
        super().__init__(cls=_Group, **options)

    def command(self, name: str | None = None, **options: Any) -> Callable[..., Any]:
        """Take a function for a command, as Typer does."""
        return super().command(name, cls=_Command, **options)
