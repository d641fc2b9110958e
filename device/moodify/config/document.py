"""Write a configuration as TOML: annotated for the owner's file, or as it holds now with secrets masked."""

from __future__ import annotations

import json
from datetime import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from moodify.config.model import Config, MoodMusic, Person, QuietHours
from moodify.types import FELT_MOODS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pydantic.fields import FieldInfo

MASK = "********"
#: Behind what was set on the page, and not in the file.
ON_PAGE = "  # set on the page"

#: Sections that the defaults leave out, written as comments in the annotated file.
_OPTIONAL_SECTIONS: dict[str, type[BaseModel]] = {
    "music.quiet_hours": QuietHours,
    **{f"music.moods.{mood.value}": MoodMusic for mood in FELT_MOODS},
    "people.ada": Person,
}


_HEAD = (
    "# Moodify's configuration. Every key stands here with its default; one that is commented out has none and shows an example.",
    "# Copy this file to /etc/moodify/moodify.toml, keep the lines that you change, and try it with: moodify check",
)


def annotated(model: type[BaseModel] = Config, head: Sequence[str] = _HEAD) -> str:
    """Return the owner's file: every key with its meaning, unit and default, below the lines of ``head``.

    What has a default stands as ``key = default``; what has none is commented out, with an example.
    """
    return "\n".join([*head, *_annotated_section(model, ""), ""])


def _annotated_section(section: type[BaseModel], prefix: str, *, commented: bool = False) -> Iterator[str]:
    inner: list[tuple[str, str, type[BaseModel], bool]] = []
    for name, field in section.model_fields.items():
        path = f"{prefix}.{name}".lstrip(".")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            inner.append((f"[{path}]", _about(field.annotation), field.annotation, False))
        elif optional := [(key, model) for key, model in _OPTIONAL_SECTIONS.items() if key == path or key.startswith(path + ".")]:
            inner += [(f"[{key}]", _about(model).replace("one mood", key.rpartition(".")[2]), model, True) for key, model in optional]
        elif (row := _row(field)) is not None:
            inner.append((f"[[{path}]]", field.description or "", row, True))
        else:
            yield f"# {field.description}"
            yield _annotated_line(name, field, commented=commented)
    for heading, about, model, optional_one in inner:
        yield ""
        yield f"# {about}"
        yield f"{'# ' if optional_one else ''}{heading}"
        yield from _annotated_section(model, heading.strip("[]"), commented=optional_one)


def _about(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip()


def _row(field: FieldInfo) -> type[BaseModel] | None:
    """Return the section that each table of a list of tables is, as in ``[[music.goals]]``; None where the key is no such list."""
    of = get_args(field.annotation) if get_origin(field.annotation) is tuple else ()
    return of[0] if of and isinstance(of[0], type) and issubclass(of[0], BaseModel) else None


def _annotated_line(name: str, field: FieldInfo, *, commented: bool) -> str:
    default = field.get_default(call_default_factory=True)
    if default is None or default is PydanticUndefined or (commented and field.examples):
        return f"# {name} = {_toml(field.examples[0] if field.examples else '')}"
    return f"{'# ' if commented else ''}{name} = {_toml(default)}"


def effective(config: BaseModel, *, from_page: Collection[str] = ()) -> str:
    """Return the configuration as it holds, as TOML; secrets are masked, keys without a value left out. ``from_page``: keys that were set on the page."""
    return "\n".join([*_effective_section(config, "", from_page), ""]).lstrip("\n")


def _effective_section(section: BaseModel, prefix: str, from_page: Collection[str]) -> Iterator[str]:
    inner: list[tuple[str, BaseModel]] = []
    for name in type(section).model_fields:
        value, path = getattr(section, name), f"{prefix}.{name}".lstrip(".")
        if isinstance(value, BaseModel):
            inner.append((f"[{path}]", value))
        elif isinstance(value, dict) and all(isinstance(entry, BaseModel) for entry in value.values()):
            inner += [(f"[{path}.{key}]", entry) for key, entry in value.items()]
        elif isinstance(value, tuple) and value and all(isinstance(entry, BaseModel) for entry in value):
            inner += [(f"[[{path}]]", entry) for entry in value]
        elif value is not None:
            yield f"{name} = {_toml(value)}{ON_PAGE if from_page and path in from_page else ''}"
    for heading, value in inner:
        yield ""
        yield f"{heading}{ON_PAGE if from_page and heading.strip('[]') in from_page else ''}"
        yield from _effective_section(value, heading.strip("[]"), from_page)


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
