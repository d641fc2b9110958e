"""Read TOML into a :class:`Config`, or into another such model, or raise every mistake at once, each with its fix."""

from __future__ import annotations

import copy
import difflib
import os
import re
import tomllib
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, overload

import platformdirs
from pydantic import BaseModel, SecretStr, ValidationError

from moodify.config.model import Config
from moodify.config.section import BETWEEN_KEYS
from moodify.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

    from moodify.errors import MoodifyError

M = TypeVar("M", bound=BaseModel)

SYSTEM_FILE = Path("/etc/moodify/moodify.toml")

#: Before the place of a table in a list of tables, as in ``music.goals #2.start``.
_ROW = "#"

_TOML_HINT = "text stands in quotes, sections in [brackets]"
_TOO_DEEP = "brackets or dotted keys stand too deep in one another; no key of Moodify's is more than a few deep"
_WRITE_TIME = "write a time as 20:00:00, with hours, minutes and seconds"
#: What people write for a time of day: 20:00, 9 pm.
_OF_DAY = re.compile(r"\d{1,2}:\d|\d{1,2}\s*[ap]\.?m\b", re.IGNORECASE)


def find(explicit: Path | None, *, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the configuration file to read, or None where there is none and the defaults hold.

    In order: the one that was named, ``MOODIFY_CONFIG``, the system's, the user's.
    """
    if explicit is not None:
        return explicit
    if named := environment.get("MOODIFY_CONFIG"):
        return Path(named)
    user_file = platformdirs.user_config_path("moodify") / "moodify.toml"
    return next((file for file in (SYSTEM_FILE, user_file) if file.is_file()), None)


def load(file: Path | None) -> Config:
    """Read a configuration file; None gives the defaults.

    Raises:
        ConfigError: the file can't be read, is not TOML, or has mistakes: all of them.
    """
    if file is None:
        return Config()
    missing = ConfigError(str(file), ("there is no such file; name another with --config, or copy firmware_config/moodify.toml there",))
    return parse(read(file, missing=missing), source=str(file))


def read(file: Path, *, missing: MoodifyError) -> str:
    """Return a configuration file's text.

    Raises:
        MoodifyError: there is none, and this is ``missing``.
        ConfigError: the file can't be read, or is no text.
    """
    try:
        # Some editors begin a file with a byte order mark, which is no TOML.
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise missing from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(file), (f"byte {error.start} is not UTF-8; save the file as UTF-8 text",)) from None
    except OSError as error:
        raise ConfigError(str(file), (f"can't be read: {error.strerror}; check the path and its permissions",)) from None


@overload
def parse(text: str, *, source: str) -> Config: ...
@overload
def parse(text: str, *, source: str, model: type[M]) -> M: ...
def parse(text: str, *, source: str, model: type[BaseModel] = Config) -> BaseModel:
    """Read a configuration from TOML text; ``source`` names it in errors, ``model`` says what its keys are.

    Raises:
        ConfigError: not TOML, or it has mistakes: all of them.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, (f"not TOML: {error}; {_toml_hint(text, str(error))}",)) from None
    except ValueError:
        # Python reads no number of more digits (sys.set_int_max_str_digits), and tomllib lets that pass.
        raise ConfigError(source, ("a number has thousands of digits; shorten it",)) from None
    except RecursionError:
        raise ConfigError(source, (_TOO_DEEP,)) from None
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(source, _lines(model, values, error)) from None


def _lines(model: type[BaseModel], values: dict[str, Any], error: ValidationError) -> tuple[str, ...]:
    try:
        return tuple(_Problems(model).lines(values, error))
    except RecursionError:
        # tomllib makes a table of each part of a.b.c, and needs no depth of its own for that.
        return (_TOO_DEEP,)


def _toml_hint(text: str, message: str) -> str:
    """Return what to do about TOML's mistake, by what stands where the parser stopped; that may be a secret, so it is not shown."""
    place = re.search(r"at line (\d+), column (\d+)", message)
    line = text.replace("\r\n", "\n").split("\n")[int(place[1]) - 1 :][:1] if place is not None else []
    if place is None or not line:
        return _TOML_HINT
    before, after = line[0][: int(place[2]) - 1], line[0][int(place[2]) - 1 :]
    value = (re.split(r"[=\[{,]", before)[-1] + re.split(r"[\]},#]", after)[0]).strip()
    if "=" not in before or value[:1] in {"", '"', "'"}:
        return _TOML_HINT
    if _OF_DAY.match(value):
        return _WRITE_TIME
    if value.casefold() in {"true", "false", "yes", "no", "on", "off"}:
        return "write true or false, in small letters"
    return 'write text in quotes, as "text"' if re.match(r"[^\W\d]|[/~.]", value) else _TOML_HINT


