"""Write a configuration as TOML: annotated for the owner's file, or as it holds now with secrets masked."""

from __future__ import annotations

import json
from datetime import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from moodify.config.model import Config, MoodMusic, Person, QuietHours
from moodify.types import FELT_MOODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

MASK = "********"

#: Sections that the defaults leave out, written as comments in the annotated file.
_OPTIONAL_SECTIONS: dict[str, type[BaseModel]] = {
    "music.quiet_hours": QuietHours,
    **{f"music.moods.{mood.value}": MoodMusic for mood in FELT_MOODS},
    "people.ada": Person,
}


def annotated() -> str:
    """Return the owner's file: every key with its meaning, unit and default.

    What has a default stands as ``key = default``; what has none is commented out, with an example.
    """
    head = [
        "# Moodify's configuration. Every key stands here with its default; one that is commented out has none and shows an example.",
        "# Copy this file to /etc/moodify/moodify.toml, keep the lines that you change, and try it with: moodify check",
    ]
    return "\n".join([*head, *_annotated_section(Config, ""), ""])


def _annotated_section(section: type[BaseModel], prefix: str) -> Iterator[str]:
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in section.model_fields.items():
        path = f"{prefix}.{name}".lstrip(".")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            inner.append((path, field.annotation))
        elif optional := [(key, model) for key, model in _OPTIONAL_SECTIONS.items() if key == path or key.startswith(path + ".")]:
            inner += optional
        else:
            yield f"# {field.description}"
            yield _annotated_line(name, field, commented=prefix in _OPTIONAL_SECTIONS)
    for path, model in inner:
        yield ""
        yield f"# {(model.__doc__ or '').strip().replace('one mood', path.rpartition('.')[2])}"
        yield f"{'# ' if path in _OPTIONAL_SECTIONS else ''}[{path}]"
        yield from _annotated_section(model, path)


def _annotated_line(name: str, field: FieldInfo, *, commented: bool) -> str:
    default = field.get_default(call_default_factory=True)
    if default is None or default is PydanticUndefined or (commented and field.examples):
        return f"# {name} = {_toml(field.examples[0] if field.examples else '')}"
    return f"{'# ' if commented else ''}{name} = {_toml(default)}"


def effective(config: Config) -> str:
    """Return the configuration as it holds, as TOML; secrets are masked, keys without a value left out."""
    return "\n".join([*_effective_section(config, ""), ""]).lstrip("\n")


def _effective_section(section: BaseModel, prefix: str) -> Iterator[str]:
    inner: list[tuple[str, BaseModel]] = []
    for name in type(section).model_fields:
        value, path = getattr(section, name), f"{prefix}.{name}".lstrip(".")
        if isinstance(value, BaseModel):
            inner.append((path, value))
        elif isinstance(value, dict) and all(isinstance(entry, BaseModel) for entry in value.values()):
            inner += [(f"{path}.{key}", entry) for key, entry in value.items()]
        elif value is not None:
            yield f"{name} = {_toml(value)}"
    for path, value in inner:
        yield ""
        yield f"[{path}]"
        yield from _effective_section(value, path)


def _toml(value: Any) -> str:  # noqa: PLR0911 - one line for each type
    match value:
        case SecretStr():
            return json.dumps(MASK)
        case bool():
            return str(value).lower()
        case Enum():
            return json.dumps(value.value)
        case time():
            return value.isoformat()
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False)
        case tuple() | list():
            return f"[{', '.join(_toml(part) for part in value)}]"
        case dict():
            return f"{{ {', '.join(f'{key} = {_toml(part)}' for key, part in value.items())} }}" if value else "{}"
        case _:
            return str(value)