class _Problems:
    """What is wrong with values for one model, in words for a person."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    def lines(self, values: dict[str, Any], error: ValidationError) -> Iterator[str]:
        """Yield a line for each mistake, those between keys too.

        Pydantic compares keys only in a section without other mistakes, so the wrong keys are taken out
        and the rest is looked at again; what a taken-out key has a part in is not reported twice.
        """
        details = error.errors(include_url=False)
        said = dict.fromkeys(self._line(detail, values) for detail in details)
        yield from said
        rest, wrong = copy.deepcopy(values), {_path(detail, values) for detail in details}
        for path in sorted(wrong, key=len, reverse=True):
            _remove(rest, path)
        try:
            self._model.model_validate(rest)
        except ValidationError as second:
            for detail in second.errors(include_url=False):
                parts = {(*_path(detail, rest), key) for key in str(detail.get("ctx", {}).get("keys", "")).split(",")}
                # What lies between keys of no section can't be taken out, and is found again.
                if detail["type"] == BETWEEN_KEYS and not parts & wrong and (line := self._line(detail, rest)) not in said:
                    yield line

    def _line(self, detail: ErrorDetails, values: dict[str, Any]) -> str:
        path = list(_path(detail, values))
        if detail["type"] == BETWEEN_KEYS:
            path.append(str(detail["ctx"]["keys"]).split(",", maxsplit=1)[0])
            return f"{_key(path)}: {detail['msg']}"
        key = _key(path) or "the file"
        if detail["type"] == "extra_forbidden":
            return f"{key}: unknown key{self._did_you_mean(path)}"
        if self._is_secret(path):
            return f"{key}: {self._reason(detail, path)}"
        value = "" if isinstance(detail["input"], dict) else f" = {_shown(detail['input'])}"
        return f"{key}{value}: {self._reason(detail, path)}{_choices_hint(detail)}"

    def _reason(self, detail: ErrorDetails, path: list[str]) -> str:
        if detail["type"] == "string_pattern_mismatch" and "spotify" in str(detail.get("ctx", {}).get("pattern")):
            if "spotify.link/" in str(detail["input"]):
                return "is a short link, which does not say what it leads to; open it in a browser, and write the address that begins with https://open.spotify.com/"
            return "is not a Spotify address of a playlist, album, artist or track; in Spotify choose Share, Copy link, and write that"
        if detail["type"] in {"time_parsing", "time_type"}:
            return f"is no time of day; {_WRITE_TIME}"
        if detail["type"] in {"model_type", "model_attributes_type", "dict_type"} or (detail["type"] == "tuple_type" and self._section_at(path) is not None):
            last = path[-1]
            if detail["type"] == "tuple_type" or last.startswith(_ROW):
                return f"must be a list of sections: write [[{'.'.join(part for part in path if not part.startswith(_ROW))}]] on a line of its own, and the keys of one below"
            return f"must be a section: write [{'.'.join(path)}] on a line of its own, and its keys below"
        text = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be").replace("Field required", "is missing; add it").replace("valid tuple", "list")
        hint = {
            "bool_parsing": "; write true or false without quotes",
            "bool_type": "; write true or false without quotes",
            "string_type": '; write it in "quotes"',
            "tuple_type": "; write it in [brackets]",
            "int_from_float": "; write a whole number",
        }.get(detail["type"], "")
        return text + hint

    def _did_you_mean(self, path: list[str]) -> str:
        *parents, wrong = path
        section = self._section_at(parents)
        if section is None:
            return "; remove it"
        hint = _suggest(wrong, section.model_fields)
        if hint:
            return hint
        homes = [where for where, name in _keys(self._model) if name == wrong]
        return f"; it belongs in [{homes[0]}]" if homes else f"; remove it (known here: {', '.join(section.model_fields)})"

    def _section_at(self, path: list[str]) -> type[BaseModel] | None:
        section: type[BaseModel] | None = self._model
        for part in path:
            section = _section_of(section, part) if section is not None else None
        return section

    def _is_secret(self, path: list[str]) -> bool:
        section = self._section_at(path[:-1])
        field = section.model_fields.get(path[-1]) if section is not None and path else None
        return field is not None and SecretStr in {field.annotation, *get_args(field.annotation)}


def _path(detail: ErrorDetails, values: dict[str, Any]) -> tuple[str, ...]:
    # The tables of a list have no names: people count them from 1.
    path: list[str] = []
    inside: Any = values
    for part in detail["loc"]:
        # "[key]" marks the key of a table of tables as the culprit; union members add their type's name. Somebody may have called a key so, too.
        if part in {"[key]", "constrained-str", "int", "float"} and not (isinstance(inside, dict) and part in inside):
            continue
        path.append(f"{_ROW}{part + 1}" if isinstance(part, int) else part)
        inside = _inside(inside, path[-1])
    return tuple(path)


def _remove(values: dict[str, Any], path: tuple[str, ...]) -> None:
    *parents, last = path or ("",)
    table: Any = values
    for parent in parents:
        table = _inside(table, parent)
    if isinstance(table, dict):
        table.pop(last, None)
    elif isinstance(table, list) and isinstance(_inside(table, last), dict):
        # The tables behind it keep their places.
        _inside(table, last).clear()


def _inside(table: Any, part: str) -> Any:
    if isinstance(table, list):
        place = int(part.removeprefix(_ROW)) - 1 if part.startswith(_ROW) else len(table)
        return table[place] if place < len(table) else None
    return table.get(part) if isinstance(table, dict) else None


def _key(path: Iterable[str]) -> str:
    return _printable(".".join(path).replace(f".{_ROW}", f" {_ROW}"))


def _choices_hint(detail: ErrorDetails) -> str:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    choices = [part.strip("'") for part in expected.replace(" or ", ", ").split(", ") if part.startswith("'")]
    return _suggest(detail["input"], choices) if choices and isinstance(detail["input"], str) else ""


def _suggest(wrong: str, known: Any) -> str:
    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _section_of(section: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = section.model_fields.get(name)
    if field is None:
        # The part after a table of tables is its key (a mood); stay at the table's own section.
        return section
    return next(_models_in(field.annotation), None)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {Union, UnionType, dict, tuple, list}:
        for part in get_args(annotation):
            yield from _models_in(part)


def _keys(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in section.model_fields.items():
        yield prefix, name
        for inner in _models_in(field.annotation):
            yield from _keys(inner, f"{prefix}.{name}".lstrip("."))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    try:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    except ValueError:
        # In hexadecimal they can be read, and in decimal not be written.
        text = "a number of thousands of digits"
    text = _printable(text)
    return text if len(text) <= 60 else text[:57] + "…"  # noqa: PLR2004 - a terminal's line


def _printable(text: str) -> str:
    # What TOML can say with \u may move a terminal's cursor.
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
